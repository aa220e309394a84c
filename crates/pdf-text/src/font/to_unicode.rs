//! `ToUnicode`: the characters of codes, as the font defines them (ISO 32000-1, 9.10.3).
//!
//! All readable entries of a map count. An invalid entry is skipped, and a truncated map has the
//! entries before its end. Some producers write single bytes, numbers or glyph names for
//! characters, or omit `endbfchar`; the meaning is unambiguous, so these are accepted.

use std::collections::BTreeMap;

use cos::{File, Object, Source};
use hayro_font::hayro_cmap::{BfString, CMap, CMapName, load_embedded};

use super::{names, stream};
use crate::limits::Limits;
use crate::refusal::Refusal;

mod tokens;

use tokens::{Token, Tokens};

/// Maximum bytes of UTF-16 for one entry.
const MAX_TEXT: usize = 256;
/// Maximum number of entries of a map.
const MAX_ENTRIES: usize = 1 << 18;

/// A map from codes to characters.
#[derive(Default)]
pub(super) struct ToUnicode {
    /// Ranges of codes by their first code, without overlap.
    ranges: BTreeMap<u32, Range>,
    /// The characters of all ranges, in UTF-16.
    units: Vec<u16>,
    /// The map that this one extends.
    base: Option<Box<CMap>>,
}

/// Codes with consecutive characters.
#[derive(Clone, Copy)]
struct Range {
    last: u32,
    /// The code whose characters are in `units`. The last character of each later code is one
    /// higher.
    origin: u32,
    start: u32,
    len: u8,
}

/// The meaning of a map's operands.
#[derive(Clone, Copy, PartialEq)]
enum Section {
    None,
    Characters,
    Ranges,
}

/// Reads the map in `object`, if it is a stream.
pub(super) fn read<S: Source>(
    file: &File<S>,
    object: &Object,
    limits: &Limits,
) -> Result<Option<ToUnicode>, Refusal> {
    Ok(stream(file, object, limits)?.map(|data| ToUnicode::parse(&data)))
}

impl ToUnicode {
    /// Reads a map.
    pub(super) fn parse(data: &[u8]) -> Self {
        let mut map = Self::default();
        let mut section = Section::None;
        let mut operands: Vec<Token<'_>> = Vec::new();
        let mut list: Option<u32> = None;
        let (mut last_name, mut base) = (None, None);
        for token in Tokens::new(data) {
            if let Token::Word(word) = token {
                list = None;
                operands.clear();
                section = match word {
                    _ if word.ends_with(b"beginbfchar") || word.ends_with(b"begincidchar") => {
                        Section::Characters
                    }
                    _ if word.ends_with(b"beginbfrange") || word.ends_with(b"begincidrange") => {
                        Section::Ranges
                    }
                    _ => Section::None,
                };
                if word == b"usecmap" {
                    base = last_name;
                }
                continue;
            }
            if section == Section::None {
                if let Token::Name(name) = token {
                    last_name = Some(name);
                }
                continue;
            }
            match (token, list) {
                (Token::Open, _) => list = operands.first().and_then(Token::code),
                (Token::Close, _) => {
                    list = None;
                    operands.clear();
                }
                // A list of characters, one item per code.
                (token, Some(code)) => {
                    let end = operands.get(1).or(operands.first()).and_then(Token::code);
                    if end.is_some_and(|end| code <= end) {
                        map.add(code, code, &token);
                    }
                    list = code.checked_add(1);
                }
                (token, None) => {
                    operands.push(token);
                    map.take(section, &mut operands);
                }
            }
            if map.ranges.len() > MAX_ENTRIES {
                break;
            }
        }
        // Only once, because each named map must be read as a whole.
        map.base = base.and_then(embedded).map(Box::new);
        map
    }

    /// Adds an entry if its operands are complete.
    fn take(&mut self, section: Section, operands: &mut Vec<Token<'_>>) {
        match (section, operands.as_slice()) {
            (Section::Characters, [code, to]) => {
                if let Some(code) = code.code() {
                    self.add(code, code, to);
                }
                operands.clear();
            }
            (Section::Ranges, [first, last, to]) => {
                if let (Some(first), Some(last)) = (first.code(), last.code()) {
                    self.add(first, last, to);
                }
                operands.clear();
            }
            _ => {}
        }
    }

    /// Adds a range, and replaces earlier entries for its codes.
    fn add(&mut self, first: u32, last: u32, to: &Token<'_>) {
        let units = match to {
            Token::String(bytes) => utf16_units(bytes),
            Token::Number(number) => match char::from_u32(*number) {
                Some(character) => character.encode_utf16(&mut [0; 2]).to_vec(),
                None => return,
            },
            Token::Name(name) => {
                let name = std::str::from_utf8(name).unwrap_or_default();
                names::characters(name).unwrap_or_default().encode_utf16().collect()
            }
            _ => return,
        };
        let (Ok(start), Ok(len)) = (u32::try_from(self.units.len()), u8::try_from(units.len()))
        else {
            return;
        };
        if first > last || len == 0 || 2 * units.len() > MAX_TEXT {
            return;
        }
        self.cut(first, last);
        self.units.extend(units);
        self.ranges.insert(first, Range { last, origin: first, start, len });
    }

    /// Removes the codes from `first` to `last` from the ranges.
    fn cut(&mut self, first: u32, last: u32) {
        while let Some((&at, &range)) = self.ranges.range(..=last).next_back() {
            if range.last < first {
                break;
            }
            self.ranges.remove(&at);
            if range.last > last {
                self.ranges.insert(last + 1, range);
            }
            if at < first {
                self.ranges.insert(at, Range { last: first - 1, ..range });
            }
        }
    }

    /// The characters of a code. `None` if it has no entry, or an entry that is not text.
    pub(super) fn text(&self, code: u32) -> Option<String> {
        let own = self.ranges.range(..=code).next_back().filter(|(_, range)| code <= range.last);
        let text = match own {
            Some((_, range)) => self.text_of(range, code),
            None => match self.base.as_ref()?.lookup_bf_string(code)? {
                BfString::Char(character) => Some(character.to_string()),
                BfString::String(text) => Some(text),
            },
        };
        text.filter(|text| text.chars().any(is_text))
    }

    fn text_of(&self, range: &Range, code: u32) -> Option<String> {
        let start = range.start as usize;
        let units = self.units.get(start..start + usize::from(range.len))?;
        let mut text: String = char::decode_utf16(units.iter().copied()).flatten().collect();
        if code > range.origin {
            let last = u32::from(text.pop()?);
            let next = last.checked_add(code - range.origin)?;
            // A range from U+FFFD has no meaning, and no range crosses into another plane.
            if !char::from_u32(last).is_some_and(|last| last == '\0' || is_text(last))
                || next >> 16 != last >> 16
            {
                return None;
            }
            text.push(char::from_u32(next)?);
        }
        Some(text)
    }

    /// Approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        let base = if self.base.is_some() { 1 << 20 } else { 0 };
        base + self.ranges.len() * 32 + self.units.len() * 2
    }
}

/// Whether a character is text: not U+0000, U+FFFD or another placeholder for "unknown".
fn is_text(character: char) -> bool {
    character.is_whitespace()
        || !(character.is_control() || ('\u{fff0}'..='\u{ffff}').contains(&character))
}

/// UTF-16 code units from the bytes in a map. A single byte is also a character.
fn utf16_units(bytes: &[u8]) -> Vec<u16> {
    let (first, rest) = bytes.split_at(bytes.len() % 2);
    let pairs = rest.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    first.iter().map(|&byte| u16::from(byte)).chain(pairs).collect()
}

/// A predefined Adobe map.
fn embedded(name: &[u8]) -> Option<CMap> {
    CMap::parse(load_embedded(CMapName::from_bytes(name))?, load_embedded)
}

#[cfg(test)]
mod tests {
    use super::ToUnicode;

    fn texts(map: &str, codes: [u32; 3]) -> [Option<String>; 3] {
        let map = ToUnicode::parse(map.as_bytes());
        codes.map(|code| map.text(code))
    }

    fn expected(texts: [&str; 3]) -> [Option<String>; 3] {
        texts.map(|text| (!text.is_empty()).then(|| text.to_owned()))
    }

    #[test]
    fn a_map_has_characters_and_ranges() {
        let map = "2 beginbfchar <01> <0041> <02> <00660069> endbfchar
            1 beginbfrange <0010> <0012> <D83DDE00> endbfrange";
        assert_eq!(texts(map, [1, 2, 0x12]), expected(["A", "fi", "\u{1f602}"]));
        let list = "1 beginbfrange <01> <03> [<0041> /B 67] endbfrange";
        assert_eq!(texts(list, [1, 2, 3]), expected(["A", "B", "C"]));
    }

    #[test]
    fn later_entries_replace_earlier_ones() {
        let map = "1 beginbfrange <00> <FF> <0000> endbfrange 1 beginbfchar <42> <0078> endbfchar";
        assert_eq!(texts(map, [0x41, 0x42, 0x43]), expected(["A", "x", "C"]));
    }

    #[test]
    fn a_bad_entry_is_skipped() {
        for bad in [
            "<zz> <0041>",
            "<02> <>",
            "<02> <zz>",
            "<0000000002> <0041>",
            "<02> <D800>",
            "<02> (",
            "<02> <FFFD>",
            "<02> <0000>",
            "<02> true",
        ] {
            let map = format!(
                "3 beginbfchar <01> <0041> endbfchar beginbfchar {bad} endbfchar
                1 beginbfrange <03> <03> <0043> endbfrange"
            );
            assert_eq!(texts(&map, [1, 2, 3]), expected(["A", "", "C"]), "{bad}");
        }
    }

    #[test]
    fn entries_around_a_bad_entry_in_the_same_section_count() {
        let map = "3 beginbfchar <01> <0041> <02> <zz> <03> <0043> endbfchar";
        assert_eq!(texts(map, [1, 2, 3]), expected(["A", "", "C"]));
        let range = "2 beginbfrange <05> <02> <0058> <01> <01> [] <03> <03> <0043> endbfrange";
        assert_eq!(texts(range, [1, 2, 3]), expected(["", "", "C"]));
    }

    #[test]
    fn a_map_without_its_ends_counts() {
        assert_eq!(texts("beginbfchar <01> <0041> <02> <004", [1, 2, 3]), expected(["A", "", ""]));
        let tight = "begincmap1beginbfchar<01><0041>endbfchar1beginbfrange<02><03><0042>";
        assert_eq!(texts(tight, [1, 2, 3]), expected(["A", "B", "C"]));
        let short = "1 beginbfrange <01> <09> [<0041>] endbfrange 1 beginbfchar <02> <0042>";
        assert_eq!(texts(short, [1, 2, 3]), expected(["A", "B", ""]));
    }

    #[test]
    fn invalid_text_before_a_map_is_skipped() {
        for before in
            [")))<<>>]]}{ \u{1}", "(unbalanced", "<<", "/Nope usecmap", "% (\n", "[", "<00> <FFFF>"]
        {
            let map = format!("{before} 1 beginbfchar <01> <0041> endbfchar");
            assert_eq!(texts(&map, [1, 2, 3]), expected(["A", "", ""]), "{before}");
        }
    }

    #[test]
    fn a_range_of_all_codes_is_one_entry() {
        let map = ToUnicode::parse(b"1 beginbfrange <00000000> <FFFFFFFF> <0000> endbfrange");
        assert_eq!(map.ranges.len(), 1);
        assert_eq!(map.text(0x41), Some("A".into()));
        assert_eq!(map.text(u32::MAX), None);
    }

    /// Each base map has thousands of entries.
    #[test]
    fn a_map_with_many_base_maps_reads_one_of_them() {
        let map = format!("/Adobe-Japan1-UCS2 {}", "usecmap ".repeat(100_000));
        assert!(ToUnicode::parse(map.as_bytes()).base.is_some());
    }
}
