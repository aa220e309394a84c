//! From glyphs at positions to lines of text.

use hayro_interpret::font::{Glyph, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::kurbo::{Affine, BezPath, Point, Vec2};
use hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask,
};

/// A gap wider than this share of the font's size stands for a space.
const SPACE: f64 = 0.17;
/// A glyph further than this share of the font's size from the line begins a new one.
const NEW_LINE: f64 = 0.5;
/// A line further than this many font sizes below the last begins a new paragraph.
const NEW_PARAGRAPH: f64 = 1.9;
/// A step back along the line of more than this many font sizes begins a new line.
const STEP_BACK: f64 = 1.0;
/// Fonts measure in thousandths of their size.
const UNITS_PER_EM: f64 = 1000.0;

/// Takes down the text of a page in the order in which the page draws it, breaking it into words
/// and lines by where the glyphs stand. Drawn pictures and shapes do not matter here.
#[derive(Default)]
pub struct TextDevice {
    text: String,
    last: Option<Placed>,
    /// Where the last run began and how many glyphs it had: text that is both filled and stroked,
    /// or printed twice for boldness, is drawn again in the same place.
    last_run: Option<(Point, usize)>,
}

/// Where a glyph stands.
#[derive(Clone, Copy)]
struct Placed {
    /// The origin, on the baseline.
    start: Point,
    /// Where the next glyph would stand without further ado.
    end: Point,
    /// The font's size in the direction across the line.
    size: f64,
}

impl TextDevice {
    /// The text, its lines ended by line feeds.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    fn place(&mut self, unicode: &str, placed: Placed) {
        if let Some(last) = self.last.replace(placed) {
            let separator = separator(last, placed);
            // What was drawn as a space, or ends a line already, needs no more.
            if !separator.is_empty() && !self.text.ends_with(char::is_whitespace) {
                self.text.push_str(separator);
            } else if separator.contains('\n') {
                self.text.truncate(self.text.trim_end_matches(' ').len());
                self.text.push_str(separator);
            }
        }
        // A glyph that its font names as nothing printable would only do harm in a text file.
        self.text.extend(unicode.chars().filter(|c| !c.is_control() || *c == '\n'));
    }
}

/// What stands between two glyphs: nothing, a space, a line's end or a paragraph's.
fn separator(last: Placed, next: Placed) -> &'static str {
    let size = last.size.max(next.size).max(f64::EPSILON);
    let along = (last.end - last.start).normalize();
    let along = if along.is_finite() { along } else { Vec2::new(1.0, 0.0) };
    let step = next.start - last.end;
    let (forward, across) = (step.dot(along), step.cross(along).abs());
    if across > NEW_PARAGRAPH * size {
        "\n\n"
    } else if across > NEW_LINE * size || forward < -STEP_BACK * size {
        "\n"
    } else if forward > SPACE * size {
        " "
    } else {
        ""
    }
}

fn place(transform: Affine, glyph: &Glyph<'_>) -> Placed {
    let advance = match glyph {
        Glyph::Outline(outline) => outline.advance_width(),
        Glyph::Type3(type3) => type3.advance_width(),
    };
    let start = transform * Point::ORIGIN;
    let end = transform * Point::new(f64::from(advance.unwrap_or(500.0)), 0.0);
    let size = (transform * Point::new(0.0, UNITS_PER_EM) - start).hypot();
    Placed { start, end, size }
}

impl<'a> Device<'a> for TextDevice {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        let glyphs = run.glyphs();
        let Some(first) = glyphs.first() else { return };
        let this_run = (props.transform * first.transform() * Point::ORIGIN, glyphs.len());
        if self.last_run.replace(this_run) == Some(this_run) {
            return;
        }
        for glyph in glyphs {
            let placed = place(props.transform * glyph.transform(), glyph);
            match glyph.as_unicode() {
                Some(BfString::Char(c)) => self.place(c.encode_utf8(&mut [0; 4]), placed),
                Some(BfString::String(text)) => self.place(&text, placed),
                None => {}
            }
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f64, y: f64) -> Placed {
        Placed { start: Point::new(x, y), end: Point::new(x + 5.0, y), size: 10.0 }
    }

    fn text(glyphs: &[(&str, f64, f64)]) -> String {
        let mut device = TextDevice::default();
        for (unicode, x, y) in glyphs {
            device.place(unicode, at(*x, *y));
        }
        device.into_text()
    }

    #[test]
    fn gaps_are_spaces() {
        assert_eq!(text(&[("a", 0.0, 0.0), ("b", 5.0, 0.0), ("c", 13.0, 0.0)]), "ab c");
        assert_eq!(text(&[("a", 0.0, 0.0), (" ", 5.0, 0.0), ("b", 13.0, 0.0)]), "a b");
    }

    #[test]
    fn steps_across_are_lines_and_paragraphs() {
        assert_eq!(text(&[("a", 0.0, 0.0), ("b", 0.0, 12.0), ("c", 0.0, 36.0)]), "a\nb\n\nc");
        assert_eq!(text(&[("a", 0.0, 0.0), (" ", 5.0, 0.0), ("b", 0.0, 12.0)]), "a\nb");
        assert_eq!(text(&[("x", 0.0, 0.0), ("2", 5.0, -4.0)]), "x2");
    }

    #[test]
    fn a_step_back_is_a_line() {
        assert_eq!(text(&[("a", 100.0, 0.0), ("b", 0.0, 0.0)]), "a\nb");
    }

    #[test]
    fn lines_may_run_upwards() {
        let up = |y: f64| Placed {
            start: Point::new(0.0, y),
            end: Point::new(0.0, y - 5.0),
            size: 10.0,
        };
        let mut device = TextDevice::default();
        device.place("a", up(100.0));
        device.place("b", up(95.0));
        device.place("c", up(80.0));
        assert_eq!(device.into_text(), "ab c");
    }
}
