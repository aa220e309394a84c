//! Simple fonts (ISO 32000-1, 9.6): each byte of a string is a code.
//!
//! What a code stands for follows from the font's `ToUnicode`, its `Encoding`, the names of glyphs
//! in it, the font program's own encoding and the fourteen standard fonts. `hayro-font` knows all
//! of that. It takes a font from a whole PDF in memory, so the font is written into a small one,
//! asked for its 256 codes, and forgotten.

use cos::{Dict, File, Object, Source};
use hayro_font::hayro_cmap::BfString;
use hayro_font::{FontCache, FontGlyph};
use hayro_syntax::object::{Dict as HayroDict, ObjectIdentifier};

use super::{Code, number, numbers};
use crate::limits::Limits;
use crate::mini;
use crate::refusal::{Refusal, lenient};

/// The most bytes of UTF-8 that one code may stand for.
const MAX_TEXT: usize = 64;
/// The advance of a code of which nothing is known, in font sizes.
const ADVANCE: f64 = 0.5;

/// A simple font: for each code, how far it moves the pen in font sizes and its characters.
pub(crate) struct SimpleFont {
    advances: Box<[f32; 256]>,
    text: String,
    spans: Box<[(u16, u8); 256]>,
    height: f64,
}

impl SimpleFont {
    pub(super) fn new<S: Source>(
        file: &File<S>,
        dict: &Dict,
        limits: &Limits,
    ) -> Result<Self, Refusal> {
        let mut font = Self {
            advances: Box::new([0.0; 256]),
            text: String::new(),
            spans: Box::new([(0, 0); 256]),
            height: 1.0,
        };
        let is_type3 = lenient(file.get(dict, "Subtype"))?.is_name("Type3");
        let pdf = mini::font(file, dict, limits)?;
        if !font.ask(pdf) {
            font.assume_ascii(file, dict)?;
        }
        if is_type3 {
            font.height = type3_height(file, dict)?;
        }
        Ok(font)
    }

    /// Asks `hayro-font` for each code of the font that is the first object of `pdf`. Whether it
    /// knew the font.
    fn ask(&mut self, pdf: Vec<u8>) -> bool {
        let Ok(pdf) = hayro_syntax::Pdf::new(pdf) else { return false };
        let id = ObjectIdentifier::new(mini::FONT, 0);
        let Some(dict) = pdf.xref().get::<HayroDict<'_>>(id) else { return false };
        let fonts: hayro_font::FontResolverFn = std::sync::Arc::new(|query| match query {
            hayro_font::FontQuery::Standard(font) => Some(font.get_font_data()),
            hayro_font::FontQuery::Fallback(query) => {
                Some(query.pick_standard_font().get_font_data())
            }
        });
        let cmaps: hayro_font::CMapResolverFn =
            std::sync::Arc::new(hayro_font::hayro_cmap::load_embedded);
        let Some(font) = FontCache::new().font(&dict, &fonts, &cmaps) else { return false };
        for code in 0..=255_u8 {
            let number = u32::from(code);
            let glyph = font.glyph(font.map_code(number), number);
            let text = match &glyph {
                FontGlyph::Outline(glyph) => glyph.as_unicode(),
                FontGlyph::Type3(glyph) => glyph.as_unicode(),
            };
            #[expect(clippy::cast_possible_truncation, reason = "an advance needs no more digits")]
            let advance = (font.code_advance(number).x / 1000.0) as f32;
            self.advances[usize::from(code)] = if advance.is_finite() { advance } else { 0.0 };
            match text {
                Some(BfString::Char(text)) => self.set(code, text.encode_utf8(&mut [0; 4])),
                Some(BfString::String(text)) => self.set(code, &text),
                None => {}
            }
        }
        true
    }

    /// For a font that nobody understands: ASCII is what most such text is.
    fn assume_ascii<S: Source>(&mut self, file: &File<S>, dict: &Dict) -> Result<(), Refusal> {
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
            self.advances[usize::from(code)] = advance;
            if (32..127).contains(&code) {
                self.set(code, char::from(code).encode_utf8(&mut [0; 4]));
            }
        }
        Ok(())
    }

    fn set(&mut self, code: u8, text: &str) {
        let start = u16::try_from(self.text.len());
        if let (Ok(start), Ok(len), true) =
            (start, u8::try_from(text.len()), text.len() <= MAX_TEXT)
        {
            self.text.push_str(text);
            self.spans[usize::from(code)] = (start, len);
        }
    }

    pub(super) fn height(&self) -> f64 {
        self.height
    }

    pub(super) fn code(&self, byte: u8) -> Code<'_> {
        let (start, len) = self.spans[usize::from(byte)];
        let (start, len) = (usize::from(start), usize::from(len));
        Code {
            text: self.text.get(start..start + len).unwrap_or_default(),
            advance: f64::from(self.advances[usize::from(byte)]),
            is_space: byte == b' ',
        }
    }
}

/// The height of a Type 3 font's glyphs at size 1: that of its bounding box by its own matrix, or
/// that of a unit of the text space where it has none.
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
