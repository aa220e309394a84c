//! The settings of a tenant.

use serde::{Deserialize, Serialize};
use shared::webhook::Webhook;

/// A tenant's settings for its documents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What a file must not contain.
    pub policy: pdf_inspect::Policy,
    /// Whether a document must conform to PDF/A, in the flavour that it claims.
    pub require_pdfa: bool,
    /// The webhook that receives the final status of each document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// How often the settings were replaced, so that no edit replaces another one that it has not seen.
    #[serde(skip_serializing)]
    pub edits: u32,
}
