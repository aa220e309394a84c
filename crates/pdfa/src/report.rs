//! The result of a validation.

use cos::Ref;
use serde::{Serialize, Serializer};

use crate::Flavour;

/// A rule that fails at some place of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The clause of the ISO 19005 part checked against.
    pub clause: &'static str,
    /// The number of the test in that clause, in the numbering of veraPDF.
    pub test: u16,
    /// The indirect object at the failure, or the nearest one.
    #[serde(serialize_with = "as_text", skip_serializing_if = "Option::is_none")]
    pub object: Option<Ref>,
    /// Description of the failure.
    pub detail: String,
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn as_text<S: Serializer>(object: &Option<Ref>, serializer: S) -> Result<S::Ok, S::Error> {
    match object {
        Some(id) => serializer.collect_str(id),
        None => serializer.serialize_none(),
    }
}

/// The result of a validation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The flavour checked against.
    pub flavour: Flavour,
    /// Whether no rule failed.
    pub conforming: bool,
    /// The failures in the order they were found, at most [`MAX_PER_RULE`](crate::MAX_PER_RULE) for
    /// each rule.
    pub failures: Vec<Failure>,
    /// Number of all failures, including those that `failures` omits.
    pub count: usize,
}
