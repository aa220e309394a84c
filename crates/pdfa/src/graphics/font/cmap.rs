//! CMaps: how a string is split into codes, and the CID and the text of a code (ISO 32000-1, 9.7.5
//! and 9.10.3; Adobe Technical Note 5014).

use hayro_cmap::{CMap as Predefined, CMapName, load_embedded};
use hayro_postscript::{Number, Scanner, Token};
use std::collections::HashMap;

/// Maximum number of ranges of one CMap; real CMaps have fewer.
const RANGES: usize = 1 << 18;

/// The predefined CMaps in Table 118 of ISO 32000-1 and Table 116 of ISO 32000-2, which readers
/// have built in.
const TABLE_118: &str = "GB-EUC-H GB-EUC-V GBpc-EUC-H GBpc-EUC-V GBK-EUC-H GBK-EUC-V GBKp-EUC-H \
    GBKp-EUC-V GBK2K-H GBK2K-V UniGB-UCS2-H UniGB-UCS2-V UniGB-UTF16-H UniGB-UTF16-V B5pc-H B5pc-V \
    HKscs-B5-H HKscs-B5-V ETen-B5-H ETen-B5-V ETenms-B5-H ETenms-B5-V CNS-EUC-H CNS-EUC-V \
    UniCNS-UCS2-H UniCNS-UCS2-V UniCNS-UTF16-H UniCNS-UTF16-V 83pv-RKSJ-H 90ms-RKSJ-H 90ms-RKSJ-V \
    90msp-RKSJ-H 90msp-RKSJ-V 90pv-RKSJ-H Add-RKSJ-H Add-RKSJ-V EUC-H EUC-V Ext-RKSJ-H Ext-RKSJ-V H \
    V UniJIS-UCS2-H UniJIS-UCS2-V UniJIS-UCS2-HW-H UniJIS-UCS2-HW-V UniJIS-UTF16-H UniJIS-UTF16-V \
    KSC-EUC-H KSC-EUC-V KSCms-UHC-H KSCms-UHC-V KSCms-UHC-HW-H KSCms-UHC-HW-V KSCpc-EUC-H \
    UniKS-UCS2-H UniKS-UCS2-V UniKS-UTF16-H UniKS-UTF16-V Identity-H Identity-V";

/// Whether ISO 32000-1 lists `name` among the predefined CMaps.
pub(crate) fn is_predefined(name: &str) -> bool {
    TABLE_118.split_ascii_whitespace().any(|listed| listed == name)
}

/// Maximum number of code space ranges of one CMap, and of overlapping ranges searched for a code.
const SPACES: usize = 256;
const OVERLAPS: usize = 16;

/// A range of codes of `bytes` bytes, and the value of the first code.
#[derive(Debug, Clone)]
struct Range<T> {
    bytes: usize,
    low: u32,
    high: u32,
    value: T,
}

/// The contents of a CMap file.
#[derive(Debug, Default)]
pub(crate) struct CMap {
    /// Whether it is Identity-H or Identity-V: codes of two bytes are CIDs.
    identity: bool,
    predefined: Option<Box<Predefined>>,
    spaces: Vec<Range<Vec<(u8, u8)>>>,
    cids: Vec<Range<u32>>,
    /// Ranges for which all codes have one CID, if they have no CID of their own.
    undefined: Vec<Range<u32>>,
    texts: HashMap<u32, Vec<u16>>,
    text_ranges: Vec<Range<Vec<u16>>>,
    /// `WMode`; 0 if it is missing.
    pub(crate) writing_mode: i64,
    /// The CMap that `usecmap` names.
    pub(crate) uses: Option<String>,
    /// The highest CID.
    pub(crate) greatest_cid: u32,
    base: Option<Box<CMap>>,
}

/// A code read from a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Code {
    /// The bytes as a number, high byte first.
    pub(crate) value: u32,
    /// The number of bytes.
    pub(crate) bytes: usize,
}

/// The range that contains a code. The ranges are sorted by bytes and lowest code. If ranges
/// overlap, the one with the highest start wins.
fn containing(ranges: &[Range<u32>], code: Code) -> Option<&Range<u32>> {
    let after =
        ranges.partition_point(|range| (range.bytes, range.low) <= (code.bytes, code.value));
    let before = ranges[..after].iter().rev().take(OVERLAPS);
    before.into_iter().find(|range| range.bytes == code.bytes && code.value <= range.high)
}

impl CMap {
    /// The CMap `name`, if it is built in.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if matches!(name, "Identity-H" | "Identity-V") {
            let writing_mode = i64::from(name == "Identity-V");
            return Some(Self { identity: true, writing_mode, ..Self::default() });
        }
        let data = load_embedded(CMapName::from_bytes(name.as_bytes()))?;
        let predefined = Predefined::parse(data, load_embedded)?;
        Some(Self { predefined: Some(Box::new(predefined)), ..Self::default() })
    }

    /// Registry, ordering and supplement of a predefined CMap.
    pub(crate) fn collection(&self) -> Option<(String, String, i64)> {
        use hayro_cmap::CidFamily;
        let collection = self.predefined.as_ref()?.metadata().character_collection.as_ref()?;
        let ordering = match &collection.family {
            CidFamily::AdobeJapan1 => "Japan1",
            CidFamily::AdobeGB1 => "GB1",
            CidFamily::AdobeCNS1 => "CNS1",
            CidFamily::AdobeKorea1 => "Korea1",
            CidFamily::AdobeIdentity => "Identity",
            CidFamily::Custom { .. } => return None,
        };
        Some(("Adobe".to_owned(), ordering.to_owned(), i64::from(collection.supplement)))
    }

    /// Reads a CMap file up to the first error; `None` if nothing could be read.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        let mut cmap = Self::default();
        let mut scanner = Scanner::new(data);
        let mut last: Option<Token<'_>> = None;
        let mut read = false;
        while !scanner.at_end() {
            let Ok(token) = scanner.parse_token() else { break };
            if let Token::Name(name) = &token {
                if cmap
                    .section(name.as_str().unwrap_or_default(), &mut scanner, last.as_ref())
                    .is_none()
                {
                    break;
                }
                read = true;
            }
            last = Some(token);
        }
        cmap.cids.sort_by_key(|range| (range.bytes, range.low));
        cmap.undefined.sort_by_key(|range| (range.bytes, range.low));
        cmap.text_ranges.sort_by_key(|range| range.low);
        read.then_some(cmap)
    }

    /// Sets the CMap that this one uses for codes without an entry of their own.
    pub(crate) fn set_base(&mut self, base: Option<Self>) {
        if let Some(base) = &base {
            self.greatest_cid = self.greatest_cid.max(base.greatest_cid);
        }
        self.base = base.map(Box::new);
    }

    fn section(
        &mut self,
        name: &str,
        scanner: &mut Scanner<'_>,
        last: Option<&Token<'_>>,
    ) -> Option<()> {
        match name {
            "WMode" => {
                if let Ok(Token::Number(Number::Integer(mode))) = scanner.parse_token() {
                    self.writing_mode = mode;
                }
            }
            "usecmap" => {
                if let Some(Token::Name(used)) = last {
                    self.uses = used.as_str().map(str::to_owned);
                }
            }
            "begincodespacerange" => self.code_spaces(scanner)?,
            "begincidrange" | "beginnotdefrange" => self.cid_ranges(scanner, true, name)?,
            "begincidchar" | "beginnotdefchar" => self.cid_ranges(scanner, false, name)?,
            "beginbfchar" => self.text_chars(scanner)?,
            "beginbfrange" => self.text_spans(scanner)?,
            _ => {}
        }
        Some(())
    }

    fn code_spaces(&mut self, scanner: &mut Scanner<'_>) -> Option<()> {
        while let Some(low) = string(scanner)? {
            let high = string(scanner)??;
            if low.len() != high.len() || low.is_empty() || low.len() > 4 {
                continue;
            }
            let bounds = low.iter().copied().zip(high.iter().copied()).collect();
            let (low_code, high_code) = (number(&low)?, number(&high)?);
            if self.spaces.len() < SPACES {
                let (bytes, low, high) = (low.len(), low_code, high_code);
                self.spaces.push(Range { bytes, low, high, value: bounds });
            }
        }
        Some(())
    }

    fn cid_ranges(&mut self, scanner: &mut Scanner<'_>, spans: bool, name: &str) -> Option<()> {
        while let Some(low) = string(scanner)? {
            let high = if spans { string(scanner)?? } else { low.clone() };
            let Ok(Token::Number(Number::Integer(cid))) = scanner.parse_token() else {
                return None;
            };
            let value = u32::try_from(cid).ok()?;
            let (bytes, low, high) = (low.len(), number(&low)?, number(&high)?);
            let (ranges, span) = match name {
                "beginnotdefrange" | "beginnotdefchar" => (&mut self.undefined, 0),
                _ => (&mut self.cids, high.saturating_sub(low)),
            };
            self.greatest_cid = self.greatest_cid.max(value.saturating_add(span));
            if ranges.len() < RANGES {
                ranges.push(Range { bytes, low, high, value });
            }
        }
        Some(())
    }

    fn text_chars(&mut self, scanner: &mut Scanner<'_>) -> Option<()> {
        while let Some(code) = string(scanner)? {
            let text = match scanner.parse_token().ok()? {
                Token::String(text) => utf16(&text.decode().ok()?),
                // A glyph name, which ISO 32000-1 does not permit here.
                Token::Name(name) => {
                    super::encoding::characters(name.as_str()?)?.encode_utf16().collect()
                }
                _ => return None,
            };
            if self.texts.len() < RANGES {
                self.texts.insert(number(&code)?, text);
            }
        }
        Some(())
    }

    fn text_spans(&mut self, scanner: &mut Scanner<'_>) -> Option<()> {
        while let Some(low) = string(scanner)? {
            let high = string(scanner)??;
            let (bytes, low, high) = (low.len(), number(&low)?, number(&high)?);
            match scanner.parse_token().ok()? {
                Token::String(text) if self.text_ranges.len() < RANGES => {
                    let value = utf16(&text.decode().ok()?);
                    self.text_ranges.push(Range { bytes, low, high, value });
                }
                Token::Name(open) if open.as_str() == Some("[") => {
                    let mut code = low;
                    while let Token::String(text) = scanner.parse_token().ok()? {
                        if code <= high && self.texts.len() < RANGES {
                            self.texts.insert(code, utf16(&text.decode().ok()?));
                        }
                        code = code.checked_add(1)?;
                    }
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// The code at the start of `bytes`, which must not be empty.
    pub(crate) fn read_code(&self, bytes: &[u8]) -> Code {
        if self.identity {
            return Code::of(&bytes[..bytes.len().min(2)]);
        }
        if let Some(predefined) = &self.predefined {
            let known = |count: &usize| {
                let count_u8 = u8::try_from(*count).unwrap_or(4);
                predefined.lookup_cid_code(Code::of(&bytes[..*count]).value, count_u8).is_some()
            };
            let count = (1..=bytes.len().min(4)).find(known);
            return Code::of(&bytes[..count.unwrap_or(bytes.len().min(2))]);
        }
        for count in 1..=bytes.len().min(4) {
            if self.in_code_space(&bytes[..count]) {
                return Code::of(&bytes[..count]);
            }
        }
        Code::of(&bytes[..self.shortest_space().min(bytes.len())])
    }

    fn in_code_space(&self, bytes: &[u8]) -> bool {
        let within = |space: &Range<Vec<(u8, u8)>>| {
            space.bytes == bytes.len()
                && space.value.iter().zip(bytes).all(|((low, high), b)| (low..=high).contains(&b))
        };
        self.spaces.iter().any(within)
            || self.base.as_ref().is_some_and(|base| match (&base.predefined, base.identity) {
                (_, true) => bytes.len() == 2,
                (Some(_), _) => base.cid(Code::of(bytes)).is_some(),
                _ => base.in_code_space(bytes),
            })
    }

    fn shortest_space(&self) -> usize {
        self.spaces.iter().map(|space| space.bytes).min().unwrap_or(1)
    }

    /// The CID of a code: its own, or the CID of its range of undefined characters.
    pub(crate) fn cid(&self, code: Code) -> Option<u32> {
        self.own_cid(code).or_else(|| self.undefined_cid(code))
    }

    fn undefined_cid(&self, code: Code) -> Option<u32> {
        let found = containing(&self.undefined, code).map(|range| range.value);
        found.or_else(|| self.base.as_ref()?.undefined_cid(code))
    }

    fn own_cid(&self, code: Code) -> Option<u32> {
        if self.identity {
            return (code.bytes == 2).then_some(code.value);
        }
        if let Some(predefined) = &self.predefined {
            return predefined.lookup_cid_code(code.value, u8::try_from(code.bytes).ok()?);
        }
        match containing(&self.cids, code) {
            Some(range) => range.value.checked_add(code.value - range.low),
            None => self.base.as_ref()?.own_cid(code),
        }
    }

    /// The UTF-16 text of a code, if it has one.
    pub(crate) fn text(&self, code: u32) -> Option<Vec<u16>> {
        if let Some(text) = self.texts.get(&code) {
            return Some(text.clone());
        }
        let after = self.text_ranges.partition_point(|range| range.low <= code);
        let before = self.text_ranges[..after].iter().rev().take(OVERLAPS);
        let found = before.into_iter().find(|range| code <= range.high);
        match found {
            Some(range) => {
                let mut text = range.value.clone();
                let offset = u16::try_from(code - range.low).unwrap_or(u16::MAX);
                let last = text.last_mut()?;
                *last = last.wrapping_add(offset);
                Some(text)
            }
            None => self.base.as_ref()?.text(code),
        }
    }

    /// Whether it is an identity CMap.
    pub(crate) const fn is_identity(&self) -> bool {
        self.identity
    }
}

impl Code {
    fn of(bytes: &[u8]) -> Self {
        Self { value: number(bytes).unwrap_or(0), bytes: bytes.len() }
    }
}

/// The next string; `Some(None)` at the operator that ends the section.
#[expect(clippy::option_option, reason = "the end of a section is not an error")]
fn string(scanner: &mut Scanner<'_>) -> Option<Option<Vec<u8>>> {
    match scanner.parse_token().ok()? {
        Token::String(string) => Some(Some(string.decode().ok()?)),
        Token::Name(name) if name.as_str()?.starts_with("end") => Some(None),
        _ => None,
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    (bytes.len() <= 4).then(|| bytes.iter().fold(0, |value, b| value << 8 | u32::from(*b)))
}

fn utf16(bytes: &[u8]) -> Vec<u16> {
    if let [byte] = bytes {
        return vec![u16::from(*byte)];
    }
    bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap \
        /CMapName /X def /WMode 1 def \
        2 begincodespacerange <00> <7F> <8000> <FFFF> endcodespacerange \
        1 begincidchar <20> 1 endcidchar \
        2 begincidrange <30> <39> 100 <8000> <80FF> 70000 endcidrange \
        1 beginbfchar <20> <0020> endbfchar \
        2 beginbfrange <30> <39> <0030> <41> <42> [<0066006C> <D83DDE00>] endbfrange \
        endcmap end end";

    #[test]
    fn splits_by_code_space() {
        let cmap = CMap::parse(FILE).unwrap();
        assert_eq!(cmap.read_code(b" A"), Code { value: 0x20, bytes: 1 });
        assert_eq!(cmap.read_code(b"\x80\x12A"), Code { value: 0x8012, bytes: 2 });
        assert_eq!(cmap.read_code(b"\x80"), Code { value: 0x80, bytes: 1 });
    }

    #[test]
    fn maps_codes() {
        let cmap = CMap::parse(FILE).unwrap();
        assert_eq!(cmap.writing_mode, 1);
        assert_eq!(cmap.cid(Code { value: 0x35, bytes: 1 }), Some(105));
        assert_eq!(cmap.cid(Code { value: 0x35, bytes: 2 }), None);
        assert_eq!(cmap.cid(Code { value: 0x8002, bytes: 2 }), Some(70002));
        assert_eq!(cmap.greatest_cid, 70255);
        assert_eq!(cmap.text(0x39), Some(vec![0x39]));
        assert_eq!(cmap.text(0x41), Some(vec![0x66, 0x6C]));
        assert_eq!(cmap.text(0x42), Some(vec![0xD83D, 0xDE00]));
        assert_eq!(cmap.text(0x43), None);
    }

    #[test]
    fn identity_codes_have_two_bytes() {
        let cmap = CMap::named("Identity-H").unwrap();
        assert_eq!(cmap.cid(cmap.read_code(b"\x01\x02\x03")), Some(0x102));
        assert_eq!(cmap.cid(cmap.read_code(b"\x03")), None);
    }

    #[test]
    fn predefined_cmaps_are_built_in() {
        let cmap = CMap::named("90ms-RKSJ-H").unwrap();
        assert_eq!(cmap.read_code(b"A\x82\xA0"), Code { value: 0x41, bytes: 1 });
        assert_eq!(cmap.read_code(b"\x82\xA0A"), Code { value: 0x82A0, bytes: 2 });
        assert_eq!(cmap.collection().unwrap().1, "Japan1");
        assert!(is_predefined("H") && !is_predefined("Adobe-Japan1-UCS2"));
        assert!(CMap::named("NoSuch").is_none());
    }

    #[test]
    fn invalid_cmaps_do_not_panic() {
        assert!(CMap::parse(b"1 begincidrange <00> <FFFFFFFFFF> 3 endcidrange").is_none());
        assert!(CMap::parse(b"").is_none());
        let nonsense = CMap::parse(b"<<<<[[[(((").unwrap_or_default();
        assert_eq!(nonsense.cid(Code { value: 1, bytes: 1 }), None);
        assert_eq!(nonsense.read_code(b"a"), Code { value: 0x61, bytes: 1 });
    }
}
