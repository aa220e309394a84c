//! The signs of currencies, for a text that prints `€` where the data says `EUR`.

const SYMBOLS: [(&str, &[&str]); 20] = [
    ("AUD", &["A$", "$"]),
    ("BRL", &["R$"]),
    ("CAD", &["C$", "$"]),
    ("CHF", &["Fr.", "SFr."]),
    ("CNY", &["¥", "元", "RMB"]),
    ("CZK", &["Kč"]),
    ("DKK", &["kr"]),
    ("EUR", &["€", "Euro", "euro"]),
    ("GBP", &["£"]),
    ("HUF", &["Ft"]),
    ("ILS", &["₪"]),
    ("INR", &["₹", "Rs."]),
    ("JPY", &["¥", "円"]),
    ("KRW", &["₩"]),
    ("NOK", &["kr"]),
    ("PLN", &["zł", "złotych"]),
    ("SEK", &["kr"]),
    ("TRY", &["₺", "TL"]),
    ("UAH", &["₴"]),
    ("USD", &["US$", "$"]),
];

/// What a text may print for an ISO 4217 code.
pub(super) fn symbols(code: &str) -> Option<&'static [&'static str]> {
    SYMBOLS.iter().find(|(known, _)| *known == code).map(|(_, symbols)| *symbols)
}
