//! Finds the numbers in a text: their start and end, their sign, and whether they have only one reading.
//!
//! Digits that belong to something else are not numbers: those of a telephone number, an IBAN, a date, a time, or of a
//! token joined by hyphens, slashes or letters.

use super::currency;
use super::numbers::{MAX_GROUPS, Reading, Weight, canonical, read};
use super::text::just_before;
use super::tokens::{self, Piece};

/// A number in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the facts are independent")]
pub(crate) struct Number {
    /// Its magnitude in canonical form.
    pub(crate) magnitude: String,
    pub(crate) negative: bool,
    /// Number of printed digits after its decimal mark, including trailing zeros.
    pub(crate) fraction: usize,
    /// Byte range in the text.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether this is the only reading of the text.
    pub(super) sure: bool,
    /// The mark that may separate thousands or decimals: that of `1.234`.
    pub(super) open: Option<char>,
    /// The decimal mark, if this number determines it.
    pub(super) decimal: Option<(char, Weight)>,
    /// Whether a currency is next to it, or a dash replaces its decimals: `12 €`, `12,-`.
    pub(super) amount: bool,
    /// Whether a percent sign or word follows.
    pub(super) percent: bool,
    /// The power of ten of the following word: 6 in `1.5 million`.
    pub(super) times: u8,
}

/// All numbers in a text, in all readings.
pub(crate) fn scan(text: &str) -> Vec<Number> {
    let mut numbers = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(|c: char| c.is_ascii_digit()) {
        let start = at + found;
        let pieces = tokens::pieces(text, start);
        at = pieces.last().map_or(start + 1, |piece| piece.end);
        if !tokens::is_identifier(text, &pieces) {
            read_pieces(text, &pieces, &mut numbers);
        }
    }
    numbers
}

/// Reads pieces with one space between them. Groups of three digits are one number. They may also be several columns of
/// a table, so the first and the last piece are also read, as ambiguous numbers.
fn read_pieces(text: &str, pieces: &[Piece], numbers: &mut Vec<Number>) {
    let mut index = 0;
    while let Some(piece) = pieces.get(index) {
        let last = last_of_group(text, pieces, index);
        if !tokens::is_free(text, pieces, index, last) {
            index += 1;
            continue;
        }
        if last == index {
            for reading in read(&text[piece.start..piece.end]) {
                number(text, &reading, (piece.start, piece.end), true, numbers);
            }
        } else {
            let end = pieces[last];
            let (head, tail) = text[piece.start..end.end]
                .split_once(['.', ','])
                .unwrap_or((&text[piece.start..end.end], ""));
            let whole = head.chars().filter(char::is_ascii_digit).collect();
            let fraction = tail.to_owned();
            let shows = !fraction.is_empty() || is_amount(text, piece.start, end.end);
            let reading = Reading { whole, fraction, open: None, decimal: None };
            number(text, &reading, (piece.start, end.end), shows, numbers);
            for part in [*piece, end] {
                for reading in read(&text[part.start..part.end]) {
                    number(text, &reading, (part.start, part.end), false, numbers);
                }
            }
        }
        index = last + 1;
    }
}

/// The last piece of the number that begins at a piece: `12` and `345,67` are one number.
fn last_of_group(text: &str, pieces: &[Piece], first: usize) -> usize {
    let digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    let head = &text[pieces[first].start..pieces[first].end];
    if head.len() > 3 || head.starts_with('0') || !digits(head) {
        return first;
    }
    let mut last = first;
    for (index, piece) in pieces.iter().enumerate().skip(first + 1).take(MAX_GROUPS) {
        let piece = &text[piece.start..piece.end];
        let (group, fraction) = piece.split_once(['.', ',']).unwrap_or((piece, ""));
        if group.len() != 3 || !digits(group) || !digits(fraction) {
            break;
        }
        last = index;
        if piece.len() > 3 {
            break;
        }
    }
    last
}

fn is_amount(text: &str, start: usize, end: usize) -> bool {
    currency::before(text, start).is_some()
        || currency::after(text, end).is_some()
        || [",-", ".-", ",–", ".–", ",—", ".—", ":-"]
            .iter()
            .any(|dash| text[end..].starts_with(dash))
}

fn number(
    text: &str,
    reading: &Reading,
    (start, end): (usize, usize),
    sure: bool,
    numbers: &mut Vec<Number>,
) {
    let (whole, fraction) = (&reading.whole, &reading.fraction);
    // `$.50` has no digit before its mark.
    let only_fraction = fraction.is_empty()
        && text[..start].ends_with('.')
        && text[..start - 1].ends_with(['$', '€', '£', ' ', '-'])
        && !text[..start].ends_with(" .-");
    let (whole, fraction, start) = if only_fraction {
        ("0", whole.as_str(), start - 1)
    } else {
        (whole.as_str(), fraction.as_str(), start)
    };
    let amount = is_amount(text, start, end);
    let percent = tokens::percent_follows(text, end);
    let is_money = fraction.len() == 2 || whole.len() > 3 && end - start > whole.len() || amount;
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    let long = whole.len() > 8 && end - start == whole.len() && !amount;
    let is_named = tokens::is_list_mark_or_label(text, start, end);
    let mut found = Number {
        magnitude: canonical(whole, fraction),
        negative: false,
        fraction: fraction.len(),
        start,
        end,
        sure: sure && !leading_zero && !long && !is_named,
        open: reading.open,
        decimal: reading.decimal,
        amount,
        percent,
        times: tokens::times(text, end),
    };
    match sign(text, start, end, is_money && !percent) {
        Sign::Plus => numbers.push(found),
        Sign::Minus => numbers.push(Number { negative: true, ..found }),
        Sign::Either => {
            found.sure = false;
            numbers.push(found.clone());
            numbers.push(Number { negative: true, ..found });
        }
    }
}

enum Sign {
    Plus,
    Minus,
    /// A dash that may be a sign or a list mark.
    Either,
}

/// The sign of a number. A sign is directly at the digits or at their currency, and not after a letter or digit. After
/// an amount, or as brackets around it, it is accounting notation.
fn sign(text: &str, start: usize, end: usize, is_money: bool) -> Sign {
    let outer = currency::before(text, start).unwrap_or(start);
    let is_minus = |c: &char| matches!(c, '-' | '−' | '–');
    for at in [start, outer] {
        let mut before = text[..at].chars().rev();
        if before.next().is_some_and(|c| is_minus(&c))
            && !before.next().is_some_and(|c| c.is_alphanumeric() || c == ')')
        {
            return Sign::Minus;
        }
    }
    let mut after = text[end..].chars();
    let trailing = after.next().is_some_and(|c| is_minus(&c))
        && !after.next().is_some_and(|c| c.is_alphanumeric() || is_minus(&c));
    let close = currency::after(text, end).unwrap_or(end);
    let bracketed = text[close..].starts_with(')')
        && (text[..outer].ends_with('(') || text[..start].ends_with('('));
    if is_money && (trailing || bracketed) {
        return Sign::Minus;
    }
    let line = just_before(text, outer);
    let cell = line.rfind(['\n', '\t', '|']).map_or(line, |at| &line[at + 1..]).trim();
    if cell.chars().count() == 1 && cell.chars().all(|c| is_minus(&c)) {
        return Sign::Either;
    }
    Sign::Plus
}

/// The decimal mark of a document, if its numbers agree.
pub(super) fn decimal_mark<'a>(
    numbers: &(impl Iterator<Item = &'a Number> + Clone),
) -> Option<char> {
    let of = |weight: Weight| {
        let mut marks: Vec<char> = numbers
            .clone()
            .filter(|number| number.sure)
            .filter_map(|number| number.decimal.filter(|(_, own)| *own == weight))
            .map(|(mark, _)| mark)
            .collect();
        marks.sort_unstable();
        marks.dedup();
        marks
    };
    let strong = of(Weight::Strong);
    let marks = if strong.is_empty() { of(Weight::Weak) } else { strong };
    <[char; 1]>::try_from(marks).ok().map(|[mark]| mark)
}

/// Selects the reading of `1.234` that matches the document's decimal mark or a currency; without them, keeps both as
/// ambiguous.
pub(super) fn settle(text: &str, numbers: Vec<Number>, decimal: Option<char>) -> Vec<Number> {
    let settled = |mut number: Number| {
        let Some(mark) = number.open else { return Some(number) };
        let is_fraction = number.fraction > 0;
        if decimal.is_some() {
            return ((decimal == Some(mark)) == is_fraction).then_some(number);
        }
        if number.amount && !currency::has_three_decimals(text, number.start, number.end) {
            return (!is_fraction).then_some(number);
        }
        number.sure = false;
        Some(number)
    };
    numbers.into_iter().filter_map(settled).collect()
}
