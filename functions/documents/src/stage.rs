//! The stages that a document goes through, and what each leaves in the document's record.
//!
//! ```text
//! validate ──▶ scan ──▶ pdfa ──▶ text ──▶ structure ──▶ ready
//!    │           │        │        │          │
//!    └───────────┴────────┴──┬─────┴──────────┘
//!                            ├──▶ rejected   the document's fault, with the rule that it broke
//!                            └──▶ failed     ours, once every attempt is spent
//! ```

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::schema::SchemaRef;

/// A stage, which has a function and a queue of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Is it a PDF that we are ready to read, by the tenant's policy?
    Validate,
    /// Is there malware in it? Until this is passed, only these two stages can read the file.
    Scan,
    /// Does it conform to PDF/A?
    Pdfa,
    /// What is its text?
    Text,
    /// What does the text say, in the terms of a schema?
    Structure,
}

impl Stage {
    /// All of them, in their order.
    pub const ALL: [Self; 5] =
        [Self::Validate, Self::Scan, Self::Pdfa, Self::Text, Self::Structure];

    /// The stage after this one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| *stage > self)
    }

    /// The stage's name, as it is written in records.
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

/// What each stage has found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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

/// A stage that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done<T> {
    /// How it ended.
    pub outcome: Outcome,
    /// When its last attempt was started.
    pub started_at: Timestamp,
    /// When it was over.
    pub finished_at: Timestamp,
    /// How many attempts it took.
    pub attempts: u32,
    /// What it found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<T>,
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The document went on.
    Passed,
    /// The same bytes of the same tenant had passed before, and the results are those.
    Reused,
    /// There was nothing to do.
    Skipped,
    /// The document was rejected.
    Rejected,
}

/// What the validation found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// The version of PDF, such as `1.7`.
    pub pdf_version: String,
    /// How many pages there are.
    pub pages: usize,
    /// How many objects were looked at.
    pub objects: usize,
    /// What the tenant's policy has flagged: it is allowed, and worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Reason>,
}

/// A thing about a document that a policy refuses or flags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What it is, such as `java_script`.
    pub code: String,
    /// In words, with the object where it was first seen.
    pub detail: String,
}

/// What a scan for malware found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// What scanned, such as `clamd`.
    pub engine: String,
    /// The malware's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// How far a document conforms to PDF/A.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conformance {
    /// The flavour that the document claims, such as `2b` or `4f`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed: Option<String>,
    /// The flavour that it was checked against: the one claimed, or `2b`. A document that claims a part
    /// after PDF/A-4, for which there is no check, does not conform, by the rule `unchecked`.
    pub flavour: String,
    /// Whether it conforms.
    pub conforming: bool,
    /// The rules that it breaks, each once, the first [`MAX_FAILURES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<RuleFailure>,
}

/// How many broken rules stand in a record.
pub const MAX_FAILURES: usize = 20;

/// A rule of PDF/A that a document breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The version of PDF, such as `1.7`.
    pub pdf_version: String,
    /// How many pages there are.
    pub pages: usize,
    /// How many words are on them: runs of characters between white space.
    pub words: usize,
    /// The size of the text in bytes of UTF-8.
    pub text_bytes: usize,
    /// How many glyphs are no part of the text, because nothing says what they stand for.
    #[serde(default)]
    pub unknown_glyphs: usize,
    /// How many glyphs stand in the text by a guess.
    #[serde(default)]
    pub guessed_glyphs: usize,
    /// Whether the document has a form of XFA, whose contents may be missing in the text.
    #[serde(default)]
    pub xfa: bool,
    /// The first [`EXCERPT_CHARACTERS`] characters of text.
    pub excerpt: String,
    /// The document's title, by its information dictionary, or else by its metadata.
    pub title: Option<String>,
    /// Its author.
    pub author: Option<String>,
    /// The program that it was written with.
    pub creator: Option<String>,
    /// The program that made the PDF.
    pub producer: Option<String>,
    /// The key of the text in the bucket. Its owner is shown a link in its place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text_key: String,
    /// The keys of the lines and their positions, run by run of pages. The same goes for these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<PageRun>,
}

/// How many characters of text stand in the document's record.
pub const EXCERPT_CHARACTERS: usize = 500;

/// Some pages in a row, and the object that has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRun {
    /// The first page, counted from 1.
    pub from: usize,
    /// The last page.
    pub to: usize,
    /// The object's key: a page a line, as JSON.
    pub key: String,
}

/// How far the text stage has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// How many pages are read.
    pub pages: usize,
    /// How many words were on them.
    pub words: usize,
    /// How many bytes of text.
    pub text_bytes: usize,
    /// How many glyphs were unknown.
    #[serde(default)]
    pub unknown_glyphs: usize,
    /// How many glyphs were guessed.
    #[serde(default)]
    pub guessed_glyphs: usize,
    /// The first characters.
    pub excerpt: String,
    /// Where they are.
    pub runs: Vec<PageRun>,
}

/// What the structure stage found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Structure {
    /// The schema and its version, such as `invoice@1`.
    pub schema: String,
    /// What is wrong with the data, or why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// The model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The key of the data in the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How many values were found.
    pub values: usize,
    /// How many of them stand in the text.
    pub grounded: usize,
    /// Tokens that the model read.
    pub input_tokens: u64,
    /// Tokens that it wrote.
    pub output_tokens: u64,
    /// What that cost, in millionths of a US dollar, if the price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_microusd: Option<u64>,
}

impl Structure {
    /// Nothing, in the terms of `schema`.
    #[must_use]
    pub fn new(schema: &SchemaRef, problem: Option<Problem>) -> Self {
        Self { schema: schema.to_string(), problem, ..Self::default() }
    }
}

/// What is wrong with extracted data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// It does not fit the schema, however often the model was asked: something that is required is
    /// missing, and what did not fit is left out.
    Incomplete,
    /// The budget of tokens was used up before the last page, or the tenant's for a whole day.
    Budget,
    /// The document has more text than the limits allow.
    TooLong,
    /// There is more of it than an answer can hold.
    TooLarge,
    /// The model would not answer.
    Refused,
    /// The schema was accepted under earlier rules and is not valid under today's: put a new version.
    Schema,
}

/// Why a document was rejected: what it is, and not what went wrong on our side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Rejection {
    /// It is no PDF, is damaged, needs a password, is over a budget, or has what the tenant's policy
    /// refuses.
    Invalid {
        /// What is wrong, each once.
        reasons: Vec<Reason>,
    },
    /// Its bytes are not those whose SHA-256 was announced.
    ChecksumMismatch,
    /// It ended the process that read it, every time.
    ParserLimits {
        /// The limit that it met.
        limit: Limit,
    },
    /// There is malware in it.
    Infected {
        /// The malware's name, by the scanner.
        signature: String,
    },
    /// The scanner will not look into it, as it is too large or encrypted for it.
    Unscannable {
        /// What the scanner says.
        detail: String,
    },
    /// The tenant's policy asks for PDF/A, and it does not conform.
    NotPdfa {
        /// The flavour that was checked.
        flavour: String,
    },
    /// It holds more text than a document is given.
    TooMuchText,
}

/// A limit of the process that reads a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Its address space.
    Memory,
    /// Its stack.
    Stack,
    /// Its processor time.
    CpuTime,
    /// The time on the clock.
    Time,
    /// What it may read, over and over.
    Reads,
    /// What it may give.
    Output,
    /// It ended in an error of ours.
    Crash,
}

/// Why a document failed on our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The file was deleted before it was read.
    FileGone,
    /// Every attempt ended in an error of ours. The job is kept for an operator, who can have it
    /// tried again.
    GaveUp,
}

/// What a document waits for, while it is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// The scanner.
    Scanner,
    /// The language model.
    Model,
    /// The tenant's budget of the model's tokens, which is renewed each day.
    Budget,
}
