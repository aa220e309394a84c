//! Composite fonts and their CIDFont (ISO 32000-1, 9.7).

use super::{
    super::Graphics,
    cmap::{self, CMap, Code},
    descriptor::Descriptor,
    glyph::Glyph,
    program::{Embedded, Program},
};
use cos::{Array, Dict, Name, Object, Ref};
use std::collections::HashMap;

/// The default width of a CID.
const DEFAULT_WIDTH: f64 = 1000.0;

/// Maximum number of overlapping ranges of `/W` searched for a CID.
const OVERLAPS: usize = 16;

/// A composite font.
pub(super) struct Composite {
    pub(super) cid_font: Dict,
    pub(super) cid_font_id: Option<Ref>,
    /// Whether there is a CIDFont.
    pub(super) complete: bool,
    pub(super) subtype: Option<Name>,
    pub(super) descriptor: Descriptor,
    pub(super) embedded: Embedded,
    pub(super) encoding: Encoding,
    pub(super) gids: GlyphMap,
    widths: Widths,
}

/// `/Encoding` of a composite font.
#[derive(Default)]
pub(super) struct Encoding {
    /// The name of the CMap, if it has one.
    pub(super) name: Option<String>,
    /// Whether the CMap is a stream.
    pub(super) embedded: bool,
    pub(super) id: Option<Ref>,
    pub(super) cmap: Option<CMap>,
    /// `/WMode` of the stream.
    pub(super) writing_mode: i64,
    /// Name of the CMap in `/UseCMap`.
    pub(super) uses: Option<String>,
    pub(super) collection: Collection,
}

/// `/CIDSystemInfo`.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Collection {
    pub(super) registry: Option<Vec<u8>>,
    pub(super) ordering: Option<Vec<u8>>,
    pub(super) supplement: i64,
}

/// `/CIDToGIDMap`.
pub(super) enum GlyphMap {
    /// It is missing or invalid.
    Missing,
    Identity,
    Map(Vec<u8>),
}

/// `/W` and `/DW`.
struct Widths {
    default: f64,
    single: HashMap<u32, f64>,
    ranges: Vec<(u32, u32, f64)>,
}

impl Collection {
    pub(super) fn load(graphics: &Graphics<'_>, holder: &Dict) -> Self {
        let info = match graphics.get(holder, "CIDSystemInfo") {
            Object::Array(array) => array.first().map(|first| graphics.resolve(first)),
            other => Some(other),
        };
        let Some(dict) = info.as_ref().and_then(Object::as_dict) else { return Self::default() };
        let string = |key| graphics.get(dict, key).as_string().map(|s| s.as_bytes().to_vec());
        Self {
            registry: string("Registry"),
            ordering: string("Ordering"),
            supplement: graphics.get(dict, "Supplement").as_i64().unwrap_or(0),
        }
    }

    /// Whether it is an Adobe collection for Chinese, Japanese or Korean.
    pub(super) fn is_known(&self) -> bool {
        self.registry.as_deref() == Some(b"Adobe")
            && matches!(
                self.ordering.as_deref(),
                Some(b"GB1" | b"CNS1" | b"Japan1" | b"Korea1" | b"KR")
            )
    }
}

impl Encoding {
    fn load(graphics: &Graphics<'_>, font: &Dict) -> Self {
        let id = font.get("Encoding").and_then(Object::as_ref);
        match graphics.get(font, "Encoding") {
            Object::Name(name) => Self::named(name.as_str().unwrap_or_default()),
            Object::Stream(stream) => {
                let dict = stream.dict();
                let mut cmap = graphics.data(&stream).and_then(|data| CMap::parse(&data));
                let base = graphics.get(dict, "UseCMap");
                let uses = match &base {
                    Object::Name(name) => name.as_str().map(str::to_owned),
                    Object::Stream(stream) => Some(cmap_name(graphics, stream.dict())),
                    _ => None,
                };
                if let Some(cmap) = &mut cmap {
                    let base = match &base {
                        Object::Stream(stream) => {
                            graphics.data(stream).and_then(|data| CMap::parse(&data))
                        }
                        _ => uses.as_ref().or(cmap.uses.as_ref()).and_then(|n| CMap::named(n)),
                    };
                    cmap.set_base(base);
                }
                Self {
                    name: Some(cmap_name(graphics, dict)),
                    embedded: true,
                    id,
                    cmap,
                    writing_mode: graphics.get(dict, "WMode").as_i64().unwrap_or(0),
                    uses,
                    collection: Collection::load(graphics, dict),
                }
            }
            _ => Self::default(),
        }
    }

    fn named(name: &str) -> Self {
        let cmap = CMap::named(name);
        let collection = cmap.as_ref().and_then(CMap::collection);
        let collection = collection.map(|(registry, ordering, supplement)| Collection {
            registry: Some(registry.into_bytes()),
            ordering: Some(ordering.into_bytes()),
            supplement,
        });
        Self {
            name: Some(name.to_owned()),
            cmap,
            collection: collection.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Whether its name is Identity-H or Identity-V.
    pub(super) fn is_identity(&self) -> bool {
        matches!(self.name.as_deref(), Some("Identity-H" | "Identity-V"))
    }

    /// Whether it has the name of a predefined CMap.
    pub(super) fn is_predefined(&self) -> bool {
        self.name.as_deref().is_some_and(cmap::is_predefined)
    }
}

fn cmap_name(graphics: &Graphics<'_>, dict: &Dict) -> String {
    let name = graphics.name(dict, "CMapName");
    name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

impl GlyphMap {
    fn load(graphics: &Graphics<'_>, cid_font: &Dict) -> Self {
        match graphics.get(cid_font, "CIDToGIDMap") {
            Object::Name(name) if name == "Identity" => Self::Identity,
            Object::Stream(stream) => graphics.data(&stream).map_or(Self::Missing, Self::Map),
            _ => Self::Missing,
        }
    }

    /// The glyph of a CID; `None` if the map is too short.
    pub(super) fn glyph(&self, cid: u32) -> Option<u32> {
        match self {
            Self::Missing | Self::Identity => Some(cid),
            Self::Map(data) => {
                let at = usize::try_from(cid).ok()?.checked_mul(2)?;
                let pair = data.get(at..at + 2)?;
                Some(u32::from(u16::from_be_bytes([pair[0], pair[1]])))
            }
        }
    }

    /// Number of CIDs in the map, if it is a stream.
    pub(super) fn len(&self) -> Option<u32> {
        match self {
            Self::Map(data) => u32::try_from(data.len() / 2).ok(),
            Self::Missing | Self::Identity => None,
        }
    }
}

impl Widths {
    fn load(graphics: &Graphics<'_>, cid_font: &Dict) -> Self {
        let default = graphics.get(cid_font, "DW").as_f64().unwrap_or(DEFAULT_WIDTH);
        let mut widths = Self { default, single: HashMap::new(), ranges: Vec::new() };
        if let Object::Array(array) = graphics.get(cid_font, "W") {
            widths.read(graphics, &array);
            widths.ranges.sort_by_key(|(first, ..)| *first);
        }
        widths
    }

    fn read(&mut self, graphics: &Graphics<'_>, array: &Array) {
        let mut items = array.iter().map(|item| graphics.resolve(item));
        while let Some(first) = items.next() {
            let Some(first) = first.as_i64().and_then(|cid| u32::try_from(cid).ok()) else {
                return;
            };
            match items.next() {
                Some(Object::Array(list)) => {
                    for (cid, width) in (first..=0xFFFF).zip(&list) {
                        if let Some(width) = graphics.resolve(width).as_f64() {
                            self.single.insert(cid, width);
                        }
                    }
                }
                Some(last) => {
                    let last = last.as_i64().and_then(|cid| u32::try_from(cid).ok());
                    let width = items.next().and_then(|width| width.as_f64());
                    if let (Some(last), Some(width)) = (last, width) {
                        self.ranges.push((first, last, width));
                    }
                }
                None => return,
            }
        }
    }

    fn of(&self, cid: u32) -> f64 {
        if let Some(width) = self.single.get(&cid) {
            return *width;
        }
        let after = self.ranges.partition_point(|(first, ..)| *first <= cid);
        let before = self.ranges[..after].iter().rev().take(OVERLAPS);
        let found = before.into_iter().find(|(_, last, _)| cid <= *last);
        found.map_or(self.default, |(.., width)| *width)
    }
}

impl Composite {
    pub(super) fn load(graphics: &Graphics<'_>, dict: &Dict) -> Self {
        let descendant = match graphics.get(dict, "DescendantFonts") {
            Object::Array(fonts) => fonts.first().cloned(),
            _ => None,
        };
        let cid_font_id = descendant.as_ref().and_then(Object::as_ref);
        let found = descendant.map(|object| graphics.resolve(&object));
        let cid_font = found.as_ref().and_then(Object::as_dict).cloned();
        let complete = cid_font.is_some();
        let cid_font = cid_font.unwrap_or_default();
        let subtype = graphics.name(&cid_font, "Subtype");
        let descriptor = Descriptor::load(graphics, &cid_font);
        let type_2 = subtype.as_ref().is_some_and(|subtype| *subtype == *"CIDFontType2");
        let embedded = descriptor.cid(graphics, type_2);
        let encoding = Encoding::load(graphics, dict);
        let gids = GlyphMap::load(graphics, &cid_font);
        let widths = Widths::load(graphics, &cid_font);
        Self {
            cid_font,
            cid_font_id,
            complete,
            subtype,
            descriptor,
            embedded,
            encoding,
            gids,
            widths,
        }
    }

    pub(super) fn read_code(&self, bytes: &[u8]) -> Code {
        if let Some(cmap) = &self.encoding.cmap {
            return cmap.read_code(bytes);
        }
        // Two bytes, as in most CMaps.
        let bytes = &bytes[..bytes.len().min(2)];
        let value = bytes.iter().fold(0, |value, b| value << 8 | u32::from(*b));
        Code { value, bytes: bytes.len() }
    }

    /// The CID of a code, 0 if it has none; `None` if the CMap cannot be read.
    pub(super) fn cid(&self, code: Code) -> Option<u32> {
        self.encoding.cmap.as_ref().map(|cmap| cmap.cid(code).unwrap_or(0))
    }

    /// Whether the CMap maps a code. A truncated code is not mapped.
    fn is_mapped(&self, code: Code) -> bool {
        code.value == 0 || self.encoding.cmap.as_ref().is_some_and(|cmap| cmap.cid(code).is_some())
    }

    /// The facts about the glyph of a code.
    pub(super) fn glyph(&self, code: Code) -> Glyph {
        let mut glyph = Glyph::default();
        let (Some(program), Some(cid)) = (self.embedded.program(), self.cid(code)) else {
            return glyph;
        };
        let found = self.program_glyph(program, cid);
        glyph.present = Some(self.is_mapped(code) && (cid == 0 || found.is_some()));
        glyph.undefined = cid == 0 || found.is_none();
        glyph.declared_width = Some(self.widths.of(cid));
        glyph.width = match program {
            Program::TrueType(program) => Some(program.width(self.gids.glyph(cid).unwrap_or(0))),
            Program::Cff(program) => match found {
                Some(found) => program.width(found),
                None => Some(self.widths.default),
            },
            Program::Type1(_) => None,
        };
        glyph
    }

    /// The glyph of a CID in the program; `None` if it is missing or glyph 0.
    pub(super) fn program_glyph(&self, program: &Program, cid: u32) -> Option<u32> {
        match program {
            Program::TrueType(program) => {
                self.gids.glyph(cid).filter(|glyph| cid != 0 && *glyph < program.glyphs())
            }
            Program::Cff(program) => {
                program.glyph_of_cid(cid).filter(|glyph| *glyph != 0 && *glyph < program.glyphs())
            }
            Program::Type1(_) => None,
        }
    }
}
