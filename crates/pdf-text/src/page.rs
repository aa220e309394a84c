//! The text of a page: its lines in reading order, with positions.

use serde::{Deserialize, Serialize};

/// A rectangle on a page, in points (1/72 inch) of the displayed page: after `/Rotate`, with the
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

/// Characters without white space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// The characters, in logical order.
    pub text: String,
    /// The position of the word.
    pub bbox: Rect,
}

/// Words on one baseline: a line of a paragraph, or a row of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The words, in logical order, with one space between them.
    pub text: String,
    /// The position of the line.
    pub bbox: Rect,
    /// The largest font size in the line, in points.
    pub size: f32,
    /// The direction of the line, in degrees clockwise: 0 for text that runs to the right, 90 for
    /// text that runs down the page.
    pub angle: u16,
    /// Whether a new block starts: a paragraph, a column, a cell, or another separate piece.
    pub starts_block: bool,
    /// The words.
    pub words: Vec<Word>,
}

/// The text of a page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The page's number in the file, from 1.
    pub number: usize,
    /// The width of the displayed page, in points.
    pub width: f32,
    /// The height of the displayed page, in points.
    pub height: f32,
    /// The lines in reading order.
    pub lines: Vec<Line>,
    /// Number of glyphs whose characters are unknown. The text does not contain them; a page with
    /// many of them needs OCR.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unknown_glyphs: usize,
    /// Number of glyphs in the text whose characters are guessed: the file does not define them,
    /// but in most files such glyphs have these characters.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub guessed_glyphs: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Page {
    /// The lines as plain text: each ends with a line feed, and an empty line separates blocks.
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

    /// Number of words.
    #[must_use]
    pub fn words(&self) -> usize {
        self.lines.iter().map(|line| line.words.len()).sum()
    }
}
