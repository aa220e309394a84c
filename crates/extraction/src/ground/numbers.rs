//! Numbers in printed formats: `1,234.50`, `1.234,50`, `1 234,50`, `1'234.50`, `(45.00)`, `45,00-`.

use super::scan::{Number, scan};

/// Maximum number of digit groups in an amount; longer runs are phone numbers, IBANs and columns.
pub(super) const MAX_GROUPS: usize = 6;
/// Maximum number of digits in an amount.
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

/// The canonical form of a magnitude: no leading zeros, no trailing zeros in the fraction, and a dot only before a
/// fraction.
pub(super) fn canonical(whole: &str, fraction: &str) -> String {
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// A magnitude divided by a power of ten.
pub(super) fn divided(magnitude: &str, power: u8) -> String {
    let power = usize::from(power);
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let padded = format!("{whole:0>width$}", width = power + 1);
    let (whole, moved) = padded.split_at(padded.len() - power);
    canonical(whole, &format!("{moved}{fraction}"))
}

/// A magnitude times a hundred: a ratio as a percentage.
pub(super) fn hundredfold(magnitude: &str) -> String {
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let padded = format!("{fraction:0<2}");
    let (more, fraction) = padded.split_at(2);
    canonical(&format!("{whole}{more}"), fraction)
}

/// All readings of a text that is a number: `1.234` is 1234 or 1.234.
pub(crate) fn readings(text: &str) -> Vec<Number> {
    let text = text.trim();
    let body = text.trim_matches(|c: char| !c.is_ascii_digit());
    // Signs, brackets, a currency and a percent sign may surround the digits, words may not.
    let around = text.len() - body.len();
    if body.is_empty() || around > 8 || text.matches(char::is_alphabetic).count() > 3 {
        return Vec::new();
    }
    let numbers = scan(text);
    numbers.into_iter().filter(|number| number.end - number.start == body.len()).collect()
}

/// Converts a text that is one number with one reading to a decimal string.
pub(crate) fn to_decimal(text: &str) -> Option<String> {
    let mut found = readings(text);
    found.dedup_by(|a, b| a.magnitude == b.magnitude && a.negative == b.negative);
    let number = found.pop().filter(|_| found.is_empty())?;
    // The fraction keeps its printed digits: 1.50 is an amount, 1.5 a factor.
    let missing = number.fraction
        - number.magnitude.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let dot = if number.fraction == missing && missing > 0 { "." } else { "" };
    let sign = if number.negative { "-" } else { "" };
    Some(format!("{sign}{}{dot}{}", number.magnitude, "0".repeat(missing)))
}

/// One reading of digits with marks between them.
pub(super) struct Reading {
    pub(super) whole: String,
    pub(super) fraction: String,
    /// The mark before the fraction or before the last group, if it may be either: that of `1.234`.
    pub(super) open: Option<char>,
    /// The decimal mark, if only this reading is possible, and its weight as evidence for the document.
    pub(super) decimal: Option<(char, Weight)>,
}

/// The weight of a number as evidence for the document's decimal mark: `1.234,50` and `0,05` have more than `2,5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Weak,
    Strong,
}

/// All readings of digits with marks between them.
pub(super) fn read(piece: &str) -> Vec<Reading> {
    let groups: Vec<&str> = piece.split(['.', ',', '\'', '’']).collect();
    let marks: Vec<char> = piece
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .map(|c| if c == '’' { '\'' } else { c })
        .collect();
    let digits = groups.iter().map(|group| group.len()).sum::<usize>();
    if groups.len() > MAX_GROUPS || digits > MAX_DIGITS {
        return Vec::new();
    }
    let Some((&last_mark, marks)) = marks.split_last() else {
        let (whole, fraction) = (piece.to_owned(), String::new());
        return vec![Reading { whole, fraction, open: None, decimal: None }];
    };
    let (last, front) = groups.split_last().map_or(("", &[][..]), |(last, front)| (*last, front));
    let one_mark = marks.iter().all(|mark| *mark == last_mark);
    let other_mark = !one_mark && marks.iter().all(|mark| *mark == marks[0]);
    let as_fraction = last_mark != '\'' && (marks.is_empty() || other_mark && grouped(front));
    let as_group = one_mark && last.len() == 3 && grouped(&groups);
    let open = (as_fraction && as_group).then_some(last_mark);
    let mut readings = Vec::new();
    if as_fraction {
        let weight = if other_mark || last.len() == 2 { Weight::Strong } else { Weight::Weak };
        let decimal = (!as_group).then_some((last_mark, weight));
        readings.push(Reading { whole: front.concat(), fraction: last.to_owned(), open, decimal });
    }
    if as_group {
        // Two marks of the same kind separate groups, so the other mark is the decimal mark.
        let other = match last_mark {
            '.' => Some(','),
            ',' => Some('.'),
            _ => None,
        };
        let decimal = other.filter(|_| !as_fraction).map(|mark| (mark, Weight::Strong));
        let (whole, fraction) = (groups.concat(), String::new());
        readings.push(Reading { whole, fraction, open, decimal });
    }
    readings
}

/// Whether these are the groups of an amount: three digits each, or the Indian 12,34,567.
fn grouped(groups: &[&str]) -> bool {
    let Some((first, rest)) = groups.split_first() else { return false };
    let Some((last, middle)) = rest.split_last() else {
        return (1..=3).contains(&first.len()) && *first != "0";
    };
    let indian = first.len() <= 2 && middle.iter().all(|group| group.len() == 2);
    (1..=3).contains(&first.len())
        && *first != "0"
        && last.len() == 3
        && (indian || middle.iter().all(|group| group.len() == 3))
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
    fn texts_that_are_not_numbers_are_ignored() {
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
        for text in ["-45,00", "−45,00 €", "(45.00)", "45,00-", "-€45", "-$ 45.00"] {
            assert!(scan(text)[0].negative, "{text}");
        }
        for text in ["INV-45", "1-45", "45", "(45", "45-50", "blue - 45"] {
            assert!(scan(text).iter().all(|number| !number.negative), "{text}");
        }
    }

    #[test]
    fn a_dash_that_begins_a_line_may_be_a_sign() {
        let found: Vec<_> =
            scan("- 45").iter().map(|number| (number.negative, number.sure)).collect();
        assert_eq!(found, [(false, false), (true, false)]);
        assert_eq!(to_decimal("- 45"), None);
    }

    #[test]
    fn a_number_with_one_reading_becomes_a_decimal() {
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
    fn division_by_a_hundred_moves_the_point() {
        for (of, is) in
            [("51060", "510.6"), ("5", "0.05"), ("0", "0"), ("19.5", "0.195"), ("100", "1")]
        {
            assert_eq!(divided(of, 2), is);
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
