//! Converts segments in reading order to lines.

use super::pieces::{Piece, Placed};
use super::segments::Segment;
use super::{Frame, Glyphs, bidi};
use crate::page::{Line, Rect, Word};

/// Height of text above and below its baseline, in font sizes.
const ASCENT: f64 = 0.8;
const DESCENT: f64 = 0.2;
/// Baselines within this share of the larger size are the same.
const SAME_BASELINE: f64 = 0.3;
/// A line that is further below the previous one than this many of its sizes starts a block.
const LEADING: f64 = 1.75;
/// A line whose size differs by more than this share also starts a block.
const OTHER_SIZE: f64 = 0.2;

/// Writes the lines of segments in reading order.
pub(super) fn write(
    glyphs: &Glyphs,
    frame: Frame,
    placed: &[Placed],
    pieces: &[Piece],
    segments: &[Segment],
    lines: &mut Vec<Line>,
) {
    let mut last: Option<Extent> = None;
    let mut rest = segments;
    while let Some(first) = rest.first() {
        let mut extent = Extent::of(first);
        let len = 1 + rest[1..].iter().take_while(|next| extent.continues(next)).count();
        let (line, below) = rest.split_at(len);
        let starts_block = last.is_none_or(|last| last.is_apart(&extent));
        let text = bidi::Visual::new(glyphs, placed, pieces, line).words();
        if let Some(line) = make(text, frame, &extent, starts_block) {
            lines.push(line);
            last = Some(extent);
        }
        rest = below;
    }
}

/// A word with its extent in the frame.
pub(super) struct FramedWord {
    pub(super) text: String,
    pub(super) x0: f64,
    pub(super) x1: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl FramedWord {
    /// Adds a glyph.
    pub(super) fn add(&mut self, glyph: &Placed) {
        self.x0 = self.x0.min(glyph.x0);
        self.x1 = self.x1.max(glyph.x1);
        self.top = self.top.min(glyph.y - ASCENT * glyph.size);
        self.bottom = self.bottom.max(glyph.y + DESCENT * glyph.size);
    }

    pub(super) fn new() -> Self {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        Self { text: String::new(), x0: high, x1: low, top: high, bottom: low }
    }
}

fn make(words: Vec<FramedWord>, frame: Frame, extent: &Extent, starts_block: bool) -> Option<Line> {
    let words: Vec<Word> = words
        .into_iter()
        .map(|word| Word {
            bbox: on_page(frame, word.x0, word.top, word.x1, word.bottom),
            text: word.text,
        })
        .collect();
    let bbox = words.iter().map(|word| word.bbox).reduce(Rect::union)?;
    let text = text(&words);
    #[expect(clippy::cast_possible_truncation, reason = "points need no more digits")]
    let size = extent.size as f32;
    Some(Line { text, bbox, size, angle: frame.angle, starts_block, words })
}

/// The text of a line: its words with a space between them.
pub(super) fn text(words: &[Word]) -> String {
    let mut text = String::with_capacity(words.iter().map(|word| word.text.len() + 1).sum());
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&word.text);
    }
    text
}

/// The bounding box on the page of a rectangle in the frame.
fn on_page(frame: Frame, x0: f64, y0: f64, x1: f64, y1: f64) -> Rect {
    #[expect(clippy::cast_possible_truncation, reason = "points need no more digits")]
    let corner = |x, y| {
        let (x, y) = frame.leave(x, y);
        let (x, y) = (x as f32, y as f32);
        Rect { x0: x, y0: y, x1: x, y1: y }
    };
    [(x1, y0), (x0, y1), (x1, y1)]
        .into_iter()
        .fold(corner(x0, y0), |bounds, (x, y)| bounds.union(corner(x, y)))
}

/// The position of a line in its frame.
#[derive(Clone, Copy)]
struct Extent {
    x0: f64,
    x1: f64,
    y: f64,
    size: f64,
}

impl Extent {
    fn of(segment: &Segment) -> Self {
        Self { x0: segment.x0, x1: segment.x1, y: segment.y, size: segment.size }
    }

    /// Whether the next segment is on the same baseline, to the right; if so, adds it.
    fn continues(&mut self, next: &Segment) -> bool {
        let size = self.size.max(next.size);
        let beside = next.x0 >= self.x1 - 0.2 * size;
        let continues = beside && (next.y - self.y).abs() <= SAME_BASELINE * size;
        if continues {
            self.x1 = self.x1.max(next.x1);
            self.size = size;
        }
        continues
    }

    /// Whether a line is separate from this one, which precedes it.
    fn is_apart(&self, next: &Self) -> bool {
        let size = self.size.max(next.size);
        let step = next.y - self.y;
        let beside = next.x0 > self.x1 || next.x1 < self.x0;
        beside
            || step <= 0.0
            || step > LEADING * size
            || (self.size - next.size).abs() > OTHER_SIZE * size
    }
}
