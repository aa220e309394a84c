//! Unicode values of codes (ISO 19005-1, 6.3.8; ISO 19005-2, 6.2.11.7; ISO 19005-4, 6.2.10.7; ISO
//! 32000-1, 9.10.2).

use super::{
    super::Graphics,
    Font, Kind,
    cmap::{CMap, Code},
    encoding,
};
use crate::tagging::is_private;
use cos::{Dict, Name, Object};

/// The Unicode value of a code.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    /// Unknown.
    Unknown,
    /// Defined by a known list, so that no text is needed.
    Defined,
    /// The text in UTF-16.
    Text(Vec<u16>),
}

/// `/ToUnicode` of a font.
pub(super) fn to_unicode(graphics: &Graphics<'_>, font: &Dict) -> Option<CMap> {
    let named = |name: Option<&str>| {
        let name = name.filter(|name| name.starts_with("Identity-"))?;
        CMap::named(name)
    };
    match graphics.get(font, "ToUnicode") {
        Object::Name(name) => named(name.as_str()),
        Object::Stream(stream) => {
            let name = graphics.name(stream.dict(), "CMapName");
            let identity = named(name.as_ref().and_then(Name::as_str));
            let parsed = || graphics.data(&stream).and_then(|data| CMap::parse(&data));
            let mut cmap = identity.or_else(parsed)?;
            if let Object::Stream(used) = graphics.get(stream.dict(), "UseCMap") {
                cmap.set_base(graphics.data(&used).and_then(|data| CMap::parse(&data)));
            }
            Some(cmap)
        }
        _ => None,
    }
}

impl Font {
    fn mapped(&self, code: Code) -> Option<Vec<u16>> {
        let cmap = self.to_unicode.as_ref()?;
        if cmap.is_identity() {
            return u16::try_from(code.value).ok().map(|unit| vec![unit]);
        }
        cmap.text(code.value)
    }

    fn meaning(&self, graphics: &Graphics<'_>, code: Code) -> Meaning {
        if let Some(text) = self.mapped(code) {
            return Meaning::Text(text);
        }
        let byte = u8::try_from(code.value).unwrap_or_default();
        match &self.kind {
            Kind::Simple(simple) => {
                named(simple.unicode_name(byte).as_deref(), graphics.part_1 && !simple.true_type)
            }
            Kind::Type3(_) if graphics.part_1 => Meaning::Unknown,
            Kind::Type3(type_3) => named(type_3.encoding.glyph_name(byte), false),
            Kind::Composite(composite) => {
                let known = composite.cid_collection(graphics).is_known()
                    || !composite.encoding.is_identity()
                        && composite.encoding.collection.is_known();
                if known { Meaning::Defined } else { Meaning::Unknown }
            }
            Kind::Unknown => Meaning::Defined,
        }
    }

    /// Checks the Unicode value of a code against the rules of levels a and u.
    pub(super) fn check_unicode(&self, graphics: &Graphics<'_>, code: Code, replaced: bool) {
        match self.meaning(graphics, code) {
            Meaning::Unknown => self.unicode_known(graphics, code),
            Meaning::Text(text) if !graphics.part_1 => {
                self.unicode_valid(graphics, code, &text);
                if graphics.needs_structure && !replaced {
                    self.not_private(graphics, code, &text);
                }
            }
            Meaning::Defined | Meaning::Text(_) => {}
        }
    }

    /// Checks the text in `/ToUnicode` for a code against the rule of part 4.
    pub(super) fn check_mapped(&self, graphics: &Graphics<'_>, code: Code) {
        if let Some(text) = self.mapped(code) {
            self.unicode_valid(graphics, code, &text);
        }
    }

    /// 6.3.8-1, 6.2.11.7.2-1: every code has a Unicode value.
    fn unicode_known(&self, graphics: &Graphics<'_>, code: Code) {
        let rule = graphics.rule(("6.3.8", 1), ("6.2.11.7.2", 1));
        graphics.fail(rule, self.id, || format!("code {:#x} has no Unicode value", code.value));
    }

    /// 6.2.11.7.2-2 (part 2), 6.2.10.7-1 (part 4): the values are neither 0 nor U+FEFF nor U+FFFE.
    fn unicode_valid(&self, graphics: &Graphics<'_>, code: Code, text: &[u16]) {
        if text.iter().any(|unit| matches!(unit, 0 | 0xFEFF | 0xFFFE)) {
            graphics.fail(("6.2.11.7.2", 2), self.id, || {
                format!("the Unicode value of code {:#x} is 0, U+FEFF or U+FFFE", code.value)
            });
        }
    }

    /// 6.2.11.7.3-1 (part 2, level a): characters of a Private Use Area have replacement text.
    fn not_private(&self, graphics: &Graphics<'_>, code: Code, text: &[u16]) {
        if char::decode_utf16(text.iter().copied()).flatten().any(is_private) {
            graphics.fail(("6.2.11.7.3", 1), self.id, || {
                format!("code {:#x} means a private character, without ActualText", code.value)
            });
        }
    }
}

fn named(name: Option<&str>, any_listed: bool) -> Meaning {
    let Some(name) = name else { return Meaning::Unknown };
    match encoding::characters(name) {
        Some(_) if any_listed => Meaning::Defined,
        Some(text) => Meaning::Text(text.encode_utf16().collect()),
        None if encoding::in_standard_fonts(name) => Meaning::Defined,
        None => Meaning::Unknown,
    }
}
