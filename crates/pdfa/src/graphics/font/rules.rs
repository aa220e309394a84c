//! Rules for font dictionaries (ISO 19005-1, 6.3.2 to 6.3.4, 6.3.7; ISO 19005-2, 6.2.11.2 to
//! 6.2.11.4.1, 6.2.11.6; ISO 19005-4 has the rules of ISO 19005-2 in 6.2.10).

use super::{
    super::{Graphics, Rule},
    Font, Kind, cmap,
    composite::{Collection, Composite, GlyphMap},
    encoding,
    program::{Embedded, Program},
    simple::Simple,
};
use cos::{Dict, Name, Ref};

const SUBTYPES: [&str; 7] =
    ["Type1", "MMType1", "TrueType", "Type3", "Type0", "CIDFontType0", "CIDFontType2"];

impl Font {
    /// Checks the rules that apply to any use of the font.
    pub(super) fn check(&self, graphics: &Graphics<'_>) {
        font_keys(graphics, &self.dict, self.subtype.as_ref(), self.id);
        match &self.kind {
            Kind::Simple(simple) => {
                if !simple.standard {
                    self.character_range(graphics, simple.widths.first, simple.widths.last);
                    self.width_count(graphics, &simple.widths);
                }
                if simple.true_type {
                    self.true_type_encoding(graphics, simple);
                    self.true_type_program(graphics, simple);
                }
            }
            Kind::Type3(type_3) => {
                self.character_range(graphics, type_3.widths.first, type_3.widths.last);
                self.width_count(graphics, &type_3.widths);
            }
            Kind::Composite(composite) => self.check_composite(graphics, composite),
            Kind::Unknown => {}
        }
        if let Some(descriptor) = self.descriptor() {
            self.program_format(graphics, descriptor.program_subtype.as_ref());
        }
    }

    /// Checks the rules that apply once text in the font is drawn.
    pub(super) fn check_rendered(&self, graphics: &Graphics<'_>) {
        if let Some(embedded) = self.embedded() {
            self.program_there(graphics, embedded);
        }
        if let Kind::Composite(composite) = &self.kind
            && graphics.part_1
        {
            glyph_map(graphics, composite);
        }
    }

    /// 6.3.2-4 and -5, 6.2.11.2-4 and -5: `/FirstChar` and `/LastChar` are present.
    fn character_range(&self, graphics: &Graphics<'_>, first: Option<i64>, last: Option<i64>) {
        for (key, value, test) in [("FirstChar", first, 4), ("LastChar", last, 5)] {
            if value.is_none() {
                let rule = graphics.rule(("6.3.2", test), ("6.2.11.2", test));
                graphics.fail(rule, self.id, || format!("a font lacks {key}"));
            }
        }
    }

    /// 6.3.2-6, 6.2.11.2-6: `/Widths` has a width for each code from `/FirstChar` to `/LastChar`.
    fn width_count(&self, graphics: &Graphics<'_>, widths: &super::simple::Widths) {
        let wanted = widths.last.unwrap_or(0).checked_sub(widths.first.unwrap_or(0));
        let wanted = wanted.and_then(|count| usize::try_from(count.checked_add(1)?).ok());
        let count = widths.all.as_ref().map(Vec::len);
        if count.is_none() || count != wanted {
            let rule = graphics.rule(("6.3.2", 6), ("6.2.11.2", 6));
            graphics.fail(rule, self.id, || "Widths is missing or of a wrong size".to_owned());
        }
    }

    /// 6.3.2-7, 6.2.11.2-7: the PDF version permits the format of the font program.
    fn program_format(&self, graphics: &Graphics<'_>, subtype: Option<&Name>) {
        let Some(subtype) = subtype else { return };
        let known = match subtype.as_bytes() {
            b"Type1C" | b"CIDFontType0C" => true,
            b"OpenType" => !graphics.part_1,
            _ => false,
        };
        if !known {
            let rule = graphics.rule(("6.3.2", 7), ("6.2.11.2", 7));
            graphics.fail(rule, self.id, || format!("a font program of format {subtype}"));
        }
    }

    /// 6.3.4-1, 6.2.11.4.1-1: the font program is embedded and readable.
    fn program_there(&self, graphics: &Graphics<'_>, embedded: &Embedded) {
        let detail = match embedded {
            Embedded::Readable(_) => return,
            Embedded::Missing => "a font program is not embedded",
            Embedded::Unreadable => "an embedded font program cannot be read",
        };
        let rule = graphics.rule(("6.3.4", 1), ("6.2.11.4.1", 1));
        graphics.fail(rule, self.id, || detail.to_owned());
    }

    /// 6.3.7-1 and -2, 6.2.11.6-2 and -3: permitted values of `/Encoding` of a TrueType font.
    fn true_type_encoding(&self, graphics: &Graphics<'_>, simple: &Simple) {
        let encoding = &simple.encoding;
        if simple.descriptor.symbolic {
            if encoding.present && (encoding.name.is_some() || encoding.differs) {
                let rule = graphics.rule(("6.3.7", 2), ("6.2.11.6", 3));
                graphics.fail(rule, self.id, || "a symbolic TrueType font has Encoding".to_owned());
            }
            return;
        }
        let named =
            matches!(encoding.name.as_deref(), Some(b"MacRomanEncoding" | b"WinAnsiEncoding"));
        let fits = !encoding.differs || !graphics.part_1 && differences_fit(simple);
        if !named || !fits {
            let rule = graphics.rule(("6.3.7", 1), ("6.2.11.6", 2));
            graphics.fail(rule, self.id, || {
                "a TrueType font that is not symbolic has an encoding other than MacRoman and \
                 WinAnsi, or differences from it that its program cannot follow"
                    .to_owned()
            });
        }
    }

    /// 6.3.7-3, 6.2.11.6-1 and -4: the subtables of `cmap`. In part 4, one of two subtables is
    /// required.
    fn true_type_program(&self, graphics: &Graphics<'_>, simple: &Simple) {
        let Some(Program::TrueType(program)) = simple.embedded.program() else { return };
        let (count, symbol) = (program.subtable_count(), program.has_subtable(3, 0));
        let (unicode, mac) = (program.has_subtable(3, 1), program.has_subtable(1, 0));
        let rule: Rule = match (simple.descriptor.symbolic, graphics.part_1) {
            (true, _) if graphics.is_part_4() && !symbol && !mac => ("6.2.11.6", 4),
            (false, _) if graphics.is_part_4() && !unicode && !mac => ("6.2.11.6", 1),
            _ if graphics.is_part_4() => return,
            (true, true) if count != 1 => ("6.3.7", 3),
            (true, false) if count != 1 && !symbol => ("6.2.11.6", 4),
            (false, false) if count == 0 || count == 1 && symbol => ("6.2.11.6", 1),
            _ => return,
        };
        graphics.fail(rule, self.id, || {
            format!("the cmap table of a TrueType font has {count} subtables, not those it must")
        });
    }

    fn check_composite(&self, graphics: &Graphics<'_>, composite: &Composite) {
        if composite.complete {
            let id = composite.cid_font_id;
            font_keys(graphics, &composite.cid_font, composite.subtype.as_ref(), id);
        }
        self.collections_fit(graphics, composite);
        self.cmap_embedded(graphics, composite);
        cmap_file(graphics, composite);
        if !graphics.part_1 && !matches!(composite.embedded, Embedded::Missing) {
            glyph_map(graphics, composite);
        }
    }

    /// 6.3.3.1-1, 6.2.11.3.1-1: CIDFont and CMap are for the same character collection.
    fn collections_fit(&self, graphics: &Graphics<'_>, composite: &Composite) {
        let encoding = &composite.encoding;
        let unknown = encoding.is_predefined() && encoding.collection == Collection::default();
        if encoding.is_identity() || unknown && !encoding.embedded {
            return;
        }
        let font = composite.cid_collection(graphics);
        let cmap = &encoding.collection;
        let same = font.registry.is_some()
            && font.ordering.is_some()
            && font.registry == cmap.registry
            && font.ordering == cmap.ordering;
        if !same || !graphics.part_1 && font.supplement > cmap.supplement {
            let rule = graphics.rule(("6.3.3.1", 1), ("6.2.11.3.1", 1));
            graphics.fail(rule, self.id, || {
                "a CIDFont and its CMap are for different character collections".to_owned()
            });
        }
    }

    /// 6.3.3.3-1, 6.2.11.3.3-1: the CMap is embedded, unless readers have it built in.
    fn cmap_embedded(&self, graphics: &Graphics<'_>, composite: &Composite) {
        let encoding = &composite.encoding;
        let known = if graphics.part_1 { encoding.is_identity() } else { encoding.is_predefined() };
        if !known && !encoding.embedded {
            let rule = graphics.rule(("6.3.3.3", 1), ("6.2.11.3.3", 1));
            graphics.fail(rule, self.id, || {
                format!("the CMap {} is not embedded", encoding.name.as_deref().unwrap_or("?"))
            });
        }
    }
}

/// 6.3.3.3-2, 6.2.11.3.3-2: stream and dictionary have the same writing mode; 6.2.11.3.3-3 (part
/// 2): the CMap uses only a predefined CMap; 6.1.12-10, 6.1.13-10: CIDs have 16 bits.
fn cmap_file(graphics: &Graphics<'_>, composite: &Composite) {
    let encoding = &composite.encoding;
    if !encoding.embedded {
        return;
    }
    if let Some(cmap) = &encoding.cmap {
        if cmap.writing_mode != encoding.writing_mode {
            let rule = graphics.rule(("6.3.3.3", 2), ("6.2.11.3.3", 2));
            graphics.fail(rule, encoding.id, || "a CMap has two writing modes".to_owned());
        }
        if cmap.greatest_cid > 0xFFFF {
            let rule = graphics.rule(("6.1.12", 10), ("6.1.13", 10));
            graphics.fail(rule, encoding.id, || format!("a CMap has CID {}", cmap.greatest_cid));
        }
    }
    if !graphics.part_1
        && let Some(name) = &encoding.uses
        && !cmap::is_predefined(name)
    {
        graphics.fail(("6.2.11.3.3", 3), encoding.id, || format!("a CMap uses the CMap {name}"));
    }
}

/// 6.3.3.2-1, 6.2.11.3.2-1: a CIDFont of Type 2 maps CIDs to glyphs.
fn glyph_map(graphics: &Graphics<'_>, composite: &Composite) {
    let type_2 = composite.subtype.as_ref().is_some_and(|subtype| *subtype == *"CIDFontType2");
    if type_2 && matches!(composite.gids, GlyphMap::Missing) {
        let rule = graphics.rule(("6.3.3.2", 1), ("6.2.11.3.2", 1));
        graphics.fail(rule, composite.cid_font_id, || "a CIDFont lacks CIDToGIDMap".to_owned());
    }
}

/// 6.3.2-1 to -3, 6.2.11.2-1 to -3: `/Type`, `/Subtype`, `/BaseFont`.
fn font_keys(graphics: &Graphics<'_>, dict: &Dict, subtype: Option<&Name>, id: Option<Ref>) {
    let fail = |test: u16, detail: &str| {
        let rule = graphics.rule(("6.3.2", test), ("6.2.11.2", test));
        graphics.fail(rule, id, || detail.to_owned());
    };
    if !graphics.get(dict, "Type").is_name("Font") {
        fail(1, "a font's Type is not Font");
    }
    if !subtype.is_some_and(|subtype| SUBTYPES.iter().any(|known| *subtype == *known)) {
        fail(2, "a font of an unknown Subtype");
    }
    let type_3 = subtype.is_some_and(|subtype| *subtype == *"Type3");
    if !type_3 && graphics.name(dict, "BaseFont").is_none() {
        fail(3, "a font lacks BaseFont");
    }
}

/// Whether the Adobe Glyph List has all names in `/Differences`, and the program has a Unicode
/// subtable.
fn differences_fit(simple: &Simple) -> bool {
    let unicode = match simple.embedded.program() {
        Some(Program::TrueType(program)) => program.has_subtable(3, 1),
        // Other formats, and unreadable programs, count as having one.
        Some(_) => true,
        None => matches!(simple.embedded, Embedded::Unreadable),
    };
    unicode && simple.encoding.different_names().all(|name| encoding::in_glyph_list(name))
}
