//! Type 3 fonts (ISO 32000-1, 9.6.5).

use super::{
    super::{
        Graphics,
        resources::Resources,
        state::{State, Transparency},
    },
    Font, Kind,
    encoding::NOTDEF,
    glyph::Glyph,
    simple::{Encoding, Widths},
};
use cos::{Dict, Object, Stream, content::Operations};
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

/// A font whose glyphs are content streams.
pub(super) struct Type3 {
    pub(super) encoding: Encoding,
    pub(super) widths: Widths,
    /// `/CharProcs`.
    glyphs: HashMap<Vec<u8>, Stream>,
    resources: Option<Dict>,
    /// Signatures of the states in which the glyphs were drawn: see [`State::signature`].
    drawn: RefCell<HashSet<u64>>,
    /// Names of transparent glyphs.
    transparent: RefCell<HashSet<Vec<u8>>>,
}

impl Type3 {
    pub(super) fn load(graphics: &Graphics<'_>, dict: &Dict) -> Self {
        let procedures = graphics.dict(dict, "CharProcs").unwrap_or_default();
        let glyphs = procedures.iter().filter_map(|(name, value)| {
            let stream = graphics.resolve(value).as_stream()?.clone();
            Some((name.as_bytes().to_vec(), stream))
        });
        Self {
            encoding: Encoding::load(graphics, dict),
            widths: Widths::load(graphics, dict),
            glyphs: glyphs.collect(),
            resources: graphics.dict(dict, "Resources"),
            drawn: RefCell::default(),
            transparent: RefCell::default(),
        }
    }

    fn stream(&self, code: u8) -> Option<&Stream> {
        self.glyphs.get(self.encoding.glyph_name(code)?.as_bytes())
    }

    /// The facts about the glyph of a code.
    pub(super) fn glyph(&self, graphics: &Graphics<'_>, code: u8) -> Glyph {
        let stream = self.stream(code);
        Glyph {
            present: Some(stream.is_some()),
            undefined: self.encoding.glyph_name(code) == Some(NOTDEF),
            width: stream.map_or(Some(0.0), |stream| graphics.glyph_width(stream)),
            declared_width: Some(self.widths.of(code).unwrap_or(0.0)),
        }
    }
}

impl Graphics<'_> {
    /// The width in `d0` or `d1`, a glyph's first operator.
    fn glyph_width(&self, stream: &Stream) -> Option<f64> {
        let data = self.data(stream)?;
        let mut operations = Operations::new(&data, &self.limits);
        let operator = operations.next().ok()??;
        matches!(operator.name, b"d0" | b"d1").then(|| operations.operands().first()?.as_f64())?
    }

    /// Draws all glyphs of a font, and returns whether one of `codes` is transparent.
    pub(in super::super) fn glyphs_of_type_3(
        &self,
        font: &Font,
        codes: &HashSet<u8>,
        resources: &Resources,
        state: &State,
        depth: usize,
    ) -> bool {
        let Kind::Type3(type_3) = &font.kind else { return false };
        let inherited = State {
            transparency: Transparency::default(),
            font: None,
            text_mode: 0,
            ..state.clone()
        };
        let font_resources = resources.with(type_3.resources.clone());
        if type_3.drawn.borrow_mut().insert(inherited.signature(&font_resources)) {
            for (name, stream) in &type_3.glyphs {
                if self.glyph_of_type_3(stream, &font_resources, &inherited, depth) {
                    type_3.transparent.borrow_mut().insert(name.clone());
                }
            }
        }
        let transparent = type_3.transparent.borrow();
        let shown = |code: &u8| type_3.encoding.glyph_name(*code);
        !transparent.is_empty()
            && codes.iter().filter_map(shown).any(|name| transparent.contains(name.as_bytes()))
    }

    fn glyph_of_type_3(
        &self,
        stream: &Stream,
        font_resources: &Resources,
        inherited: &State,
        depth: usize,
    ) -> bool {
        let resources = match self.get(stream.dict(), "Resources") {
            Object::Dict(own) => font_resources.with(Some(own)),
            _ => font_resources.clone(),
        };
        self.drawn_once(stream, &resources, inherited, |graphics| {
            let data = graphics.data(stream).unwrap_or_default();
            graphics.run(&data, resources.clone(), inherited.clone(), None, depth)
        })
    }
}
