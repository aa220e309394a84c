//! Composite fonts (ISO 32000-1, 9.7): codes of one to four bytes, which a character map maps to
//! the CIDs of a descendant font.
//!
//! The characters of a code are looked up in this order: the font's `ToUnicode`; the code itself in
//! a Unicode encoding; Adobe's map from CIDs to characters for the font's collection; the inverse
//! of the `cmap` and of the glyph names of the embedded font program; the order of the first glyphs
//! in Windows fonts, which is a guess. If none of these has the code, it has no characters. The
//! program is read when a code first needs it.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use cos::{Dict, File, Object, Source};
use hayro_font::hayro_cmap::{
    BfString, CMap, CMapName, CharacterCollection, CidFamily, WritingMode, load_embedded,
};

use super::names::{self, STANDARD_ORDER};
use super::program::Program;
use super::to_unicode::{self, ToUnicode};
use super::widths::{MAX_CID, Widths};
use super::{Certainty, Code, stream};
use crate::limits::Limits;
use crate::refusal::{Refusal, lenient};

/// Maximum number of codes in the cache.
const REMEMBERED: usize = 4_096;
/// The glyphs of the standard order that all Windows fonts share: from the space to the double
/// guillemet. Mozilla's pdf.js uses the same for such fonts if they are not embedded.
const STANDARD_GLYPHS: std::ops::RangeInclusive<u32> = 3..=170;

/// A composite font.
pub(crate) struct CompositeFont {
    encoding: CMap,
    /// Whether codes are UTF-16.
    is_unicode: bool,
    to_unicode: Declared,
    /// The characters of CIDs in the collection.
    collection: Option<CMap>,
    /// The font with the glyphs.
    descendant: Dict,
    /// Whether CIDs are glyphs in the order of Windows fonts, if nothing else is known about them.
    is_standard_order: bool,
    outlines: OnceCell<Outlines>,
    widths: Widths,
    /// The vertical advances, if the font's lines run down the page.
    vertical: Option<Widths>,
    found: RefCell<Found>,
}

/// Cache by length and code: characters and advance.
type Found = HashMap<(u8, u32), (Box<str>, Certainty, f64)>;

/// The contents of `ToUnicode`.
enum Declared {
    Nothing,
    Map(ToUnicode),
    /// Codes are UTF-16: `ToUnicode` is the name of an identity map. ISO 32000 does not permit
    /// this, but the meaning is clear.
    Identity,
}

/// The embedded font program, and the glyphs of CIDs in it.
struct Outlines {
    program: Program,
    glyphs: Option<Vec<u16>>,
}

impl CompositeFont {
    pub(super) fn new<S: Source>(
        file: &File<S>,
        dict: &Dict,
        limits: &Limits,
    ) -> Result<Self, Refusal> {
        let descendant = match lenient(file.get(dict, "DescendantFonts"))? {
            Object::Array(fonts) => {
                lenient(fonts.first().map_or(Ok(Object::Null), |font| file.resolve(font)))?
            }
            other => other,
        };
        let descendant = descendant.as_dict().cloned().unwrap_or_default();
        let (encoding, is_unicode) = encoding(file, dict, limits)?;
        let is_vertical = encoding.metadata().writing_mode == Some(WritingMode::Vertical);
        let to_unicode = declared(file, dict, limits)?;
        let collection = collection(file, &encoding, &descendant)?
            .filter(|_| !is_unicode)
            .and_then(|collection| {
                CMap::parse(load_embedded(collection.family.ucs2_cmap()?)?, load_embedded)
            });
        let is_standard_order = names::is_windows_font(&base_font(file, dict, &descendant)?)
            && encoding
                .metadata()
                .name
                .as_deref()
                .is_some_and(|name| name.starts_with(b"Identity"))
            && lenient(file.get(&descendant, "Subtype"))?.is_name("CIDFontType2");
        let widths = Widths::horizontal(file, &descendant)?;
        let vertical = if is_vertical { Some(Widths::vertical(file, &descendant)?) } else { None };
        Ok(Self {
            encoding,
            is_unicode,
            to_unicode,
            collection,
            descendant,
            is_standard_order,
            outlines: OnceCell::new(),
            widths,
            vertical,
            found: RefCell::default(),
        })
    }

    pub(super) fn is_vertical(&self) -> bool {
        self.vertical.is_some()
    }

    pub(super) fn bytes(&self) -> usize {
        let map = if let Declared::Map(map) = &self.to_unicode { map.bytes() } else { 0 };
        let collection = if self.collection.is_some() { 1 << 20 } else { 0 };
        map + collection + self.widths.bytes() + (64 << 10)
    }

    pub(super) fn decode<S: Source>(
        &self,
        file: &File<S>,
        limits: &Limits,
        string: &[u8],
        mut each: impl FnMut(Code<'_>),
    ) -> Result<(), Refusal> {
        let mut rest = string;
        while !rest.is_empty() {
            let (code, cid, len) = self.next_code(rest);
            let is_space = len == 1 && rest[0] == b' ';
            rest = &rest[usize::from(len)..];
            let mut found = self.found.borrow_mut();
            if found.len() >= REMEMBERED {
                found.clear();
            }
            let (text, certainty, advance) = match found.entry((len, code)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let (text, certainty) = match self.declared(code, cid) {
                        Some(text) => (text.into(), Certainty::Known),
                        None => self.outlined(file, limits, cid)?,
                    };
                    new.insert((text, certainty, self.advance(cid)))
                }
            };
            each(Code { text, certainty: *certainty, advance: *advance, is_space });
        }
        Ok(())
    }

    /// The first code of a non-empty string, its CID, and its length in bytes.
    fn next_code(&self, string: &[u8]) -> (u32, u32, u8) {
        let mut code = 0;
        for (len, &byte) in (1_u8..=4).zip(string) {
            code = code << 8 | u32::from(byte);
            if let Some(cid) = self.encoding.lookup_cid_code(code, len) {
                return (code, cid, len);
            }
        }
        (0, 0, 1)
    }

    /// The characters of a code, from the font dictionaries.
    fn declared(&self, code: u32, cid: u32) -> Option<String> {
        let known = match &self.to_unicode {
            Declared::Map(map) => map.text(code),
            Declared::Identity => utf16(code).filter(|text| text != "\0"),
            Declared::Nothing => None,
        };
        known
            .or_else(|| self.is_unicode.then(|| utf16(code)).flatten())
            .or_else(|| self.collection.as_ref()?.lookup_bf_string(cid).map(into_text))
            .filter(|text| !text.is_empty())
    }

    /// The characters of a CID, from its glyph.
    fn outlined<S: Source>(
        &self,
        file: &File<S>,
        limits: &Limits,
        cid: u32,
    ) -> Result<(Box<str>, Certainty), Refusal> {
        let outlines = if let Some(outlines) = self.outlines.get() {
            outlines
        } else {
            let outlines = Outlines::read(file, &self.descendant, limits)?;
            self.outlines.get_or_init(|| outlines)
        };
        let glyph = match &outlines.glyphs {
            Some(glyphs) => glyphs.get(cid as usize).map(|&glyph| u32::from(glyph)),
            None => Some(cid),
        };
        if let Some((text, certainty)) = glyph.and_then(|glyph| outlines.program.text(glyph)) {
            return Ok((text.into(), certainty));
        }
        let name = glyph
            .filter(|glyph| self.is_standard_order && STANDARD_GLYPHS.contains(glyph))
            .and_then(|glyph| STANDARD_ORDER.get(glyph as usize));
        Ok(match name.and_then(|name| names::characters(name)) {
            Some(text) => (text.into(), Certainty::Guessed),
            None => ("".into(), Certainty::Unknown),
        })
    }

    fn advance(&self, cid: u32) -> f64 {
        self.vertical.as_ref().unwrap_or(&self.widths).of(cid)
    }
}

impl Outlines {
    fn read<S: Source>(
        file: &File<S>,
        descendant: &Dict,
        limits: &Limits,
    ) -> Result<Self, Refusal> {
        let descriptor = lenient(file.get(descendant, "FontDescriptor"))?;
        let descriptor = descriptor.as_dict().cloned().unwrap_or_default();
        let mut program = Program::default();
        for key in ["FontFile2", "FontFile3"] {
            let object = lenient(file.get(&descriptor, key))?;
            if let Some(data) = stream(file, &object, limits)? {
                program = Program::read(data);
                break;
            }
        }
        let map = lenient(file.get(descendant, "CIDToGIDMap"))?;
        let glyphs = stream(file, &map, limits)?.map(|data| {
            let pairs = data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            pairs.take(MAX_CID as usize + 1).collect()
        });
        Ok(Self { program, glyphs })
    }
}

/// The name of the font, without a subset prefix.
fn base_font<S: Source>(file: &File<S>, dict: &Dict, descendant: &Dict) -> Result<String, Refusal> {
    let own = lenient(file.get(dict, "BaseFont"))?;
    let name = if own.is_null() { lenient(file.get(descendant, "BaseFont"))? } else { own };
    Ok(name.as_name().and_then(cos::Name::as_str).unwrap_or_default().to_owned())
}

fn into_text(found: BfString) -> String {
    match found {
        BfString::Char(character) => character.to_string(),
        BfString::String(text) => text,
    }
}

fn utf16(code: u32) -> Option<String> {
    let [high, low] = [(code >> 16), code & 0xFFFF].map(|unit| u16::try_from(unit).unwrap_or(0));
    let units = if high == 0 { &[low][..] } else { &[high, low][..] };
    String::from_utf16(units).ok()
}

/// The map from codes to CIDs, and whether its codes are UTF-16.
fn encoding<S: Source>(
    file: &File<S>,
    dict: &Dict,
    limits: &Limits,
) -> Result<(CMap, bool), Refusal> {
    let object = lenient(file.get(dict, "Encoding"))?;
    let (map, is_unicode) = match &object {
        Object::Name(name) => {
            let bytes = name.as_bytes();
            let text = name.as_str().unwrap_or_default();
            let is_unicode =
                text.starts_with("Uni") && (text.contains("UCS2") || text.contains("UTF16"));
            let map = match bytes {
                b"Identity-H" => Some(CMap::identity_h()),
                b"Identity-V" => Some(CMap::identity_v()),
                _ => load_embedded(CMapName::from_bytes(bytes))
                    .and_then(|data| CMap::parse(data, load_embedded)),
            };
            (map, is_unicode)
        }
        other => {
            let data = stream(file, other, limits)?;
            (data.and_then(|data| CMap::parse(&data, load_embedded)), false)
        }
    };
    Ok((map.unwrap_or_else(CMap::identity_h), is_unicode))
}

fn declared<S: Source>(file: &File<S>, dict: &Dict, limits: &Limits) -> Result<Declared, Refusal> {
    let object = lenient(file.get(dict, "ToUnicode"))?;
    if let Some(name) = object.as_name() {
        let is_identity = name.as_bytes().starts_with(b"Identity");
        return Ok(if is_identity { Declared::Identity } else { Declared::Nothing });
    }
    Ok(to_unicode::read(file, &object, limits)?.map_or(Declared::Nothing, Declared::Map))
}

/// The collection of the CIDs: from the encoding, or from the descendant font.
fn collection<S: Source>(
    file: &File<S>,
    encoding: &CMap,
    descendant: &Dict,
) -> Result<Option<CharacterCollection>, Refusal> {
    let of_encoding = encoding.metadata().character_collection.clone();
    if let Some(collection) = of_encoding.filter(|found| found.family != CidFamily::AdobeIdentity) {
        return Ok(Some(collection));
    }
    let info = lenient(file.get(descendant, "CIDSystemInfo"))?;
    let Some(info) = info.as_dict() else { return Ok(None) };
    let registry = lenient(file.get(info, "Registry"))?;
    let ordering = lenient(file.get(info, "Ordering"))?;
    let (Some(registry), Some(ordering)) = (registry.as_string(), ordering.as_string()) else {
        return Ok(None);
    };
    let family = CidFamily::from_registry_ordering(registry.as_bytes(), ordering.as_bytes());
    Ok(Some(CharacterCollection { family, supplement: 0 }))
}
