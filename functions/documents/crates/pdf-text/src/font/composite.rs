//! Composite fonts (ISO 32000-1, 9.7): codes of one to four bytes, which a character map takes to
//! the CIDs of a descendant font.
//!
//! What a code stands for is looked up in this order: the font's `ToUnicode`; the code itself where
//! the encoding is a Unicode one; Adobe's map from CIDs to characters for the font's collection;
//! the `cmap` of the embedded font program, backwards. A code of which none of these knows anything
//! has no characters.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::RangeInclusive;

use cos::{Dict, File, Object, Source};
use hayro_font::hayro_cmap::{
    BfString, CMap, CMapName, CharacterCollection, CidFamily, WritingMode, load_embedded,
};

use super::{Code, number, numbers, program, stream};
use crate::limits::Limits;
use crate::refusal::{Refusal, lenient};

/// CIDs are at most this (ISO 32000-1, annex C).
const MAX_CID: u32 = 65_535;
/// How many codes are remembered.
const REMEMBERED: usize = 4_096;

/// A composite font.
pub(crate) struct CompositeFont {
    encoding: CMap,
    /// Whether codes are UTF-16.
    is_unicode: bool,
    to_unicode: ToUnicode,
    /// The characters of CIDs, by the collection.
    collection: Option<CMap>,
    /// The characters of glyphs, by the font program, and the glyphs of CIDs.
    program: HashMap<u32, char>,
    glyphs: Option<Vec<u16>>,
    widths: Widths,
    /// How far down codes move the pen, if the font's lines run down the page.
    vertical: Option<Widths>,
    found: RefCell<Found>,
}

/// What was found for codes, by their length and themselves: the characters and the advance.
type Found = HashMap<(u8, u32), (Box<str>, f64)>;

enum ToUnicode {
    None,
    Map(Box<CMap>),
    /// Codes are UTF-16: `ToUnicode` is the name of an identity map, which is not to the letter of
    /// ISO 32000 but what is meant.
    Identity,
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
        let to_unicode = to_unicode(file, dict, limits)?;
        let collection = collection(file, &encoding, &descendant)?
            .filter(|_| !is_unicode)
            .and_then(|collection| {
                CMap::parse(load_embedded(collection.family.ucs2_cmap()?)?, load_embedded)
            });
        let mut font = Self {
            encoding,
            is_unicode,
            to_unicode,
            collection,
            program: HashMap::new(),
            glyphs: None,
            widths: Widths::horizontal(file, &descendant)?,
            vertical: None,
            found: RefCell::default(),
        };
        if is_vertical {
            font.vertical = Some(Widths::vertical(file, &descendant)?);
        }
        if matches!(font.to_unicode, ToUnicode::None) && font.collection.is_none() && !is_unicode {
            font.read_program(file, &descendant, limits)?;
        }
        Ok(font)
    }

    fn read_program<S: Source>(
        &mut self,
        file: &File<S>,
        descendant: &Dict,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let descriptor = lenient(file.get(descendant, "FontDescriptor"))?;
        let descriptor = descriptor.as_dict().cloned().unwrap_or_default();
        for key in ["FontFile2", "FontFile3"] {
            let object = lenient(file.get(&descriptor, key))?;
            if let Some(data) = stream(file, &object, limits)? {
                self.program = program::characters(&data);
                break;
            }
        }
        let map = lenient(file.get(descendant, "CIDToGIDMap"))?;
        self.glyphs = stream(file, &map, limits)?.map(|data| {
            let pairs = data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            pairs.take(MAX_CID as usize + 1).collect()
        });
        Ok(())
    }

    pub(super) fn is_vertical(&self) -> bool {
        self.vertical.is_some()
    }

    pub(super) fn bytes(&self) -> usize {
        let map = if matches!(self.to_unicode, ToUnicode::Map(_)) { 64 << 10 } else { 0 };
        let collection = if self.collection.is_some() { 1 << 20 } else { 0 };
        map + collection + self.widths.by_cid.len() * 16 + self.program.len() * 16 + (16 << 10)
    }

    pub(super) fn decode(&self, string: &[u8], mut each: impl FnMut(Code<'_>)) {
        let mut rest = string;
        while !rest.is_empty() {
            let (code, cid, len) = self.next_code(rest);
            let is_space = len == 1 && rest[0] == b' ';
            rest = &rest[usize::from(len)..];
            let mut found = self.found.borrow_mut();
            if found.len() >= REMEMBERED {
                found.clear();
            }
            let (text, advance) = found
                .entry((len, code))
                .or_insert_with(|| (self.text(code, cid), self.advance(cid)));
            each(Code { text, advance: *advance, is_space });
        }
    }

    /// The first code of a string that is not empty, its CID, and how many bytes it has.
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

    fn text(&self, code: u32, cid: u32) -> Box<str> {
        let known = match &self.to_unicode {
            ToUnicode::Map(map) => map.lookup_bf_string(code).map(into_text),
            ToUnicode::Identity => utf16(code),
            ToUnicode::None => None,
        };
        let known = known.filter(|text| text != "\0" && !text.is_empty());
        known
            .or_else(|| self.is_unicode.then(|| utf16(code)).flatten())
            .or_else(|| self.collection.as_ref()?.lookup_bf_string(cid).map(into_text))
            .or_else(|| {
                let glyph = match &self.glyphs {
                    Some(glyphs) => u32::from(*glyphs.get(cid as usize)?),
                    None => cid,
                };
                self.program.get(&glyph).map(ToString::to_string)
            })
            .unwrap_or_default()
            .into()
    }

    fn advance(&self, cid: u32) -> f64 {
        self.vertical.as_ref().unwrap_or(&self.widths).of(cid)
    }
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

fn to_unicode<S: Source>(
    file: &File<S>,
    dict: &Dict,
    limits: &Limits,
) -> Result<ToUnicode, Refusal> {
    let object = lenient(file.get(dict, "ToUnicode"))?;
    if let Some(name) = object.as_name() {
        let is_identity = name.as_bytes().starts_with(b"Identity");
        return Ok(if is_identity { ToUnicode::Identity } else { ToUnicode::None });
    }
    let map = stream(file, &object, limits)?.and_then(|data| CMap::parse(&data, load_embedded));
    Ok(map.map_or(ToUnicode::None, |map| ToUnicode::Map(Box::new(map))))
}

/// The collection that CIDs are of: the encoding's, or the descendant font's.
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

/// How far glyphs move the pen by CID, in font sizes (ISO 32000-1, 9.7.4.3).
struct Widths {
    default: f64,
    by_cid: HashMap<u32, f32>,
}

impl Widths {
    /// Of horizontal writing: to the right.
    fn horizontal<S: Source>(file: &File<S>, descendant: &Dict) -> Result<Self, Refusal> {
        let default = number(file, descendant, "DW")?.unwrap_or(1000.0);
        Self::read(file, descendant, default, "W", 1)
    }

    /// Of vertical writing: up, so that it is less than zero. Where the glyph stands from the pen,
    /// the other two numbers for each CID, does not matter: it is below the pen, in its middle.
    fn vertical<S: Source>(file: &File<S>, descendant: &Dict) -> Result<Self, Refusal> {
        let default = numbers(file, descendant, "DW2")?.get(1).copied().unwrap_or(-1000.0);
        Self::read(file, descendant, default, "W2", 3)
    }

    fn read<S: Source>(
        file: &File<S>,
        descendant: &Dict,
        default: f64,
        key: &str,
        count: usize,
    ) -> Result<Self, Refusal> {
        let mut by_cid = HashMap::new();
        per_cid(file, descendant, key, count, |cids, numbers| {
            #[expect(clippy::cast_possible_truncation, reason = "a width needs no more digits")]
            let width = (numbers[0] / 1000.0) as f32;
            by_cid.extend(cids.map(|cid| (cid, width)));
        })?;
        Ok(Self { default: default / 1000.0, by_cid })
    }

    fn of(&self, cid: u32) -> f64 {
        self.by_cid.get(&cid).map_or(self.default, |&width| f64::from(width))
    }
}

/// Reads an array of metrics: `c [n n …]` gives `count` numbers to each CID from `c`, and
/// `first last n` the same `count` numbers to all between.
fn per_cid<S: Source>(
    file: &File<S>,
    dict: &Dict,
    key: &str,
    count: usize,
    mut each: impl FnMut(RangeInclusive<u32>, &[f64]),
) -> Result<(), Refusal> {
    let Object::Array(array) = lenient(file.get(dict, key))? else { return Ok(()) };
    let mut flat = Vec::new();
    // Overlapping ranges are no reason to write the same CIDs again and again.
    let mut budget = 4 * (u64::from(MAX_CID) + 1);
    for item in &array {
        match lenient(file.resolve(item))? {
            Object::Array(list) => {
                let [.., first] = flat[..] else { continue };
                let numbers: Vec<f64> = list
                    .iter()
                    .map(|item| Ok(lenient(file.resolve(item))?.as_f64().unwrap_or(0.0)))
                    .collect::<Result<_, Refusal>>()?;
                for (cid, numbers) in (cid(first)..=MAX_CID).zip(numbers.chunks_exact(count)) {
                    each(cid..=cid, numbers);
                }
                flat.clear();
            }
            other => flat.extend(other.as_f64().filter(|number| number.is_finite())),
        }
        if flat.len() == 2 + count {
            let (first, last) = (cid(flat[0]), cid(flat[1]));
            budget = budget.saturating_sub(u64::from(last.saturating_sub(first)));
            if budget > 0 {
                each(first..=last, &flat[2..]);
            }
            flat.clear();
        }
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn cid(number: f64) -> u32 {
    (number.max(0.0) as u32).min(MAX_CID)
}
