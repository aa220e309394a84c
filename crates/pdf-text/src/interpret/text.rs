//! The operators that show text (ISO 32000-1, 9.4.3).

use cos::{Object, Source};

use super::state::State;
use super::{Interpreter, Shared};
use crate::matrix::Matrix;
use crate::refusal::{Budget, Refusal};

impl<S: Source> Interpreter<'_, S> {
    /// Runs an operator that shows text; ignores other operators.
    pub(super) fn show(
        &mut self,
        name: &[u8],
        operands: &[Object],
        state: &mut State,
    ) -> Result<(), Refusal> {
        match name {
            b"Tj" => {}
            b"TJ" => {
                for item in operands.last().and_then(Object::as_array).into_iter().flatten() {
                    match item {
                        Object::String(string) => self.string(string.as_bytes(), state)?,
                        other => adjust(state, other.as_f64().unwrap_or(0.0)),
                    }
                }
                return Ok(());
            }
            b"'" => state.next_line(0.0, -state.leading),
            b"\"" => {
                if let [.., word, character, _] = operands {
                    state.word_spacing = word.as_f64().unwrap_or(state.word_spacing);
                    state.character_spacing = character.as_f64().unwrap_or(state.character_spacing);
                }
                state.next_line(0.0, -state.leading);
            }
            _ => return Ok(()),
        }
        match operands.last().and_then(Object::as_string) {
            Some(string) => self.string(string.as_bytes(), state),
            None => Ok(()),
        }
    }

    fn string(&mut self, string: &[u8], state: &mut State) -> Result<(), Refusal> {
        let Some(font) = state.font.clone() else { return Ok(()) };
        if string.len() > self.shared.limits.page_glyphs {
            return Err(Refusal::Limit(Budget::Glyphs));
        }
        let is_vertical = font.is_vertical();
        let height = font.height();
        let hidden = self.marks.is_hidden();
        let (glyphs, marks, view) = (&mut self.glyphs, &mut self.marks, self.view);
        let Shared { file, limits, .. } = &self.shared;
        font.decode(file, limits, string, |code| {
            let scaled =
                Matrix([state.size * state.scaling, 0.0, 0.0, state.size, 0.0, state.rise]);
            let to_page = scaled.then(state.text_matrix).then(state.matrix);
            if !hidden {
                let direction = to_page.vector(if is_vertical { (0.0, -1.0) } else { (1.0, 0.0) });
                let across = to_page.vector(if is_vertical { (1.0, 0.0) } else { (0.0, height) });
                let length = direction.0.hypot(direction.1);
                // The component perpendicular to the line, because slanted text has a slanted
                // vertical axis.
                let size = (direction.0 * across.1 - direction.1 * across.0).abs() / length;
                let advance = length * if is_vertical { -code.advance } else { code.advance };
                // Vertical text is centred on its line; it is shifted as if it were on a baseline.
                let origin = to_page.point(if is_vertical { (-0.3, 0.0) } else { (0.0, 0.0) });
                let to_middle = to_page.vector(if is_vertical {
                    (0.3, code.advance / 2.0)
                } else {
                    (code.advance / 2.0, 0.3 * height)
                });
                if is_on_page(view, origin, to_middle) {
                    marks.glyph(glyphs, code, origin, direction, advance, size);
                }
            }
            let word = if code.is_space { state.word_spacing } else { 0.0 };
            let spacing = state.character_spacing + word;
            if is_vertical {
                state.advance(0.0, code.advance * state.size + spacing);
            } else {
                state.advance((code.advance * state.size + spacing) * state.scaling, 0.0);
            }
        })?;
        if self.glyphs.len() > self.shared.limits.page_glyphs {
            return Err(Refusal::Limit(Budget::Glyphs));
        }
        if self.glyphs.text_bytes() > self.shared.limits.text_bytes {
            return Err(Refusal::Limit(Budget::TextBytes));
        }
        Ok(())
    }
}

/// A number in `TJ`: thousandths of the font size, backwards.
fn adjust(state: &mut State, thousandths: f64) {
    let by = -thousandths / 1000.0 * state.size;
    if state.font.as_ref().is_some_and(|font| font.is_vertical()) {
        state.advance(0.0, by);
    } else {
        state.advance(by * state.scaling, 0.0);
    }
}

/// Whether the middle of a glyph is on the page. Glyphs outside the page are not part of its text.
fn is_on_page(view: super::View, origin: (f64, f64), to_middle: (f64, f64)) -> bool {
    let (x, y) = (origin.0 + to_middle.0, origin.1 + to_middle.1);
    x >= 0.0 && y >= 0.0 && x <= view.width && y <= view.height
}
