//! The schemas of tenants: they are checked at registration, and converted for the model.
//!
//! A schema is in a subset of JSON Schema 2020-12. Every provider's structured output can be derived from this subset,
//! and answers can be merged by it: objects with named properties, arrays of one kind of item, scalars, enumerations,
//! `anyOf`, and `$ref` into the schema's own `$defs`. Anything else is refused, with its name.

mod node;
mod parse;
mod possible;

use jsonschema::{Draft, PatternOptions, Validator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use node::{Kind, Node, Scalar};

use crate::ground::{dates, numbers};

/// The built-in schemas.
const BUILT_IN: [(&str, &str); 4] = [
    ("contract-summary", include_str!("../schemas/contract-summary.json")),
    ("cv", include_str!("../schemas/cv.json")),
    ("invoice", include_str!("../schemas/invoice.json")),
    ("receipt", include_str!("../schemas/receipt.json")),
];

/// Maximum size of a schema, in bytes.
pub const MAX_BYTES: usize = 32 << 10;
/// Maximum nesting depth of objects, arrays and alternatives, after following references.
pub const MAX_DEPTH: usize = 8;
/// Maximum number of subschemas, after following references.
pub const MAX_NODES: usize = 500;
/// Maximum length of a `pattern`, in bytes.
pub const MAX_PATTERN: usize = 256;
/// Maximum number of patterns, after following references.
pub const MAX_PATTERNS: usize = 50;
/// Maximum memory of a compiled pattern, in bytes.
const PATTERN_MEMORY: usize = 256 << 10;

/// The JSON Schema keywords that a provider accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Only types, properties, enumerations, alternatives and formats, and optional properties, as the strictest
    /// providers require. They limit the number of alternatives with `null`, so only required values have one.
    Minimal,
    /// Also patterns and the bounds of arrays and integers. Every property is required and may be `null`. For OpenAI.
    #[default]
    Bounded,
    /// Also the lengths of texts, up to 1,000: for servers that convert the schema to a grammar, such as llama.cpp and
    /// vLLM. This stops a small model from writing endless text.
    Full,
}

/// The reason why a schema is refused. `at` is a JSON Pointer into it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The id does not match `[a-z0-9][a-z0-9_-]{0,63}`.
    #[error("a schema's id is 1 to 64 of a-z, 0-9, - and _, and starts with a letter or digit")]
    Id,
    /// More than [`MAX_BYTES`].
    #[error("the schema is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Deeper than [`MAX_DEPTH`].
    #[error("the schema nests deeper than {MAX_DEPTH} at {at:?}")]
    TooDeep {
        /// The place.
        at: String,
    },
    /// More than [`MAX_NODES`].
    #[error("the schema has more than {MAX_NODES} subschemas with its references followed")]
    TooMany,
    /// Invalid in JSON Schema 2020-12, a pattern that does not run in linear time and little memory, or a schema that
    /// no value fits.
    #[error("the schema is not valid at {at:?}: {what}")]
    Invalid {
        /// The place.
        at: String,
        /// The error.
        what: String,
    },
    /// Valid, but outside the subset.
    #[error("the schema cannot be used at {at:?}: {what}")]
    Unsupported {
        /// The place.
        at: String,
        /// The unsupported part, and what to use instead.
        what: String,
    },
}

/// Where an answer breaks the schema. It contains nothing from the document: places and keywords come from the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// A JSON Pointer into the answer.
    pub pointer: String,
    /// The keyword that the value breaks.
    pub keyword: String,
    /// The requirement of the keyword.
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
    /// Checks a tenant's schema. Required at registration.
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
        // The subset is checked before the meta-schema, because it limits the depth. The tree has no references left.
        if let Err(error) = jsonschema::draft202012::meta::validate(&document) {
            return Err(invalid(&error));
        }
        let whole = compile(&root.to_schema(node::Form::Whole)).map_err(|error| invalid(&error))?;
        let part = compile(&root.to_schema(node::Form::Part)).map_err(|error| invalid(&error))?;
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        let (title, description) = (text("title"), text("description"));
        Ok(Self { id: id.to_owned(), version, title, description, root, whole, part })
    }

    /// A built-in schema: `invoice`, `receipt`, `contract-summary` or `cv`, in version 1.
    #[must_use]
    pub fn built_in(id: &str) -> Option<Self> {
        let (id, text) = BUILT_IN.iter().find(|(name, _)| *name == id)?;
        Self::register(id, 1, text).ok()
    }

    /// The ids and texts of the built-in schemas.
    #[must_use]
    pub fn built_ins() -> &'static [(&'static str, &'static str)] {
        &BUILT_IN
    }

    /// The schema's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The schema's version, which the tenant assigns.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The schema in the provider's dialect.
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

/// Omits the value and the names of unexpected properties, because they may come from the document.
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
