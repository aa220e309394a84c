//! The characters of a font program's glyphs, for codes that the font does not define.

use std::collections::HashMap;
use std::panic::catch_unwind;

use skrifa::Font;

use super::{Certainty, names};

/// Maximum number of glyphs of a font program.
const MAX_GLYPHS: usize = 1 << 16;

/// The characters of the glyphs of a TrueType, OpenType or CFF program.
#[derive(Default)]
pub(super) struct Program {
    /// From its character map.
    characters: HashMap<u32, char>,
    /// From the glyph names, for glyphs without an entry in the character map.
    names: HashMap<u32, Box<str>>,
    /// From a symbol map, whose codes are ASCII if the font has letters.
    symbols: HashMap<u32, char>,
}

impl Program {
    pub(super) fn read(data: Vec<u8>) -> Self {
        // If the parser panics, only the program is lost, not the file.
        catch_unwind(|| Self::parse(data)).unwrap_or_default()
    }

    fn parse(data: Vec<u8>) -> Self {
        let mut program = Self::default();
        let Some(font) = Font::new(data, 0) else { return program };
        for (code, glyph) in font.charmap().unicodes().take(MAX_GLYPHS) {
            let glyph = glyph.to_u32();
            if (0xF020..0xF07F).contains(&code) {
                let ascii = char::from_u32(code - 0xF000);
                ascii.map(|character| program.symbols.entry(glyph).or_insert(character));
            }
            let is_private = (0xE000..0xF900).contains(&code);
            let Some(character) = char::from_u32(code).filter(|_| !is_private) else { continue };
            // The first character of a glyph is the plain one: a space before a no-break space, a
            // letter before its presentation form.
            program.characters.entry(glyph).or_insert(character);
        }
        for (glyph, name) in font.glyph_names().take(MAX_GLYPHS) {
            let glyph = glyph.to_u32();
            if !name.is_synthesized()
                && !program.characters.contains_key(&glyph)
                && let Some(text) = names::characters(name.as_str())
            {
                program.names.insert(glyph, text.into());
            }
        }
        program
    }

    /// The characters of a glyph.
    pub(super) fn text(&self, glyph: u32) -> Option<(String, Certainty)> {
        let known = self.characters.get(&glyph).map(ToString::to_string);
        let known = known.or_else(|| self.names.get(&glyph).map(ToString::to_string));
        let known = known.map(|text| (text, Certainty::Known));
        known.or_else(|| Some((self.symbols.get(&glyph)?.to_string(), Certainty::Guessed)))
    }
}
