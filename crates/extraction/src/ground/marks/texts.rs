//! Names, identifiers, addresses and currencies in many formats, each with values that nearly match.

use fastrand::Rng;
use unicode_normalization::UnicodeNormalization as _;

use super::Case;

const FIRST: [&str; 8] = ["Anna", "Jürgen", "Zoë", "José", "Łukasz", "Marie", "Søren", "Agnès"];
const LAST: [&str; 8] =
    ["Kowalska", "Müller", "Brontë", "Peña", "Wójcik", "Lefèvre", "Nielsen", "Schneider"];
const STREETS: [&str; 5] =
    ["Lindenstraße", "Rue Victor Hugo", "Ulica Długa", "Main Road", "Via Roma"];
const TOWNS: [&str; 5] = ["Berlin", "Kraków", "Lyon", "Zürich", "Bad Homburg"];

pub(super) fn cases() -> Vec<Case> {
    let mut rng = Rng::with_seed(91);
    let mut cases = Vec::new();
    for _ in 0..30 {
        name(&mut rng, &mut cases);
        identifier(&mut rng, &mut cases);
        iban(&mut rng, &mut cases);
        address(&mut rng, &mut cases);
        email(&mut rng, &mut cases);
    }
    currencies(&mut cases);
    cases
}

fn pick<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.usize(0..of.len())]
}

/// An entry other than `not`.
fn other<'a>(rng: &mut Rng, of: &[&'a str], not: &str) -> &'a str {
    loop {
        let one = pick(rng, of);
        if one != not {
            return one;
        }
    }
}

fn name(rng: &mut Rng, cases: &mut Vec<Case>) {
    let (first, last) = (pick(rng, &FIRST), pick(rng, &LAST));
    let right = format!("{first} {last}");
    let (head, tail) = last.split_at(last.char_indices().nth(3).map_or(3, |(at, _)| at));
    let written = match rng.u8(0..6) {
        0 => right.clone(),
        1 => right.to_uppercase(),
        2 => right.nfd().collect(),
        3 => format!("{last}, {first}"),
        4 => format!("{first} {head}-\n{tail}"),
        _ => format!("{first}\n{last}"),
    };
    let text = format!("Contract of 2026\nbetween {written} and the seller, 12 pages\n");
    let kind = "gen-name";
    cases.push(Case::new(kind, "text", right.clone(), "grounded", text.clone()));
    let wrong = match rng.u8(0..4) {
        0 => format!("{first} {}", other(rng, &LAST, last)),
        1 => format!("{} {last}", other(rng, &FIRST, first)),
        2 => format!("{first} {head}"),
        _ => format!("{right}s"),
    };
    cases.push(Case::new(kind, "text", wrong, "ungrounded", text));
    let (first2, last2) = (other(rng, &FIRST, first), other(rng, &LAST, last));
    let two = format!("Signed by {first} {last2} and {first2} {last}.");
    cases.push(Case::new(kind, "text", right, "ungrounded", two));
}

/// The number with one digit changed, without its last digit, or with one more digit.
fn nearly(rng: &mut Rng, digits: &str) -> String {
    match rng.u8(0..3) {
        0 => digits[..digits.len() - 1].to_owned(),
        1 => format!("{digits}{}", rng.u8(0..10)),
        _ => {
            let at = rng.usize(0..digits.len());
            let digit = (digits.as_bytes()[at] - b'0' + rng.u8(1..10)) % 10;
            format!("{}{digit}{}", &digits[..at], &digits[at + 1..])
        }
    }
}

fn identifier(rng: &mut Rng, cases: &mut Vec<Case>) {
    let (prefix, year) = (pick(rng, &["RE", "INV", "FV", "F", "2026/PO"]), rng.u32(1999..2030));
    let count = format!("{:05}", rng.u32(1..99_999));
    let separator = pick(rng, &["-", "/", "."]);
    let right = format!("{prefix}{separator}{year}{separator}{count}");
    let written = if rng.bool() { right.clone() } else { right.to_lowercase() };
    let text = format!("Number: {written}\nDate 21.11.2026, total 12 345,67 EUR");
    let kind = "gen-identifier";
    cases.push(Case::new(kind, "text", right, "grounded", text.clone()));
    let wrong = format!("{prefix}{separator}{year}{separator}{}", nearly(rng, &count));
    cases.push(Case::new(kind, "text", wrong, "ungrounded", text.clone()));
    if count.starts_with(|digit| digit != '0') {
        cases.push(Case::new(kind, "decimal", format!("{count}.00"), "ungrounded", text));
    }
}

fn iban(rng: &mut Rng, cases: &mut Vec<Case>) {
    let digits: String = (0..20).map(|_| char::from(b'0' + rng.u8(0..10))).collect();
    let country = pick(rng, &["DE", "AT", "PL", "CH"]);
    let right = format!("{country}{digits}");
    let groups: Vec<&str> =
        (0..right.len()).step_by(4).map(|at| &right[at..right.len().min(at + 4)]).collect();
    let written = match rng.u8(0..3) {
        0 => right.clone(),
        1 => groups.join(" "),
        _ => format!("{}\n{}", groups[..3].join(" "), groups[3..].join(" ")),
    };
    let text = format!("Bank: Sparkasse\nIBAN {written}\nBIC COBADEFF\n");
    let kind = "gen-iban";
    cases.push(Case::new(kind, "text", right.clone(), "grounded", text.clone()));
    let at = rng.usize(0..20);
    let digit = (digits.as_bytes()[at] - b'0' + rng.u8(1..10)) % 10;
    let wrong = format!("{country}{}{digit}{}", &digits[..at], &digits[at + 1..]);
    cases.push(Case::new(kind, "text", wrong, "ungrounded", text.clone()));
    cases.push(Case::new(kind, "decimal", groups[2], "ungrounded", text));
}

fn address(rng: &mut Rng, cases: &mut Vec<Case>) {
    let (street, town) = (pick(rng, &STREETS), pick(rng, &TOWNS));
    let (house, code) = (rng.u32(10..99).to_string(), rng.u32(10_000..99_999).to_string());
    let right = format!("{street} {house}, {code} {town}");
    let text = match rng.u8(0..4) {
        0 => format!("To\n{street} {house}\n{code} {town}\n"),
        1 => format!("{street} {house}     Invoice 4711\n{code} {town}     21.11.2026\n"),
        2 => format!("| {street} {house} | Net | 12.00 |\n| {code} {town} | Tax | 2.28 |\n"),
        _ => format!("Our office: {street} {house}, {code} {town}. Welcome!"),
    };
    let kind = "gen-address";
    cases.push(Case::new(kind, "text", right, "grounded", text.clone()));
    let wrong = match rng.u8(0..3) {
        0 => format!("{street} {}, {code} {town}", nearly(rng, &house)),
        1 => format!("{street} {house}, {} {town}", nearly(rng, &code)),
        _ => format!("{street} {house}, {code} {}", other(rng, &TOWNS, town)),
    };
    cases.push(Case::new(kind, "text", wrong, "ungrounded", text));
}

fn email(rng: &mut Rng, cases: &mut Vec<Case>) {
    let user = pick(rng, &["a.nowak", "info", "j_smith", "sales-eu", "bob+shop"]);
    let host = pick(rng, &["example.com", "mail.example.org", "acme-ltd.example"]);
    let right = format!("{user}@{host}");
    let written = match rng.u8(0..4) {
        0 => right.clone(),
        1 => right.to_uppercase(),
        2 => format!("<{right}>,"),
        _ => format!("mailto:{right}."),
    };
    let text = format!("Ask us\n{written}\nor call 030 1234567");
    let kind = "gen-email";
    cases.push(Case::new(kind, "text", right, "grounded", text.clone()));
    let wrong = match rng.u8(0..4) {
        0 => format!("x{user}@{host}"),
        1 => format!("{}@{host}", &user[1..]),
        2 => format!("{user}@{host}.pl"),
        _ => format!("{}@{host}", user.replace(['.', '_', '-', '+'], "") + "1"),
    };
    cases.push(Case::new(kind, "text", wrong, "ungrounded", text));
}

/// A code at an amount, a code that is not in the text, and words that begin or end with a code.
fn currencies(cases: &mut Vec<Case>) {
    let kind = "gen-currency";
    let words = [
        ("EUR", "Eurowings"),
        ("SEK", "Sekunden"),
        ("NOK", "Nokia"),
        ("PLN", "xPLN7"),
        ("CHF", "Reichfelder"),
        ("USD", "Ausdehnung"),
        ("GBP", "GBPs"),
        ("CAD", "Academy"),
        ("RON", "Byron"),
        ("INR", "Mainring"),
        ("HUF", "Pferdehuf"),
        ("TRY", "Country"),
    ];
    for (code, word) in words {
        for form in ["Total # 12,50", "12.50 # due", "1 x Item\t4,00 #"] {
            cases.push(Case::new(kind, "currency", code, "grounded", form.replace('#', code)));
            cases.push(Case::new(kind, "currency", code, "ungrounded", form.replace('#', word)));
            let upper = form.replace('#', &word.to_uppercase());
            cases.push(Case::new(kind, "currency", code, "ungrounded", upper));
        }
    }
}
