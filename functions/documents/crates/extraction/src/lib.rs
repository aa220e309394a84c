//! Structured data out of a document's text, by a language model that is not trusted.
//!
//! A [`Schema`] says what to look for: one that a tenant brought and [`Schema::register`] checked, or one of the four
//! that ship. An [`Extractor`] shows a [`Model`] the pages, in as many calls as their length needs, and makes one
//! [`Extraction`] of the answers. Whatever the model says, an extraction
//!
//! - is JSON that fits the schema,
//! - says of each value whether it stands in the text, on which page and where ([`Field`]), as this code found it,
//! - cost no more tokens than its [`Limits`] allow, and says how many.
//!
//! A document's text cannot do more than lie about itself: it reaches the model as delimited data, the model has no
//! tool but the one that carries its answer, each call sees one document, and nothing of the answer is run.
//!
//! The map: [`schema`] → `chunk` (pages to calls) → `prompt` → [`model`] → `answer` (JSON, checked) → [`ground`]
//! (values found in the text) → `merge` (calls to one result) → [`Extraction`]. `extractor` runs it.

mod answer;
mod chunk;
pub mod config;
mod extractor;
pub mod ground;
mod merge;
pub mod model;
mod prompt;
mod result;
pub mod schema;

pub use config::{ConfigError, ModelConfig, Price};
pub use extractor::{Extractor, Limits};
pub use ground::{Grounding, Match, Place};
pub use model::bedrock::Structured;
pub use model::{Model, ModelError, Timeouts, Usage};
pub use result::{Extraction, Field, Outcome, Warning};
pub use schema::{Dialect, Schema, SchemaError, Violation};

/// The text of one page.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Page {
    /// The page's number in the document, from 1.
    pub number: u32,
    /// Its text in reading order.
    pub text: String,
}
