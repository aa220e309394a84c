//! Font programs of any format.

use super::{cff::Cff, truetype::TrueType, type1::Type1};

/// A font program.
pub(super) enum Program {
    TrueType(Box<TrueType>),
    Cff(Box<Cff>),
    Type1(Box<Type1>),
}

/// Whether the file contains the program of a font.
pub(super) enum Embedded {
    /// There is no program, or only one of a type that the font must not have.
    Missing,
    /// The program cannot be read, so that nothing is known about its glyphs.
    Unreadable,
    /// The program.
    Readable(Program),
}

impl Embedded {
    pub(super) fn of(program: Option<Program>) -> Self {
        program.map_or(Self::Unreadable, Self::Readable)
    }

    /// The program, if it is readable.
    pub(super) const fn program(&self) -> Option<&Program> {
        match self {
            Self::Readable(program) => Some(program),
            Self::Missing | Self::Unreadable => None,
        }
    }
}

impl Program {
    /// Whether there is a glyph with this name other than `.notdef`.
    pub(super) fn has_glyph(&self, name: &str) -> bool {
        match self {
            Self::TrueType(program) => program.has_name(name),
            Self::Cff(program) => program.glyph_named(name).is_some(),
            Self::Type1(program) => program.has(name),
        }
    }

    /// The width of the glyph with this name, in thousandths of an em.
    pub(super) fn width_of(&self, name: &str) -> Option<f64> {
        match self {
            Self::TrueType(program) => Some(program.width(program.glyph_named(name))),
            Self::Cff(program) => program.width(program.glyph_named(name).unwrap_or(0)),
            Self::Type1(program) => program.width(name),
        }
    }

    /// The glyph name of a code in the program's own encoding.
    pub(super) fn name_of_code(&self, code: u8) -> Option<String> {
        match self {
            Self::TrueType(_) => None,
            Self::Cff(program) => program.name_of_code(code).map(str::to_owned),
            Self::Type1(program) => program.name_of_code(code),
        }
    }

    /// All glyph names, if the program has names.
    pub(super) fn names(&self) -> Option<Vec<&str>> {
        match self {
            Self::Cff(program) if !program.is_cid_keyed() => Some(program.names().collect()),
            Self::Type1(program) => Some(program.names().collect()),
            Self::Cff(_) | Self::TrueType(_) => None,
        }
    }
}
