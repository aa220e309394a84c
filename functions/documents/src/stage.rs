//! The stages of a document, and the result that each stores in the document's record.
//!
//! ```text
//! validate ──▶ scan ──▶ pdfa ──▶ text ──▶ structure ──▶ ready
//!    │           │        │        │          │
//!    └───────────┴────────┴──┬─────┴──────────┘
//!                            ├──▶ rejected   the document is at fault; the reason names the broken rule
//!                            └──▶ failed     an error on our side
//! ```

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema::SchemaRef;

/// A stage. Each has its own function and queue.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Checks that the file is a readable PDF that the tenant's policy allows.
    Validate,
    /// Scans for malware. Until a file passes, only this stage and `validate` can read it.
    Scan,
    /// Checks conformance to PDF/A.
    Pdfa,
    /// Extracts the text.
    Text,
    /// Extracts data that fits a schema.
    Structure,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 5] =
        [Self::Validate, Self::Scan, Self::Pdfa, Self::Text, Self::Structure];

    /// The stage after this one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| *stage > self)
    }

    /// The stage's name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Scan => "scan",
            Self::Pdfa => "pdfa",
            Self::Text => "text",
            Self::Structure => "structure",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The result of each stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Stages {
    /// The validation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validate: Option<Done<Validation>>,
    /// The scan for malware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<Done<Scan>>,
    /// The check of PDF/A.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pdfa: Option<Done<Conformance>>,
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Done<Text>>,
    /// The data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structure: Option<Done<Structure>>,
}

/// A finished stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Done<T> {
    /// How the stage ended.
    pub outcome: Outcome,
    /// When its last attempt started.
    pub started_at: Timestamp,
    /// When the stage ended.
    pub finished_at: Timestamp,
    /// The number of attempts.
    pub attempts: u32,
    /// What the stage found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<T>,
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StageOutcome)]
pub enum Outcome {
    /// The document continues.
    Passed,
    /// The tenant has another document with the same bytes; its results are used.
    Reused,
    /// There was nothing to do.
    Skipped,
    /// The document was rejected.
    Rejected,
}

/// What the validation found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Validation {
    /// The PDF version, such as `1.7`.
    pub pdf_version: String,
    /// The number of pages.
    pub pages: usize,
    /// The number of inspected objects.
    pub objects: usize,
    /// What the tenant's policy allows but flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Reason>,
}

/// Why a file is refused or flagged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = InspectionReason)]
pub struct Reason {
    /// The reason's code, such as `java_script`.
    pub code: String,
    /// A description, with the first object that has it.
    pub detail: String,
}

/// What a scan for malware found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scan {
    /// The scanner, such as `clamd`.
    pub engine: String,
    /// The malware's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// The result of the PDF/A check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Conformance {
    /// The flavour that the document claims, such as `2b` or `4f`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed: Option<String>,
    /// The flavour that was checked: the claimed one, or else `2b`. There is no check for parts after
    /// PDF/A-4: a document that claims one does not conform, and breaks the rule `unchecked`.
    pub flavour: String,
    /// Whether the document conforms.
    pub conforming: bool,
    /// The broken rules, each once; the first 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<RuleFailure>,
}

/// The maximum number of broken rules in a record.
pub const MAX_FAILURES: usize = 20;

/// A PDF/A rule that a document breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleFailure {
    /// The clause of ISO 19005 and the number of its test, such as `6.2.2-1`.
    pub rule: String,
    /// The number of the first object that breaks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<u32>,
    /// What is wrong.
    pub detail: String,
}

/// What the text stage found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TextResult)]
pub struct Text {
    /// The PDF version, such as `1.7`.
    pub pdf_version: String,
    /// The number of pages.
    pub pages: usize,
    /// The number of words: runs of characters between white space.
    pub words: usize,
    /// The size of the text in bytes of UTF-8.
    pub text_bytes: usize,
    /// The number of glyphs that are not in the text because the file does not define their characters.
    #[serde(default)]
    #[schema(required)]
    pub unknown_glyphs: usize,
    /// The number of glyphs in the text whose characters are guessed.
    #[serde(default)]
    #[schema(required)]
    pub guessed_glyphs: usize,
    /// Whether the document has an XFA form. The form's contents may be missing in the text.
    #[serde(default)]
    #[schema(required)]
    pub xfa: bool,
    /// The first 500 characters of text.
    pub excerpt: String,
    /// The document's title, from its information dictionary, or else from its metadata; or `null`.
    pub title: Option<String>,
    /// The author, or `null`.
    pub author: Option<String>,
    /// The program that created the original document, or `null`.
    pub creator: Option<String>,
    /// The program that produced the PDF, or `null`.
    pub producer: Option<String>,
    /// The text's key in the bucket. The owner gets a link instead.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(ignore)]
    pub text_key: String,
    /// The keys of the lines with their positions, by run of pages. The owner gets links instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(ignore)]
    pub runs: Vec<PageRun>,
}

/// The maximum number of characters of text in the document's record.
pub const EXCERPT_CHARACTERS: usize = 500;

/// Consecutive pages, and the object that contains them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRun {
    /// The first page, counted from 1.
    pub from: usize,
    /// The last page.
    pub to: usize,
    /// The object's key. The object has one line of JSON for each page.
    pub key: String,
}

/// The saved progress of the text stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The number of pages read.
    pub pages: usize,
    /// Their number of words.
    pub words: usize,
    /// Their text in bytes.
    pub text_bytes: usize,
    /// Their number of unknown glyphs.
    #[serde(default)]
    pub unknown_glyphs: usize,
    /// Their number of guessed glyphs.
    #[serde(default)]
    pub guessed_glyphs: usize,
    /// The first characters of text.
    pub excerpt: String,
    /// The objects that contain the pages.
    pub runs: Vec<PageRun>,
}

/// What the structure stage found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = StructureResult)]
pub struct Structure {
    /// The schema and its version, such as `invoice@1`.
    pub schema: String,
    /// What is wrong with the data, or why there is no data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// The model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The key of the data in the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub key: Option<String>,
    /// The number of extracted values.
    pub values: usize,
    /// The number of values that were found in the text.
    pub grounded: usize,
    /// Tokens that the model read.
    pub input_tokens: u64,
    /// Tokens that the model wrote.
    pub output_tokens: u64,
    /// The cost in millionths of a US dollar, if the price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_microusd: Option<u64>,
}

impl Structure {
    /// A result without data.
    #[must_use]
    pub fn new(schema: &SchemaRef, problem: Option<Problem>) -> Self {
        Self { schema: schema.to_string(), problem, ..Self::default() }
    }
}

/// What is wrong with extracted data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StructureProblem)]
pub enum Problem {
    /// After all tries, the data does not fit the schema: a required value is missing. Values that do not
    /// fit are left out.
    Incomplete,
    /// The document's token budget was used up before the last page, or the tenant had no tokens for a day.
    Budget,
    /// The document has more text than the limits allow.
    TooLong,
    /// The data is larger than an answer can be.
    TooLarge,
    /// The model refused to answer.
    Refused,
    /// The schema was accepted under earlier rules and is no longer valid: put a new version.
    Schema,
}

/// Why a document was rejected. The cause is the document, not an error on our side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Rejection {
    /// The file is not a PDF, is damaged, needs a password, exceeds a limit, or has what the tenant's
    /// policy refuses.
    Invalid {
        /// The reasons, each once.
        reasons: Vec<Reason>,
    },
    /// The file's SHA-256 is not the announced one.
    ChecksumMismatch,
    /// The file terminated its reader process in every try.
    ParserLimits {
        /// The limit that was reached.
        limit: Limit,
    },
    /// The file contains malware.
    Infected {
        /// The scanner's name of the malware.
        signature: String,
    },
    /// The scanner cannot scan the file: it is too large or encrypted, for example.
    Unscannable {
        /// The scanner's message.
        detail: String,
    },
    /// The tenant requires PDF/A, and the file does not conform.
    NotPdfa {
        /// The flavour that was checked.
        flavour: String,
    },
    /// The file has more text than the limit allows.
    TooMuchText,
}

/// A limit of the process that reads a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReaderLimit)]
pub enum Limit {
    /// Address space.
    Memory,
    /// Stack.
    Stack,
    /// Processor time.
    CpuTime,
    /// Elapsed time without output.
    Time,
    /// Bytes read in all.
    Reads,
    /// Bytes of output.
    Output,
    /// No limit: the process crashed.
    Crash,
}

/// Why a document failed on our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The file was deleted before it was read.
    FileGone,
    /// All attempts failed on our side, or the document waited too long. The job is in the dead-letter
    /// queue, and an operator can redrive it.
    GaveUp,
}

/// The unavailable thing that a document waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// The scanner.
    Scanner,
    /// The language model.
    Model,
    /// The tenant's budget of model tokens, which is renewed each day.
    Budget,
}
