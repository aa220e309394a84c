//! Fonts of shown text: their dictionaries, their programs, and each glyph shown (ISO 19005-1, 6.3;
//! ISO 19005-2, 6.2.11).

mod cff;
mod cmap;
mod composite;
mod descriptor;
mod encoding;
mod glyph;
mod program;
mod rules;
mod simple;
mod subset;
mod truetype;
mod type1;
mod type3;
mod unicode;

use super::{Graphics, Identity, identity};
use cmap::{CMap, Code};
use composite::Composite;
use cos::{Dict, Name, Object, Ref};
use descriptor::Descriptor;
use program::Embedded;
use simple::Simple;
use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    rc::Rc,
};
use type3::Type3;

/// Maximum number of distinct glyphs of one font that are checked.
const GLYPHS: usize = 70_000;

/// A font that a content stream uses.
pub(super) struct Font {
    pub(super) id: Option<Ref>,
    dict: Dict,
    subtype: Option<Name>,
    kind: Kind,
    /// `/ToUnicode`: a CMap, or an identity CMap.
    to_unicode: Option<CMap>,
    /// Whether text was shown in it, and whether this text was visible.
    shown: Cell<(bool, bool)>,
    /// Glyphs shown, by code and how they were shown.
    glyphs: RefCell<HashSet<(Code, Shown)>>,
}

/// The kind of a font.
enum Kind {
    /// Type 1, multiple master, or TrueType.
    Simple(Box<Simple>),
    Type3(Box<Type3>),
    Composite(Box<Composite>),
    /// An unknown subtype.
    Unknown,
}

/// How text is shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shown {
    /// In a text rendering mode other than 3.
    pub(super) rendered: bool,
    /// Within marked content that has replacement text.
    pub(super) replaced: bool,
}

impl Graphics<'_> {
    /// The font `object`.
    pub(super) fn font(&self, object: &Object) -> Option<Rc<Font>> {
        let resolved = self.resolve(object);
        let dict = resolved.as_dict()?;
        let key: Identity = identity(object, dict);
        if let Some(font) = self.fonts.borrow().get(&key) {
            return font.clone();
        }
        let font = Rc::new(Font::load(self, object.as_ref(), dict.clone()));
        self.fonts.borrow_mut().insert(key, Some(font.clone()));
        Some(font)
    }

    /// Checks the rules that need all glyphs shown.
    pub(super) fn fonts_at_end(&self) {
        let mut fonts: Vec<Rc<Font>> = self.fonts.borrow().values().flatten().cloned().collect();
        // A hash map has no order, but a report keeps the first failures of a rule.
        fonts.sort_by_key(|font| font.id);
        for font in fonts.iter().filter(|font| font.shown.get().0) {
            font.check_subset(self);
        }
    }
}

impl Font {
    fn load(graphics: &Graphics<'_>, id: Option<Ref>, dict: Dict) -> Self {
        let subtype = graphics.name(&dict, "Subtype");
        let kind = match subtype.as_ref().map(Name::as_bytes) {
            Some(b"Type1" | b"MMType1") => Kind::Simple(Box::new(Simple::type_1(graphics, &dict))),
            Some(b"TrueType") => Kind::Simple(Box::new(Simple::true_type(graphics, &dict))),
            Some(b"Type3") => Kind::Type3(Box::new(Type3::load(graphics, &dict))),
            Some(b"Type0") => Kind::Composite(Box::new(Composite::load(graphics, &dict))),
            _ => Kind::Unknown,
        };
        let to_unicode = unicode::to_unicode(graphics, &dict);
        let (shown, glyphs) = (Cell::default(), RefCell::default());
        Self { id, dict, subtype, kind, to_unicode, shown, glyphs }
    }

    /// Whether its glyphs are content streams.
    pub(super) const fn is_type_3(&self) -> bool {
        matches!(self.kind, Kind::Type3(_))
    }

    /// Checks the font and the glyphs of a string.
    pub(super) fn show(&self, graphics: &Graphics<'_>, string: &[u8], shown: Shown) {
        let (any, seen) = self.shown.get();
        if !any {
            self.check(graphics);
        }
        if shown.rendered && !seen {
            self.check_rendered(graphics);
        }
        self.shown.set((true, seen || shown.rendered));
        let mut rest = string;
        while !rest.is_empty() {
            let code = self.read_code(rest);
            rest = &rest[code.bytes.clamp(1, rest.len())..];
            let mut glyphs = self.glyphs.borrow_mut();
            if glyphs.len() < GLYPHS && glyphs.insert((code, shown)) {
                drop(glyphs);
                self.check_glyph(graphics, code, shown);
            }
        }
    }

    fn read_code(&self, bytes: &[u8]) -> Code {
        match &self.kind {
            Kind::Composite(composite) => composite.read_code(bytes),
            _ => Code { value: u32::from(bytes[0]), bytes: 1 },
        }
    }

    fn descriptor(&self) -> Option<&Descriptor> {
        match &self.kind {
            Kind::Simple(simple) => Some(&simple.descriptor),
            Kind::Composite(composite) => Some(&composite.descriptor),
            Kind::Type3(_) | Kind::Unknown => None,
        }
    }

    fn embedded(&self) -> Option<&Embedded> {
        match &self.kind {
            Kind::Simple(simple) => Some(&simple.embedded),
            Kind::Composite(composite) => Some(&composite.embedded),
            Kind::Type3(_) | Kind::Unknown => None,
        }
    }
}
