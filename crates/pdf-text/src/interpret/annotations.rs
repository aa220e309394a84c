//! Annotations: filled form fields, notes on the page (ISO 32000-1, 12.5 and 12.7).
//!
//! An appearance is run as content. If it has no text but the annotation has a visible value, the
//! value is written into the annotation's rectangle, as a viewer does.

use cos::{Dict, File, Name, Object, Page, Source, Stream};

use super::{Interpreter, Resources, State, fields, state};
use crate::font::Certainty;
use crate::layout::bidi::is_right_to_left;
use crate::matrix::Matrix;
use crate::refusal::{Budget, Refusal, lenient};

/// Approximate advance of a character in font sizes, without a font.
const ADVANCE: f64 = 0.5;
/// Line height in font sizes.
const LEADING: f64 = 1.2;
/// The size of text with automatic size, in points, and its maximum share of the field's height.
const AUTOMATIC: f64 = 12.0;
const SHARE: f64 = 0.75;
/// The distance between the edge of a field and its text, in points.
const PADDING: f64 = 2.0;

impl<S: Source> Interpreter<'_, S> {
    pub(super) fn annotations(&mut self, page: &Page) -> Result<(), Refusal> {
        let file = self.shared.file;
        let annotations = lenient(file.get(&page.dict, "Annots"))?;
        for annotation in annotations.as_array().into_iter().flatten() {
            self.count(1)?;
            let Object::Dict(annotation) = lenient(file.resolve(annotation))? else { continue };
            if !self.is_shown(&annotation)? {
                continue;
            }
            let drawn = self.glyphs.len() + self.glyphs.unknown;
            self.appearance(&annotation)?;
            if self.glyphs.len() + self.glyphs.unknown == drawn {
                self.value(&annotation)?;
            }
        }
        Ok(())
    }

    /// Whether an annotation is visible on the screen.
    fn is_shown(&self, annotation: &Dict) -> Result<bool, Refusal> {
        let file = self.shared.file;
        let flags = lenient(file.get(annotation, "F"))?.as_i64().unwrap_or(0);
        // Hidden, or not for the screen.
        if flags & 0b10_0010 != 0 || lenient(file.get(annotation, "Subtype"))?.is_name("Popup") {
            return Ok(false);
        }
        match annotation.get("OC") {
            Some(layer) => self.shared.layers.shows(file, layer),
            None => Ok(true),
        }
    }

    /// Draws the appearance of an annotation, if it has one (ISO 32000-1, 12.5.5).
    fn appearance(&mut self, annotation: &Dict) -> Result<(), Refusal> {
        let file = self.shared.file;
        let Some(form) = appearance(file, annotation)? else { return Ok(()) };
        let rect = state::rectangle(file, annotation, "Rect")?;
        let bounds = state::rectangle(file, form.dict(), "BBox")?;
        let (Some(rect), Some(bounds)) = (rect, bounds) else { return Ok(()) };
        let matrix = lenient(file.get(form.dict(), "Matrix"))?;
        let matrix = state::matrix(matrix.as_array().map_or(&[], |array| &array[..]));
        let [left, bottom, right, top] = matrix.unwrap_or(Matrix::IDENTITY).bounds(bounds);
        let scale = |from: f64, to: f64| if from > 0.0 { to / from } else { 1.0 };
        let (sx, sy) =
            (scale(right - left, rect[2] - rect[0]), scale(top - bottom, rect[3] - rect[1]));
        let place = Matrix([sx, 0.0, 0.0, sy, rect[0] - sx * left, rect[1] - sy * bottom]);
        let state = State::new(place.then(self.view.matrix));
        self.form(&form, &Resources::default(), &state)
    }

    /// Writes the value of a field, or a note, into its rectangle.
    fn value(&mut self, annotation: &Dict) -> Result<(), Refusal> {
        let Some(rect) = state::rectangle(self.shared.file, annotation, "Rect")? else {
            return Ok(());
        };
        // In coordinates of the displayed page, so that the text is upright.
        let [left, top, right, bottom] = self.view.matrix.bounds(rect);
        let (x, y) = (f64::midpoint(left, right), f64::midpoint(top, bottom));
        let is_on_page = x >= 0.0 && y >= 0.0 && x <= self.view.width && y <= self.view.height;
        if !is_on_page || right - left < 1.0 || bottom - top < 1.0 {
            return Ok(());
        }
        let file = self.shared.file;
        let value = fields::value(file, annotation, &mut |work| self.count(work))?;
        let Some(value) = value else { return Ok(()) };
        self.write(&value, [left, top, right, bottom])
    }

    fn write(&mut self, value: &fields::Value, rect: [f64; 4]) -> Result<(), Refusal> {
        let [left, top, right, bottom] = rect;
        let (width, height) = ((right - left - 2.0 * PADDING).max(1.0), bottom - top);
        let mut size = value.size.filter(|size| *size > 0.0).unwrap_or(AUTOMATIC).max(1.0);
        if !value.has_lines {
            size = size.min(height * SHARE);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let room = if value.has_lines { (width / (ADVANCE * size)) as usize } else { usize::MAX };
        let lines = fields::lines(&value.text, room.max(1));
        #[expect(clippy::cast_precision_loss, reason = "a count of lines")]
        let count = lines.len().max(1) as f64;
        let step = (LEADING * size).min(height / count);
        let size = size.min(step);
        let first =
            if value.has_lines { top + size } else { f64::midpoint(top, bottom) + 0.3 * size };
        let mut baseline = first;
        for line in &lines {
            self.write_line(line, (left + PADDING, baseline), width, size)?;
            baseline += step;
        }
        Ok(())
    }

    /// Writes a line with each word as one glyph, because its characters are already in reading
    /// order.
    fn write_line(
        &mut self,
        line: &str,
        (mut x, y): (f64, f64),
        width: f64,
        size: f64,
    ) -> Result<(), Refusal> {
        #[expect(clippy::cast_precision_loss, reason = "a count of characters")]
        let count = |text: &str| text.chars().count() as f64;
        let advance = (ADVANCE * size).min(width / count(line).max(1.0));
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if is_right_to_left(line) {
            words.reverse();
        }
        for word in words {
            let length = advance * count(word);
            self.glyphs.count(Certainty::Known);
            self.glyphs.push(word, (x, y), (1.0, 0.0), length, size);
            self.glyphs.push(" ", (x + length, y), (1.0, 0.0), advance, size);
            x += length + advance;
        }
        if self.glyphs.len() > self.shared.limits.page_glyphs {
            return Err(Refusal::Limit(Budget::Glyphs));
        }
        if self.glyphs.text_bytes() > self.shared.limits.text_bytes {
            return Err(Refusal::Limit(Budget::TextBytes));
        }
        Ok(())
    }
}

/// The normal appearance of an annotation in its current state.
fn appearance<S: Source>(file: &File<S>, annotation: &Dict) -> Result<Option<Stream>, Refusal> {
    let appearances = lenient(file.get(annotation, "AP"))?;
    let Some(appearances) = appearances.as_dict() else { return Ok(None) };
    let normal = match lenient(file.get(appearances, "N"))? {
        Object::Dict(states) => {
            let state = lenient(file.get(annotation, "AS"))?;
            let state = state.as_name().and_then(Name::as_str).unwrap_or("Off").to_owned();
            lenient(file.get(&states, &state))?
        }
        other => other,
    };
    Ok(normal.as_stream().cloned())
}
