//! Soft hyphens (U+00AD). A font's map declares a hyphen as soft if it breaks a word at the end of
//! a line (ISO 32000-1, 14.8.2.2.3), so the word is read without it.
//!
//! - At the end of a line, if the next line starts with a letter, the two parts become one word at
//!   the position of the first part.
//! - Between two digits it becomes a hyphen, because numbers are not broken.
//! - Elsewhere it is invisible, and is removed.

use super::lines::text;
use crate::page::Line;

const SOFT: char = '\u{ad}';

/// Joins words that soft hyphens separate, and removes the hyphens.
pub(super) fn resolve(lines: &mut Vec<Line>) {
    // Few pages have soft hyphens; the others only cost this check.
    if !lines.iter().any(|line| line.text.contains(SOFT)) {
        return;
    }
    for at in 0..lines.len() {
        let (before, mut after) = lines.split_at_mut(at + 1);
        let Some(line) = before.last_mut() else { continue };
        while let Some((next, rest)) = after.split_first_mut()
            && join(line, next)
            && next.words.is_empty()
        {
            after = rest;
        }
    }
    for line in lines.iter_mut() {
        for word in &mut line.words {
            word.text = without(&word.text);
        }
        line.words.retain(|word| !word.text.is_empty());
        line.text = text(&line.words);
    }
    let mut begins = false;
    lines.retain_mut(|line| {
        line.starts_block |= begins;
        begins = line.words.is_empty() && line.starts_block;
        !line.words.is_empty()
    });
}

/// Moves the rest of a word, with the punctuation attached to it, from the next line to this one.
/// Returns whether there was one.
fn join(line: &mut Line, next: &mut Line) -> bool {
    let Some(last) = line.words.last_mut() else { return false };
    let Some(first) = next.words.first_mut() else { return false };
    let continues = last.text.chars().nth(1).is_some()
        && last.text.ends_with(SOFT)
        && line.angle == next.angle
        && first.text.starts_with(char::is_alphabetic);
    if continues {
        last.text.truncate(last.text.trim_end_matches(SOFT).len());
        last.text.push_str(&std::mem::take(&mut first.text));
        next.words.remove(0);
    }
    continues
}

/// A word without its soft hyphens.
fn without(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    let mut rest = word.chars().peekable();
    while let Some(character) = rest.next() {
        let is_digit = |character: Option<&char>| character.is_some_and(char::is_ascii_digit);
        if character != SOFT {
            text.push(character);
        } else if is_digit(text.chars().last().as_ref()) && is_digit(rest.peek()) {
            text.push('-');
        }
    }
    text
}
