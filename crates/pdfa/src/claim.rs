//! The conformance that a file claims, whether or not this crate can check it.

use std::fmt;

use cos::{File, Object, Source};

use crate::Flavour;

/// The part of ISO 19005, and its level, in the metadata of a file (ISO 19005-1, 6.7.11; -2 and -3,
/// 6.6.4; -4, 6.7.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// `pdfaid:part`, from 1 to 9.
    pub part: u8,
    /// `pdfaid:conformance`: one letter, in lower case. Part 4 has `e`, `f` and none.
    pub level: Option<char>,
    /// `pdfaid:rev`, the year of part 4: four digits.
    pub revision: Option<u16>,
}

impl Claim {
    /// The claim of `file`; `None` if its metadata has no part, or cannot be read.
    #[must_use]
    pub fn read<S: Source>(file: &File<S>) -> Option<Self> {
        let root = file.root().ok()?;
        let Object::Stream(metadata) = file.get(&root, "Metadata").ok()? else { return None };
        Self::of_packet(&file.stream_data(&metadata).ok()?)
    }

    fn of_packet(packet: &[u8]) -> Option<Self> {
        let claimed = crate::xmp::claim(packet)?;
        let mut digits = claimed.part.chars();
        let (digit, None) = (digits.next()?.to_digit(10)?, digits.next()) else { return None };
        let part = u8::try_from(digit).ok().filter(|part| *part > 0)?;
        let letter = |text: String| {
            let mut letters = text.chars();
            let only = letters.next().filter(char::is_ascii_alphabetic)?.to_ascii_lowercase();
            letters.next().is_none().then_some(only)
        };
        let year = |text: String| text.parse().ok().filter(|year| (1000..=9999).contains(year));
        Some(Self {
            part,
            level: claimed.conformance.and_then(letter),
            revision: claimed.revision.and_then(year),
        })
    }

    /// The flavour to check against; `None` if this crate cannot check the claim. A level that part
    /// 4 does not have is checked against part 4 without a level, which it breaks.
    #[must_use]
    pub fn flavour(&self) -> Option<Flavour> {
        let unnamed = || Flavour::new(self.part, None);
        Flavour::new(self.part, self.level).or_else(unnamed)
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.part)?;
        self.level.map_or(Ok(()), |level| write!(f, "{level}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(properties: &str) -> Option<Claim> {
        let packet =
            format!("<x xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\" {properties}></x>");
        Claim::of_packet(packet.as_bytes())
    }

    #[test]
    fn every_part_and_level_is_read() {
        let cases = [
            ("pdfaid:part='2' pdfaid:conformance='B'", "2b", true),
            ("pdfaid:part='1' pdfaid:conformance='a'", "1a", true),
            ("pdfaid:part='4' pdfaid:rev='2020'", "4", true),
            ("pdfaid:part=' 4 ' pdfaid:conformance='F' pdfaid:rev='2020'", "4f", true),
            ("pdfaid:part='4' pdfaid:conformance='E'", "4e", true),
            ("pdfaid:part='4' pdfaid:conformance='B'", "4b", true),
            ("pdfaid:part='5'", "5", false),
            ("pdfaid:part='3'", "3", false),
            ("pdfaid:part='1' pdfaid:conformance='U'", "1u", false),
        ];
        for (properties, told, checked) in cases {
            let claim = claim(properties).unwrap();
            assert_eq!((claim.to_string().as_str(), claim.flavour().is_some()), (told, checked));
        }
        let part_4 = claim("pdfaid:part='4' pdfaid:conformance='F' pdfaid:rev='2020'").unwrap();
        assert_eq!(part_4, Claim { part: 4, level: Some('f'), revision: Some(2020) });
    }

    #[test]
    fn an_invalid_part_is_not_a_claim() {
        for properties in ["", "pdfaid:part=''", "pdfaid:part='0'", "pdfaid:part='22'"] {
            assert_eq!(claim(properties), None, "{properties}");
        }
        assert_eq!(claim("pdfaid:conformance='B'"), None);
        let odd = claim("pdfaid:part='4' pdfaid:conformance='Full' pdfaid:rev='20'").unwrap();
        assert_eq!(odd, Claim { part: 4, level: None, revision: None });
    }
}
