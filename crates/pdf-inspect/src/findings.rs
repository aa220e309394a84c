//! The result of an inspection.

use std::collections::BTreeMap;

use cos::Ref;
use serde::{Deserialize, Serialize};

use crate::Feature;

/// The findings of [`inspect`](crate::inspect).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Bytes of the file.
    pub bytes: u64,
    /// PDF version, such as `1.7`: from the header, or from the catalog if that is later.
    pub version: String,
    /// Number of pages found in the page tree.
    pub pages: usize,
    /// `/Count` of the page tree's root, if it is a number.
    pub declared_pages: Option<i64>,
    /// Number of objects in use, according to the cross-reference.
    pub objects: usize,
    /// `/ID` of the trailer: each half in hexadecimal, cut after 64 bytes.
    pub id: Option<[String; 2]>,
    /// How it is encrypted, if it is.
    pub encryption: Option<Encryption>,
    /// Whether the catalog has XMP metadata.
    pub metadata: bool,
    /// The conformance that the metadata claims, such as `PDF/A-2b`. It is not verified.
    pub claim: Option<String>,
    /// Features of the file.
    pub features: BTreeMap<Feature, Found>,
    /// Whether all objects were inspected. `false` if the file is too large to be searched for
    /// objects without an entry ([`Limits::whole_bytes`](crate::Limits::whole_bytes)).
    pub complete: bool,
    /// Inflated bytes of all streams.
    pub inflated_bytes: u64,
    /// Operators that the pages run.
    pub operators: u64,
    /// Forms, patterns, glyphs and masks that the pages draw.
    pub expansions: u64,
    /// Steps of work of the inspection.
    pub work: u64,
}

/// The occurrences of a feature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Number of occurrences.
    pub count: u64,
    /// The first object with the feature, such as `12 0 R`; `None` if the feature belongs to the
    /// whole file.
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
    /// Length of the key in bits, if `/Encrypt` has it.
    pub bits: Option<i64>,
}

impl Findings {
    /// Whether the file has a feature.
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
