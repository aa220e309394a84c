//! The characters of a font program's glyphs, for fonts that do not say what their codes stand for.

use std::collections::HashMap;

use skrifa::raw::TableProvider;
use skrifa::{FontRef, MetadataProvider};

/// The most glyphs that a font program can have.
const MAX_GLYPHS: usize = 1 << 16;

/// Which character each glyph of a TrueType or OpenType program shows, by its `cmap` table.
pub(super) fn characters(program: &[u8]) -> HashMap<u32, char> {
    let mut characters = HashMap::new();
    let Ok(font) = FontRef::new(program) else { return characters };
    if font.cmap().is_err() {
        return characters;
    }
    for (code, glyph) in font.charmap().mappings().take(MAX_GLYPHS) {
        let is_private = (0xE000..0xF900).contains(&code);
        let Some(character) = char::from_u32(code).filter(|_| !is_private) else { continue };
        // Of the characters of one glyph the first is the plain one: a space before a no-break
        // space, a letter before its presentation form.
        characters.entry(glyph.to_u32()).or_insert(character);
    }
    characters
}
