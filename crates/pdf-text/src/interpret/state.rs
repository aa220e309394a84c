//! The parts of the graphics state that position text (ISO 32000-1, 8.4 and 9.3).

use std::rc::Rc;

use cos::{Dict, File, Object, Source};

use crate::font::Font;
use crate::matrix::Matrix;
use crate::refusal::{Refusal, lenient};

/// Maximum number of states saved by `q`. Deeper ones are only counted.
const MAX_SAVED: usize = 512;

/// A graphics state. Lengths of text are in unscaled text space units.
#[derive(Clone)]
pub(super) struct State {
    /// Maps user space to points on the displayed page.
    pub(super) matrix: Matrix,
    pub(super) font: Option<Rc<Font>>,
    pub(super) size: f64,
    pub(super) character_spacing: f64,
    pub(super) word_spacing: f64,
    /// Horizontal scaling; 1 means none.
    pub(super) scaling: f64,
    pub(super) leading: f64,
    pub(super) rise: f64,
    pub(super) text_matrix: Matrix,
    line_matrix: Matrix,
}

impl State {
    pub(super) fn new(matrix: Matrix) -> Self {
        Self {
            matrix,
            font: None,
            size: 1.0,
            character_spacing: 0.0,
            word_spacing: 0.0,
            scaling: 1.0,
            leading: 0.0,
            rise: 0.0,
            text_matrix: Matrix::IDENTITY,
            line_matrix: Matrix::IDENTITY,
        }
    }

    /// `cm`, and a form's matrix.
    pub(super) fn transform(&mut self, operands: &[Object]) {
        if let Some(matrix) = matrix(operands) {
            self.matrix = matrix.then(self.matrix);
        }
    }

    /// Runs an operator of text state or text position; returns whether it was one.
    pub(super) fn text_operator(&mut self, name: &[u8], operands: &[Object]) -> bool {
        let number = operands.last().and_then(Object::as_f64);
        match name {
            b"BT" => {
                self.text_matrix = Matrix::IDENTITY;
                self.line_matrix = Matrix::IDENTITY;
            }
            b"Tc" => self.character_spacing = number.unwrap_or(self.character_spacing),
            b"Tw" => self.word_spacing = number.unwrap_or(self.word_spacing),
            b"Tz" => self.scaling = number.map_or(self.scaling, |percent| percent / 100.0),
            b"TL" => self.leading = number.unwrap_or(self.leading),
            b"Ts" => self.rise = number.unwrap_or(self.rise),
            b"Td" | b"TD" => {
                if let [.., x, y] = operands
                    && let (Some(x), Some(y)) = (x.as_f64(), y.as_f64())
                {
                    if name == b"TD" {
                        self.leading = -y;
                    }
                    self.next_line(x, y);
                }
            }
            b"Tm" => {
                if let Some(matrix) = matrix(operands) {
                    self.text_matrix = matrix;
                    self.line_matrix = matrix;
                }
            }
            b"T*" => self.next_line(0.0, -self.leading),
            _ => return false,
        }
        true
    }

    pub(super) fn next_line(&mut self, x: f64, y: f64) {
        self.line_matrix = Matrix::translate(x, y).then(self.line_matrix);
        self.text_matrix = self.line_matrix;
    }

    /// Moves the pen.
    pub(super) fn advance(&mut self, x: f64, y: f64) {
        self.text_matrix = Matrix::translate(x, y).then(self.text_matrix);
    }
}

/// The current state, and the states that `q` saved.
pub(super) struct States {
    pub(super) now: State,
    saved: Vec<State>,
    /// Number of states that were too deep to save.
    skipped: usize,
}

impl States {
    pub(super) fn new(now: State) -> Self {
        Self { now, saved: Vec::new(), skipped: 0 }
    }

    pub(super) fn save(&mut self) {
        if self.saved.len() < MAX_SAVED {
            self.saved.push(self.now.clone());
        } else {
            self.skipped += 1;
        }
    }

    pub(super) fn restore(&mut self) {
        if self.skipped > 0 {
            self.skipped -= 1;
        } else if let Some(state) = self.saved.pop() {
            // `q` does not save the text position (ISO 32000-1, 9.4.1).
            let (text_matrix, line_matrix) = (self.now.text_matrix, self.now.line_matrix);
            self.now = State { text_matrix, line_matrix, ..state };
        }
    }
}

/// The last six operands as a matrix.
pub(super) fn matrix(operands: &[Object]) -> Option<Matrix> {
    let first = operands.len().checked_sub(6)?;
    let mut matrix = [0.0; 6];
    for (number, operand) in matrix.iter_mut().zip(&operands[first..]) {
        *number = operand.as_f64().filter(|number| number.is_finite())?;
    }
    Some(Matrix(matrix))
}

/// A rectangle in a dictionary: left, bottom, right, top (ISO 32000-1, 7.9.5).
pub(super) fn rectangle<S: Source>(
    file: &File<S>,
    dict: &Dict,
    key: &str,
) -> Result<Option<[f64; 4]>, Refusal> {
    let value = lenient(file.get(dict, key))?;
    let Some([a, b, c, d]) = value.as_array().map(|array| &array[..]) else { return Ok(None) };
    let mut numbers = [0.0; 4];
    for (number, value) in numbers.iter_mut().zip([a, b, c, d]) {
        match lenient(file.resolve(value))?.as_f64().filter(|number| number.is_finite()) {
            Some(value) => *number = value,
            None => return Ok(None),
        }
    }
    let [a, b, c, d] = numbers;
    Ok(Some([a.min(c), b.min(d), a.max(c), b.max(d)]))
}

/// The displayed page: its crop box within its media box, rotated by `/Rotate`.
pub(crate) fn view<S: Source>(file: &File<S>, page: &cos::Page) -> Result<super::View, Refusal> {
    const LETTER: [f64; 4] = [0.0, 0.0, 612.0, 792.0];
    let boxed = |key: &str| -> Result<Option<[f64; 4]>, Refusal> {
        let dict = if page.dict.contains(key) { &page.dict } else { &page.inherited };
        let found = rectangle(file, dict, key)?;
        Ok(found.filter(|[x0, y0, x1, y1]| x1 - x0 >= 1.0 && y1 - y0 >= 1.0))
    };
    let media = boxed("MediaBox")?.unwrap_or(LETTER);
    let crop = boxed("CropBox")?.unwrap_or(media);
    let both = [
        media[0].max(crop[0]),
        media[1].max(crop[1]),
        media[2].min(crop[2]),
        media[3].min(crop[3]),
    ];
    let [x0, y0, x1, y1] =
        if both[2] - both[0] >= 1.0 && both[3] - both[1] >= 1.0 { both } else { media };
    let rotate = page.get("Rotate").map_or(Ok(Object::Null), |angle| file.resolve(angle));
    let rotate = lenient(rotate)?.as_i64().unwrap_or(0).rem_euclid(360);
    let (width, height) = (x1 - x0, y1 - y0);
    let (width, height, matrix) = match rotate {
        90 => (height, width, Matrix([0.0, 1.0, 1.0, 0.0, -y0, -x0])),
        180 => (width, height, Matrix([-1.0, 0.0, 0.0, 1.0, x1, -y0])),
        270 => (height, width, Matrix([0.0, -1.0, -1.0, 0.0, y1, x1])),
        _ => (width, height, Matrix([1.0, 0.0, 0.0, -1.0, -x0, y1])),
    };
    Ok(super::View { width, height, matrix })
}
