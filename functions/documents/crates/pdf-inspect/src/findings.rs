//! The facts about a file.

use std::collections::BTreeMap;

use cos::Ref;
use serde::{Deserialize, Serialize};

use crate::Feature;

/// What [`inspect`](crate::inspect) found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Bytes of the file.
    pub bytes: u64,
    /// Version of PDF, such as `1.7`: the header's, or the catalog's if that is later.
    pub version: String,
    /// Pages in the real tree.
    pub pages: usize,
    /// `/Count` of the page tree's root, if it is a number.
    pub declared_pages: Option<i64>,
    /// Objects that are somewhere, by the cross-reference.
    pub objects: usize,
    /// `/ID` of the trailer, each half in hexadecimal, at most 64 bytes.
    pub id: Option<[String; 2]>,
    /// How it is encrypted, if it is.
    pub encryption: Option<Encryption>,
    /// Whether the catalog has XMP metadata.
    pub metadata: bool,
    /// What the metadata claims to conform to, such as `PDF/A-2b`. It is only a claim.
    pub claim: Option<String>,
    /// Features that are there.
    pub features: BTreeMap<Feature, Found>,
    /// Whether everything was looked at. It was not if the file is so large that objects without an
    /// entry were not searched for ([`Limits::whole_bytes`](crate::Limits::whole_bytes)).
    pub complete: bool,
    /// Bytes that the streams inflate to.
    pub inflated_bytes: u64,
    /// Operators that the pages run.
    pub operators: u64,
    /// Forms, patterns, glyphs and masks that the pages draw.
    pub expansions: u64,
    /// Steps of work that this took.
    pub work: u64,
}

/// How often a feature is there, and where first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// How often.
    pub count: u64,
    /// The first object that has it, as in `12 0 R`; none if no object has it, but the file.
    pub first: Option<String>,
}

/// How a file is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// The security handler, `Standard`.
    pub handler: String,
    /// `/V`, the algorithm.
    pub version: i64,
    /// `/R`, the revision of the handler.
    pub revision: i64,
    /// Length of the key in bits, if it is said.
    pub bits: Option<i64>,
}

impl Findings {
    /// Whether a feature is there.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains_key(&feature)
    }

    pub(crate) fn add(&mut self, feature: Feature, id: Option<Ref>) {
        let found = self.features.entry(feature).or_default();
        found.count = found.count.saturating_add(1);
        if found.first.is_none() {
            found.first = id.map(|id| id.to_string());
        }
    }
}
