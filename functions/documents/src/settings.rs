//! What a tenant has set.

use serde::{Deserialize, Serialize};
use shared::webhook::Webhook;

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
