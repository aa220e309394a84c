//! Font subsets: whether `/CharSet` and `/CIDSet` match the program (ISO 19005-1, 6.3.5; ISO
//! 19005-2, 6.2.11.4.2).

use super::{
    super::Graphics,
    Font, Kind,
    composite::{Collection, Composite},
    encoding::NOTDEF,
    program::{Embedded, Program},
    simple::Simple,
};
use cos::{Object, is_delimiter, is_white_space};
use std::collections::HashSet;

impl Composite {
    /// `/CIDSystemInfo` of the CIDFont.
    pub(super) fn cid_collection(&self, graphics: &Graphics<'_>) -> Collection {
        Collection::load(graphics, &self.cid_font)
    }
}

impl Font {
    /// Checks a subset. All glyphs shown must be known.
    pub(super) fn check_subset(&self, graphics: &Graphics<'_>) {
        match &self.kind {
            Kind::Simple(simple) if !simple.true_type && is_subset(graphics, &self.dict) => {
                self.character_set(graphics, simple);
            }
            Kind::Composite(composite) if is_subset(graphics, &composite.cid_font) => {
                self.cid_set(graphics, composite);
            }
            _ => {}
        }
    }

    /// 6.3.5-2: a Type 1 subset has `/CharSet`, which lists the glyphs shown; 6.2.11.4.2-1:
    /// `/CharSet` is optional, and lists exactly the glyphs of the program.
    fn character_set(&self, graphics: &Graphics<'_>, simple: &Simple) {
        let listed = match graphics.get(&simple.descriptor.dict, "CharSet") {
            Object::String(string) => Some(names_of(string.as_bytes())),
            _ => None,
        };
        let fits = match (&listed, simple.embedded.program()) {
            (None, _) => !graphics.part_1,
            (Some(_), None) => true,
            (Some(listed), Some(program)) if graphics.part_1 => {
                self.shown_are_listed(simple, program, listed)
            }
            (Some(listed), Some(program)) => all_are_listed(program, listed),
        };
        if !fits {
            let rule = graphics.rule(("6.3.5", 2), ("6.2.11.4.2", 1));
            graphics.fail(rule, self.id, || {
                "CharSet of a font subset is missing, or does not list its glyphs".to_owned()
            });
        }
    }

    fn shown_are_listed(
        &self,
        simple: &Simple,
        program: &Program,
        listed: &HashSet<Vec<u8>>,
    ) -> bool {
        self.glyphs.borrow().iter().all(|(code, _)| {
            let byte = u8::try_from(code.value).unwrap_or_default();
            simple.shown_name(program, byte).is_none_or(|name| {
                name == NOTDEF || !program.has_glyph(&name) || listed.contains(name.as_bytes())
            })
        })
    }

    /// 6.3.5-3: a CIDFont subset has `/CIDSet`, which contains all CIDs shown; 6.2.11.4.2-2:
    /// `/CIDSet` is optional, and contains exactly the CIDs of the program.
    fn cid_set(&self, graphics: &Graphics<'_>, composite: &Composite) {
        let set = match graphics.get(&composite.descriptor.dict, "CIDSet") {
            Object::Stream(stream) => graphics.data(&stream),
            _ => None,
        };
        let fits = match (&set, composite.embedded.program()) {
            (None, _) => !graphics.part_1,
            (Some(_), None) => true,
            (Some(set), Some(program)) if graphics.part_1 => {
                self.shown_are_in(composite, program, set)
            }
            (Some(set), Some(program)) => all_are_in(composite, program, set),
        };
        if !fits && !matches!(composite.embedded, Embedded::Unreadable) {
            let rule = graphics.rule(("6.3.5", 3), ("6.2.11.4.2", 2));
            graphics.fail(rule, self.id, || {
                "CIDSet of a font subset is missing, or does not match its glyphs".to_owned()
            });
        }
    }

    fn shown_are_in(&self, composite: &Composite, program: &Program, set: &[u8]) -> bool {
        self.glyphs.borrow().iter().all(|(code, _)| {
            composite.cid(*code).is_none_or(|cid| {
                cid == 0 || composite.program_glyph(program, cid).is_none() || contains(set, cid)
            })
        })
    }
}

/// Whether the list has exactly the names in the program, ignoring `.notdef`.
fn all_are_listed(program: &Program, listed: &HashSet<Vec<u8>>) -> bool {
    let Some(names) = program.names() else { return true };
    let defined = |name: &[u8]| name != NOTDEF.as_bytes();
    let names: HashSet<&[u8]> = names.iter().map(|n| n.as_bytes()).filter(|n| defined(n)).collect();
    listed.iter().map(Vec::as_slice).filter(|n| defined(n)).collect::<HashSet<_>>() == names
}

/// Whether the set has exactly the CIDs of the program, ignoring CID 0.
fn all_are_in(composite: &Composite, program: &Program, set: &[u8]) -> bool {
    let present = |cid: u32| composite.program_glyph(program, cid).is_some();
    let known: Vec<u32> = match program {
        Program::TrueType(truetype) => {
            let end = composite.gids.len().unwrap_or_else(|| truetype.widths());
            (1..end).filter(|cid| present(*cid)).collect()
        }
        Program::Cff(cff) if cff.is_cid_keyed() => cff.cids().filter(|cid| *cid != 0).collect(),
        // Glyphs of these programs have no CIDs.
        Program::Cff(_) | Program::Type1(_) => return true,
    };
    let bits = u32::try_from(set.len().min(1 << 13) * 8).unwrap_or(u32::MAX);
    known.iter().all(|cid| contains(set, *cid))
        && (1..bits).all(|cid| !contains(set, cid) || present(cid))
}

fn contains(set: &[u8], cid: u32) -> bool {
    let byte = usize::try_from(cid / 8).ok().and_then(|at| set.get(at));
    byte.is_some_and(|byte| byte & (0x80 >> (cid % 8)) != 0)
}

/// Whether the font's name starts with six capital letters and a plus sign.
fn is_subset(graphics: &Graphics<'_>, font: &cos::Dict) -> bool {
    let name = graphics.name(font, "BaseFont");
    name.as_ref()
        .and_then(|name| name.as_bytes().split_first_chunk::<7>())
        .is_some_and(|(tag, _)| tag[6] == b'+' && tag[..6].iter().all(u8::is_ascii_uppercase))
}

/// The names in a `/CharSet` string: `/A/B/C`.
fn names_of(string: &[u8]) -> HashSet<Vec<u8>> {
    let mut names = HashSet::new();
    for part in string.split(|byte| *byte == b'/').skip(1) {
        let end = part.iter().position(|b| is_white_space(*b) || is_delimiter(*b));
        let name = &part[..end.unwrap_or(part.len())];
        if !name.is_empty() {
            names.insert(name.to_vec());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_character_set() {
        let names = names_of(b"/A/B /space\n/A");
        assert_eq!(names.len(), 3);
        assert!(names.contains(&b"space"[..]));
        assert!(names_of(b"").is_empty());
    }

    #[test]
    fn bits_are_numbered_from_the_highest() {
        assert!(contains(&[0x80, 0x01], 0) && contains(&[0x80, 0x01], 15));
        assert!(!contains(&[0x80, 0x01], 1) && !contains(&[0x80], 8));
    }
}
