//! Marked content: its replacement text (`ActualText`, ISO 32000-1, 14.9.4), and whether it is
//! hidden.

use crate::font::Code;
use crate::layout::Glyphs;

/// Maximum depth of marked content; deeper content is only counted.
const MAX_DEPTH: usize = 256;

/// The open marked content.
#[derive(Default)]
pub(super) struct Marks {
    open: Vec<Mark>,
    skipped: usize,
    hidden: usize,
    /// The replacement in progress, and the depth at which it began.
    replacement: Option<(usize, Replacement)>,
}

struct Mark {
    hidden: bool,
}

/// A text that replaces glyphs.
struct Replacement {
    text: String,
    place: Option<Place>,
}

struct Place {
    origin: (f64, f64),
    direction: (f64, f64),
    /// From the origin to the furthest end of a glyph along the line.
    advance: f64,
    size: f64,
}

impl Marks {
    pub(super) fn depth(&self) -> usize {
        self.open.len() + self.skipped
    }

    pub(super) fn is_hidden(&self) -> bool {
        self.hidden > 0
    }

    pub(super) fn begin(&mut self, hidden: bool, actual_text: Option<String>) {
        if self.open.len() >= MAX_DEPTH {
            self.skipped += 1;
            return;
        }
        self.open.push(Mark { hidden });
        self.hidden += usize::from(hidden);
        if let (None, Some(text)) = (&self.replacement, actual_text) {
            self.replacement = Some((self.open.len(), Replacement { text, place: None }));
        }
    }

    pub(super) fn end(&mut self, glyphs: &mut Glyphs) {
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        let depth = self.open.len();
        if let Some((_, replacement)) = self.replacement.take_if(|(at, _)| *at == depth)
            && let Some(place) = replacement.place
        {
            glyphs.push(
                &replacement.text,
                place.origin,
                place.direction,
                place.advance,
                place.size,
            );
        }
        if let Some(mark) = self.open.pop() {
            self.hidden -= usize::from(mark.hidden);
        }
    }

    /// Records a glyph, or only its position if a text replaces it.
    pub(super) fn glyph(
        &mut self,
        glyphs: &mut Glyphs,
        code: Code<'_>,
        origin: (f64, f64),
        direction: (f64, f64),
        advance: f64,
        size: f64,
    ) {
        let Some((_, replacement)) = &mut self.replacement else {
            glyphs.count(code.certainty);
            glyphs.push(code.text, origin, direction, advance, size);
            return;
        };
        match &mut replacement.place {
            None => replacement.place = Some(Place { origin, direction, advance, size }),
            Some(place) => {
                let length = place.direction.0.hypot(place.direction.1);
                let (dx, dy) = (origin.0 - place.origin.0, origin.1 - place.origin.1);
                let along = (dx * place.direction.0 + dy * place.direction.1) / length;
                place.advance = place.advance.max(along + advance);
            }
        }
    }
}
