//! What is given for a page: its lines of text in reading order, with their places.

use serde::{Deserialize, Serialize};

/// A rectangle on a page, in points (1/72 inch) of the page as it is shown: after `/Rotate`, the
/// origin at the top left corner of the crop box, `x` to the right and `y` down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// The left edge.
    pub x0: f32,
    /// The upper edge.
    pub y0: f32,
    /// The right edge.
    pub x1: f32,
    /// The lower edge.
    pub y1: f32,
}

impl Rect {
    /// The smallest rectangle around both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }
}

/// Characters without white space between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// The characters, in logical order.
    pub text: String,
    /// Where they stand.
    pub bbox: Rect,
}

/// Words beside each other: a line of a paragraph, or a row of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The words, in logical order, with one space between them.
    pub text: String,
    /// Where the line stands.
    pub bbox: Rect,
    /// The size of the line's largest text, in points.
    pub size: f32,
    /// The direction in which the line runs, in degrees clockwise: 0 for text as it is written in
    /// most languages, 90 for text that runs down the page.
    pub angle: u16,
    /// Whether a new block begins: a paragraph, a column, a cell, or another piece that stands apart.
    pub starts_block: bool,
    /// The words.
    pub words: Vec<Word>,
}

/// A page's text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The page's number in the file, from 1.
    pub number: usize,
    /// The width of the page as it is shown, in points.
    pub width: f32,
    /// The height of the page as it is shown, in points.
    pub height: f32,
    /// The lines in reading order.
    pub lines: Vec<Line>,
    /// How many glyphs are drawn of which nothing says what they stand for. They are no part of the
    /// text, so that a page with many of them is to be read by OCR.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unknown_glyphs: usize,
    /// How many glyphs stand in the text by a guess: the file does not say what they stand for, but
    /// in most files such glyphs stand for these characters.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub guessed_glyphs: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Page {
    /// The lines as plain text: each ended by a line feed, blocks parted by an empty line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            if line.starts_block && !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line.text);
            text.push('\n');
        }
        text
    }

    /// How many words there are.
    #[must_use]
    pub fn words(&self) -> usize {
        self.lines.iter().map(|line| line.words.len()).sum()
    }
}
