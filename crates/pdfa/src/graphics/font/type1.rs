//! Type 1 font programs: glyph names, the program's own encoding, widths.

use read_fonts::{ps::type1::Type1Font, types::GlyphId};
use std::collections::HashMap;

/// The standard first comment of a program. Some programs start with a different one.
const HEADER: &[u8] = b"%!PS-AdobeFont-1.0\n";

/// A Type 1 font program.
pub(crate) struct Type1 {
    font: Type1Font,
    glyphs: HashMap<String, GlyphId>,
}

impl Type1 {
    /// Decrypts and reads the program.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        let font =
            Type1Font::new(data).or_else(|_| Type1Font::new(&[HEADER, data].concat())).ok()?;
        let glyphs: HashMap<String, GlyphId> =
            font.glyph_names().map(|(glyph, name)| (name.to_owned(), glyph)).collect();
        (!glyphs.is_empty()).then_some(Self { font, glyphs })
    }

    /// Whether there is a glyph with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.glyphs.contains_key(name)
    }

    /// All glyph names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.glyphs.keys().map(String::as_str)
    }

    /// The glyph name of `code` in the program's own encoding.
    pub(crate) fn name_of_code(&self, code: u8) -> Option<String> {
        self.font.encoding()?.glyph_name(code).map(str::to_owned)
    }

    /// The width of the glyph with this name in thousandths of an em, if its charstring can be
    /// read.
    pub(crate) fn width(&self, name: &str) -> Option<f64> {
        let width = self.font.evaluate_width(*self.glyphs.get(name)?).ok()??;
        let units = f64::from(self.font.upem());
        (units > 0.0).then(|| width.to_f64() * 1000.0 / units)
    }
}
