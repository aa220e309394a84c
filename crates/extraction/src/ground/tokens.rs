//! Classifies the digits of a text: parts of numbers, and parts of identifiers.

use super::currency;
use super::text::just_before;

/// Digits with dots, commas and apostrophes between them, as a byte range of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) end: usize,
}

const SPACES: [char; 4] = [' ', '\u{a0}', '\u{202f}', '\u{2009}'];
const HYPHENS: [char; 5] = ['-', '\u{2010}', '\u{2011}', '–', '−'];

/// Words before a telephone number.
const TELEPHONE: [&str; 18] = [
    "tel",
    "fax",
    "telefax",
    "telefon",
    "telephone",
    "telefono",
    "telefone",
    "phone",
    "mobile",
    "mobil",
    "mob",
    "handy",
    "kom",
    "gsm",
    "cell",
    "call",
    "tlf",
    "tél",
];

/// Runs of digits, dots, commas and apostrophes, with one space between them.
pub(super) fn pieces(text: &str, start: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut from = start;
    loop {
        let end = piece_end(text, from);
        pieces.push(Piece { start: from, end });
        let mut rest = text[end..].chars();
        let next = rest.next().filter(|c| SPACES.contains(c));
        match (next, rest.next()) {
            (Some(space), Some(digit)) if digit.is_ascii_digit() => from = end + space.len_utf8(),
            _ => return pieces,
        }
    }
}

fn piece_end(text: &str, from: usize) -> usize {
    let mut end = from;
    let mut chars = text[from..].char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let mark = matches!(c, '.' | ',' | '\'' | '’')
            && chars.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        if !c.is_ascii_digit() && !mark {
            break;
        }
        end = from + at + c.len_utf8();
    }
    end
}

/// Whether the pieces of a run are the digits of an identifier: a telephone number, an IBAN and so on.
pub(super) fn is_identifier(text: &str, pieces: &[Piece]) -> bool {
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return true };
    let of = |piece: &Piece| &text[piece.start..piece.end];
    if pieces.iter().any(|piece| of(piece).contains(['.', ',', '\'', '’'])) {
        return false;
    }
    let digits: usize = pieces.iter().map(|piece| of(piece).len()).sum();
    let (before, after) = (&text[..first.start], &text[last.end..]);
    let plus = before.ends_with('+') && (pieces.len() > 1 || digits >= 7);
    if plus || digits >= 6 && follows_telephone(just_before(text, first.start)) {
        return true;
    }
    if pieces.len() == 1 {
        return false;
    }
    let is_money =
        currency::before(text, first.start).is_some() || currency::after(text, last.end).is_some();
    let groups = pieces.iter().skip(1).all(|piece| of(piece).len() == 3) && of(first).len() <= 3;
    let glued = before.ends_with(char::is_alphabetic) && !is_money;
    let zero = |piece: &Piece| of(piece).len() > 1 && of(piece).starts_with('0');
    let years =
        pieces.iter().all(|piece| of(piece).len() == 4 && of(piece).starts_with(['1', '2']));
    let spelled = zero(first) || !groups && pieces.iter().any(zero);
    let split =
        after.starts_with(['-', '/']) && after[1..].starts_with(|c: char| c.is_ascii_digit());
    spelled || !groups && !years && digits >= 12 || glued && digits >= 9 || split && digits >= 6
}

/// Whether a word for a telephone precedes, followed only by marks and digits.
fn follows_telephone(before: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || SPACES.contains(&c) || "()/+-.:".contains(c);
    let head = before.trim_end_matches(is_part);
    let start = head
        .rfind(|c: char| !c.is_alphabetic())
        .map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8));
    let word = head[start..].to_lowercase();
    TELEPHONE.contains(&word.as_str())
}

/// Whether the pieces from `first` to `last` are separate: no letter, hyphen, slash or colon joins them to a longer
/// token.
pub(super) fn is_free(text: &str, pieces: &[Piece], first: usize, last: usize) -> bool {
    let starts = first > 0 || begins_free(text, pieces[first].start);
    starts && (last + 1 < pieces.len() || ends_free(text, pieces[last].end))
}

fn begins_free(text: &str, start: usize) -> bool {
    let head = &text[..start];
    let mut before = head.chars().rev();
    let (Some(near), far) = (before.next(), before.next().unwrap_or(' ')) else { return true };
    match near {
        // `A4` and `INV2026` contain no number; `EUR12` and `10x20` do.
        _ if near.is_alphabetic() => {
            currency::before(text, start).is_some()
                || matches!(near, 'x' | '×') && far.is_ascii_digit()
        }
        _ if HYPHENS.contains(&near) => {
            !far.is_alphanumeric() || is_range(text, start - near.len_utf8())
        }
        '/' => !far.is_alphanumeric(),
        ':' | '.' => !far.is_ascii_digit(),
        '_' | '@' => false,
        _ => true,
    }
}

fn ends_free(text: &str, end: usize) -> bool {
    let mut after = text[end..].chars();
    let (Some(near), far) = (after.next(), after.next().unwrap_or(' ')) else { return true };
    let tail = &text[end + near.len_utf8()..];
    let word = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
    let continues = tail[word..].starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '/');
    match near {
        _ if near.is_alphabetic() => {
            let times = matches!(near, 'x' | '×') && far.is_ascii_digit();
            times || !continues || tail[word..].starts_with('/')
        }
        // `14-day` contains a number, `12-A` and `555-0199` do not.
        _ if HYPHENS.contains(&near) => {
            !far.is_alphanumeric()
                || far.is_alphabetic() && word > 2 && !continues
                || is_range(text, end)
        }
        '/' => !(far.is_ascii_digit() || far.is_alphabetic() && continues),
        ':' => !far.is_ascii_digit(),
        '_' | '@' => false,
        _ => true,
    }
}

/// Whether the hyphen at `at` is in a range, such as `10-12`: ascending numbers with the same number of digits.
fn is_range(text: &str, at: usize) -> bool {
    let hyphen = text[at..].chars().next().map_or(1, char::len_utf8);
    let (head, tail) = (&text[..at], &text[at + hyphen..]);
    let low = &head[head.trim_end_matches(|c: char| c.is_ascii_digit()).len()..];
    let high = &tail[..tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_digit()).len()];
    let joined =
        |c: char| c.is_alphanumeric() || HYPHENS.contains(&c) || matches!(c, '/' | '.' | ',' | ':');
    let before = head[..head.len() - low.len()].chars().next_back();
    let mut after = tail[high.len()..].chars();
    let after_joined = after.next().is_some_and(|c| joined(c) && !matches!(c, '.' | ',' | ':'))
        || after.next().is_some_and(|c| c.is_ascii_digit());
    low.len() == high.len()
        && (1..=4).contains(&low.len())
        && low < high
        && !low.starts_with('0')
        && !before.is_some_and(joined)
        && !after_joined
}

fn word_after(text: &str, end: usize) -> &str {
    let tail = &text[end..];
    let tail = tail.strip_prefix(SPACES).unwrap_or(tail);
    &tail[..tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len())]
}

pub(super) fn percent_follows(text: &str, end: usize) -> bool {
    let words = ["percent", "prozent", "pct", "procent", "procento", "procenta", "percento"];
    text[end..].trim_start().starts_with(['%', '％'])
        || words.contains(&word_after(text, end).to_lowercase().as_str())
}

/// The power of ten of the word after a number, or 0.
pub(super) fn times(text: &str, end: usize) -> u8 {
    let word = word_after(text, end);
    if matches!(word, "k" | "K" | "TEUR" | "T") && text[end..].starts_with(word) || word == "TEUR" {
        return 3;
    }
    match word.to_lowercase().as_str() {
        "thousand" | "tausend" | "tsd" | "tys" | "tysięcy" => 3,
        "lakh" | "lakhs" => 5,
        "million" | "millions" | "mio" | "mln" | "millionen" | "millones" | "milhões"
        | "milioni" | "miljoen" | "milionów" | "miliony" => 6,
        "crore" | "crores" => 7,
        "billion" | "billions" | "mrd" | "milliarde" | "milliarden" | "milliard" | "milliards"
        | "mld" => 9,
        _ => 0,
    }
}

/// Whether a number is a list mark, `3) Terms`, or a label, `Box 2: pay`.
pub(super) fn is_list_mark_or_label(text: &str, start: usize, end: usize) -> bool {
    let mut after = text[end..].chars();
    let (near, far) = (after.next(), after.next().unwrap_or('\n'));
    let line = just_before(text, start);
    let line = &line[line.rfind(['\n', '\t', '|']).map_or(0, |at| at + 1)..];
    let then = after.next().is_some_and(char::is_alphabetic);
    match near {
        Some(':') => far.is_whitespace(),
        Some(')') => line.trim().is_empty(),
        Some('.') => line.trim().is_empty() && far == ' ' && then,
        _ => false,
    }
}
