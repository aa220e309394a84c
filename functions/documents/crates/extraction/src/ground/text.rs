//! Texts compared by their letters and digits: case, accents, ligatures, spaces and punctuation do not count.

use std::collections::HashMap;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// More than this many occurrences are not counted.
pub(super) const MANY: u32 = 20;
/// The longest value, in words, that is looked for in another order.
const MAX_WORDS: usize = 60;

/// A text's letters and digits, folded, each with the place that it came from.
pub(super) struct Folded {
    pub(super) flat: String,
    /// For each byte of `flat`: the bytes of the source's character.
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
                // A soft hyphen, an accent and a joiner are no end of a word.
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
                for letter in part.to_lowercase().filter(|c| !is_combining_mark(*c)) {
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

    /// The source's bytes of a piece of the folded text.
    fn source_of(&self, start: usize, end: usize) -> (usize, usize) {
        (self.source[start].0 as usize, self.source[end - 1].1 as usize)
    }

    /// Whole words that spell `value`, within the source's bytes from `from` to `to`: the first place, and how many.
    pub(super) fn find(
        &self,
        value: &str,
        from: usize,
        to: usize,
    ) -> (Option<(usize, usize)>, u32) {
        let (mut first, mut count) = (None, 0);
        if value.is_empty() {
            return (first, count);
        }
        let begin = self.source.partition_point(|range| (range.0 as usize) < from);
        let Some(rest) = self.flat.get(begin..) else { return (first, count) };
        for at in matches(rest, value) {
            let (start, end) = (begin + at, begin + at + value.len());
            if self.source[end - 1].1 as usize > to {
                break;
            }
            if self.starts[start] && self.starts[end] {
                first = first.or_else(|| Some(self.source_of(start, end)));
                count += 1;
                if count >= MANY {
                    break;
                }
            }
        }
        (first, count)
    }

    fn words(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let mut ends = (0..=self.flat.len()).filter(|at| self.starts[*at]).skip(1);
        (0..self.flat.len())
            .filter(|at| self.starts[*at])
            .map_while(move |start| Some((start, ends.next()?)))
    }

    /// The words of `value`, two at least, in any order and close together: within twice their number and 8 more.
    pub(super) fn find_words(
        &self,
        value: &Folded,
        from: usize,
        to: usize,
    ) -> Option<(usize, usize)> {
        let mut wanted: HashMap<&str, i32> = HashMap::new();
        for (start, end) in value.words().take(MAX_WORDS + 1) {
            *wanted.entry(&value.flat[start..end]).or_default() += 1;
        }
        let number = usize::try_from(wanted.values().sum::<i32>()).unwrap_or(usize::MAX);
        if !(2..=MAX_WORDS).contains(&number) {
            return None;
        }
        let mut missing = number;
        let mut window = std::collections::VecDeque::new();
        for (start, end) in self.words() {
            let place = self.source_of(start, end);
            if place.0 < from || place.1 > to {
                continue;
            }
            let word = &self.flat[start..end];
            if let Some(left) = wanted.get_mut(word) {
                missing -= usize::from(*left > 0);
                *left -= 1;
            }
            window.push_back((word, place));
            if window.len() > number * 2 + 8
                && let Some((word, _)) = window.pop_front()
                && let Some(left) = wanted.get_mut(word)
            {
                *left += 1;
                missing += usize::from(*left > 0);
            }
            if missing == 0 {
                let first = window
                    .iter()
                    .find(|(word, _)| wanted.contains_key(word))
                    .map_or(place.0, |(_, at)| at.0);
                return Some((first, place.1));
            }
        }
        None
    }
}

/// The bytes where `value`, which is not empty, begins in `text`, also inside of another match: the first thousand.
/// (More matches than that without one at the ends of words are a text made to cost time.)
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

/// Scripts that are written without spaces: every character may begin a word.
fn without_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{edf}' | '\u{1000}'..='\u{109f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// `value` as it stands, between ends of words: the first place, and how many.
pub(super) fn find_exact(
    text: &str,
    value: &str,
    from: usize,
    to: usize,
) -> (Option<(usize, usize)>, u32) {
    let (mut first, mut count) = (None, 0);
    let Some(part) = text.get(from..to).filter(|_| !value.is_empty()) else {
        return (first, count);
    };
    let inside = |a: Option<char>, b: Option<char>| match (a, b) {
        (Some(a), Some(b)) => {
            a.is_alphanumeric() && b.is_alphanumeric() && !without_spaces(a) && !without_spaces(b)
        }
        _ => false,
    };
    for at in matches(part, value) {
        let (start, end) = (from + at, from + at + value.len());
        let begins_inside = inside(text[..start].chars().next_back(), value.chars().next());
        let ends_inside = inside(value.chars().next_back(), text[end..].chars().next());
        if !begins_inside && !ends_inside {
            first = first.or(Some((start, end)));
            count += 1;
            if count >= MANY {
                break;
            }
        }
    }
    (first, count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find(text: &str, value: &str) -> Option<String> {
        let found = Folded::new(text).find(&Folded::new(value).flat, 0, text.len()).0;
        found.map(|(start, end)| text[start..end].to_owned())
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
        assert_eq!(find_exact("Annabel Anna", "Anna", 0, 12), (Some((8, 12)), 1));
        assert_eq!(find("東京都", "東京").as_deref(), Some("東京"));
        // A match may begin inside of what was none.
        assert_eq!(find("ł łł", "ŁŁ").as_deref(), Some("łł"));
        assert_eq!(find_exact("xa a a", "a a", 0, 6), (Some((3, 6)), 1));
        assert_eq!(find("", "x"), None);
        assert_eq!(find("x", ""), None);
    }

    #[test]
    fn words_in_another_order_are_found_if_close() {
        let text = "Ogrodowa 5, 30-001 Kraków, and then a hundred other words";
        let words = |value: &str| Folded::new(text).find_words(&Folded::new(value), 0, text.len());
        assert_eq!(
            words("30-001 Kraków, Ogrodowa 5"),
            Some((0, "Ogrodowa 5, 30-001 Kraków".len()))
        );
        assert_eq!(words("Ogrodowa 6, Kraków"), None);
        assert_eq!(words("Ogrodowa"), None);
        let far = format!("Ogrodowa {} Kraków", "x ".repeat(50));
        assert_eq!(
            Folded::new(&far).find_words(&Folded::new("Ogrodowa Kraków"), 0, far.len()),
            None
        );
    }

    proptest! {
        #[test]
        fn what_is_cut_from_a_text_is_found_in_it(words in proptest::collection::vec("[a-zA-Zéł0-9]{1,8}", 1..20), from in 0usize..20, length in 1usize..6) {
            let text = words.join(" ");
            let from = from % words.len();
            let cut = words[from..(from + length).min(words.len())].join(" ");
            prop_assert!(find_exact(&text, &cut, 0, text.len()).0.is_some());
            prop_assert!(find(&text, &cut.to_uppercase()).is_some());
        }

        #[test]
        fn any_text_can_be_searched(text in "\\PC{0,60}", value in "\\PC{0,10}") {
            let (folded, value) = (Folded::new(&text), Folded::new(&value));
            if let Some((start, end)) = folded.find(&value.flat, 0, text.len()).0 {
                prop_assert!(text.get(start..end).is_some());
            }
            folded.find_words(&value, 0, text.len());
        }
    }
}
