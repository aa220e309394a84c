//! Numbers as documents print them: `1,234.50`, `1.234,50`, `1 234,50`, `1'234.50`, `(45.00)`, `45,00-`.

/// A number in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    /// Its magnitude, as `canonical` writes it.
    pub(crate) magnitude: String,
    pub(crate) negative: bool,
    /// The digits after its decimal mark as printed, trailing zeros included.
    pub(crate) fraction: usize,
    /// Bytes of the text.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// More groups of digits than any amount has; longer runs are phone numbers, IBANs and columns.
const MAX_GROUPS: usize = 6;
/// More digits than any amount has.
const MAX_DIGITS: usize = 24;

/// A decimal string: an optional minus, digits, and an optional fraction after a dot.
pub(crate) fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| {
        (1..=MAX_DIGITS).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_digit())
    };
    digits(whole) && digits(fraction)
}

/// The one way to write a magnitude: no leading zeros, no trailing ones in the fraction, a dot only before one.
fn canonical(whole: &str, fraction: &str) -> String {
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// A hundredth of a magnitude: a percentage as a ratio, an amount in minor units as one in major units.
pub(crate) fn hundredth(magnitude: &str) -> String {
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let padded = format!("{whole:0>3}");
    let (whole, cents) = padded.split_at(padded.len() - 2);
    canonical(whole, &format!("{cents}{fraction}"))
}

/// A hundred times a magnitude: a ratio as a percentage.
pub(crate) fn hundredfold(magnitude: &str) -> String {
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let padded = format!("{fraction:0<2}");
    let (more, fraction) = padded.split_at(2);
    canonical(&format!("{whole}{more}"), fraction)
}

/// The number that a whole text is, in each way to read it: `1.234` is 1234 and 1.234.
pub(crate) fn readings(text: &str) -> Vec<Number> {
    let text = text.trim();
    let body = text.trim_matches(|c: char| !c.is_ascii_digit());
    // Signs, brackets, a currency and a percent sign may stand around the digits, words may not.
    let around = text.len() - body.len();
    if body.is_empty() || around > 8 || text.matches(char::is_alphabetic).count() > 3 {
        return Vec::new();
    }
    let numbers = scan(text);
    numbers.into_iter().filter(|number| number.end - number.start == body.len()).collect()
}

/// A text that is one number in one reading, as a decimal string.
pub(crate) fn to_decimal(text: &str) -> Option<String> {
    let mut found = readings(text);
    found.dedup_by(|a, b| a.magnitude == b.magnitude);
    let number = found.pop().filter(|_| found.is_empty())?;
    // The fraction is kept as printed: 1.50 is an amount, 1.5 a factor.
    let missing = number.fraction
        - number.magnitude.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let dot = if number.fraction == missing && missing > 0 { "." } else { "" };
    let sign = if number.negative { "-" } else { "" };
    Some(format!("{sign}{}{dot}{}", number.magnitude, "0".repeat(missing)))
}

/// All numbers in a text, in each way to read them.
pub(crate) fn scan(text: &str) -> Vec<Number> {
    let mut numbers = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(|c: char| c.is_ascii_digit()) {
        let start = at + found;
        let pieces = pieces(text, start);
        let end = pieces.last().map_or(start + 1, |piece| piece.1);
        if !glued_to_a_word(text, start) {
            read_pieces(text, &pieces, &mut numbers);
        }
        at = end.max(start + 1);
    }
    numbers
}

/// `A4` and `INV2026` hold no number; `EUR12` and `5kg` do.
fn glued_to_a_word(text: &str, start: usize) -> bool {
    let word: String =
        text[..start].chars().rev().take_while(|c| c.is_alphabetic()).take(4).collect();
    !word.is_empty() && super::currency::symbols(&word.chars().rev().collect::<String>()).is_none()
}

/// Runs of digits, dots, commas and apostrophes, one space apart.
fn pieces(text: &str, start: usize) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut from = start;
    loop {
        let end = piece_end(text, from);
        pieces.push((from, end));
        let mut rest = text[end..].chars();
        let next = rest.next().filter(|c| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'));
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

fn read_pieces(text: &str, pieces: &[(usize, usize)], numbers: &mut Vec<Number>) {
    for (index, &(start, end)) in pieces.iter().enumerate() {
        for (whole, fraction) in read(&text[start..end]) {
            numbers.push(number(text, &whole, &fraction, start, end));
        }
        // Groups of three after spaces are one number, or columns of a table: both are read.
        let mut whole = text[start..end].to_owned();
        if whole.len() > 3 || !whole.bytes().all(|c| c.is_ascii_digit()) {
            continue;
        }
        for &(from, to) in pieces.iter().skip(index + 1).take(MAX_GROUPS) {
            let (group, fraction) =
                text[from..to].split_once(['.', ',']).unwrap_or((&text[from..to], ""));
            let digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
            if group.len() != 3 || !digits(group) || !digits(fraction) {
                break;
            }
            whole.push_str(group);
            numbers.push(number(text, &whole, fraction, start, to));
            if !fraction.is_empty() || to - from > 3 {
                break;
            }
        }
    }
}

/// The ways to read digits with marks in between, as whole part and fraction.
fn read(piece: &str) -> Vec<(String, String)> {
    let groups: Vec<&str> = piece.split(['.', ',', '\'', '’']).collect();
    let marks: Vec<char> = piece
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .map(|c| if c == '’' { '\'' } else { c })
        .collect();
    if groups.len() > MAX_GROUPS
        || groups.iter().map(|group| group.len()).sum::<usize>() > MAX_DIGITS
    {
        return Vec::new();
    }
    let Some((&last_mark, marks)) = marks.split_last() else {
        return vec![(piece.to_owned(), String::new())];
    };
    let (last, front) = groups.split_last().map_or(("", &[][..]), |(last, front)| (*last, front));
    // Groups of two are the Indian 12,34,567.
    let grouped = |groups: &[&str]| {
        groups.first().is_some_and(|first| (1..=3).contains(&first.len()) && *first != "0")
            && groups.iter().skip(1).all(|group| matches!(group.len(), 2 | 3))
    };
    let one_mark = marks.iter().all(|mark| *mark == last_mark);
    let mut readings = Vec::new();
    if last_mark != '\''
        && (marks.is_empty()
            || (marks.iter().all(|mark| *mark == marks[0]) && !one_mark && grouped(front)))
    {
        readings.push((front.concat(), last.to_owned()));
    }
    if one_mark && last.len() == 3 && grouped(&groups) {
        readings.push((groups.concat(), String::new()));
    }
    readings
}

fn number(text: &str, whole: &str, fraction: &str, start: usize, end: usize) -> Number {
    let before = text[..start].trim_end_matches(['€', '$', '£', '¥', ' ', '\u{a0}']);
    let (before_sign, sign) = match before.chars().next_back() {
        Some(sign @ ('-' | '−' | '–')) => {
            (before[..before.len() - sign.len_utf8()].chars().next_back(), true)
        }
        _ => (None, false),
    };
    let leading = sign && !before_sign.is_some_and(char::is_alphanumeric);
    let mut after = text[end..].chars();
    let (next, then) = (after.next(), after.next());
    let trailing = next == Some('-') && !then.is_some_and(char::is_alphanumeric);
    let bracketed = before.ends_with('(') && next == Some(')');
    Number {
        magnitude: canonical(whole, fraction),
        negative: leading || trailing || bracketed,
        fraction: fraction.len(),
        start,
        end,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn magnitudes(text: &str) -> Vec<String> {
        scan(text).into_iter().map(|number| number.magnitude).collect()
    }

    #[test]
    fn each_format_is_read() {
        for text in [
            "1,234.50",
            "1.234,50",
            "1 234,50",
            "1\u{202f}234,50",
            "1'234.50",
            "1’234.50",
            "1234.5",
            "EUR1,234.50",
            "1234,50zł",
        ] {
            assert!(
                magnitudes(text).contains(&"1234.5".to_owned()),
                "{text}: {:?}",
                magnitudes(text)
            );
        }
        assert!(magnitudes("12,34,567.00").contains(&"1234567".to_owned()));
        assert_eq!(magnitudes("1.234"), ["1.234", "1234"]);
        assert_eq!(magnitudes("0.123"), ["0.123"]);
        assert_eq!(magnitudes("007"), ["7"]);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        assert!(
            magnitudes("192.168.1.1 1.2.3,4.5 A4 INV2026").iter().all(|number| number.len() < 4)
        );
        assert!(!magnitudes("A4").contains(&"4".to_owned()));
    }

    #[test]
    fn columns_and_groups_are_both_read() {
        let found = magnitudes("2 140,00");
        for number in ["2", "140", "2140"] {
            assert!(found.contains(&number.to_owned()), "{found:?}");
        }
        assert!(!magnitudes("2  140,00").contains(&"2140".to_owned()));
    }

    #[test]
    fn signs_are_read() {
        for text in ["-45,00", "−45,00 €", "- 45", "(45.00)", "45,00-", "-€45", "-$ 45.00"] {
            assert!(scan(text)[0].negative, "{text}");
        }
        for text in ["INV-45", "1-45", "45", "(45", "45-50"] {
            assert!(scan(text).iter().all(|number| !number.negative), "{text}");
        }
    }

    #[test]
    fn one_reading_is_a_decimal() {
        assert_eq!(to_decimal("1,234.50").as_deref(), Some("1234.50"));
        assert_eq!(to_decimal("€ 12,00").as_deref(), Some("12.00"));
        assert_eq!(to_decimal("510,60 zł").as_deref(), Some("510.60"));
        assert_eq!(to_decimal("-1 240,00").as_deref(), Some("-1240.00"));
        assert_eq!(to_decimal("18").as_deref(), Some("18"));
        assert_eq!(to_decimal("1,234"), None);
        assert_eq!(to_decimal("about 12 or 13"), None);
        assert_eq!(to_decimal("n/a"), None);
    }

    #[test]
    fn a_hundredth_moves_the_point() {
        for (of, is) in
            [("51060", "510.6"), ("5", "0.05"), ("0", "0"), ("19.5", "0.195"), ("100", "1")]
        {
            assert_eq!(hundredth(of), is);
            assert_eq!(hundredfold(is), of);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_scanned(text in "\\PC{0,80}") {
            for number in scan(&text) {
                prop_assert!(text.is_char_boundary(number.start) && text.is_char_boundary(number.end));
                prop_assert!(is_decimal(&number.magnitude));
            }
            if let Some(decimal) = to_decimal(&text) {
                prop_assert!(is_decimal(&decimal));
            }
        }

        #[test]
        fn an_amount_is_found_in_each_format(whole in 0u64..1_000_000_000, cents in 0u8..100) {
            let digits = whole.to_string();
            let grouped = |mark: &str| {
                let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).unwrap()).collect();
                groups.join(mark)
            };
            let expected = canonical(&digits, &format!("{cents:02}"));
            for text in [format!("{whole}.{cents:02}"), format!("{},{cents:02}", grouped(".")), format!("{}.{cents:02}", grouped(",")), format!("{},{cents:02}", grouped(" "))] {
                prop_assert!(magnitudes(&format!("Sum: {text} EUR")).contains(&expected), "{}", text);
            }
        }
    }
}
