//! Parts and levels of PDF/A, and the one that a file claims.

use std::{fmt, str::FromStr};

use cos::{File, Source};
use serde::{Serialize, Serializer};

use crate::Claim;

/// A part of ISO 19005.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// ISO 19005-1:2005, with its corrigenda: PDF 1.4.
    One,
    /// ISO 19005-2:2011: PDF 1.7.
    Two,
    /// ISO 19005-3:2012: part 2, with any embedded files.
    Three,
}

/// A conformance level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Basic: looks the same.
    B,
    /// Basic, and text has Unicode. Parts 2 and 3 alone.
    U,
    /// Accessible: text has Unicode, and the logical structure is there.
    A,
}

/// What to check against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flavour {
    /// The part.
    pub part: Part,
    /// The level.
    pub level: Level,
}

impl Part {
    /// 1, 2 or 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
        }
    }
}

impl Flavour {
    /// A flavour; there is no 1u.
    #[must_use]
    pub fn new(part: u8, level: char) -> Option<Self> {
        let part = match part {
            1 => Part::One,
            2 => Part::Two,
            3 => Part::Three,
            _ => return None,
        };
        let level = match level.to_ascii_lowercase() {
            'a' => Level::A,
            'b' => Level::B,
            'u' if part != Part::One => Level::U,
            _ => return None,
        };
        Some(Self { part, level })
    }

    /// The flavour that the metadata of `file` claims; `None` if it claims none, or one that there
    /// is no check for: see [`Claim`].
    #[must_use]
    pub fn detect<S: Source>(file: &File<S>) -> Option<Self> {
        Claim::read(file)?.flavour()
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::A => 'a',
            Level::B => 'b',
            Level::U => 'u',
        };
        write!(f, "{}{level}", self.part.number())
    }
}

impl FromStr for Flavour {
    type Err = UnknownFlavour;

    /// Of `1b`, `2U` and the like.
    fn from_str(text: &str) -> Result<Self, UnknownFlavour> {
        let mut chars = text.chars();
        match (chars.next().and_then(|part| part.to_digit(10)), chars.next(), chars.next()) {
            (Some(part), Some(level), None) => {
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

/// Text that names no flavour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownFlavour;

impl fmt::Display for UnknownFlavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no flavour of PDF/A: 1a, 1b, 2a, 2b, 2u, 3a, 3b, 3u are")
    }
}

impl std::error::Error for UnknownFlavour {}
