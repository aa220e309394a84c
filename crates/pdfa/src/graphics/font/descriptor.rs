//! Font descriptors (ISO 32000-1, 9.8).

use super::{
    super::Graphics,
    cff::Cff,
    program::{Embedded, Program},
    truetype::TrueType,
    type1::Type1,
};
use cos::{Dict, Name, Object, Stream};

/// A font descriptor, empty if the font has none.
pub(super) struct Descriptor {
    pub(super) dict: Dict,
    /// Whether bit 3 of the flags is set and bit 6 is not.
    pub(super) symbolic: bool,
    /// `/MissingWidth`, if present.
    pub(super) missing_width: Option<f64>,
    /// `/Subtype` of the font program.
    pub(super) program_subtype: Option<Name>,
}

impl Descriptor {
    /// The descriptor of a font or a CIDFont.
    pub(super) fn load(graphics: &Graphics<'_>, font: &Dict) -> Self {
        let dict = graphics.dict(font, "FontDescriptor").unwrap_or_default();
        let flags = graphics.get(&dict, "Flags").as_i64().unwrap_or(0);
        let missing_width = graphics.get(&dict, "MissingWidth").as_f64();
        let file = ["FontFile", "FontFile2", "FontFile3"]
            .into_iter()
            .find_map(|key| graphics.get(&dict, key).as_stream().cloned());
        let program_subtype = file.and_then(|file| graphics.name(file.dict(), "Subtype"));
        Self { dict, symbolic: flags & 0x24 == 4, missing_width, program_subtype }
    }

    fn file(&self, graphics: &Graphics<'_>, key: &str) -> Option<Stream> {
        match graphics.get(&self.dict, key) {
            Object::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    /// The program of a Type 1 font: Type 1, CFF, or CFF in OpenType.
    pub(super) fn type_1(&self, graphics: &Graphics<'_>) -> Embedded {
        if let Some(file) = self.file(graphics, "FontFile") {
            let program = graphics.data(&file).and_then(|data| Type1::parse(&data));
            return Embedded::of(program.map(|program| Program::Type1(Box::new(program))));
        }
        let Some(file) = self.file(graphics, "FontFile3") else { return Embedded::Missing };
        match graphics.name(file.dict(), "Subtype").as_ref().map(Name::as_bytes) {
            Some(b"Type1C") => Embedded::of(compact(graphics, &file)),
            Some(b"OpenType") => Embedded::of(open_type(graphics, &file)),
            _ => Embedded::Missing,
        }
    }

    /// The program of a TrueType font: TrueType, or OpenType.
    pub(super) fn true_type(&self, graphics: &Graphics<'_>) -> Embedded {
        let file = self.file(graphics, "FontFile2").or_else(|| self.file(graphics, "FontFile3"));
        let Some(file) = file else { return Embedded::Missing };
        let program = graphics.data(&file).and_then(TrueType::parse);
        Embedded::of(program.map(true_type))
    }

    /// The program of a CIDFont: TrueType for Type 2, CFF, or one of both in OpenType.
    pub(super) fn cid(&self, graphics: &Graphics<'_>, type_2: bool) -> Embedded {
        if type_2 && let Some(file) = self.file(graphics, "FontFile2") {
            let program = graphics.data(&file).and_then(TrueType::parse);
            return Embedded::of(program.map(true_type));
        }
        let Some(file) = self.file(graphics, "FontFile3") else { return Embedded::Missing };
        match graphics.name(file.dict(), "Subtype").as_ref().map(Name::as_bytes) {
            Some(b"CIDFontType0C") => Embedded::of(compact(graphics, &file)),
            Some(b"OpenType") => Embedded::of(open_type(graphics, &file)),
            _ => Embedded::Missing,
        }
    }
}

fn true_type(program: TrueType) -> Program {
    Program::TrueType(Box::new(program))
}

fn cff(program: Cff) -> Program {
    Program::Cff(Box::new(program))
}

fn compact(graphics: &Graphics<'_>, file: &Stream) -> Option<Program> {
    Cff::parse(graphics.data(file)?, None).map(cff)
}

fn open_type(graphics: &Graphics<'_>, file: &Stream) -> Option<Program> {
    let data = graphics.data(file)?;
    match TrueType::compact_table(&data) {
        Some((table, units)) => Cff::parse(table, Some(units)).map(cff),
        None => TrueType::parse(data).map(true_type),
    }
}
