//! Amounts and dates in many formats, each with values that match and values that nearly match.

use fastrand::Rng;

use super::Case;

/// A format of amounts: the kind, the separators of groups and decimals, and the positions of the currency.
struct Locale {
    kind: &'static str,
    group: &'static str,
    decimal: &'static str,
    forms: [&'static str; 4],
}

const LOCALES: [Locale; 7] = [
    Locale {
        kind: "gen-german", group: ".", decimal: ",", forms: ["# EUR", "EUR #", "# €", "#€"]
    },
    Locale {
        kind: "gen-english", group: ",", decimal: ".", forms: ["$#", "USD #", "# GBP", "£#"]
    },
    Locale {
        kind: "gen-french",
        group: "\u{202f}",
        decimal: ",",
        forms: ["#\u{a0}€", "# EUR", "#", "# €"],
    },
    Locale {
        kind: "gen-swiss", group: "’", decimal: ".", forms: ["CHF #", "Fr. #", "# CHF", "#"]
    },
    Locale {
        kind: "gen-polish", group: " ", decimal: ",", forms: ["# zł", "# PLN", "PLN #", "#"]
    },
    Locale { kind: "gen-nordic", group: ".", decimal: ",", forms: ["# kr", "kr #", "DKK #", "#"] },
    Locale { kind: "gen-plain", group: "", decimal: ".", forms: ["# EUR", "€ #", "EUR #", "#"] },
];

/// Texts around an amount, with digits of other things.
const AROUND: [&str; 4] = [
    "Tel. +49 30 9055 0012\n#\n",
    "Invoice 77-4410 of 2026-11-21\nSum: #\nPage 1 of 2\n",
    "Widget   #   pcs\nIBAN DE89 3704 0044 0532 0130 00\n",
    "Opens 10:30, closes 18:45. Amount #, thank you.\n",
];

pub(super) fn cases() -> Vec<Case> {
    let mut rng = Rng::with_seed(19);
    let mut cases = Vec::new();
    for locale in &LOCALES {
        for _ in 0..10 {
            amount(&mut rng, locale, &mut cases);
        }
        for _ in 0..4 {
            negative(&mut rng, locale, &mut cases);
        }
    }
    for _ in 0..60 {
        date(&mut rng, &mut cases);
    }
    for _ in 0..15 {
        numeric_date(&mut rng, &mut cases);
    }
    cases
}

fn printed(cents: u64, locale: &Locale) -> String {
    let units = (cents / 100).to_string();
    let mut text = String::new();
    for (index, digit) in units.chars().enumerate() {
        if index > 0 && (units.len() - index).is_multiple_of(3) {
            text.push_str(locale.group);
        }
        text.push(digit);
    }
    format!("{text}{}{:02}", locale.decimal, cents % 100)
}

fn decimal(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// An amount with two to seven digits before its decimals.
fn some_cents(rng: &mut Rng) -> u64 {
    let digits = rng.u32(4..10);
    rng.u64(10_u64.pow(digits - 1)..10_u64.pow(digits))
}

/// The digits with two different neighbours swapped.
fn swapped(rng: &mut Rng, digits: &str) -> Option<String> {
    let bytes = digits.as_bytes();
    let is_pair = |at: &usize| {
        let (one, two) = (bytes[*at], bytes[*at + 1]);
        one != two && one.is_ascii_digit() && two.is_ascii_digit() && (*at > 0 || two != b'0')
    };
    let pairs: Vec<usize> = (0..bytes.len() - 1).filter(is_pair).collect();
    let at = *rng.choice(&pairs)?;
    let mut other = bytes.to_vec();
    other.swap(at, at + 1);
    String::from_utf8(other).ok()
}

fn amount(rng: &mut Rng, locale: &Locale, cases: &mut Vec<Case>) {
    let cents = some_cents(rng);
    let written = locale.forms[rng.usize(0..4)].replace('#', &printed(cents, locale));
    let text = AROUND[rng.usize(0..4)].replace('#', &written);
    let right = decimal(cents);
    let mut add = |value: String, mark: &str| {
        if mark == "grounded" || value != right {
            cases.push(Case::new(locale.kind, "decimal", value, mark, text.clone()));
        }
    };
    add(right.clone(), "grounded");
    let part = if cents >= 100_000 { cents % 100_000 } else { cents % 1000 };
    match rng.u32(0..5) {
        0 => add(decimal(cents * 1000), "ungrounded"),
        1 => add(decimal(cents * 100), "ungrounded"),
        2 => add(decimal(cents + 1), "ungrounded"),
        3 if !cents.is_multiple_of(1000) => {
            add(format!("{}.{:03}", cents / 1000, cents % 1000), "ungrounded");
        }
        _ if cents / 100_000 < 1000 && locale.group == " " => add(decimal(part), "ambiguous"),
        _ => add(decimal(part), "ungrounded"),
    }
    if let Some(other) = swapped(rng, &right) {
        add(other, "ungrounded");
    }
}

fn negative(rng: &mut Rng, locale: &Locale, cases: &mut Vec<Case>) {
    let cents = some_cents(rng);
    let written = printed(cents, locale);
    let form = ["(#)", "-#", "\u{2212}#", "#-"][rng.usize(0..4)].replace('#', &written);
    let text = format!("Credit note 77\n{form} \nthank you\n");
    let kind = "gen-negative";
    cases.push(Case::new(
        kind,
        "decimal",
        format!("-{}", decimal(cents)),
        "grounded",
        text.clone(),
    ));
    cases.push(Case::new(kind, "decimal", decimal(cents), "ambiguous", text.clone()));
    let plain = format!("Credit note 77\nAmount - {written}\n");
    let other_sign = format!("-{}", decimal(cents));
    cases.push(Case::new(kind, "decimal", other_sign, "ambiguous", plain.clone()));
    cases.push(Case::new(kind, "decimal", decimal(cents), "grounded", plain));
}

const MONTHS: [(&str, &str, [&str; 12]); 6] = [
    ("en", "# @, %", EN),
    ("en", "@ # %", EN),
    (
        "de",
        "den @. # %",
        [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
    ),
    (
        "fr",
        "le @ # %",
        [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
    ),
    (
        "es",
        "@ de # de %",
        [
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ],
    ),
    (
        "pl",
        "dnia @ # % r.",
        [
            "stycznia",
            "lutego",
            "marca",
            "kwietnia",
            "maja",
            "czerwca",
            "lipca",
            "sierpnia",
            "września",
            "października",
            "listopada",
            "grudnia",
        ],
    ),
];

const EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn iso(year: u32, month: u32, day: u32) -> String {
    format!("{year}-{month:02}-{day:02}")
}

fn some_date(rng: &mut Rng) -> (u32, u32, u32) {
    (rng.u32(1995..2040), rng.u32(1..13), rng.u32(1..29))
}

/// A date in words, with variants whose day, month or year is off by one.
fn date(rng: &mut Rng, cases: &mut Vec<Case>) {
    let (year, month, day) = some_date(rng);
    let (language, form, names) = MONTHS[rng.usize(0..MONTHS.len())];
    let name = names[month as usize - 1];
    let name = if rng.u8(0..4) == 0 { name.to_uppercase() } else { name.to_owned() };
    let written =
        form.replace('#', &name).replace('@', &day.to_string()).replace('%', &year.to_string());
    let text = format!("Order 12 of 7 lines\nDate: {written}\nTel. 555 01 {day}\n");
    let kind = format!("gen-date-{language}");
    cases.push(Case::new(&kind, "date", iso(year, month, day), "grounded", text.clone()));
    let other = match rng.u8(0..4) {
        0 => iso(year + 1, month, day),
        1 => iso(year, month % 12 + 1, day),
        2 => iso(year, month, day % 28 + 1),
        _ if day <= 12 && day != month => iso(year, day, month),
        _ => iso(year - 10, month, day),
    };
    cases.push(Case::new(&kind, "date", other, "ungrounded", text));
}

/// A date in digits: with slashes and a day up to 12, it has two readings.
fn numeric_date(rng: &mut Rng, cases: &mut Vec<Case>) {
    let (year, month, day) = some_date(rng);
    let right = iso(year, month, day);
    let two_readings = day <= 12 && day != month;
    let (kind, slash) = ("gen-date-numeric", if two_readings { "ambiguous" } else { "grounded" });
    for (written, mark) in [
        (format!("{day:02}.{month:02}.{year}"), "grounded"),
        (format!("{year}-{month:02}-{day:02}"), "grounded"),
        (format!("{day}/{month}/{year}"), slash),
        (format!("{month:02}/{day:02}/{year}"), slash),
    ] {
        let text = format!("Order 12\nof {written}, page 1/2");
        cases.push(Case::new(kind, "date", right.clone(), mark, text.clone()));
        cases.push(Case::new(kind, "date", iso(year, month, day % 28 + 1), "ungrounded", text));
    }
    if two_readings {
        let other = iso(year, day, month);
        for written in [format!("{day}.{month}.{year}"), iso(year, month, day)] {
            cases.push(Case::new(
                kind,
                "date",
                other.clone(),
                "ungrounded",
                format!("of {written}"),
            ));
        }
    }
}
