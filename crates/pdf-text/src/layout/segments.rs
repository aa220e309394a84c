//! Pieces next to each other on a baseline.

use super::pieces::{Piece, SPACE};

/// Pieces whose baselines are within this share of the smaller size are in one row.
const SAME_ROW: f64 = 0.3;
/// A gap wider than this many font sizes separates segments that are drawn one after the other.
const GAP: f64 = 0.9;
/// The same if something else is drawn between them.
const GAP_APART: f64 = 0.5;
/// Maximum overlap of two neighbouring pieces, as a share of the smaller one.
const OVERLAP: f64 = 0.5;

/// Neighbouring words, without a gap that could separate columns.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// The pieces from left to right, and whether each begins a word.
    pub(super) pieces: Vec<(usize, bool)>,
    pub(super) x0: f64,
    pub(super) x1: f64,
    /// The baseline.
    pub(super) y: f64,
    /// The largest size.
    pub(super) size: f64,
    /// The index of its first piece in drawing order.
    pub(super) drawn: usize,
    /// Number of glyphs.
    pub(super) glyphs: usize,
}

/// Joins pieces to segments.
pub(super) fn segments(pieces: &[Piece]) -> Vec<Segment> {
    let mut by_baseline: Vec<usize> = (0..pieces.len()).collect();
    by_baseline.sort_by(|&a, &b| pieces[a].y.total_cmp(&pieces[b].y));
    let mut segments = Vec::new();
    let mut rest = by_baseline.as_mut_slice();
    while let Some(&first) = rest.first() {
        let (y, mut size) = (pieces[first].y, pieces[first].size);
        let len = rest
            .iter()
            .take_while(|&&piece| {
                size = size.min(pieces[piece].size);
                pieces[piece].y - y <= SAME_ROW * size
            })
            .count()
            .max(1);
        let (row, below) = rest.split_at_mut(len);
        row.sort_by(|&a, &b| pieces[a].x0.total_cmp(&pieces[b].x0).then(a.cmp(&b)));
        join(pieces, row, &mut segments);
        rest = below;
    }
    segments
}

/// Joins the pieces of a row, which are sorted from left to right.
fn join(pieces: &[Piece], row: &[usize], segments: &mut Vec<Segment>) {
    let first_of_row = segments.len();
    for &number in row {
        let piece = &pieces[number];
        // If texts overlap, more than one segment may be open at a position.
        let open = segments[first_of_row..].iter_mut().rev().take(4).find_map(|segment| {
            let (last, _) = *segment.pieces.last()?;
            fits(&pieces[last], last, piece, number).map(|begins_word| (segment, begins_word))
        });
        if let Some((segment, begins_word)) = open {
            segment.pieces.push((number, begins_word));
            segment.x1 = segment.x1.max(piece.x1);
            if piece.size > segment.size * 1.05 {
                (segment.size, segment.y) = (piece.size, piece.y);
            }
            segment.drawn = segment.drawn.min(number);
            segment.glyphs += piece.glyphs.len();
        } else {
            segments.push(Segment {
                pieces: vec![(number, true)],
                x0: piece.x0,
                x1: piece.x1,
                y: piece.y,
                size: piece.size,
                drawn: number,
                glyphs: piece.glyphs.len(),
            });
        }
    }
}

/// Whether the next piece is next to the last one; if so, whether it begins a word.
fn fits(last: &Piece, last_number: usize, next: &Piece, next_number: usize) -> Option<bool> {
    let large = last.size.max(next.size);
    let small = last.size.min(next.size);
    let gap = next.x0 - last.x1;
    let narrower = (last.x1 - last.x0).min(next.x1 - next.x0).max(0.2 * small);
    let follows = next_number == last_number + 1;
    let backwards = last_number == next_number + 1;
    if gap > large * if follows || backwards { GAP } else { GAP_APART } || gap < -OVERLAP * narrower
    {
        return None;
    }
    let space_drawn = (follows && next.after_space) || (backwards && last.after_space);
    Some(space_drawn || gap > SPACE * small.max(0.7 * large))
}
