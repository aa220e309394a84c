//! Simple fonts (ISO 32000-1, 9.6): each byte of a string is a code.
//!
//! The characters of a code come from the font's `ToUnicode`, or else from its `Encoding`, the
//! glyph names in it, the font program's own encoding and the fourteen standard fonts. `hayro-font`
//! handles all of these except `ToUnicode`. It needs a whole PDF in memory, so the font is written
//! into a small PDF, its 256 codes are read, and the PDF is dropped. Codes with unknown glyph names
//! are handled by [`by_number`].

use std::panic::catch_unwind;

use cos::{Dict, File, Object, Source};
use hayro_font::hayro_cmap::BfString;
use hayro_font::{FontCache, FontGlyph};
use hayro_syntax::object::{Dict as HayroDict, ObjectIdentifier};

use super::by_number::{self, Named};
use super::{Certainty, Code, number, numbers, to_unicode};
use crate::limits::Limits;
use crate::mini;
use crate::refusal::{Refusal, lenient};

/// Maximum bytes of UTF-8 for one code.
const MAX_TEXT: usize = 64;
/// Maximum number of items in an encoding's differences: more than a number and a name for each
/// code.
const MAX_DIFFERENCES: usize = 4_096;
/// The advance of an unknown code, in font sizes.
const ADVANCE: f64 = 0.5;

/// A simple font: the advance in font sizes and the characters of each code.
pub(crate) struct SimpleFont {
    advances: Box<[f32; 256]>,
    text: String,
    spans: Box<[(u16, u8, Certainty); 256]>,
    height: f64,
}

impl SimpleFont {
    pub(super) fn new<S: Source>(
        file: &File<S>,
        dict: &Dict,
        limits: &Limits,
    ) -> Result<Self, Refusal> {
        let pdf = mini::font(file, dict, limits)?;
        // `hayro-font` panics on some fonts. Then only the font is lost, not the file.
        let mut font = match catch_unwind(|| Self::known(pdf)) {
            Ok(Some(font)) => font,
            Ok(None) | Err(_) => Self::assumed_ascii(file, dict)?,
        };
        let is_type3 = lenient(file.get(dict, "Subtype"))?.is_name("Type3");
        if is_type3 {
            font.height = type3_height(file, dict)?;
        }
        let map = lenient(file.get(dict, "ToUnicode"))?;
        if let Some(map) = to_unicode::read(file, &map, limits)? {
            for code in 0..=255_u8 {
                if let Some(text) = map.text(u32::from(code)) {
                    font.set(code, &text, Certainty::Known);
                }
            }
        }
        let mut named = differences(file, dict)?;
        named.retain(|named| font.code(named.code).text.is_empty() && named.name != ".notdef");
        for (code, text, certainty) in by_number::characters(&named, is_type3) {
            font.set(code, &text, certainty);
        }
        Ok(font)
    }

    fn empty() -> Self {
        Self {
            advances: Box::new([0.0; 256]),
            text: String::new(),
            // Control codes draw nothing, unless the encoding names a glyph for them.
            spans: Box::new([(0, 0, Certainty::Known); 256]),
            height: 1.0,
        }
    }

    /// The codes of the font in a file made by [`mini::font`], according to `hayro-font`; `None` if
    /// it cannot read the font.
    fn known(pdf: Vec<u8>) -> Option<Self> {
        let pdf = hayro_syntax::Pdf::new(pdf).ok()?;
        let dict = pdf.xref().get::<HayroDict<'_>>(ObjectIdentifier::new(mini::FONT, 0))?;
        let fonts: hayro_font::FontResolverFn = std::sync::Arc::new(|query| match query {
            hayro_font::FontQuery::Standard(font) => Some(font.get_font_data()),
            hayro_font::FontQuery::Fallback(query) => {
                Some(query.pick_standard_font().get_font_data())
            }
        });
        let cmaps: hayro_font::CMapResolverFn =
            std::sync::Arc::new(hayro_font::hayro_cmap::load_embedded);
        let font = FontCache::new().font(&dict, &fonts, &cmaps)?;
        let mut known = Self::empty();
        for code in 0..=255_u8 {
            let number = u32::from(code);
            let glyph = font.glyph(font.map_code(number), number);
            let text = match &glyph {
                FontGlyph::Outline(glyph) => glyph.as_unicode(),
                FontGlyph::Type3(glyph) => glyph.as_unicode(),
            };
            #[expect(clippy::cast_possible_truncation, reason = "an advance needs no more digits")]
            let advance = (font.code_advance(number).x / 1000.0) as f32;
            known.advances[usize::from(code)] = if advance.is_finite() { advance } else { 0.0 };
            match text {
                Some(BfString::Char(text)) => {
                    known.set(code, text.encode_utf8(&mut [0; 4]), Certainty::Known);
                }
                Some(BfString::String(text)) => known.set(code, &text, Certainty::Known),
                None => known.set(
                    code,
                    "",
                    if code < b' ' { Certainty::Known } else { Certainty::Unknown },
                ),
            }
        }
        Some(known)
    }

    /// For an unreadable font: most such text is ASCII.
    fn assumed_ascii<S: Source>(file: &File<S>, dict: &Dict) -> Result<Self, Refusal> {
        let mut assumed = Self::empty();
        let first = number(file, dict, "FirstChar")?.unwrap_or(0.0);
        let widths = numbers(file, dict, "Widths")?;
        for code in 0..=255_u8 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates"
            )]
            let width = widths.get((f64::from(code) - first).max(0.0) as usize);
            #[expect(clippy::cast_possible_truncation, reason = "an advance needs no more digits")]
            let advance = width.map_or(ADVANCE, |width| width / 1000.0) as f32;
            assumed.advances[usize::from(code)] = advance;
            if (32..127).contains(&code) {
                assumed.set(code, char::from(code).encode_utf8(&mut [0; 4]), Certainty::Guessed);
            }
        }
        Ok(assumed)
    }

    fn set(&mut self, code: u8, text: &str, certainty: Certainty) {
        let start = u16::try_from(self.text.len());
        if let (Ok(start), Ok(len), true) =
            (start, u8::try_from(text.len()), text.len() <= MAX_TEXT)
        {
            self.text.push_str(text);
            self.spans[usize::from(code)] = (start, len, certainty);
        }
    }

    pub(super) fn height(&self) -> f64 {
        self.height
    }

    pub(super) fn code(&self, byte: u8) -> Code<'_> {
        let (start, len, certainty) = self.spans[usize::from(byte)];
        let (start, len) = (usize::from(start), usize::from(len));
        Code {
            text: self.text.get(start..start + len).unwrap_or_default(),
            certainty,
            advance: f64::from(self.advances[usize::from(byte)]),
            is_space: byte == b' ',
        }
    }
}

/// The glyph names in an encoding (ISO 32000-1, 9.6.6).
fn differences<S: Source>(file: &File<S>, dict: &Dict) -> Result<Vec<Named>, Refusal> {
    let encoding = lenient(file.get(dict, "Encoding"))?;
    let Some(encoding) = encoding.as_dict() else { return Ok(Vec::new()) };
    let Object::Array(array) = lenient(file.get(encoding, "Differences"))? else {
        return Ok(Vec::new());
    };
    let (mut named, mut next) = (Vec::new(), Some(0_u8));
    for item in array.iter().take(MAX_DIFFERENCES) {
        match lenient(file.resolve(item))? {
            Object::Name(name) => {
                if let (Some(code), Some(name)) = (next, name.as_str()) {
                    named.push(Named { code, name: name.to_owned() });
                }
                next = next.and_then(|code| code.checked_add(1));
            }
            other => next = other.as_i64().and_then(|code| u8::try_from(code).ok()),
        }
    }
    Ok(named)
}

/// The height of a Type 3 font's glyphs at size 1: the height of its bounding box in its own
/// matrix, or one text space unit without a bounding box.
fn type3_height<S: Source>(file: &File<S>, dict: &Dict) -> Result<f64, Refusal> {
    let matrix = numbers(file, dict, "FontMatrix")?;
    let bounds = match lenient(file.get(dict, "FontBBox"))? {
        Object::Array(_) => numbers(file, dict, "FontBBox")?,
        _ => Vec::new(),
    };
    let (Some(scale), [_, bottom, _, top]) = (matrix.get(3), bounds.as_slice()) else {
        return Ok(1.0);
    };
    let height = ((top - bottom) * scale).abs();
    Ok(if (0.1..10.0).contains(&height) { height } else { 1.0 })
}
