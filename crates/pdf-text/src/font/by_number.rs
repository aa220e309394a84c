//! Glyphs whose names are numbers, or unknown names.
//!
//! - Names such as `a72`, `C0072`, `G48` or `char48` contain a code. In every such font seen, it is
//!   the glyph's own code; then the code is the code of a character. poppler's `GfxFont` does the
//!   same, with its own list of patterns.
//! - Type 3 fonts with names of an `a` and a decimal number are bitmaps of a TeX font, made by dvips
//!   and pdfTeX. Their codes are ASCII except for ligatures, and from 128 on those of the T1
//!   encoding (LaTeX's `encguide`; Knuth, *The TeXbook*, appendix F).
//! - Other names are unknown. poppler, MuPDF and pdfium then treat the code as the code of a
//!   character. This module does so for ASCII codes, as a guess, but not in fonts whose codes are
//!   clearly assigned sequentially.

use super::Certainty;
use super::names::{self, Numbered};

/// A code and the name of its glyph.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) code: u8,
    pub(super) name: String,
}

/// A font with at least this many consecutive codes has a whole encoding, not sequential codes.
const WHOLE_FONT: usize = 64;

/// The characters of codes with unknown glyph names.
pub(super) fn characters(named: &[Named], is_type3: bool) -> Vec<(u8, String, Certainty)> {
    let dealt_out = are_sequential(named);
    let numbers: Vec<Option<Numbered<'_>>> =
        named.iter().map(|named| names::numbered(&named.name)).collect();
    let are_codes =
        4 * named.iter().zip(&numbers).filter(|(named, n)| is_code(named, n.as_ref())).count()
            >= 3 * named.len();
    let is_tex = is_type3
        && are_codes
        && numbers.iter().flatten().all(|number| number.prefix == "a" && number.decimal.is_some());
    let tex = Tex::of(named);
    let mut found = Vec::new();
    for (named, number) in named.iter().zip(&numbers) {
        let code = named.code;
        let text = if is_tex {
            tex.characters(code)
        } else if dealt_out {
            None
        } else {
            latin(code)
        };
        let is_known = is_tex || (are_codes && is_code(named, number.as_ref()));
        let certainty = if is_known { Certainty::Known } else { Certainty::Guessed };
        match text {
            Some(text) => found.push((code, text, certainty)),
            None => found.push((code, String::new(), Certainty::Unknown)),
        }
    }
    found
}

/// Whether the number in a name is its code.
fn is_code(named: &Named, number: Option<&Numbered<'_>>) -> bool {
    let code = Some(u32::from(named.code));
    number.is_some_and(|number| number.decimal == code || number.hexadecimal == code)
}

/// Whether the codes are assigned sequentially to the glyphs in use: from the usual first code,
/// without a gap.
fn are_sequential(named: &[Named]) -> bool {
    let codes = || named.iter().map(|named| named.code);
    let (Some(first), Some(last)) = (codes().min(), codes().max()) else { return false };
    let distinct = codes().collect::<std::collections::BTreeSet<_>>().len();
    first <= 33 && distinct < WHOLE_FONT && distinct == usize::from(last - first) + 1
}

/// The character of an ASCII code.
fn latin(code: u8) -> Option<String> {
    (b' '..0x7F).contains(&code).then(|| char::from(code).to_string())
}

/// The encodings of TeX's text fonts, OT1 and T1, as far as the codes of a font distinguish them.
struct Tex {
    /// Whether the font has a comma or a full stop at its ASCII code, as text fonts have but
    /// formula fonts do not.
    is_text: bool,
    /// Whether it has ligatures at the codes of OT1.
    is_ot1: bool,
}

/// T1's letters from 128 to 191. From 192 on they are those of Latin-1, with four exceptions.
const T1: &str = "ĂĄĆČĎĚĘĞĹĽŁŃŇŊŐŔŘŚŠŞŤŢŰŮŸŹŽŻĲİđ§ăąćčďěęğĺľłńňŋőŕřśšşťţűůÿźžżĳ¡¿£";
const LIGATURES: [&str; 5] = ["ff", "fi", "fl", "ffi", "ffl"];
/// OT1's letters from 25 to 31.
const OT1: [&str; 7] = ["ß", "æ", "œ", "ø", "Æ", "Œ", "Ø"];

impl Tex {
    fn of(named: &[Named]) -> Self {
        let has = |codes: std::ops::RangeInclusive<u8>| {
            named.iter().any(|named| codes.contains(&named.code))
        };
        Self {
            is_text: has(b','..=b',') || has(b'.'..=b'.'),
            is_ot1: has(11..=15) && !has(128..=255),
        }
    }

    fn characters(&self, code: u8) -> Option<String> {
        let text = match code {
            32..=126 => return latin(code),
            11..=15 if self.is_text && self.is_ot1 => LIGATURES[usize::from(code) - 11],
            25..=31 if self.is_text && self.is_ot1 => OT1[usize::from(code) - 25],
            27..=31 if self.is_text => LIGATURES[usize::from(code) - 27],
            128..=191 => return T1.chars().nth(usize::from(code) - 128).map(String::from),
            0xD7 => "Œ",
            0xDF => "SS",
            0xF7 => "œ",
            0xFF => "ß",
            192..=254 => return Some(char::from(code).to_string()),
            _ => return None,
        };
        Some(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{Named, characters};
    use crate::font::Certainty;

    fn named(codes: impl IntoIterator<Item = u8>, name: impl Fn(u8) -> String) -> Vec<Named> {
        codes.into_iter().map(|code| Named { code, name: name(code) }).collect()
    }

    fn text(named: &[Named], is_type3: bool) -> (String, Vec<Certainty>) {
        let found = characters(named, is_type3);
        let mut certain: Vec<Certainty> = found.iter().map(|found| found.2).collect();
        certain.dedup();
        (found.into_iter().map(|found| found.1).collect(), certain)
    }

    #[test]
    fn names_with_numbers_contain_codes() {
        let patterns: [fn(u8) -> String; 8] = [
            |code| format!("a{code}"),
            |code| format!("g{code}"),
            |code| format!("C{code:04}"),
            |code| format!("c{code}"),
            |code| format!("G{code:02X}"),
            |code| format!("char{code:02x}"),
            |code| format!("{code:02x}"),
            |code| format!("cid{code}"),
        ];
        for pattern in patterns {
            for is_type3 in [true, false] {
                let (text, certain) = text(&named(*b"HeloTX", pattern), is_type3);
                assert_eq!((&*text, &*certain), ("HeloTX", &[Certainty::Known][..]));
            }
        }
    }

    #[test]
    fn unknown_names_are_guessed_by_their_codes() {
        let (text, certain) = text(&named(*b"HeloTX", |code| format!("zz{code}zz")), false);
        assert_eq!((&*text, &*certain), ("HeloTX", &[Certainty::Guessed][..]));
    }

    #[test]
    fn sequential_codes_are_not_guessed() {
        for first in [0, 1, 32, 33] {
            let fonts = [
                named(first..first + 20, |code| format!("g{}", 500 + u32::from(code))),
                named(first..first + 20, |code| format!("g{code}")),
            ];
            for font in fonts {
                let (text, certain) = text(&font, false);
                assert_eq!((&*text, &*certain), ("", &[Certainty::Unknown][..]));
            }
        }
    }

    #[test]
    fn fonts_of_tex_have_ligatures_and_letters_of_their_encoding() {
        let tex =
            |codes: &[u8]| text(&named(codes.iter().copied(), |code| format!("a{code}")), true).0;
        assert_eq!(tex(&[11, 12, 13, 14, 15, 25, b'.']), "fffiflffifflß.", "OT1");
        assert_eq!(tex(&[27, 28, 29, 30, 31, b',']), "fffiflffiffl,", "T1");
        assert_eq!(tex(&[0x80, 0xA0, 0xE4, 0xFF, b'.']), "Ăăäß.", "T1");
        assert_eq!(tex(&[11, 12, b'x']), "x", "the letters of a formula are no ligatures");
    }
}
