//! The schemas that tenants bring: checked when they are registered, and made into what a model is asked for.
//!
//! A schema is JSON Schema 2020-12 in the subset that every provider's structured output can be derived from
//! and that answers can be merged by: objects with named properties, arrays of one kind of item, scalars,
//! enumerations, `anyOf`, and `$ref` into the schema's own `$defs`. What is outside is refused by name.

mod node;
mod parse;
mod possible;

use jsonschema::{Draft, PatternOptions, Validator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use node::{Kind, Node, Scalar};

use crate::ground::{dates, numbers};

/// The schemas that ship with the crate.
const BUILT_IN: [(&str, &str); 4] = [
    ("contract-summary", include_str!("../schemas/contract-summary.json")),
    ("cv", include_str!("../schemas/cv.json")),
    ("invoice", include_str!("../schemas/invoice.json")),
    ("receipt", include_str!("../schemas/receipt.json")),
];

/// The largest schema, in bytes.
pub const MAX_BYTES: usize = 32 << 10;
/// The deepest nesting of objects, arrays and alternatives, references followed.
pub const MAX_DEPTH: usize = 8;
/// The most subschemas, references followed.
pub const MAX_NODES: usize = 500;
/// The longest `pattern`, in bytes.
pub const MAX_PATTERN: usize = 256;
/// The most patterns, references followed.
pub const MAX_PATTERNS: usize = 50;
/// The memory that a compiled pattern may take, in bytes.
const PATTERN_MEMORY: usize = 256 << 10;

/// The keywords of JSON Schema that a provider takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Types, properties, enumerations, alternatives and formats alone, and optional properties, as the strictest
    /// providers have it. They bound the number of alternatives with `null`, so that only required values have one.
    Minimal,
    /// Patterns and the bounds of arrays and integers too; every property is required and may be `null`. OpenAI's.
    #[default]
    Bounded,
    /// The lengths of texts too, up to 1,000: for servers that make a grammar of the schema, such as llama.cpp and
    /// vLLM. It keeps a small model from running on in a text.
    Full,
}

/// Why a schema is not registered. `at` is a JSON Pointer into it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The id has another form than `[a-z0-9][a-z0-9_-]{0,63}`.
    #[error("a schema's id is 1 to 64 of a-z, 0-9, - and _, and starts with a letter or digit")]
    Id,
    /// More than [`MAX_BYTES`].
    #[error("the schema is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Deeper than [`MAX_DEPTH`].
    #[error("the schema nests deeper than {MAX_DEPTH} at {at:?}")]
    TooDeep {
        /// Where.
        at: String,
    },
    /// More than [`MAX_NODES`].
    #[error("the schema has more than {MAX_NODES} subschemas with its references followed")]
    TooMany,
    /// Not valid by JSON Schema 2020-12, a pattern that does not run in linear time and little memory, or a schema
    /// that no value fits.
    #[error("the schema is not valid at {at:?}: {what}")]
    Invalid {
        /// Where.
        at: String,
        /// What is wrong.
        what: String,
    },
    /// Valid, and outside of the subset.
    #[error("the schema cannot be used at {at:?}: {what}")]
    Unsupported {
        /// Where.
        at: String,
        /// What is not supported, and what to write.
        what: String,
    },
}

/// Where an answer breaks the schema. It holds nothing of the document: places and keywords are the schema's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// A JSON Pointer into the answer.
    pub pointer: String,
    /// The keyword that is not met.
    pub keyword: String,
    /// What the keyword asks for.
    pub expected: String,
}

/// A schema in one version, ready to use.
pub struct Schema {
    id: String,
    version: u32,
    title: String,
    description: String,
    root: Node,
    whole: Validator,
    part: Validator,
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schema")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Schema {
    /// Checks a tenant's schema, as it must be checked when it is registered.
    pub fn register(id: &str, version: u32, text: &str) -> Result<Self, SchemaError> {
        let id_char = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !(1..=64).contains(&id.len())
            || !id.bytes().all(|c| id_char(c) || matches!(c, b'-' | b'_'))
            || !id.bytes().next().is_some_and(id_char)
        {
            return Err(SchemaError::Id);
        }
        if text.len() > MAX_BYTES {
            return Err(SchemaError::TooLarge);
        }
        let document: Value = serde_json::from_str(text)
            .map_err(|error| SchemaError::Invalid { at: String::new(), what: error.to_string() })?;
        let root = parse::parse(&document)?;
        // The subset before the meta-schema: it bounds the depth. The tree has no references left.
        if let Err(error) = jsonschema::draft202012::meta::validate(&document) {
            return Err(invalid(&error));
        }
        let whole = compile(&root.to_schema(node::Form::Whole)).map_err(|error| invalid(&error))?;
        let part = compile(&root.to_schema(node::Form::Part)).map_err(|error| invalid(&error))?;
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        let (title, description) = (text("title"), text("description"));
        Ok(Self { id: id.to_owned(), version, title, description, root, whole, part })
    }

    /// A schema that ships with the crate: `invoice`, `receipt`, `contract-summary` or `cv`, in version 1.
    #[must_use]
    pub fn built_in(id: &str) -> Option<Self> {
        let (id, text) = BUILT_IN.iter().find(|(name, _)| *name == id)?;
        Self::register(id, 1, text).ok()
    }

    /// The ids and texts of the schemas that ship.
    #[must_use]
    pub fn built_ins() -> &'static [(&'static str, &'static str)] {
        &BUILT_IN
    }

    /// The schema's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The schema's version, which the tenant counts.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What the provider is given.
    #[must_use]
    pub fn for_model(&self, dialect: Dialect) -> Value {
        self.root.to_schema(node::Form::Model(dialect))
    }

    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    pub(crate) fn title(&self) -> &str {
        if self.title.is_empty() { &self.id } else { &self.title }
    }

    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    /// Where a document's data breaks the schema: at most 50 places.
    #[must_use]
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        violations(&self.whole, value)
    }

    /// The same for the data of a part of a document, in which required properties may be missing.
    pub(crate) fn violations_of_part(&self, value: &Value) -> Vec<Violation> {
        violations(&self.part, value)
    }
}

fn compile(schema: &Value) -> Result<Validator, jsonschema::ValidationError<'static>> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        .with_format("decimal", |text: &str| numbers::is_decimal(text))
        .with_format("date", |text: &str| dates::is_iso(text))
        .with_pattern_options(
            PatternOptions::regex().size_limit(PATTERN_MEMORY).dfa_size_limit(PATTERN_MEMORY),
        )
        .build(schema)
}

fn invalid(error: &jsonschema::ValidationError<'_>) -> SchemaError {
    let what: String = error.to_string().chars().take(200).collect();
    SchemaError::Invalid { at: error.instance_path().to_string(), what }
}

fn violations(validator: &Validator, value: &Value) -> Vec<Violation> {
    validator.iter_errors(value).take(50).map(|error| violation(&error)).collect()
}

/// Neither the value nor the names of unexpected properties are told: they may be the document's words.
fn violation(error: &jsonschema::ValidationError<'_>) -> Violation {
    use jsonschema::error::ValidationErrorKind as Kind;
    let expected = match error.kind() {
        Kind::AdditionalProperties { .. } => "no other properties than the schema's".to_owned(),
        Kind::Required { property } => format!("property {property}"),
        Kind::Format { format } => format!("format {format}"),
        Kind::Pattern { pattern } => pattern.clone(),
        Kind::Enum { options } => options.to_string(),
        Kind::Constant { expected_value } => expected_value.to_string(),
        Kind::Maximum { limit }
        | Kind::Minimum { limit }
        | Kind::ExclusiveMaximum { limit }
        | Kind::ExclusiveMinimum { limit } => limit.to_string(),
        Kind::MaxItems { limit }
        | Kind::MinItems { limit }
        | Kind::MaxLength { limit }
        | Kind::MinLength { limit } => limit.to_string(),
        Kind::Type { kind } => match kind {
            jsonschema::error::TypeKind::Single(kind) => kind.to_string(),
            jsonschema::error::TypeKind::Multiple(_) => "one of the schema's types".to_owned(),
        },
        _ => "what the schema says".to_owned(),
    };
    Violation {
        pointer: error.instance_path().to_string(),
        keyword: error.kind().keyword().to_owned(),
        expected: expected.chars().take(200).collect(),
    }
}

#[cfg(test)]
mod tests;
