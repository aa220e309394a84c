//! Finds a value's words that are not contiguous: in another order, or broken into the lines of a cell.

use super::edges;
use super::text::{Folded, Spot};

/// Maximum length of a value in words.
const MAX_WORDS: usize = 60;
/// Maximum number of positions that are tried for a value in lines.
const MAX_TRIES: usize = 1_000;
/// Maximum length of a line with columns, in bytes.
const MAX_LINE: usize = 1_000;
/// Maximum horizontal distance between the starts of lines in a cell, in characters.
const INDENT: usize = 2;

/// A word: its folded letters, and its byte range in the text.
struct Word<'a> {
    folded: &'a str,
    start: usize,
    end: usize,
}

fn words(folded: &Folded, from: usize, to: usize) -> Vec<Word<'_>> {
    let word = |(a, b): (usize, usize)| {
        let (start, end) = folded.source_of(a, b);
        Word { folded: &folded.flat[a..b], start, end }
    };
    folded.words().map(word).filter(|word| word.start >= from && word.end <= to).collect()
}

/// Finds the words of `value` (at least two), rotated once (`Nowak, Anna`), or in the lines of one cell.
pub(super) fn find(
    text: &str,
    folded: &Folded,
    value: (&str, &Folded),
    from: usize,
    to: usize,
) -> Option<Spot> {
    let wanted = words(value.1, 0, value.0.len());
    if !(2..=MAX_WORDS).contains(&wanted.len()) || !value.0.contains(char::is_alphabetic) {
        return None;
    }
    let present = words(folded, from, to);
    let turned = present.windows(wanted.len()).filter(|window| {
        let shift = wanted.iter().position(|word| word.folded == window[0].folded);
        let same = |shift: usize| {
            window.iter().zip(wanted.iter().cycle().skip(shift)).all(|(a, b)| {
                a.folded == b.folded && same_case(&text[a.start..a.end], &value.0[b.start..b.end])
            })
        };
        shift.is_some_and(same)
    });
    let spot = |start: usize, end: usize| {
        let sure = edges::of(text, start, end) == edges::Edge::Clean;
        Spot { start, end, sure }
    };
    let turned = turned.map(|window| {
        let (start, end) = (window[0].start, window[window.len() - 1].end);
        let found = spot(start, end);
        Spot { sure: found.sure && !has_neighbour(text, start, end), ..found }
    });
    let broken = (0..present.len())
        .filter(|at| present[*at].folded == wanted[0].folded)
        .take(MAX_TRIES)
        .filter_map(|at| broken(text, &present, at, &wanted))
        .map(|(start, end)| spot(start, end));
    Spot::best(turned.chain(broken)).0
}

/// A lower-case word does not match a capitalized word of the value.
fn same_case(found: &str, wanted: &str) -> bool {
    let is_upper = |text: &str| text.chars().next().is_some_and(char::is_uppercase);
    is_upper(found) || !is_upper(wanted)
}

/// Whether a name may continue on either side: `Kowalska, Piotr` in `Anna Kowalska, Piotr Nowak`.
fn has_neighbour(text: &str, start: usize, end: usize) -> bool {
    let spaces = [' ', '\u{a0}'];
    let before = text[..start].strip_suffix(spaces).unwrap_or("\n");
    let word =
        before.rfind(|c: char| !c.is_alphanumeric()).map_or(before, |at| before[at..].trim_start());
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    let is_name = |word: &str| word.starts_with(char::is_uppercase);
    let after = text[end..].strip_prefix(spaces).unwrap_or_default();
    before.ends_with(char::is_alphanumeric) && is_name(word) || is_name(after)
}

/// The range of a value that begins at a word and is broken into the lines of a cell; other cells are skipped.
fn broken(
    text: &str,
    present: &[Word<'_>],
    first: usize,
    wanted: &[Word<'_>],
) -> Option<(usize, usize)> {
    let (mut at, mut column) = (first, None);
    for (index, word) in wanted.iter().enumerate() {
        if present.get(at).is_none_or(|found| found.folded != word.folded) {
            let last = present.get(at - 1).filter(|_| index > 0)?;
            let cell = column.get_or_insert_with(|| Column::of(text, present[first].start));
            let start = cell.next_line(text, last.end)?;
            at = present.partition_point(|word| word.start < start);
            // Only punctuation may be between the start of the cell and its word.
            let found = present.get(at).filter(|found| found.folded == word.folded)?;
            if text[start..found.start].chars().any(char::is_alphanumeric) {
                return None;
            }
        }
        at += 1;
    }
    Some((present[first].start, present[at - 1].end))
}

/// The start of a cell in its line: number of cell marks before it, and number of characters.
struct Column {
    marks: usize,
    characters: usize,
}

/// The line before a position, at most [`MAX_LINE`] bytes.
fn line_before(text: &str, at: usize) -> &str {
    let line = &text[text.ceil_char_boundary(at.saturating_sub(MAX_LINE))..at];
    &line[line.rfind('\n').map_or(0, |at| at + 1)..]
}

/// The text from a position on, at most [`MAX_LINE`] bytes.
fn from(text: &str, at: usize) -> &str {
    &text[at..text.floor_char_boundary(at + MAX_LINE)]
}

/// A tab or a bar ends a cell, like two spaces.
fn is_mark(c: char) -> bool {
    matches!(c, '\t' | '|')
}

impl Column {
    fn of(text: &str, at: usize) -> Self {
        let line = line_before(text, at);
        Self { marks: line.matches(is_mark).count(), characters: line.chars().count() }
    }

    /// The start of the same cell in the next line, if a cell ends at `end`.
    fn next_line(&self, text: &str, end: usize) -> Option<usize> {
        let tail = from(text, end).trim_start_matches([',', ';', '.', ')']);
        let rest = tail.trim_start_matches([' ', '\u{a0}']);
        let ends =
            rest.is_empty() || rest.starts_with(['\n', '\r', '\t', '|']) || tail.starts_with("  ");
        let start = end + from(text, end).find('\n').filter(|_| ends)? + 1;
        let line = from(text, start).lines().next()?;
        if self.marks > 0 {
            return Some(start + line.match_indices(is_mark).nth(self.marks - 1)?.0 + 1);
        }
        // The first cell that starts nearby: a cell is at the start of the line or after two spaces.
        let begins = |at: usize| line[..at].trim().is_empty() || line[..at].ends_with("  ");
        let near = |column: usize| column.abs_diff(self.characters) <= INDENT;
        let mut cells =
            line.char_indices().enumerate().filter(|(_, (at, c))| *c != ' ' && begins(*at));
        cells.find(|(column, _)| near(*column)).map(|(_, (at, _))| start + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_in(text: &str, value: &str) -> Option<bool> {
        let (folded, wanted) = (Folded::new(text), Folded::new(value));
        find(text, &folded, (value, &wanted), 0, text.len()).map(|spot| spot.sure)
    }

    #[test]
    fn rotated_words_are_found() {
        assert_eq!(
            find_in("Ogrodowa 5, 30-001 Kraków, and more", "30-001 Kraków, Ogrodowa 5"),
            Some(true)
        );
        assert_eq!(find_in("by Nowak, Anna", "Anna Nowak"), Some(true));
        assert_eq!(find_in("Anna Kowalska, Piotr Nowak", "Piotr Kowalska"), Some(false));
        for (text, value) in [
            ("Ogrodowa 5, Kraków", "Ogrodowa 6, Kraków"),
            ("Anna Kowalska, Piotr Nowak", "Anna Nowak"),
            ("Ogrodowa", "Ogrodowa"),
            ("Straße 5, lange Wege", "Lange Straße 5"),
        ] {
            assert_eq!(find_in(text, value), None, "{value} in {text}");
        }
    }

    #[test]
    fn the_lines_of_a_cell_form_one_value() {
        for text in [
            "Lindenweg 5     Net 12\n10115 Berlin    Tax 2",
            "To: Lindenweg 5     Net 12\n    10115 Berlin    Tax 2",
            "| Lindenweg 5 | 12 |\n| 10115 Berlin | 2 |",
            "Net\tLindenweg 5\t7\nTax\t10115 Berlin\t8",
        ] {
            assert_eq!(find_in(text, "Lindenweg 5, 10115 Berlin"), Some(true), "{text}");
        }
        for text in [
            "Lindenweg 5, Bern\n10115 Berlin",
            "Net     Lindenweg 5   12\n10115 Berlin    Tax",
            "| Lindenweg 5 | 12 |\n| 2 | 10115 Berlin |",
            "Lindenweg 5\nBern\n10115 Berlin",
        ] {
            assert_eq!(find_in(text, "Lindenweg 5, 10115 Berlin"), None, "{text}");
        }
    }
}
