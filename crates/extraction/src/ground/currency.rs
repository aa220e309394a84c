//! Currencies in a text: codes as separate words, and symbols at amounts, because a text may print `€` for the value
//! `EUR`.

use super::text::Spot;

/// ISO 4217 codes of current currencies.
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN \
    BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ \
    GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL \
    LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN \
    PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD \
    TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";
/// Codes that are also words: they count only at an amount with decimals.
const WORDS: &str = "ALL BAM BOB COP CUP GEL LAK MAD MOP PEN RON SOS TOP TRY";
/// Codes whose amounts have three decimals.
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// Symbols of one currency.
#[rustfmt::skip]
const OWN: [(&str, &[&str]); 21] = [
    ("AUD", &["A$", "AU$"]), ("BRL", &["R$"]), ("CAD", &["C$", "CA$"]), ("CHF", &["Fr.", "SFr.", "Fr"]),
    ("CNY", &["元", "RMB"]), ("CZK", &["Kč"]), ("EUR", &["€", "Euro", "euro", "euros", "Euros"]), ("GBP", &["£"]),
    ("HUF", &["Ft"]), ("ILS", &["₪"]), ("INR", &["₹", "Rs.", "Rs"]), ("JPY", &["円"]), ("KRW", &["₩"]),
    ("NZD", &["NZ$"]), ("PLN", &["zł", "złotych"]), ("RON", &["lei"]), ("RUB", &["₽"]), ("TRY", &["₺", "TL"]),
    ("UAH", &["₴"]), ("USD", &["US$"]), ("VND", &["₫"]),
];
/// Symbols of several currencies: the symbol alone is ambiguous.
#[rustfmt::skip]
const SHARED: [(&str, &[&str]); 3] = [
    ("$", &["USD", "CAD", "AUD", "NZD", "MXN", "SGD", "HKD", "ARS", "CLP", "COP", "TWD"]),
    ("kr", &["SEK", "NOK", "DKK", "ISK"]),
    ("¥", &["JPY", "CNY"]),
];
const SPACES: [char; 3] = [' ', '\u{a0}', '\u{202f}'];

fn lists(list: &str, code: &str) -> bool {
    code.len() == 3 && list.split_ascii_whitespace().any(|known| known == code)
}

/// Whether a text is an ISO 4217 code.
pub(super) fn is_code(text: &str) -> bool {
    lists(CODES, text)
}

fn is_mark(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    let in_small = word.chars().all(char::is_lowercase) && is_code(&upper) && !lists(WORDS, &upper);
    let known = |sign: &&str| *sign == word || sign.strip_suffix('.') == Some(word);
    is_code(word)
        || in_small
        || OWN.iter().flat_map(|(_, signs)| *signs).any(known)
        || SHARED.iter().any(|(sign, _)| *sign == word)
        || matches!(word, "Kr" | "KR" | "dollars" | "dollar" | "pounds" | "złoty" | "złote")
}

fn is_sign(c: char) -> bool {
    matches!(c, '€' | '$' | '£' | '¥' | '₹' | '₽' | '₩' | '₴' | '₪' | '₺' | '₫' | '円' | '元')
}

/// Start of the currency before `at`, with at most one space between them.
pub(super) fn before(text: &str, at: usize) -> Option<usize> {
    let head = &text[..at];
    let head = head.strip_suffix(SPACES).unwrap_or(head);
    let is_part = |c: char| c.is_alphabetic() || is_sign(c);
    let body = head.strip_suffix('.').unwrap_or(head);
    let start = body
        .rfind(|c| !is_part(c))
        .map_or(0, |at| at + body[at..].chars().next().map_or(1, char::len_utf8));
    let mark = &body[start..];
    let glued = body[..start].ends_with(|c: char| c.is_alphanumeric());
    (!mark.is_empty() && !glued && (is_mark(mark) || mark.ends_with(is_sign) && body == head))
        .then_some(start)
}

/// End of the currency after `at`, with at most one space between them.
pub(super) fn after(text: &str, at: usize) -> Option<usize> {
    let tail = &text[at..];
    let tail = tail.strip_prefix(SPACES).unwrap_or(tail);
    let from = text.len() - tail.len();
    if let Some(sign) = tail.chars().next().filter(|c| is_sign(*c)) {
        return Some(from + sign.len_utf8());
    }
    let end = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
    let glued = tail[end..].starts_with(|c: char| c.is_ascii_digit());
    (end > 0 && !glued && is_mark(&tail[..end])).then_some(from + end)
}

/// Whether the currency of the amount at `start..end` has three decimals.
pub(super) fn has_three_decimals(text: &str, start: usize, end: usize) -> bool {
    let before = before(text, start).map(|from| &text[from..start]);
    let after = after(text, end).map(|to| &text[end..to]);
    [before, after].into_iter().flatten().any(|mark| lists(THREE_DECIMALS, mark.trim()))
}

/// The symbols of a currency, and whether each belongs only to this currency.
pub(super) fn signs(code: &str) -> impl Iterator<Item = (&'static str, bool)> {
    let own = OWN.iter().filter(move |(known, _)| *known == code).flat_map(|(_, signs)| *signs);
    let shared = SHARED.iter().filter(move |(_, codes)| codes.contains(&code));
    own.map(|sign| (*sign, true)).chain(shared.map(|(sign, _)| (*sign, false)))
}

/// Finds the code as a separate word.
pub(super) fn find_code(text: &str, code: &str, from: usize, to: usize) -> (Option<Spot>, u32) {
    let part = text.get(from..to).unwrap_or_default();
    let small = code.to_ascii_lowercase();
    let upper = part.match_indices(code).map(|(at, _)| (from + at, true));
    let lower = part.match_indices(small.as_str()).map(|(at, _)| (from + at, false));
    let spots = upper.chain(lower).filter_map(|(start, is_upper)| {
        let end = start + code.len();
        let (amount, decimals) = at_amount(text, start, end)?;
        let stands = if lists(WORDS, code) { is_upper && decimals } else { is_upper || amount };
        stands.then_some(Spot { start, end, sure: true })
    });
    Spot::best(spots)
}

/// Finds a symbol at an amount; a symbol of letters must be a separate word.
pub(super) fn find_sign(
    text: &str,
    sign: (&str, bool),
    from: usize,
    to: usize,
) -> (Option<Spot>, u32) {
    let part = text.get(from..to).unwrap_or_default();
    let spots = part.match_indices(sign.0).filter_map(|(at, _)| {
        let (start, end) = (from + at, from + at + sign.0.len());
        let (amount, _) = at_amount(text, start, end)?;
        let alone = sign.0.chars().all(is_sign) && sign.0 != "$";
        (amount || alone).then_some(Spot { start, end, sure: sign.1 })
    });
    Spot::best(spots)
}

/// Whether there is an amount next to a token, and whether it has decimals; `None` if the token is a part of a longer
/// one.
fn at_amount(text: &str, start: usize, end: usize) -> Option<(bool, bool)> {
    let (head, tail) = (&text[..start], &text[end..]);
    let letters = text[start..end].chars().next()?.is_alphabetic();
    let joined = |mut chars: Box<dyn Iterator<Item = char> + '_>| match chars.next() {
        Some('-' | '_' | '@') => chars.next().is_some_and(char::is_alphanumeric),
        Some(c) => c.is_alphabetic(),
        None => false,
    };
    let ends_in_letter = text[start..end].ends_with(char::is_alphabetic);
    let starts_word = letters || text[start..end].starts_with('$');
    if starts_word && joined(Box::new(head.chars().rev()))
        || ends_in_letter && joined(Box::new(tail.chars()))
    {
        return None;
    }
    let digit = |c: char| c.is_ascii_digit();
    let after = tail.trim_start_matches(SPACES).trim_start_matches(['-', '−', '(', '–']);
    let near = tail.len() - after.len() <= 4 && after.starts_with(digit);
    let number = after.find(|c| !digit(c) && !matches!(c, '.' | ',' | '\'')).unwrap_or(after.len());
    // `Fr. 12. Mai` is a date.
    let is_ordinal = after[..number].ends_with('.')
        && after[number..].trim_start().starts_with(char::is_alphabetic);
    let next = near && !is_ordinal;
    let before = head.trim_end_matches(SPACES);
    let close = head.len() - before.len() <= 3;
    let bare = before.trim_end_matches([')', '-', '–', ',', '.']);
    let previous = close && bare.ends_with(digit) && before.len() - bare.len() <= 4;
    let has_decimals = |number: &str| {
        let cut = number.len().checked_sub(3).and_then(|at| number.get(at..));
        cut.is_some_and(|cut| {
            cut.starts_with(['.', ',']) && cut[1..].bytes().all(|c| c.is_ascii_digit())
        })
    };
    let decimals = next && has_decimals(after[..number].trim_end_matches(['.', ',']))
        || previous && has_decimals(bare);
    Some((next || previous, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_separate_word() {
        for (text, code) in [
            ("EUR 12", "EUR"),
            ("12EUR", "EUR"),
            ("in EUR", "EUR"),
            ("TRY 1.50", "TRY"),
            ("3 sek", "SEK"),
        ] {
            assert!(find_code(text, code, 0, text.len()).0.is_some(), "{text}");
        }
        for (text, code) in [
            ("European", "EUR"),
            ("SEKRET", "SEK"),
            ("TRY IT", "TRY"),
            ("TOP 10", "TOP"),
            ("GBP-77", "GBP"),
        ] {
            assert!(find_code(text, code, 0, text.len()).0.is_none(), "{text}");
        }
    }

    #[test]
    fn a_symbol_is_at_an_amount() {
        let find =
            |text: &str, sign: &str| find_sign(text, (sign, true), 0, text.len()).0.is_some();
        assert!(
            find("12 kr", "kr")
                && find("kr 12", "kr")
                && find("Fr. 12.50", "Fr.")
                && find("$5", "$")
        );
        assert!(
            !find("skrev 12", "kr")
                && !find("kr", "kr")
                && !find("Fr. 12. Mai", "Fr.")
                && !find("R$5", "$")
        );
    }

    #[test]
    fn a_currency_next_to_an_amount_is_found() {
        assert_eq!(before("EUR 12", 4), Some(0));
        assert_eq!(before("US$12", 3), Some(0));
        assert_eq!(before("Europe 12", 7), None);
        assert_eq!(after("12 zł", 2), Some(6));
        assert_eq!(after("12 zebras", 2), None);
    }
}
