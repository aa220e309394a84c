//! TrueType outlines, and the tables of an OpenType font: widths, glyph count, `cmap`, `post`.

use read_fonts::{
    FontRef, ReadError, TableProvider,
    tables::cmap::{Cmap, CmapSubtable},
    types::{GlyphId, Tag},
};
use std::{cell::OnceCell, collections::HashMap};

/// The version number of a font with TrueType outlines.
const VERSION: [u8; 4] = [0, 1, 0, 0];

/// A font program with a table directory.
#[derive(Debug)]
pub(crate) struct TrueType {
    data: Vec<u8>,
    units_per_em: f64,
    glyphs: u32,
    /// Advance widths in font units, for the glyphs that have their own.
    advances: Vec<u16>,
    /// Platform and encoding of each record of the `cmap` table.
    subtables: Vec<(u16, u16)>,
    names: OnceCell<HashMap<String, u32>>,
}

impl TrueType {
    /// Reads the tables. `None` if a table that widths need is missing or incomplete. Without
    /// `head` there are 1,000 units per em, without `maxp` as many glyphs as widths. Any version is
    /// accepted.
    pub(crate) fn parse(mut data: Vec<u8>) -> Option<Self> {
        if matches!(FontRef::new(&data), Err(ReadError::InvalidSfnt(_))) {
            data.get_mut(..4)?.copy_from_slice(&VERSION);
        }
        let font = FontRef::new(&data).ok()?;
        if !tables_start_within(&font, data.len()) {
            return None;
        }
        let has = |tag| font.table_data(Tag::new(tag)).is_some();
        let units_per_em = if has(b"head") { font.head().ok()?.units_per_em() } else { 1000 };
        let metrics = usize::from(font.hhea().ok()?.number_of_h_metrics());
        let table = font.table_data(Tag::new(b"hmtx"))?;
        let advances: Vec<u16> = table
            .as_bytes()
            .chunks_exact(4)
            .take(metrics)
            .map(|metric| u16::from_be_bytes([metric[0], metric[1]]))
            .collect();
        let glyphs = if has(b"maxp") {
            u32::from(font.maxp().ok()?.num_glyphs())
        } else {
            u32::try_from(advances.len()).ok()?
        };
        let subtables = font.cmap().map_or_else(|_| Vec::new(), |cmap| records(&cmap));
        if units_per_em == 0 || advances.is_empty() {
            return None;
        }
        let units_per_em = f64::from(units_per_em);
        Some(Self { units_per_em, glyphs, advances, subtables, names: OnceCell::new(), data })
    }

    /// The `CFF ` table, if it has the outlines, and its units per em.
    pub(crate) fn compact_table(data: &[u8]) -> Option<(Vec<u8>, u16)> {
        let font = FontRef::new(data).ok()?;
        let table = font.table_data(Tag::new(b"CFF "))?.as_bytes().to_vec();
        let units_per_em = font.head().map_or(1000, |head| head.units_per_em());
        Some((table, units_per_em))
    }

    /// Number of glyphs.
    pub(crate) const fn glyphs(&self) -> u32 {
        self.glyphs
    }

    /// Number of glyphs with their own width.
    pub(crate) fn widths(&self) -> u32 {
        u32::try_from(self.advances.len()).unwrap_or(u32::MAX)
    }

    /// Number of subtables in `cmap`.
    pub(crate) fn subtable_count(&self) -> usize {
        self.subtables.len()
    }

    /// Whether `cmap` has a subtable for this platform and encoding.
    pub(crate) fn has_subtable(&self, platform: u16, encoding: u16) -> bool {
        self.subtables.contains(&(platform, encoding))
    }

    /// The width of a glyph in thousandths of an em. Beyond the last glyph, the width of glyph 0.
    pub(crate) fn width(&self, glyph: u32) -> f64 {
        let at = usize::try_from(glyph).unwrap_or(usize::MAX);
        let advance = match self.advances.get(at) {
            Some(advance) => *advance,
            None if glyph < self.glyphs => self.advances.last().copied().unwrap_or_default(),
            None => self.advances.first().copied().unwrap_or_default(),
        };
        f64::from(advance) * 1000.0 / self.units_per_em
    }

    /// The glyph of `character` in the subtable for this platform and encoding, 0 if it has none.
    pub(crate) fn lookup(&self, platform: u16, encoding: u16, character: u32) -> u32 {
        self.subtable(platform, encoding, |subtable| glyph(subtable, character)).unwrap_or(0)
    }

    /// The glyph of `code` in the first subtable.
    pub(crate) fn lookup_any(&self, code: u32) -> u32 {
        let Some((platform, encoding)) = self.subtables.first().copied() else { return 0 };
        match self.lookup(platform, encoding, code) {
            0 => self.lookup(platform, encoding, 0xF000 + code),
            glyph => glyph,
        }
    }

    /// The glyph of a one-byte code in the Microsoft symbol subtable, whose characters have the
    /// same high byte (ISO 32000-1, 9.6.6.4). 0 if it has none.
    pub(crate) fn lookup_symbol(&self, code: u8) -> u32 {
        let found = self.subtable(3, 0, |subtable| {
            let first = subtable.iter().next().map_or(0, |(character, _)| character);
            let high = first & 0xFF00;
            let found = match high {
                0 | 0xF000 | 0xF100 | 0xF200 => glyph(subtable, high + u32::from(code)),
                _ => 0,
            };
            // Some fonts have a few low codes, and the others in the Private Use Area.
            if found == 0 { glyph(subtable, 0xF000 + u32::from(code)) } else { found }
        });
        found.unwrap_or(0)
    }

    /// The glyph with this name in the `post` table, 0 if it has none.
    pub(crate) fn glyph_named(&self, name: &str) -> u32 {
        self.names.get_or_init(|| self.read_names()).get(name).copied().unwrap_or(0)
    }

    /// Whether the `post` table has `name`.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.names.get_or_init(|| self.read_names()).contains_key(name)
    }

    fn read_names(&self) -> HashMap<String, u32> {
        let mut names = HashMap::new();
        if let Ok(post) = FontRef::new(&self.data).and_then(|font| font.post()) {
            for (glyph, name) in post.glyph_names() {
                names.entry(name.to_owned()).or_insert(glyph.to_u32());
            }
        }
        names
    }

    fn subtable<T>(
        &self,
        platform: u16,
        encoding: u16,
        read: impl FnOnce(&CmapSubtable<'_>) -> T,
    ) -> Option<T> {
        let at = self.subtables.iter().position(|found| *found == (platform, encoding))?;
        let cmap = FontRef::new(&self.data).ok()?.cmap().ok()?;
        let subtable = cmap.subtable(u16::try_from(at).ok()?).ok()?;
        Some(read(&subtable))
    }
}

/// Whether each table that is read starts before the end of the data.
fn tables_start_within(font: &FontRef<'_>, length: usize) -> bool {
    const READ: [&[u8; 4]; 6] = [b"cmap", b"head", b"hhea", b"hmtx", b"maxp", b"post"];
    let records = font.table_directory().table_records().iter();
    let mut read = records.filter(|record| READ.iter().any(|tag| record.tag() == Tag::new(tag)));
    read.all(|record| usize::try_from(record.offset()).is_ok_and(|offset| offset < length))
}

fn records(cmap: &Cmap<'_>) -> Vec<(u16, u16)> {
    cmap.encoding_records()
        .iter()
        .map(|record| (record.platform_id() as u16, record.encoding_id()))
        .collect()
}

fn glyph(subtable: &CmapSubtable<'_>, character: u32) -> u32 {
    subtable.map_codepoint(character).map_or(0, GlyphId::to_u32)
}
