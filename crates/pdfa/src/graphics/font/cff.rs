//! Compact Font Format (Adobe Technical Note 5176), without an OpenType wrapper, as PDF embeds it:
//! names or CIDs, widths.

use super::encoding::NOTDEF;
use read_fonts::{
    ps::{
        Sid,
        cff::{CffFontRef, charset::CharsetKind},
    },
    types::GlyphId,
};
use std::{cell::RefCell, collections::HashMap};

/// A CFF font program.
#[derive(Debug)]
pub(crate) struct Cff {
    data: Vec<u8>,
    units_per_em: Option<u16>,
    glyphs: u32,
    /// Glyphs by CID, for a CID-keyed program.
    cids: Option<HashMap<u32, u32>>,
    /// Glyphs by name, for other programs.
    names: HashMap<String, u32>,
    /// Glyph names of the codes in the program's own encoding.
    encoding: Vec<Option<String>>,
    widths: RefCell<HashMap<u32, Option<f64>>>,
}

impl Cff {
    /// Reads charset and encoding. `None` if the data ends before its last glyph, or its first
    /// glyph has no dictionary. `units_per_em` comes from the OpenType font around it.
    pub(crate) fn parse(data: Vec<u8>, units_per_em: Option<u16>) -> Option<Self> {
        let mut cff = Self {
            units_per_em,
            glyphs: 0,
            cids: None,
            names: HashMap::new(),
            encoding: Vec::new(),
            widths: RefCell::default(),
            data: Vec::new(),
        };
        let font = CffFontRef::new_cff(&data, 0, units_per_em.map(i32::from)).ok()?;
        cff.glyphs = font.num_glyphs();
        font.charstrings().get(usize::try_from(cff.glyphs.checked_sub(1)?).ok()?)?;
        font.subfont(font.subfont_index(GlyphId::NOTDEF)?, &[]).ok()?;
        if font.is_cid() {
            cff.cids = Some(read_cids(&font));
        } else {
            cff.read_names(&font)?;
        }
        cff.data = data;
        Some(cff)
    }

    fn read_names(&mut self, font: &CffFontRef<'_>) -> Option<()> {
        let charset = font.charset()?;
        let mut by_glyph = HashMap::new();
        for (glyph, sid) in charset.iter() {
            let name = if glyph.to_u32() == 0 { Some(NOTDEF.to_owned()) } else { text(font, sid) };
            let Some(name) = name else { continue };
            by_glyph.insert(glyph, name.clone());
            self.names.entry(name).or_insert(glyph.to_u32());
        }
        let encoding = font.encoding();
        let named = |code: u8| {
            let encoding = encoding.as_ref()?;
            match encoding.predefined() {
                Some(predefined) => Some(predefined.name(code).to_owned()),
                None => encoding.map(code).and_then(|glyph| by_glyph.get(&glyph).cloned()),
            }
        };
        self.encoding = (0..=255).map(named).collect();
        Some(())
    }

    /// Whether glyphs have CIDs instead of names.
    pub(crate) const fn is_cid_keyed(&self) -> bool {
        self.cids.is_some()
    }

    /// Number of glyphs.
    pub(crate) const fn glyphs(&self) -> u32 {
        self.glyphs
    }

    /// The glyph of a CID: by the charset in a CID-keyed program, else the CID itself (ISO 32000-1,
    /// 9.7.4.2).
    pub(crate) fn glyph_of_cid(&self, cid: u32) -> Option<u32> {
        match &self.cids {
            Some(cids) => cids.get(&cid).copied(),
            None => (cid < self.glyphs).then_some(cid),
        }
    }

    /// All CIDs of a CID-keyed program.
    pub(crate) fn cids(&self) -> impl Iterator<Item = u32> + '_ {
        self.cids.iter().flat_map(|cids| cids.keys().copied())
    }

    /// The glyph with this name.
    pub(crate) fn glyph_named(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    /// All glyph names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// The glyph name of `code` in the program's own encoding.
    pub(crate) fn name_of_code(&self, code: u8) -> Option<&str> {
        self.encoding.get(usize::from(code))?.as_deref()
    }

    /// The width of a glyph in thousandths of an em, if its charstring can be read.
    pub(crate) fn width(&self, glyph: u32) -> Option<f64> {
        if let Some(width) = self.widths.borrow().get(&glyph) {
            return *width;
        }
        let width = self.read_width(glyph);
        self.widths.borrow_mut().insert(glyph, width);
        width
    }

    fn read_width(&self, glyph: u32) -> Option<f64> {
        let font = CffFontRef::new_cff(&self.data, 0, self.units_per_em.map(i32::from)).ok()?;
        let glyph = GlyphId::new(glyph);
        let subfont = font.subfont(font.subfont_index(glyph)?, &[]).ok()?;
        let width = font.evaluate_width(&subfont, glyph, &[]).ok()??;
        let units = f64::from(font.upem());
        (units > 0.0).then(|| width.to_f64() * 1000.0 / units)
    }
}

/// The glyphs of a CID-keyed program by CID. A predefined charset has no CIDs: then the glyphs are
/// in CID order.
fn read_cids(font: &CffFontRef<'_>) -> HashMap<u32, u32> {
    match font.charset() {
        Some(charset) if matches!(charset.kind(), CharsetKind::Custom(_)) => {
            charset.iter().map(|(glyph, cid)| (u32::from(cid.to_u16()), glyph.to_u32())).collect()
        }
        _ => (0..font.num_glyphs()).map(|glyph| (glyph, glyph)).collect(),
    }
}

fn text(font: &CffFontRef<'_>, sid: Sid) -> Option<String> {
    Some(String::from_utf8_lossy(font.string(sid)?).into_owned())
}
