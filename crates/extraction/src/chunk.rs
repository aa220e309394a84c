//! Distributes pages over calls: as many whole pages as fit; long pages are cut at the ends of lines.

use crate::Page;
use crate::ground::Part;

/// The text of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) parts: Vec<Part>,
}

/// An upper estimate of a text's tokens, in thirds of a token: an ASCII character counts one third, any other character
/// a whole token.
fn thirds(c: char) -> u64 {
    if c.is_ascii() { 1 } else { 3 }
}

/// An upper estimate of a text's tokens, for any tokenizer. Measured tokenizers have 3.5 to 4.5 characters per token in
/// English, 2 to 3 in other Latin scripts, and about 1 in other scripts.
pub(crate) fn tokens(text: &str) -> u64 {
    text.chars().map(thirds).sum::<u64>().div_ceil(3)
}

/// Packs the pages in order into parts of at most `budget` tokens.
pub(crate) fn pack(pages: &[Page], budget: u64) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut open = Chunk { parts: Vec::new() };
    let mut used = 0;
    for (index, page) in pages.iter().enumerate() {
        for (start, end) in pieces(&page.text, budget) {
            let size = tokens(&page.text[start..end]);
            if !open.parts.is_empty() && used + size > budget {
                chunks.push(std::mem::replace(&mut open, Chunk { parts: Vec::new() }));
                used = 0;
            }
            used += size;
            open.parts.push(Part { page: index, start, end });
        }
    }
    if !open.parts.is_empty() {
        chunks.push(open);
    }
    chunks
}

/// The smallest half, in tokens, that is worth a call of its own.
const SMALLEST_HALF: u64 = 150;

/// Splits a chunk in two at the end of a line near its middle.
pub(crate) fn halve(chunk: &Chunk, pages: &[Page]) -> Option<(Chunk, Chunk)> {
    let size = |part: &Part| tokens(&pages[part.page].text[part.start..part.end]);
    let total: u64 = chunk.parts.iter().map(size).sum();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut before = 0;
    for part in &chunk.parts {
        let text = &pages[part.page].text;
        let lines =
            text[part.start..part.end].match_indices('\n').map(|(at, _)| part.start + at + 1);
        let ends = [part.start, part.end].into_iter().chain(lines);
        // The position where the sum is closest to half of the total; in parts before or after the middle it is one of
        // their ends.
        let cut =
            ends.min_by_key(|end| (before + tokens(&text[part.start..*end])).abs_diff(total / 2))?;
        before += size(part);
        first.push(Part { end: cut, ..part.clone() });
        second.push(Part { start: cut, ..part.clone() });
    }
    let half = |mut parts: Vec<Part>| {
        parts.retain(|part| part.start < part.end);
        (parts.iter().map(size).sum::<u64>() >= SMALLEST_HALF).then_some(Chunk { parts })
    };
    Some((half(first)?, half(second)?))
}

/// Cuts a page into pieces within the budget: after a line, after a word if the line is too long, or after a character.
fn pieces(text: &str, budget: u64) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let (mut start, mut used) = (0, 0);
    let (mut line, mut word) = (0, 0);
    for (at, c) in text.char_indices() {
        while used + thirds(c) > budget.max(1).saturating_mul(3) {
            let cut = [line, word].into_iter().find(|cut| *cut > start).unwrap_or(at);
            pieces.push((start, cut));
            used = text[cut..at].chars().map(thirds).sum();
            start = cut;
        }
        used += thirds(c);
        if c == '\n' {
            line = at + 1;
        } else if c.is_whitespace() {
            word = at + c.len_utf8();
        }
    }
    pieces.push((start, text.len()));
    pieces.retain(|(start, end)| !text[*start..*end].trim().is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pages(texts: &[&str]) -> Vec<Page> {
        texts
            .iter()
            .zip(1..)
            .map(|(text, number)| Page { number, text: (*text).to_owned() })
            .collect()
    }

    fn shown(pages: &[Page], budget: u64) -> Vec<String> {
        let text = |chunk: &Chunk| {
            chunk
                .parts
                .iter()
                .map(|part| &pages[part.page].text[part.start..part.end])
                .collect::<Vec<_>>()
                .join("|")
        };
        pack(pages, budget).iter().map(text).collect()
    }

    #[test]
    fn pages_that_fit_go_together() {
        let pages = pages(&["aaa aaa aaa", "bbb", "   ", "ccc ccc ccc"]);
        assert_eq!(shown(&pages, 100), ["aaa aaa aaa|bbb|ccc ccc ccc"]);
        assert_eq!(shown(&pages, 6), ["aaa aaa aaa|bbb", "ccc ccc ccc"]);
    }

    #[test]
    fn a_long_page_is_cut_after_a_line_or_a_word() {
        assert_eq!(
            shown(&pages(&["one line\nanother\nthird"]), 6),
            ["one line\nanother\n", "third"]
        );
        assert_eq!(
            shown(&pages(&["one long line of words"]), 3),
            ["one long ", "line of ", "words"]
        );
        assert_eq!(shown(&pages(&["abcdefghij"]), 1), ["abc", "def", "ghi", "j"]);
    }

    #[test]
    fn a_chunk_is_halved_at_the_end_of_a_line() {
        let lines = |n: usize| "a line of the text of it\n".repeat(n);
        let pages = pages(&[&lines(10), &lines(40), &lines(10)]);
        let chunk = pack(&pages, 10_000).remove(0);
        let (first, second) = halve(&chunk, &pages).unwrap();
        let text = |chunk: &Chunk| {
            chunk
                .parts
                .iter()
                .map(|part| &pages[part.page].text[part.start..part.end])
                .collect::<String>()
        };
        assert_eq!(text(&first) + &text(&second), text(&chunk));
        assert_eq!((text(&first).lines().count(), text(&second).lines().count()), (30, 30));
        assert_eq!(halve(&pack(&pages[..1], 10_000)[0], &pages), None, "too small");
    }

    proptest! {
        #[test]
        fn no_text_is_lost_and_no_chunk_is_too_large(texts in proptest::collection::vec("[a-zé \n]{0,60}", 0..6), budget in 1u64..40) {
            let pages: Vec<Page> = texts.iter().zip(1..).map(|(text, number)| Page { number, text: text.clone() }).collect();
            let mut all = String::new();
            for chunk in pack(&pages, budget) {
                let size: u64 = chunk.parts.iter().map(|part| tokens(&pages[part.page].text[part.start..part.end])).sum();
                prop_assert!(size <= budget);
                for part in chunk.parts {
                    all.push_str(&pages[part.page].text[part.start..part.end]);
                }
            }
            let words = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(words(&all), words(&texts.concat()));
        }
    }
}
