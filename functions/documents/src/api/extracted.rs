//! The schema of extracted data. The types of the crate `extraction` do not know utoipa, so these describe what they
//! serialize. The tests of the pipeline check real data against it.

use serde_json::Value;
use utoipa::ToSchema;

/// The extracted data, with the place of each value in the text.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is only a schema")]
pub(super) struct ExtractedData {
    /// The schema's name, such as `invoice`.
    schema: String,
    /// The schema's version.
    schema_version: u32,
    /// The model that answered.
    model: String,
    /// The data, as the schema describes it. If there are violations, required values may be missing.
    value: Value,
    /// Each value of the data other than an object or array, in their order.
    fields: Vec<ExtractedField>,
    /// Where the data breaks the schema: mostly missing values.
    violations: Vec<SchemaViolation>,
    /// What may be wrong with the data.
    warnings: Vec<DataWarning>,
    usage: TokenUsage,
    /// The cost in millionths of a US dollar, or `null` if the price is not known.
    cost_micro_usd: Option<u64>,
    /// The number of calls of the model.
    calls: u32,
    /// The number of parts in which the model read the document.
    chunks: u32,
}

/// A value and its place in the text.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is only a schema")]
struct ExtractedField {
    /// A JSON Pointer into the data.
    pointer: String,
    /// The value.
    value: Value,
    grounding: Grounding,
    /// How the value and the text match, or `null`.
    matched: Option<TextMatch>,
    /// The first place of the value, or `null`.
    place: Option<TextPlace>,
    /// How often the value occurs in the text; at most 20.
    occurrences: u32,
    /// From 0 to 1. It is not a probability.
    confidence: f64,
}

/// Whether a value is in the text: it is; it is concluded from the text; the place has another reading too; it is not.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it is only a schema")]
enum Grounding {
    Grounded,
    Derived,
    Ambiguous,
    Ungrounded,
}

/// How a value and the text match: by character; without case, accents and punctuation; as a date or a number in another
/// format; in another unit; as a currency symbol; with the other sign; in another order of lines.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it is only a schema")]
enum TextMatch {
    Exact,
    Normalised,
    Date,
    Number,
    Scaled,
    Symbol,
    OtherSign,
    Words,
}

/// A place in the text.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is only a schema")]
struct TextPlace {
    /// The page, from 1.
    page: u32,
    /// The first character (Unicode scalar value) in the page's text, from 0.
    start: usize,
    /// The character after the last one.
    end: usize,
    /// The text at this place; at most 200 characters.
    quote: String,
}

/// Where the data breaks the schema.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is only a schema")]
struct SchemaViolation {
    /// A JSON Pointer into the data.
    pointer: String,
    /// The keyword of JSON Schema that the data breaks.
    keyword: String,
    /// What the keyword asks for.
    expected: String,
}

/// What may be wrong with the data.
#[derive(ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(dead_code, reason = "it is only a schema")]
enum DataWarning {
    /// Parts of the document have different values, and one was chosen.
    Conflict {
        /// A JSON Pointer into the data.
        pointer: String,
        /// The number of different values.
        values: usize,
    },
    /// The model answered with properties that the schema does not have. They were removed.
    UnknownProperties {
        /// The first page of the part.
        page: u32,
        /// The number of properties.
        count: usize,
    },
    /// The model answered with values that break the schema. They were removed.
    Cut {
        /// The first page of the part.
        page: u32,
        /// The number of values.
        count: usize,
    },
    /// The model's answer was longer than the limit. What came before is kept.
    CutOff {
        /// The first page of the part.
        page: u32,
    },
    /// The model did not answer with JSON.
    NoAnswer {
        /// The first page of the part.
        page: u32,
    },
    /// The budget of tokens was used up before this part.
    Unread {
        /// The first page of the part.
        page: u32,
    },
}

/// The used tokens.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is only a schema")]
struct TokenUsage {
    /// Tokens that the model read.
    input_tokens: u64,
    /// Tokens that the model wrote.
    output_tokens: u64,
    /// Whether some of these are estimates.
    estimated: bool,
}
