//! The graphics state (ISO 32000-1, 8.4), as far as the rules need it.

use super::{
    Graphics,
    colour::{Device, Space},
    colour_rules::Overprint,
    font::Font,
    resources::Resources,
};
use cos::{Dict, Stream};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
};

/// The colour or pattern for strokes or fills.
#[derive(Clone)]
pub(super) enum Paint {
    /// A colour of this space.
    Space(Rc<Space>),
    /// A tiling pattern.
    Tiling(Stream),
    /// A shading pattern, with the space of its colours.
    Shading(Option<Rc<Space>>),
    /// An unreadable colour space or pattern.
    Nothing,
}

/// The graphics state.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a parameter of its own")]
pub(super) struct State {
    pub(super) fill: Paint,
    pub(super) stroke: Paint,
    /// The colour spaces of uncoloured patterns.
    pub(super) fill_base: Option<Rc<Space>>,
    pub(super) stroke_base: Option<Rc<Space>>,
    pub(super) font: Option<Rc<Font>>,
    /// `Tr`, 0 to 7.
    pub(super) text_mode: i64,
    pub(super) overprint_fill: bool,
    pub(super) overprint_stroke: bool,
    pub(super) overprint_mode: bool,
    /// Whether operators may set colours: not in uncoloured patterns and glyphs.
    pub(super) coloured: bool,
    pub(super) transparency: Transparency,
}

/// The transparency parameters. They are reset at the start of a form.
#[derive(Clone)]
pub(super) struct Transparency {
    pub(super) soft_mask: bool,
    /// Whether the blend mode is not Normal.
    pub(super) blend: bool,
    pub(super) fill_alpha: f64,
    pub(super) stroke_alpha: f64,
}

impl Default for Transparency {
    fn default() -> Self {
        Self { soft_mask: false, blend: false, fill_alpha: 1.0, stroke_alpha: 1.0 }
    }
}

impl State {
    /// The state at the start of a page.
    pub(super) fn initial(graphics: &Graphics<'_>, resources: &Resources) -> Self {
        let gray = graphics.device_space(Device::Gray, resources);
        Self {
            fill: Paint::Space(gray.clone()),
            stroke: Paint::Space(gray),
            fill_base: None,
            stroke_base: None,
            font: None,
            text_mode: 0,
            overprint_fill: false,
            overprint_stroke: false,
            overprint_mode: false,
            coloured: true,
            transparency: Transparency::default(),
        }
    }

    /// Whether the fill colour paints glyphs: in modes 0, 2, 4 and 6.
    pub(super) const fn fills_text(&self) -> bool {
        matches!(self.text_mode, 0 | 2 | 4 | 6)
    }

    pub(super) const fn strokes_text(&self) -> bool {
        matches!(self.text_mode, 1 | 2 | 5 | 6)
    }

    pub(super) const fn fill_overprint(&self) -> Overprint {
        Overprint { on: self.overprint_fill, mode: self.overprint_mode }
    }

    pub(super) const fn stroke_overprint(&self) -> Overprint {
        Overprint { on: self.overprint_stroke, mode: self.overprint_mode }
    }

    /// The part of the state that affects the result of a form.
    pub(super) fn signature(&self, resources: &Resources) -> u64 {
        let mut hasher = DefaultHasher::new();
        for paint in [&self.fill, &self.stroke] {
            match paint {
                Paint::Space(space) => Rc::as_ptr(space).addr().hash(&mut hasher),
                Paint::Tiling(stream) => stream.id().hash(&mut hasher),
                Paint::Shading(space) => {
                    space.as_ref().map(|s| Rc::as_ptr(s).addr()).hash(&mut hasher);
                }
                Paint::Nothing => 0.hash(&mut hasher),
            }
        }
        self.font.as_ref().map(|font| Rc::as_ptr(font).addr()).hash(&mut hasher);
        (self.text_mode, self.coloured).hash(&mut hasher);
        (self.overprint_fill, self.overprint_stroke, self.overprint_mode).hash(&mut hasher);
        resources.fallback_identity().hash(&mut hasher);
        hasher.finish()
    }
}

/// The number at `key` in the dictionary of an ExtGState or a stream.
pub(super) fn number(graphics: &Graphics<'_>, dict: &Dict, key: &str) -> Option<f64> {
    graphics.get(dict, key).as_f64()
}
