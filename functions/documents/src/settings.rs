//! What a tenant has set.

use serde::{Deserialize, Serialize};

/// What a tenant has set for its documents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What a file must not have.
    pub policy: pdf_inspect::Policy,
    /// Whether only documents that conform to PDF/A, in the flavour that they claim, are taken.
    pub require_pdfa: bool,
    /// Where the tenant is told of a document's end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
}

/// Where a tenant is told of a document's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The URL that is posted to.
    pub url: String,
    /// What signs the posts, in base 64. The tenant has it too.
    pub secret: String,
}
