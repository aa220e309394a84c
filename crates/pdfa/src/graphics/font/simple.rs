//! Simple fonts: Type 1 and TrueType (ISO 32000-1, 9.6).

use super::{
    super::Graphics,
    descriptor::Descriptor,
    encoding::{self, NOTDEF, Named},
    glyph::Glyph,
    program::{Embedded, Program},
    truetype::TrueType,
};
use cos::{Dict, Object};
use std::collections::HashMap;

/// The standard 14 fonts, which every reader has in PDF 1.4 (Appendix H.3; ISO 32000-1, 9.6.2.2).
const STANDARD_14: [&str; 14] = [
    "Courier",
    "Courier-Bold",
    "Courier-BoldOblique",
    "Courier-Oblique",
    "Helvetica",
    "Helvetica-Bold",
    "Helvetica-BoldOblique",
    "Helvetica-Oblique",
    "Symbol",
    "Times-Bold",
    "Times-BoldItalic",
    "Times-Italic",
    "Times-Roman",
    "ZapfDingbats",
];

/// A Type 1 or TrueType font.
pub(super) struct Simple {
    pub(super) true_type: bool,
    pub(super) descriptor: Descriptor,
    pub(super) embedded: Embedded,
    pub(super) encoding: Encoding,
    pub(super) widths: Widths,
    /// Whether it is one of the standard 14 and not embedded.
    pub(super) standard: bool,
}

/// `/Encoding` of a simple font.
#[derive(Default)]
pub(super) struct Encoding {
    /// Whether the font has an `/Encoding`.
    pub(super) present: bool,
    /// The name of the encoding, or of its base encoding.
    pub(super) name: Option<Vec<u8>>,
    base: Option<Named>,
    /// `/Differences`, if the encoding is a dictionary.
    differences: Option<HashMap<u8, String>>,
    /// Whether `/Differences` is present.
    pub(super) differs: bool,
}

/// `/Widths` of a simple font.
#[derive(Default)]
pub(super) struct Widths {
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    pub(super) all: Option<Vec<Option<f64>>>,
}

impl Encoding {
    pub(super) fn load(graphics: &Graphics<'_>, font: &Dict) -> Self {
        match graphics.get(font, "Encoding") {
            Object::Name(name) => Self {
                present: true,
                base: Named::of(name.as_bytes()),
                name: Some(name.as_bytes().to_vec()),
                ..Self::default()
            },
            Object::Dict(dict) => {
                let base = graphics.name(&dict, "BaseEncoding");
                let differences = graphics.get(&dict, "Differences");
                Self {
                    present: true,
                    base: base.as_ref().and_then(|name| Named::of(name.as_bytes())),
                    name: base.map(|name| name.as_bytes().to_vec()),
                    differs: !differences.is_null(),
                    differences: Some(read_differences(graphics, &differences)),
                }
            }
            _ => Self::default(),
        }
    }

    /// The glyph name of a code; `None` if only the program's own encoding has it.
    pub(super) fn glyph_name(&self, code: u8) -> Option<&str> {
        let difference = self.differences.as_ref().and_then(|differences| differences.get(&code));
        match difference {
            Some(name) => Some(name),
            None => self.base.map(|base| base.glyph(code)),
        }
    }

    /// All names in `/Differences`.
    pub(super) fn different_names(&self) -> impl Iterator<Item = &String> {
        self.differences.iter().flat_map(HashMap::values)
    }

    /// The glyph name to look up in a TrueType program (ISO 32000-1, 9.6.6.4): codes that an
    /// encoding dictionary omits have their names in StandardEncoding.
    fn true_type_name(&self, code: u8) -> Option<&str> {
        if self.differences.is_none() {
            return self.base.map(|base| base.glyph(code));
        }
        match self.glyph_name(code) {
            Some(name) if name != NOTDEF => Some(name),
            _ => Some(Named::Standard.glyph(code)),
        }
    }
}

fn read_differences(graphics: &Graphics<'_>, object: &Object) -> HashMap<u8, String> {
    let mut differences = HashMap::new();
    let Object::Array(array) = object else { return differences };
    let mut code = 0_i64;
    for item in array {
        match graphics.resolve(item) {
            Object::Integer(next) => code = next,
            Object::Name(name) => {
                if let Ok(code) = u8::try_from(code) {
                    let name = String::from_utf8_lossy(name.as_bytes()).into_owned();
                    differences.insert(code, name);
                }
                code = code.saturating_add(1);
            }
            _ => {}
        }
    }
    differences
}

impl Widths {
    pub(super) fn load(graphics: &Graphics<'_>, font: &Dict) -> Self {
        let all = match graphics.get(font, "Widths") {
            Object::Array(array) => {
                Some(array.iter().map(|width| graphics.resolve(width).as_f64()).collect())
            }
            _ => None,
        };
        let integer = |key| match graphics.get(font, key) {
            Object::Integer(value) => Some(value),
            _ => None,
        };
        Self { first: integer("FirstChar"), last: integer("LastChar"), all }
    }

    /// The width of a code; `None` if `/Widths` does not have it.
    pub(super) fn of(&self, code: u8) -> Option<f64> {
        let (first, last, code) = (self.first?, self.last?, i64::from(code));
        let all = self.all.as_ref()?;
        if code < first || code > last {
            return None;
        }
        *all.get(usize::try_from(code.checked_sub(first)?).ok()?)?
    }
}

impl Simple {
    pub(super) fn type_1(graphics: &Graphics<'_>, dict: &Dict) -> Self {
        let descriptor = Descriptor::load(graphics, dict);
        let embedded = descriptor.type_1(graphics);
        let named = graphics
            .name(dict, "BaseFont")
            .is_some_and(|name| STANDARD_14.iter().any(|standard| name == *standard));
        let standard = named && matches!(embedded, Embedded::Missing);
        Self::new(graphics, dict, descriptor, embedded, false, standard)
    }

    pub(super) fn true_type(graphics: &Graphics<'_>, dict: &Dict) -> Self {
        let descriptor = Descriptor::load(graphics, dict);
        let embedded = descriptor.true_type(graphics);
        Self::new(graphics, dict, descriptor, embedded, true, false)
    }

    fn new(
        graphics: &Graphics<'_>,
        dict: &Dict,
        descriptor: Descriptor,
        embedded: Embedded,
        true_type: bool,
        standard: bool,
    ) -> Self {
        let encoding = Encoding::load(graphics, dict);
        let widths = Widths::load(graphics, dict);
        Self { true_type, descriptor, embedded, encoding, widths, standard }
    }

    /// Whether glyphs of a TrueType program are looked up by name.
    fn by_name(&self) -> bool {
        !self.descriptor.symbolic && self.encoding.present
    }

    /// The facts about the glyph of a code.
    pub(super) fn glyph(&self, code: u8) -> Glyph {
        let name = self.encoding.glyph_name(code);
        let undefined = name == Some(NOTDEF) || name.is_none() && code == 0 && self.true_type;
        let mut glyph = Glyph { undefined, ..Glyph::default() };
        let Some(program) = self.embedded.program() else { return glyph };
        let missing = self.descriptor.missing_width.unwrap_or(0.0);
        glyph.declared_width = Some(self.widths.of(code).unwrap_or(missing));
        match program {
            Program::TrueType(program) if self.true_type => {
                self.true_type_glyph(program, code, &mut glyph);
            }
            _ => named_glyph(program, name, code, missing, &mut glyph),
        }
        glyph
    }

    /// The name of the glyph for a code, from the font or from its program.
    pub(super) fn shown_name(&self, program: &Program, code: u8) -> Option<String> {
        let name = self.encoding.glyph_name(code).map(str::to_owned);
        name.or_else(|| program.name_of_code(code))
    }

    fn true_type_glyph(&self, program: &TrueType, code: u8, glyph: &mut Glyph) {
        if !self.by_name() {
            let found = symbolic_glyph(program, code);
            glyph.present = Some(code == 0 || found != 0 && found < program.glyphs());
            glyph.width = Some(program.width(found));
            return;
        }
        let Some(name) = self.encoding.true_type_name(code) else { return };
        let found = glyph_by_name(program, name);
        let inside = found != 0 && found < program.glyphs();
        glyph.present = Some(code == 0 || name != NOTDEF && inside);
        let reachable = program.subtable_count() > 0 || program.has_name(name);
        glyph.width = Some(program.width(if reachable { found } else { 0 }));
    }

    /// The glyph name that gives the Unicode value of a code.
    pub(super) fn unicode_name(&self, code: u8) -> Option<String> {
        let name = self.encoding.glyph_name(code).map(str::to_owned);
        match self.embedded.program() {
            Some(Program::TrueType(_)) if name.is_none() && self.by_name() => {
                self.encoding.true_type_name(code).map(str::to_owned)
            }
            Some(program) if name.is_none() => program.name_of_code(code),
            _ => name,
        }
    }
}

/// Sets the facts about the glyph of a code. Its name comes from the font, or else from the
/// program.
fn named_glyph(program: &Program, name: Option<&str>, code: u8, missing: f64, glyph: &mut Glyph) {
    let own = name.is_none().then(|| program.name_of_code(code)).flatten();
    let name = name.or(own.as_deref()).unwrap_or(NOTDEF);
    let present = name != NOTDEF && program.has_glyph(name);
    glyph.present = Some(code == 0 || present);
    glyph.width = match (program, present) {
        (Program::Type1(_), false) => Some(missing),
        _ => program.width_of(name),
    };
}

/// Looks up a glyph in the (3, 0) subtable, else the (1, 0) subtable, else the first one.
fn symbolic_glyph(program: &TrueType, code: u8) -> u32 {
    if program.has_subtable(3, 0) {
        return program.lookup_symbol(code);
    }
    if program.has_subtable(1, 0) {
        return program.lookup(1, 0, u32::from(code));
    }
    program.lookup_any(u32::from(code))
}

/// Looks up a glyph in the (3, 1) subtable, the (1, 0) subtable, or the `post` table. Only `post`
/// has names of variants such as `a.alt`.
fn glyph_by_name(program: &TrueType, name: &str) -> u32 {
    if name.contains('.') {
        return program.glyph_named(name);
    }
    if let Some(character) = encoding::character(name) {
        let glyph = program.lookup(3, 1, u32::from(character));
        if glyph != 0 {
            return glyph;
        }
    }
    if let Some(code) = encoding::mac_os_code(name) {
        let glyph = program.lookup(1, 0, u32::from(code));
        if glyph != 0 {
            return glyph;
        }
    }
    program.glyph_named(name)
}
