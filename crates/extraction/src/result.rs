//! The result of an extraction, and its errors.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ground::{Grounding, Match, Place};
use crate::model::{ModelError, Usage};
use crate::schema::Violation;

/// The data of a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extraction {
    /// The schema's id.
    pub schema: String,
    /// The schema's version.
    pub schema_version: u32,
    /// The model that answered.
    pub model: String,
    /// The data. It fits the schema if `violations` is empty. Otherwise it fits the schema without `required`.
    pub value: Value,
    /// Each value other than an object or array, in the order of `value`.
    pub fields: Vec<Field>,
    /// Where the data breaks the schema: mostly missing properties.
    pub violations: Vec<Violation>,
    /// Warnings for users of the data.
    pub warnings: Vec<Warning>,
    /// Tokens used by all calls.
    pub usage: Usage,
    /// Their cost in millionths of a US dollar; `None` without a configured price.
    pub cost_micro_usd: Option<u64>,
    /// Number of calls of the model, including repairs.
    pub calls: u32,
    /// Number of parts of the document.
    pub chunks: u32,
}

/// One value and its position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// A JSON Pointer into the data.
    pub pointer: String,
    /// The value.
    pub value: Value,
    /// Whether the text contains it.
    pub grounding: Grounding,
    /// The kind of match.
    pub matched: Option<Match>,
    /// The first position.
    pub place: Option<Place>,
    /// Number of occurrences in the text that the model received, at most 20.
    pub occurrences: u32,
    /// From 0 to 1, in steps of 0.01, by the formula in the README. It is not a probability.
    pub confidence: f64,
}

/// A warning for users of the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Warning {
    /// Parts of the document have different values, and one was chosen.
    Conflict {
        /// The value's JSON Pointer.
        pointer: String,
        /// Number of different values.
        values: usize,
    },
    /// A model's answer had properties that the schema does not have. They were removed.
    UnknownProperties {
        /// The first page of the part.
        page: u32,
        /// Number of properties.
        count: usize,
    },
    /// After all repairs, a model's answer for these pages still breaks the schema. The values that break it were
    /// removed.
    Cut {
        /// The first page of the part.
        page: u32,
        /// Number of values.
        count: usize,
    },
    /// A model's answer for these pages exceeded the limit, and the pages could not be split further. The data before
    /// the cut is kept.
    CutOff {
        /// The first page of the part.
        page: u32,
    },
    /// After all repairs, a model's answer for these pages is not JSON.
    NoAnswer {
        /// The first page of the part.
        page: u32,
    },
    /// The token budget was used up before these pages.
    Unread {
        /// The first page of the part.
        page: u32,
    },
}

/// The reason why there is no extraction, or only a partial one.
#[derive(Debug, thiserror::Error)]
pub enum Outcome {
    /// The pages contain no text.
    #[error("the document has no text")]
    NoText,
    /// The pages contain more text than [`crate::Limits`] allow.
    #[error("the document has more text than the limits allow")]
    TooLong,
    /// The model gave no answer.
    #[error("{error}")]
    Model {
        /// The error; it says whether a retry may help.
        error: ModelError,
        /// Tokens used so far.
        usage: Usage,
    },
    /// The extraction took longer than [`crate::Limits`] allow.
    #[error("the extraction did not end in time")]
    OutOfTime {
        /// Tokens used so far.
        usage: Usage,
    },
    /// The token budget is used up. Contains the data of the pages read so far.
    #[error("the token budget is used up")]
    OutOfBudget(Box<Extraction>),
    /// After all repairs, the data does not fit the schema. Contains the data that fits.
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

    /// The data that fits the schema, if any.
    #[must_use]
    pub fn partial(&self) -> Option<&Extraction> {
        match self {
            Self::OutOfBudget(partial) | Self::Invalid(partial) => Some(partial),
            _ => None,
        }
    }
}
