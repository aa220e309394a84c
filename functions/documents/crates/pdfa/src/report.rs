//! What a validation found.

use cos::Ref;
use serde::{Serialize, Serializer};

use crate::Flavour;

/// A rule that does not hold at some place of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The clause of the ISO 19005 part checked against.
    pub clause: &'static str,
    /// Which test of that clause, as veraPDF numbers them.
    pub test: u16,
    /// The indirect object it was found in or near.
    #[serde(serialize_with = "as_text", skip_serializing_if = "Option::is_none")]
    pub object: Option<Ref>,
    /// What is wrong there.
    pub detail: String,
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn as_text<S: Serializer>(object: &Option<Ref>, serializer: S) -> Result<S::Ok, S::Error> {
    match object {
        Some(id) => serializer.collect_str(id),
        None => serializer.serialize_none(),
    }
}

/// The outcome of a validation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What was checked against.
    pub flavour: Flavour,
    /// Whether no rule failed.
    pub conforming: bool,
    /// What failed, in the order it was found, up to [`MAX_PER_RULE`](crate::MAX_PER_RULE) times
    /// for each rule.
    pub failures: Vec<Failure>,
    /// How often rules failed, those counted that `failures` leaves out.
    pub count: usize,
}
