//! Extracts structured data from the text of a document with a language model that is not trusted.
//!
//! A [`Schema`] describes the data: a tenant's schema that [`Schema::register`] checked, or one of the four built-in
//! schemas. An [`Extractor`] sends the pages to a [`Model`], in as many calls as their length requires, and combines
//! the answers into one [`Extraction`]. For any answers of the model, an extraction
//!
//! - is JSON that fits the schema,
//! - states for each value whether this crate found it in the text, on which page and where ([`Field`]),
//! - uses no more tokens than its [`Limits`] allow, and states how many.
//!
//! A document can contain false statements, but it cannot do more: the model receives it as delimited data, the model's
//! only tool carries its answer, each call has one document, and nothing in the answer is executed.
//!
//! The modules in order: [`schema`] → `chunk` (pages to calls) → `prompt` → [`model`] → `answer` (checked JSON) →
//! [`ground`] (values found in the text) → `merge` (calls to one result) → [`Extraction`]. `extractor` runs them.

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
    /// The page number in the document, from 1.
    pub number: u32,
    /// Its text in reading order.
    pub text: String,
}
