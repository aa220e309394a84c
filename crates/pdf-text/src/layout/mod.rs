//! Converts positioned glyphs to lines of text in reading order.
//!
//! 1. Glyphs with the same direction are handled together, rotated so that they run to the right
//!    ([`Frame`]).
//! 2. Glyphs drawn one after the other without a gap are a *piece* ([`pieces`]).
//! 3. Pieces next to each other on a baseline are a *segment* ([`segments`]).
//! 4. Segments are put in reading order by cutting the page between them ([`order`]).
//! 5. Neighbours on one baseline are a line, and right-to-left text is put in logical order
//!    ([`lines`], [`bidi`]).
//! 6. A word that a soft hyphen breaks at the end of a line is joined ([`hyphens`]).

pub(crate) mod bidi;
mod glyphs;
mod hyphens;
mod lines;
mod order;
mod pieces;
mod segments;
#[cfg(test)]
mod tests;

pub(crate) use glyphs::Glyphs;

use crate::page::Line;

/// Converts a page's glyphs to lines in reading order.
pub(crate) fn lines(glyphs: &Glyphs) -> Vec<Line> {
    let mut lines = Vec::new();
    for frame in frames(glyphs) {
        let placed = pieces::place(glyphs, frame);
        let pieces = pieces::pieces(&placed);
        let segments = segments::segments(&pieces);
        let ordered = order::reading_order(segments);
        lines::write(glyphs, frame, &placed, &pieces, &ordered, &mut lines);
    }
    hyphens::resolve(&mut lines);
    lines
}

/// A direction of writing, in degrees clockwise from left to right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    angle: u16,
    cos: f64,
    sin: f64,
}

impl Frame {
    fn new(angle: u16) -> Self {
        let (sin, cos) = match angle {
            0 => (0.0, 1.0),
            90 => (1.0, 0.0),
            180 => (0.0, -1.0),
            270 => (-1.0, 0.0),
            _ => f64::from(angle).to_radians().sin_cos(),
        };
        Self { angle, cos, sin }
    }

    /// Converts page coordinates to frame coordinates, where text runs to the right.
    fn enter(self, x: f64, y: f64) -> (f64, f64) {
        (x * self.cos + y * self.sin, y * self.cos - x * self.sin)
    }

    /// Converts frame coordinates to page coordinates.
    fn leave(self, x: f64, y: f64) -> (f64, f64) {
        (x * self.cos - y * self.sin, x * self.sin + y * self.cos)
    }
}

/// The directions of a page's text: the one with most glyphs first, the others in the order of
/// their first glyph.
fn frames(glyphs: &Glyphs) -> Vec<Frame> {
    let mut counts: Vec<(u16, usize)> = Vec::new();
    for glyph in glyphs.iter() {
        match counts.iter_mut().find(|(angle, _)| *angle == glyph.angle) {
            Some((_, count)) => *count += 1,
            None => counts.push((glyph.angle, 1)),
        }
    }
    let main = counts.iter().enumerate().max_by_key(|(at, (_, count))| (*count, usize::MAX - at));
    if let Some((main, _)) = main {
        counts[..=main].rotate_right(1);
    }
    counts.into_iter().map(|(angle, _)| Frame::new(angle)).collect()
}
