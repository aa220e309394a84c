//! Simple fonts (ISO 32000-1, 9.6): each byte of a string is a code.
//!
//! What a code stands for follows from the font's `ToUnicode`, its `Encoding`, the names of glyphs
//! in it, the font program's own encoding and the fourteen standard fonts. `hayro-font` knows all
//! of that. It takes a font from a whole PDF in memory, so the font is written into a small one,
//! asked for its 256 codes, and forgotten.

use std::panic::catch_unwind;

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
        let pdf = mini::font(file, dict, limits)?;
        // `hayro-font` panics at some fonts. That costs the font, and not the file.
        let mut font = match catch_unwind(|| Self::known(pdf)) {
            Ok(Some(font)) => font,
            Ok(None) | Err(_) => Self::assumed_ascii(file, dict)?,
        };
        if lenient(file.get(dict, "Subtype"))?.is_name("Type3") {
            font.height = type3_height(file, dict)?;
        }
        Ok(font)
    }

    fn empty() -> Self {
        Self {
            advances: Box::new([0.0; 256]),
            text: String::new(),
            spans: Box::new([(0, 0); 256]),
            height: 1.0,
        }
    }

    /// The font of a file made by [`mini::font`], as `hayro-font` knows its codes, if it does.
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
                Some(BfString::Char(text)) => known.set(code, text.encode_utf8(&mut [0; 4])),
                Some(BfString::String(text)) => known.set(code, &text),
                None => {}
            }
        }
        Some(known)
    }

    /// For a font that nobody understands: ASCII is what most such text is.
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
                assumed.set(code, char::from(code).encode_utf8(&mut [0; 4]));
            }
        }
        Ok(assumed)
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
