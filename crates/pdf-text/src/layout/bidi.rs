//! Converts glyphs in visual order to words in reading order.
//!
//! This reverses the Unicode bidirectional algorithm for display. A line that is mostly
//! right-to-left is read from its right end, and its left-to-right parts, including numbers, are
//! reversed back. In a line that is mostly left-to-right, runs of right-to-left words are reversed.

use super::Glyphs;
use super::lines::FramedWord;
use super::pieces::{Piece, Placed};
use super::segments::Segment;

/// The glyphs of a line from left to right, with the spaces between them.
pub(super) struct Visual<'a> {
    glyphs: &'a Glyphs,
    items: Vec<Item<'a>>,
}

/// A glyph or a space.
type Item<'a> = Option<&'a Placed>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    LeftToRight,
    RightToLeft,
    Number,
    Neutral,
}

impl<'a> Visual<'a> {
    pub(super) fn new(
        glyphs: &'a Glyphs,
        placed: &'a [Placed],
        pieces: &[Piece],
        line: &[Segment],
    ) -> Self {
        let mut items = Vec::new();
        for segment in line {
            for (at, &(piece, begins_word)) in segment.pieces.iter().enumerate() {
                if !items.is_empty() && (at == 0 || begins_word) {
                    items.push(None);
                }
                items.extend(placed[pieces[piece].glyphs.clone()].iter().map(Some));
            }
        }
        Self { glyphs, items }
    }

    /// The words in logical order.
    pub(super) fn words(mut self) -> Vec<FramedWord> {
        let turned = self.turn();
        let mut words = Vec::new();
        let mut word: Option<FramedWord> = None;
        for (at, item) in self.items.iter().enumerate() {
            match item {
                None => words.extend(word.take()),
                Some(placed) => {
                    let word = word.get_or_insert_with(FramedWord::new);
                    word.add(placed);
                    let text = self.text(placed);
                    if turned.get(at).copied().unwrap_or(false) {
                        word.text.extend(text.chars().map(mirrored));
                    } else {
                        word.text.push_str(text);
                    }
                }
            }
        }
        words.extend(word);
        words
    }

    fn text(&self, placed: &Placed) -> &'a str {
        self.glyphs.get(placed.glyph).map_or("", |glyph| self.glyphs.text(glyph))
    }

    /// Puts the items in logical order. Returns for each item whether its characters are read from
    /// right to left; empty if the line has no right-to-left text.
    fn turn(&mut self) -> Vec<bool> {
        let kinds: Vec<Kind> = self.items.iter().map(|item| self.kind(*item)).collect();
        let count = |kind| kinds.iter().filter(|&&other| other == kind).count();
        let to_left = count(Kind::RightToLeft);
        if to_left == 0 {
            return Vec::new();
        }
        let mut turned: Vec<(Item<'a>, Kind, bool)> =
            self.items.iter().zip(kinds).map(|(item, kind)| (*item, kind, false)).collect();
        if to_left >= turned.iter().filter(|(_, kind, _)| *kind == Kind::LeftToRight).count() {
            turned.reverse();
            for (_, _, is_turned) in &mut turned {
                *is_turned = true;
            }
            turn_runs(&mut turned, |kind| matches!(kind, Kind::LeftToRight | Kind::Number));
        } else {
            turn_runs(&mut turned, |kind| kind == Kind::RightToLeft);
        }
        self.items = turned.iter().map(|(item, _, _)| *item).collect();
        turned.into_iter().map(|(_, _, turned)| turned).collect()
    }

    fn kind(&self, item: Item<'_>) -> Kind {
        let Some(placed) = item else { return Kind::Neutral };
        self.text(placed)
            .chars()
            .map(kind_of)
            .find(|kind| *kind != Kind::Neutral)
            .unwrap_or(Kind::Neutral)
    }
}

/// Reverses each run that begins and ends with a `strong` item and contains no item of the other
/// direction.
fn turn_runs(items: &mut [(Item<'_>, Kind, bool)], strong: impl Fn(Kind) -> bool) {
    let mut start = 0;
    while start < items.len() {
        if !strong(items[start].1) {
            start += 1;
            continue;
        }
        let mut end = start;
        for (at, (_, kind, _)) in items.iter().enumerate().skip(start) {
            if strong(*kind) {
                end = at;
            } else if *kind != Kind::Neutral {
                break;
            }
        }
        items[start..=end].reverse();
        items[start..=end].iter_mut().for_each(|(_, _, turned)| *turned = !*turned);
        start = end + 1;
    }
}

/// Whether the first letter of a text belongs to a right-to-left script.
pub(crate) fn is_right_to_left(text: &str) -> bool {
    let letter = |kind: &Kind| matches!(kind, Kind::RightToLeft | Kind::LeftToRight);
    text.chars().map(kind_of).find(letter) == Some(Kind::RightToLeft)
}

fn kind_of(character: char) -> Kind {
    match character {
        '0'..='9' | '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' => Kind::Number,
        '\u{590}'..='\u{8ff}'
        | '\u{fb1d}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}' => Kind::RightToLeft,
        _ if character.is_alphabetic() => Kind::LeftToRight,
        _ => Kind::Neutral,
    }
}

/// The mirrored character: a bracket that looks open to the right is a closing bracket in
/// right-to-left text.
fn mirrored(character: char) -> char {
    match character {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        '«' => '»',
        '»' => '«',
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::is_right_to_left;

    #[test]
    fn the_first_letter_gives_the_direction() {
        assert!(is_right_to_left("12 שלום abc"));
        assert!(is_right_to_left("\u{fe8d}"), "a presentation form");
        assert!(!is_right_to_left("abc שלום"));
        assert!(!is_right_to_left("12"));
    }
}
