//! References to schemas: a name and a version.

use std::fmt;

use serde::{Deserialize, Serialize};
use shared::http::contract;

/// A schema and its version: `invoice@1`. A version never changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SchemaRef {
    /// The schema's name: 1 to 40 characters of `a` to `z`, `0` to `9`, `_` and `-`.
    pub name: String,
    /// The version, from 1.
    pub version: u32,
}

contract::text!(
    SchemaRef,
    "^[a-z0-9_-]{1,40}@[1-9][0-9]*$",
    "invoice@1",
    "A schema and its version. A version never changes."
);

/// The text is not a schema's name and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a schema is a name of 1 to 40 characters a–z, 0–9, _ and -, then @ and a version, as in invoice@1"
)]
pub struct InvalidSchemaRef;

/// Whether `text` is a valid schema name.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let is_part =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    (1..=40).contains(&text.len()) && text.bytes().all(is_part)
}

impl TryFrom<String> for SchemaRef {
    type Error = InvalidSchemaRef;

    fn try_from(text: String) -> Result<Self, InvalidSchemaRef> {
        let (name, version) = text.split_once('@').ok_or(InvalidSchemaRef)?;
        let version = version.parse().map_err(|_| InvalidSchemaRef)?;
        let parsed = Self { name: name.to_owned(), version };
        // One schema has one spelling.
        if is_name(name) && version > 0 && parsed.to_string() == text {
            Ok(parsed)
        } else {
            Err(InvalidSchemaRef)
        }
    }
}

impl From<SchemaRef> for String {
    fn from(schema: SchemaRef) -> Self {
        schema.to_string()
    }
}

impl fmt::Display for SchemaRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_one_spelling() {
        let parse = |text: &str| SchemaRef::try_from(text.to_owned());
        assert_eq!(parse("invoice@1").unwrap().to_string(), "invoice@1");
        let long = format!("{}@1", "a".repeat(41));
        for text in [
            "",
            "invoice",
            "invoice@",
            "invoice@0",
            "invoice@01",
            "invoice@+1",
            "@1",
            "A@1",
            "a b@1",
            &long,
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
