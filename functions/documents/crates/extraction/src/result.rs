//! What an extraction gives, and how it may fail.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ground::{Grounding, Match, Place};
use crate::model::{ModelError, Usage};
use crate::schema::Violation;

/// A document's data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extraction {
    /// The schema's id.
    pub schema: String,
    /// The schema's version.
    pub schema_version: u32,
    /// The model that answered.
    pub model: String,
    /// The data. It fits the schema if `violations` is empty, and the schema without its `required` otherwise.
    pub value: Value,
    /// Each value that is no object and no array, in the order of `value`.
    pub fields: Vec<Field>,
    /// Where the data breaks the schema: missing properties, in the main.
    pub violations: Vec<Violation>,
    /// What a reader of the data should know.
    pub warnings: Vec<Warning>,
    /// Tokens used by all calls.
    pub usage: Usage,
    /// Their cost in millionths of a US dollar; none if the model's price is not configured.
    pub cost_micro_usd: Option<u64>,
    /// Calls of the model, repairs included.
    pub calls: u32,
    /// Parts that the document was shown in.
    pub chunks: u32,
}

/// One value and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// A JSON Pointer into the data.
    pub pointer: String,
    /// The value.
    pub value: Value,
    /// Whether it stands in the text.
    pub grounding: Grounding,
    /// How it was found.
    pub matched: Option<Match>,
    /// Where it was found first.
    pub place: Option<Place>,
    /// How often it stands in the text that the model was shown, at most 20.
    pub occurrences: u32,
    /// From 0 to 1, in steps of 0.01, by the formula in the README. It is no probability.
    pub confidence: f64,
}

/// What a reader of the data should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Warning {
    /// Parts of the document say different things, and one was chosen.
    Conflict {
        /// The value's JSON Pointer.
        pointer: String,
        /// How many different values there were.
        values: usize,
    },
    /// A model's answer had properties that the schema does not name. They were left out.
    UnknownProperties {
        /// The first page of the part.
        page: u32,
        /// How many.
        count: usize,
    },
    /// What a model answered for these pages breaks the schema after all repairs. What breaks it was left out.
    Cut {
        /// The first page of the part.
        page: u32,
        /// How many values.
        count: usize,
    },
    /// A model's answer for these pages was longer than the limit, and they could not be shown in smaller parts. What
    /// it had said until then stayed.
    CutOff {
        /// The first page of the part.
        page: u32,
    },
    /// A model's answer for these pages was no JSON after all repairs.
    NoAnswer {
        /// The first page of the part.
        page: u32,
    },
    /// The budget was used up before these pages.
    Unread {
        /// The first page of the part.
        page: u32,
    },
}

/// Why there is no extraction, or only some of one.
#[derive(Debug, thiserror::Error)]
pub enum Outcome {
    /// The pages hold no text.
    #[error("the document has no text")]
    NoText,
    /// The pages hold more text than [`crate::Limits`] allow.
    #[error("the document has more text than the limits allow")]
    TooLong,
    /// The model gave no answer.
    #[error("{error}")]
    Model {
        /// Why, and whether it may later.
        error: ModelError,
        /// What was used until then.
        usage: Usage,
    },
    /// The extraction took longer than [`crate::Limits`] allow.
    #[error("the extraction did not end in time")]
    OutOfTime {
        /// What was used until then.
        usage: Usage,
    },
    /// The token budget is used up: the data of the pages read so far.
    #[error("the token budget is used up")]
    OutOfBudget(Box<Extraction>),
    /// The data does not fit the schema after all repairs: what does.
    #[error("the data does not fit the schema")]
    Invalid(Box<Extraction>),
}

impl Outcome {
    /// Whether the same extraction may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Model { error, .. } => error.is_retryable(),
            Self::OutOfTime { .. } => true,
            Self::NoText | Self::TooLong | Self::OutOfBudget(_) | Self::Invalid(_) => false,
        }
    }

    /// What fits the schema nevertheless.
    #[must_use]
    pub fn partial(&self) -> Option<&Extraction> {
        match self {
            Self::OutOfBudget(partial) | Self::Invalid(partial) => Some(partial),
            _ => None,
        }
    }
}
