//! Glyphs that are drawn one after the other without a gap.

use std::ops::Range;

use super::{Frame, Glyphs};

/// A gap wider than this share of the font size is a space.
pub(super) const SPACE: f64 = 0.15;
/// Maximum distance, in font sizes, by which the next glyph of a word may start further back.
const STEP_BACK: f64 = 0.35;
/// Maximum distance from the baseline, in font sizes, of the next glyph of a word.
const OFF_BASELINE: f64 = 0.2;
/// Maximum distance above and below the baseline of a smaller glyph that touches a larger one, in
/// sizes of the larger: a superscript or a subscript.
const RAISED: f64 = 0.75;
const LOWERED: f64 = 0.4;

/// A glyph other than white space, in the coordinates of its frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    /// Its number on the page.
    pub(super) glyph: u32,
    pub(super) x0: f64,
    pub(super) x1: f64,
    /// The baseline.
    pub(super) y: f64,
    pub(super) size: f64,
    /// Whether white space was drawn before this glyph.
    after_space: bool,
}

/// A word or a part of it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Its glyphs, as indexes of the frame's glyphs.
    pub(super) glyphs: Range<usize>,
    pub(super) x0: f64,
    pub(super) x1: f64,
    /// The baseline and the size of its largest glyph.
    pub(super) y: f64,
    pub(super) size: f64,
    /// Whether white space was drawn before it.
    pub(super) after_space: bool,
}

/// The glyphs with the direction of the frame.
pub(super) fn place(glyphs: &Glyphs, frame: Frame) -> Vec<Placed> {
    let mut placed = Vec::new();
    let mut after_space = true;
    for (number, glyph) in glyphs.iter().enumerate() {
        if glyph.angle != frame.angle || glyph.space {
            after_space = true;
        } else {
            let (x, y) = frame.enter(glyph.x, glyph.y);
            let (x0, x1) = (x.min(x + glyph.advance), x.max(x + glyph.advance));
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            placed.push(Placed { glyph: number, x0, x1, y, size: glyph.size, after_space });
            after_space = false;
        }
    }
    placed
}

/// Splits the glyphs where a new word begins.
pub(super) fn pieces(placed: &[Placed]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (number, glyph) in placed.iter().enumerate() {
        match pieces.last_mut() {
            Some(piece) if continues(piece, &placed[number - 1], glyph) => {
                piece.glyphs.end = number + 1;
                piece.x0 = piece.x0.min(glyph.x0);
                piece.x1 = piece.x1.max(glyph.x1);
                if glyph.size > piece.size * 1.05 {
                    piece.size = glyph.size;
                    piece.y = glyph.y;
                }
            }
            _ => pieces.push(Piece {
                glyphs: number..number + 1,
                x0: glyph.x0,
                x1: glyph.x1,
                y: glyph.y,
                size: glyph.size,
                after_space: glyph.after_space,
            }),
        }
    }
    pieces
}

fn continues(piece: &Piece, last: &Placed, next: &Placed) -> bool {
    if next.after_space {
        return false;
    }
    let (small, large) = (last.size.min(next.size), last.size.max(next.size));
    let gap = next.x0 - last.x1.max(last.x0);
    if gap > SPACE * small.max(0.7 * large) || next.x0 < last.x0 - STEP_BACK * large {
        return false;
    }
    let rise = if next.size < last.size { last.y - next.y } else { next.y - last.y };
    let on_baseline = (next.y - last.y).abs() <= OFF_BASELINE * large
        || (next.y - piece.y).abs() <= OFF_BASELINE * large;
    let is_script = small < 0.85 * large && rise <= RAISED * large && rise >= -LOWERED * large;
    on_baseline || is_script
}
