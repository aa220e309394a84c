//! The edges of a match: at a word boundary, inside a longer token, or inside a word or number.

use unicode_normalization::char::is_combining_mark;

use super::text::{WINDOW, just_before};

/// How a match meets the adjacent text, from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edge {
    /// Part of a word or of a number: `Ann` in `Anna`, `12` in `12.50`.
    Inside,
    /// Part of a token that is joined by marks: `0042` in `RE-0042`, `acme` in `info@acme.com`.
    Joined,
    /// Complete.
    Clean,
}

/// The worse of a match's two edges.
pub(super) fn of(text: &str, start: usize, end: usize) -> Edge {
    let (Some(first), Some(last)) =
        (text[start..end].chars().next(), text[start..end].chars().next_back())
    else {
        return Edge::Inside;
    };
    let left = edge(first, text[..start].chars().rev(), true);
    left.min(edge(last, text[end..].chars(), false))
}

/// The edge at `inner`, the outermost character of a match; `outside` has the characters after it, nearest first.
fn edge(inner: char, outside: impl Iterator<Item = char>, is_left: bool) -> Edge {
    let mut outside = outside.filter(|c| *c != '\u{ad}' && (is_left || !is_combining_mark(*c)));
    if !inner.is_alphanumeric() {
        return Edge::Clean;
    }
    let (next, beyond) = match (outside.next(), outside.next()) {
        (Some(next), beyond) => (next, beyond.unwrap_or(' ')),
        _ => return Edge::Clean,
    };
    if next.is_alphanumeric() {
        let is_own_word = without_spaces(next) || without_spaces(inner);
        return if is_own_word { Edge::Clean } else { Edge::Inside };
    }
    let hyphen = |c: char| matches!(c, '-' | '\u{2010}');
    // A word that is broken at the end of a line continues on the next line.
    let is_broken =
        if is_left { next == '\n' && hyphen(beyond) } else { hyphen(next) && beyond == '\n' };
    if is_broken {
        let continues = outside.next().is_some_and(char::is_alphanumeric);
        return if continues { Edge::Joined } else { Edge::Clean };
    }
    if !beyond.is_alphanumeric() {
        let is_signed = is_left && inner.is_ascii_digit() && matches!(next, '-' | '−');
        return if is_signed { Edge::Joined } else { Edge::Clean };
    }
    let (digit, far_digit) = (inner.is_ascii_digit(), beyond.is_ascii_digit());
    match next {
        '.' | ',' | '\'' | '’' if digit && far_digit => Edge::Inside,
        // `Nr.5` is a word and a number.
        '.' if is_left && digit => Edge::Clean,
        '.' | '-' | '\u{2010}' | '\u{2011}' | '_' | '@' | '+' | '&' => Edge::Joined,
        '/' | ':' | '–' if digit && far_digit => Edge::Joined,
        '/' if digit || far_digit => Edge::Joined,
        _ => Edge::Clean,
    }
}

/// Whether the digits of an identifier, such as an account number, continue next to the match: `1234` in `12 1234 56`.
pub(super) fn continues_in_digits(text: &str, start: usize, end: usize) -> bool {
    let quote = &text[start..end];
    let digits = quote.chars().filter(char::is_ascii_digit).count();
    if digits < 4 || quote.chars().filter(|c| c.is_alphabetic()).count() > 4 {
        return false;
    }
    let spaced = |c: Option<char>| matches!(c, Some(' ' | '\u{a0}' | '\u{202f}'));
    let (mut before, mut after) = (text[..start].chars().rev(), text[end..].chars());
    let left = spaced(before.next()) && {
        let run = before.take_while(|c| !c.is_whitespace()).take(WINDOW).collect::<Vec<_>>();
        quote.starts_with(|c: char| c.is_ascii_digit()) && is_group(&run)
    };
    let right = spaced(after.next()) && {
        let run = after.take_while(|c| !c.is_whitespace()).take(WINDOW).collect::<Vec<_>>();
        quote.ends_with(|c: char| c.is_ascii_digit()) && is_group(&run)
    };
    left || right
}

/// At least two digits, and otherwise only a plus or a bracket.
fn is_group(run: &[char]) -> bool {
    run.iter().filter(|c| c.is_ascii_digit()).count() >= 2
        && run.iter().all(|c| c.is_ascii_digit() || matches!(c, '+' | '(' | ')'))
}

/// Whether a match is a label and not a value: `Supplier` in `Supplier: Acme Ltd`. A text before an amount is the name
/// of an article, not a label.
pub(super) fn is_label(text: &str, start: usize, end: usize) -> bool {
    let line = just_before(text, start);
    let cell = &line[line.rfind(['\n', '\t', '|']).map_or(0, |at| at + 1)..];
    let Some(rest) = text[end..].trim_start_matches([' ', '\u{a0}']).strip_prefix(':') else {
        return false;
    };
    let value = &rest[..rest.floor_char_boundary(WINDOW)];
    let value = value.lines().next().unwrap_or_default();
    let is_amount =
        super::scan::scan(value).iter().any(|number| number.fraction == 2 || number.amount);
    cell.trim().is_empty() && !is_amount
}

/// Scripts without spaces between words: every character may begin a word.
pub(super) fn without_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{edf}' | '\u{1000}'..='\u{109f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// Whether the digits in a value and in its quote are separated at the same places, as far as both separate them:
/// `1-12` is not `11-2`, and `4.2` is not `42`.
pub(super) fn same_groups(value: &str, quote: &str) -> bool {
    let (value, quote) = (groups(value), groups(quote));
    let within = |a: &[Group], b: &[Group]| a.iter().all(|x| b.iter().any(|y| y.at == x.at));
    let differing = |a: &[Group], b: &[Group]| {
        a.iter().all(|x| !x.is_decimal || b.iter().any(|y| y.at == x.at))
    };
    (within(&value, &quote) || within(&quote, &value))
        && differing(&value, &quote)
        && differing(&quote, &value)
}

/// The text between two digits.
struct Group {
    /// Number of digits before it.
    at: usize,
    /// Whether it is a dot or comma, other than a thousands separator.
    is_decimal: bool,
}

fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let (mut digits, mut between, mut last_at) = (0, String::new(), None::<usize>);
    let mut after_digit = false;
    for c in text.chars() {
        if c.is_ascii_digit() {
            if after_digit && !between.is_empty() {
                if let (Some(at), Some(group)) = (last_at, groups.last_mut()) {
                    group.is_decimal &= digits - at != 3;
                }
                groups.push(Group { at: digits, is_decimal: between == "." || between == "," });
                last_at = Some(digits);
            }
            (digits, after_digit) = (digits + 1, true);
            between.clear();
        } else if c.is_alphanumeric() {
            after_digit = false;
            between.clear();
        } else {
            between.push(c);
        }
    }
    if let (Some(at), Some(group)) = (last_at, groups.last_mut()) {
        group.is_decimal &= digits - at != 3;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_edge_is_recognized() {
        for (text, part, edge) in [
            ("Anna", "Ann", Edge::Inside),
            ("12.50", "12", Edge::Inside),
            ("1,234", "234", Edge::Inside),
            ("RE-0042", "0042", Edge::Joined),
            ("info@acme.com", "acme", Edge::Joined),
            ("inter-\nnational", "national", Edge::Joined),
            ("10:30", "30", Edge::Joined),
            ("Nr.42", "42", Edge::Clean),
            ("(42).", "42", Edge::Clean),
            ("Anna/Piotr", "Anna", Edge::Clean),
            ("東京都", "東京", Edge::Clean),
        ] {
            let start = text.find(part).unwrap();
            assert_eq!(of(text, start, start + part.len()), edge, "{part} in {text}");
        }
    }

    #[test]
    fn separators_must_be_at_the_same_digits() {
        for (value, quote) in [("12-34", "12 34"), ("1234", "12/34"), ("1234567", "1.234.567")] {
            assert!(same_groups(value, quote) && same_groups(quote, value), "{value} {quote}");
        }
        for (value, quote) in [("1-12", "11-2"), ("4.2", "42"), ("12/2026", "1/22026")] {
            assert!(!same_groups(value, quote) && !same_groups(quote, value), "{value} {quote}");
        }
    }
}
