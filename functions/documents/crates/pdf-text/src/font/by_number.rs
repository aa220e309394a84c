//! Glyphs whose names are numbers, or nothing that a list knows.
//!
//! - Names such as `a72`, `C0072`, `G48` or `char48` say a code: that of the glyph itself, in every
//!   such font seen. Then the code is that of a character. poppler's `GfxFont` reads these names
//!   likewise, by its own list of patterns.
//! - Type 3 fonts with names of an `a` and a decimal number are bitmaps of a TeX font, as dvips and
//!   pdfTeX make them. Their codes are ASCII but for ligatures, and from 128 on those of the T1
//!   encoding (LaTeX's `encguide`; Knuth, *The TeXbook*, appendix F).
//! - Of other names nothing is known. poppler, MuPDF and pdfium then take the code for that of a
//!   character, and so is done here where it is one of ASCII, as a guess; but not in fonts whose
//!   codes were plainly dealt out one after the other.

use super::Certainty;
use super::names::{self, Numbered};

/// A code and the name of its glyph.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) code: u8,
    pub(super) name: String,
}

/// A font with at least this many codes in a row has them all, and did not deal them out.
const WHOLE_FONT: usize = 64;

/// The characters of codes with names that no list knows.
pub(super) fn characters(named: &[Named], is_type3: bool) -> Vec<(u8, String, Certainty)> {
    let dealt_out = are_dealt_out(named);
    let numbers: Vec<Option<Numbered<'_>>> =
        named.iter().map(|named| names::numbered(&named.name)).collect();
    let are_codes = 4 * named.iter().zip(&numbers).filter(|(named, n)| is_code(named, n)).count()
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
        let is_known = is_tex || (are_codes && is_code(named, number));
        let certainty = if is_known { Certainty::Known } else { Certainty::Guessed };
        match text {
            Some(text) => found.push((code, text, certainty)),
            None => found.push((code, String::new(), Certainty::Unknown)),
        }
    }
    found
}

/// Whether a name is the number of its code.
fn is_code(named: &Named, number: &Option<Numbered<'_>>) -> bool {
    let code = Some(u32::from(named.code));
    number.is_some_and(|number| number.decimal == code || number.hexadecimal == code)
}

/// Whether codes were given to glyphs in the order in which these were needed: from the first that
/// producers begin with, and without a gap.
fn are_dealt_out(named: &[Named]) -> bool {
    let codes = || named.iter().map(|named| named.code);
    let (Some(first), Some(last)) = (codes().min(), codes().max()) else { return false };
    let distinct = codes().collect::<std::collections::BTreeSet<_>>().len();
    first <= 33 && distinct < WHOLE_FONT && distinct == usize::from(last - first) + 1
}

/// The character of a code that is one of ASCII.
fn latin(code: u8) -> Option<String> {
    (b' '..0x7F).contains(&code).then(|| char::from(code).to_string())
}

/// The encodings of TeX's text fonts, OT1 and T1, as far as they can be told apart by a font's codes.
struct Tex {
    /// Whether the font has a comma or a full stop where ASCII has it, as fonts of letters do and
    /// those of formulas do not.
    is_text: bool,
    /// Whether it has ligatures where OT1 has them.
    is_ot1: bool,
}

/// T1's letters from 128 to 191. From 192 on they are those of Latin-1 but for four.
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
    fn names_that_are_numbers_say_codes() {
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
    fn names_of_which_nothing_is_known_are_guessed_by_their_codes() {
        let (text, certain) = text(&named(*b"HeloTX", |code| format!("zz{code}zz")), false);
        assert_eq!((&*text, &*certain), ("HeloTX", &[Certainty::Guessed][..]));
    }

    #[test]
    fn codes_that_were_dealt_out_say_nothing() {
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
