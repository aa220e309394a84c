//! Parts and levels of PDF/A, and the flavour that a file claims.

use std::{fmt, str::FromStr};

use cos::{File, Source};
use serde::{Serialize, Serializer};

use crate::Claim;

/// The last part of ISO 19005 that this crate can check.
pub const LAST_PART: u8 = 4;

/// A part of ISO 19005.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// ISO 19005-1:2005, with its corrigenda: PDF 1.4.
    One,
    /// ISO 19005-2:2011: PDF 1.7.
    Two,
    /// ISO 19005-3:2012: like part 2, with any embedded files.
    Three,
    /// ISO 19005-4:2020: PDF 2.0.
    Four,
}

/// A conformance level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Basic: the visual appearance is preserved.
    B,
    /// Unicode: level B, and text has Unicode values. Only parts 2 and 3.
    U,
    /// Accessible: level U, and the file has a logical structure.
    A,
    /// No level: part 4 for most documents.
    Unnamed,
    /// Part 4 for engineering: 3D and rich media.
    E,
    /// Part 4 with any embedded files.
    F,
}

/// A part and a level to check against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flavour {
    /// The part.
    pub part: Part,
    /// The level.
    pub level: Level,
}

impl Part {
    /// 1 to 4.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
        }
    }
}

impl Flavour {
    /// A flavour. Parts 1 to 3 need a level; 1u does not exist.
    #[must_use]
    pub fn new(part: u8, level: Option<char>) -> Option<Self> {
        let part = match part {
            1 => Part::One,
            2 => Part::Two,
            3 => Part::Three,
            4 => Part::Four,
            _ => return None,
        };
        let level = match (part, level.map(|level| level.to_ascii_lowercase())) {
            (Part::Four, None) => Level::Unnamed,
            (Part::Four, Some('e')) => Level::E,
            (Part::Four, Some('f')) => Level::F,
            (Part::Four, _) => return None,
            (_, Some('a')) => Level::A,
            (_, Some('b')) => Level::B,
            (Part::Two | Part::Three, Some('u')) => Level::U,
            _ => return None,
        };
        Some(Self { part, level })
    }

    /// The flavour that the metadata of `file` claims; `None` if it claims none, or one that cannot
    /// be checked: see [`Claim`].
    #[must_use]
    pub fn detect<S: Source>(file: &File<S>) -> Option<Self> {
        Claim::read(file)?.flavour()
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::A => "a",
            Level::B => "b",
            Level::U => "u",
            Level::Unnamed => "",
            Level::E => "e",
            Level::F => "f",
        };
        write!(f, "{}{level}", self.part.number())
    }
}

impl FromStr for Flavour {
    type Err = UnknownFlavour;

    /// Parses `1b`, `2U`, `4` and so on.
    fn from_str(text: &str) -> Result<Self, UnknownFlavour> {
        let mut chars = text.chars();
        match (chars.next().and_then(|part| part.to_digit(10)), chars.next(), chars.next()) {
            (Some(part), level, None) => {
                u8::try_from(part).ok().and_then(|part| Self::new(part, level))
            }
            _ => None,
        }
        .ok_or(UnknownFlavour)
    }
}

impl Serialize for Flavour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Text that is not the name of a flavour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownFlavour;

impl fmt::Display for UnknownFlavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no flavour of PDF/A: 1a, 1b, 2a, 2b, 2u, 3a, 3b, 3u, 4, 4e, 4f are")
    }
}

impl std::error::Error for UnknownFlavour {}

#[cfg(test)]
mod tests {
    use super::Flavour;

    #[test]
    fn names_of_flavours_can_be_parsed_again() {
        for name in ["1a", "1b", "2a", "2b", "2u", "3a", "3b", "3u", "4", "4e", "4f"] {
            let flavour: Flavour = name.parse().unwrap();
            assert_eq!(flavour.to_string(), name);
            assert_eq!(name.to_uppercase().parse(), Ok(flavour));
        }
    }

    #[test]
    fn other_names_are_rejected() {
        for name in ["", "1", "2", "3", "5", "1u", "1e", "3f", "4a", "4b", "4u", "4ef", "44", "b"] {
            assert!(name.parse::<Flavour>().is_err(), "{name}");
        }
    }
}
