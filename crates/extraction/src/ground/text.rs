//! Compares texts by their letters and digits, ignoring case, accents, ligatures, spaces and punctuation.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::edges::{self, Edge, without_spaces};

/// Maximum number of bytes around a match that are inspected, because more would take quadratic time.
pub(super) const WINDOW: usize = 64;
/// Maximum number of occurrences that are counted.
pub(super) const MANY: u32 = 20;

/// The text directly before a position, at most [`WINDOW`] bytes.
pub(super) fn just_before(text: &str, at: usize) -> &str {
    &text[text.ceil_char_boundary(at.saturating_sub(WINDOW))..at]
}

/// A byte range of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether this is the only reading of the text at this position.
    pub(super) sure: bool,
}

impl Spot {
    /// The first certain spot, or else the first one; and the number of spots.
    pub(super) fn best(spots: impl Iterator<Item = Self>) -> (Option<Self>, u32) {
        let (mut best, mut count) = (None::<Self>, 0);
        for spot in spots {
            count += 1;
            let key = |spot: &Self| (!spot.sure, spot.start, spot.end);
            if best.as_ref().is_none_or(|best| key(&spot) < key(best)) {
                best = Some(spot);
            }
            if count >= MANY && best.is_some_and(|best| best.sure) {
                break;
            }
        }
        (best, count.min(MANY))
    }

    /// Judges a position by its edges and the adjacent text; `None` inside a word or number.
    fn judged(text: &str, start: usize, end: usize) -> Option<Self> {
        let edge = edges::of(text, start, end);
        let sure = edge == Edge::Clean
            && !edges::continues_in_digits(text, start, end)
            && !edges::is_label(text, start, end);
        (edge != Edge::Inside).then_some(Self { start, end, sure })
    }
}

/// The folded letters and digits of a text, each with its source position.
pub(super) struct Folded {
    pub(super) flat: String,
    /// For each byte of `flat`: the byte range of the source character.
    source: Vec<(u32, u32)>,
    /// For each byte of `flat`, and its end: whether a word starts there.
    starts: Vec<bool>,
}

impl Folded {
    pub(super) fn new(text: &str) -> Self {
        let (mut flat, mut source, mut starts) = (String::new(), Vec::new(), Vec::new());
        let mut boundary = true;
        for (at, c) in text.char_indices() {
            let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            let range = (place(at), place(at + c.len_utf8()));
            decompose_compatible(c, |part| {
                // A soft hyphen, an accent and a joiner do not end a word.
                if part == '\u{ad}'
                    || part == '\u{200d}'
                    || part == '\u{200c}'
                    || is_combining_mark(part)
                {
                    return;
                }
                if !part.is_alphanumeric() {
                    boundary = true;
                    return;
                }
                // In most texts the sharp s is a small letter without a capital form.
                let sharp = matches!(part, 'ß' | 'ẞ');
                let letters = part.to_lowercase().filter(|c| !sharp && !is_combining_mark(*c));
                for letter in letters.chain(std::iter::repeat_n('s', if sharp { 2 } else { 0 })) {
                    let length = letter.len_utf8();
                    flat.push(letter);
                    source.extend(std::iter::repeat_n(range, length));
                    starts.push(boundary || without_spaces(letter));
                    starts.extend(std::iter::repeat_n(false, length - 1));
                    boundary = without_spaces(letter);
                }
            });
        }
        starts.push(true);
        Self { flat, source, starts }
    }

    /// The source range of a part of the folded text.
    pub(super) fn source_of(&self, start: usize, end: usize) -> (usize, usize) {
        (self.source[start].0 as usize, self.source[end - 1].1 as usize)
    }

    /// Finds whole words of `text` (the source of this index) that match `value`, in the byte range `from..to`. Returns
    /// the best position and the number of positions.
    pub(super) fn find(
        &self,
        text: &str,
        value: &str,
        from: usize,
        to: usize,
    ) -> (Option<Spot>, u32) {
        let wanted = Self::new(value).flat;
        let begin = self.source.partition_point(|range| (range.0 as usize) < from);
        let Some(rest) = self.flat.get(begin..).filter(|_| !wanted.is_empty()) else {
            return (None, 0);
        };
        let spots = matches(rest, &wanted)
            .map(|at| (begin + at, begin + at + wanted.len()))
            .filter(|(start, end)| self.starts[*start] && self.starts[*end])
            .map(|(start, end)| self.source_of(start, end))
            .take_while(|(_, end)| *end <= to)
            .filter(|(start, end)| edges::same_groups(value, &text[*start..*end]))
            .filter_map(|(start, end)| Spot::judged(text, start, end))
            .map(|spot| Spot {
                sure: spot.sure && !is_word_of(value, &text[spot.start..spot.end]),
                ..spot
            });
        Spot::best(spots)
    }

    pub(super) fn words(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let mut ends = (0..=self.flat.len()).filter(|at| self.starts[*at]).skip(1);
        (0..self.flat.len())
            .filter(|at| self.starts[*at])
            .map_while(move |start| Some((start, ends.next()?)))
    }
}

/// Whether a short uppercase name matches a common word in its quote: `IT` and `it`.
fn is_word_of(value: &str, quote: &str) -> bool {
    let upper = |text: &str| text.chars().filter(|c| c.is_alphabetic()).all(char::is_uppercase);
    value.chars().count() <= 3 && upper(value) && !upper(quote)
}

/// Byte positions of the non-empty `value` in `text`, including overlapping ones; at most a thousand. (More of them
/// without a word boundary only occur in hostile texts.)
fn matches<'a>(text: &'a str, value: &'a str) -> impl Iterator<Item = usize> + 'a {
    let step = value.chars().next().map_or(1, char::len_utf8);
    let mut from = 0;
    let next = move || {
        let at = from + text.get(from..)?.find(value)?;
        from = at + step;
        Some(at)
    };
    std::iter::from_fn(next).take(1_000)
}

/// Finds `value` literally, between word boundaries. Returns the best position and the number of positions.
pub(super) fn find_exact(text: &str, value: &str, from: usize, to: usize) -> (Option<Spot>, u32) {
    let Some(part) = text.get(from..to).filter(|_| value.chars().any(char::is_alphanumeric)) else {
        return (None, 0);
    };
    let spots = matches(part, value)
        .filter_map(|at| Spot::judged(text, from + at, from + at + value.len()));
    Spot::best(spots)
}

/// Whether a value is an e-mail address or a URL, in which every character counts except its case.
pub(super) fn is_address(value: &str) -> bool {
    !value.contains(char::is_whitespace)
        && (value.contains('@') || value.contains("://") || value.starts_with("www."))
}

/// Finds an e-mail address or a URL, which may be broken at the end of a line.
pub(super) fn find_address(text: &str, value: &str, from: usize, to: usize) -> (Option<Spot>, u32) {
    let Some(part) = text.get(from..to).filter(|_| !value.is_empty()) else { return (None, 0) };
    let wanted = value.to_ascii_lowercase();
    let found = matches(&part.to_ascii_lowercase(), &wanted)
        .map(|at| (from + at, from + at + wanted.len()))
        .filter_map(|(start, end)| address_at(text, start, end))
        .collect::<Vec<_>>();
    if !found.is_empty() {
        return Spot::best(found.into_iter());
    }
    let (mut joined, mut places) = (String::new(), Vec::new());
    for (at, c) in part.char_indices().filter(|(_, c)| !matches!(c, '\n' | '\r' | '\u{ad}')) {
        joined.push(c.to_ascii_lowercase());
        places.extend(std::iter::repeat_n(from + at, c.len_utf8()));
    }
    let last = wanted.chars().next_back().map_or(0, char::len_utf8);
    let spots = matches(&joined, &wanted)
        .map(|at| (places[at], places[at + wanted.len() - last] + last))
        .filter(|(start, end)| end - start > wanted.len())
        .filter_map(|(start, end)| address_at(text, start, end))
        .collect::<Vec<_>>();
    Spot::best(spots.into_iter())
}

/// The position of an address; `None` if the address continues in the text.
fn address_at(text: &str, start: usize, end: usize) -> Option<Spot> {
    let part = |c: char| {
        c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '@' | '%' | '~' | '&' | '=' | '?')
    };
    let before = text[..start].chars().next_back();
    let mut after = text[end..].chars();
    let (next, then) = (after.next(), after.next());
    let continues = next.is_some_and(|c| {
        part(c) || matches!(c, '.' | '/' | '#' | ':') && then.is_some_and(char::is_alphanumeric)
    });
    let began = before.is_some_and(|c| part(c) || c == '.');
    (!began && !continues).then_some(Spot { start, end, sure: true })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find(text: &str, value: &str) -> Option<String> {
        let found = Folded::new(text).find(text, value, 0, text.len()).0;
        found.map(|spot| text[spot.start..spot.end].to_owned())
    }

    #[test]
    fn case_accents_spaces_and_punctuation_do_not_count() {
        assert_eq!(find("An ACME, Ltd. invoice", "Acme Ltd").as_deref(), Some("ACME, Ltd"));
        assert_eq!(
            find("Biblioteka w\nŁodzi", "biblioteka w Łodzi").as_deref(),
            Some("Biblioteka w\nŁodzi")
        );
        assert_eq!(find("na Śródmieściu", "Srodmiesciu").as_deref(), Some("Śródmieściu"));
        assert_eq!(find("the oﬃce", "office").as_deref(), Some("oﬃce"));
        assert_eq!(
            find("Intro\u{ad}ligatornia", "introligatornia").as_deref(),
            Some("Intro\u{ad}ligatornia")
        );
        assert_eq!(find("PL61 1090 1014", "PL6110901014").as_deref(), Some("PL61 1090 1014"));
        assert_eq!(
            find("e\u{301}te\u{301}", "été").as_deref(),
            Some("e\u{301}te\u{301}").map(|s| &s[..s.len() - 2])
        );
    }

    #[test]
    fn a_part_of_a_word_is_not_found() {
        assert_eq!(find("Annabel", "Anna"), None);
        let spot = |start, end| (Some(Spot { start, end, sure: true }), 1);
        assert_eq!(find_exact("Annabel Anna", "Anna", 0, 12), spot(8, 12));
        assert_eq!(find("東京都", "東京").as_deref(), Some("東京"));
        // A match may begin inside a rejected match.
        assert_eq!(find("ł łł", "ŁŁ").as_deref(), Some("łł"));
        assert_eq!(find_exact("xa a a", "a a", 0, 6), spot(3, 6));
        assert_eq!(find("", "x"), None);
        assert_eq!(find("x", ""), None);
    }

    proptest! {
        #[test]
        fn a_part_of_a_text_is_found_in_it(words in proptest::collection::vec("[a-zA-Zéł0-9]{1,8}", 1..20), from in 0usize..20, length in 1usize..6) {
            let text = words.join(" ");
            let from = from % words.len();
            let cut = words[from..(from + length).min(words.len())].join(" ");
            prop_assert!(find_exact(&text, &cut, 0, text.len()).0.is_some());
            prop_assert!(find(&text, &cut.to_uppercase()).is_some());
        }

        #[test]
        fn any_text_can_be_searched(text in "\\PC{0,60}", value in "\\PC{0,10}") {
            let folded = Folded::new(&text);
            for found in [folded.find(&text, &value, 0, text.len()).0, find_address(&text, &value, 0, text.len()).0] {
                prop_assert!(found.is_none_or(|spot| text.get(spot.start..spot.end).is_some()));
            }
            crate::ground::words::find(&text, &folded, (&value, &Folded::new(&value)), 0, text.len());
        }
    }
}
