//! The glyphs of a page, in drawing order.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use crate::font::Certainty;

/// The same glyph drawn again within this share of its size is a duplicate: text is printed twice,
/// slightly shifted, to look bold or to have a shadow.
const DUPLICATE: f64 = 0.1;
/// The size in points of the squares in which duplicates are searched.
const SQUARE: f64 = 8.0;

/// A glyph on a page: positions are points from the top left corner of the displayed page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glyph {
    /// Start of its characters in [`Glyphs::text`].
    start: u32,
    len: u32,
    /// Its start on the baseline.
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Distance to the next glyph along the line.
    pub(crate) advance: f64,
    /// The font size, perpendicular to the line.
    pub(crate) size: f64,
    /// The direction of the line, in degrees clockwise.
    pub(crate) angle: u16,
    /// Whether it is white space, which only separates words.
    pub(crate) space: bool,
}

/// The glyphs of a page in drawing order.
#[derive(Default)]
pub(crate) struct Glyphs {
    text: String,
    drawn: Vec<Glyph>,
    /// The glyphs in each square of the page, by their first character.
    seen: HashMap<(char, i32, i32), Vec<u32>, std::hash::BuildHasherDefault<Mix>>,
    /// Number of glyphs whose characters are unknown.
    pub(crate) unknown: usize,
    /// Number of glyphs whose characters are guessed.
    pub(crate) guessed: usize,
}

impl Glyphs {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Glyph> {
        self.drawn.iter()
    }

    /// The glyph with this number.
    pub(crate) fn get(&self, number: u32) -> Option<&Glyph> {
        self.drawn.get(number as usize)
    }

    /// Number of glyphs drawn.
    pub(crate) fn len(&self) -> usize {
        self.drawn.len()
    }

    /// Number of bytes of text drawn.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The characters of a glyph.
    pub(crate) fn text(&self, glyph: &Glyph) -> &str {
        let start = glyph.start as usize;
        self.text.get(start..start + glyph.len as usize).unwrap_or_default()
    }

    /// Counts a glyph by the certainty of its characters.
    pub(crate) fn count(&mut self, certainty: Certainty) {
        match certainty {
            Certainty::Known => {}
            Certainty::Guessed => self.guessed += 1,
            Certainty::Unknown => self.unknown += 1,
        }
    }

    /// Records a glyph for `text`. `x`, `y` is its origin on the baseline, and (`dx`, `dy`) the
    /// direction of the line, of any length except zero.
    pub(crate) fn push(
        &mut self,
        text: &str,
        (x, y): (f64, f64),
        (dx, dy): (f64, f64),
        advance: f64,
        size: f64,
    ) {
        let known = [x, y, dx, dy, advance, size].iter().all(|number| number.is_finite());
        if !known || x.abs() > 1e6 || y.abs() > 1e6 || !(1e-3..1e6).contains(&size) {
            return;
        }
        let Ok(start) = u32::try_from(self.text.len()) else { return };
        push_clean(&mut self.text, text);
        let written = &self.text[start as usize..];
        let Some(first) = written.chars().next() else { return };
        let space = written.chars().all(char::is_whitespace);
        let len = u32::try_from(written.len()).unwrap_or(0);
        let glyph = Glyph { start, len, x, y, advance, size, angle: angle(dx, dy), space };
        if !space && self.is_drawn_again(first, &glyph) {
            self.text.truncate(start as usize);
            return;
        }
        self.drawn.push(glyph);
    }

    /// Whether the same text is already at this position; if not, records it.
    #[expect(clippy::cast_possible_truncation, reason = "squares are within 10^6 points")]
    fn is_drawn_again(&mut self, first: char, glyph: &Glyph) -> bool {
        let near = DUPLICATE * glyph.size;
        let square = |at: f64| (at / SQUARE).floor() as i32;
        let (left, right) = (square(glyph.x - near), square(glyph.x + near));
        let (top, bottom) = (square(glyph.y - near), square(glyph.y + near));
        for x in left..=right.min(left + 8) {
            for y in top..=bottom.min(top + 8) {
                for &at in self.seen.get(&(first, x, y)).into_iter().flatten().rev().take(64) {
                    let other = &self.drawn[at as usize];
                    if (other.x - glyph.x).abs() <= near
                        && (other.y - glyph.y).abs() <= near
                        && (other.size - glyph.size).abs() <= near
                        && other.angle == glyph.angle
                        && self.text(other) == self.text(glyph)
                    {
                        return true;
                    }
                }
            }
        }
        let at = u32::try_from(self.drawn.len()).unwrap_or(u32::MAX);
        self.seen.entry((first, square(glyph.x), square(glyph.y))).or_default().push(at);
        false
    }
}

/// Appends `text` after cleaning it: ligatures and presentation forms become letters; control
/// characters, marks that only control the display, and U+FFFD are removed. Soft hyphens stay,
/// because their meaning depends on the line ([`hyphens`]).
///
/// [`hyphens`]: super::hyphens
fn push_clean(to: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{a0}' => to.push(' '),
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{ffff}'
            | '\u{f0000}'.. => {}
            // The Latin, Hebrew and Arabic ligatures and forms.
            '\u{fb00}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => to.extend(character.nfkc()),
            character if character.is_control() => {}
            character => to.push(character),
        }
    }
}

/// The direction of a vector in whole degrees clockwise. Directions close to a page axis become
/// that axis.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..=360")]
fn angle(dx: f64, dy: f64) -> u16 {
    if dy.abs() < dx.abs() * 0.05 {
        return if dx < 0.0 { 180 } else { 0 };
    }
    if dx.abs() < dy.abs() * 0.05 {
        return if dy < 0.0 { 270 } else { 90 };
    }
    (dy.atan2(dx).to_degrees().rem_euclid(360.0).round() as u16) % 360
}

/// A fast hash for positions. It needs no protection against collisions: only the newest glyphs of
/// a square are compared, so a collision costs little.
#[derive(Default)]
struct Mix(u64);

impl std::hash::Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_i32(&mut self, number: i32) {
        self.write_u64(u64::from(number.cast_unsigned()));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 ^= self.0 >> 29;
    }
}
