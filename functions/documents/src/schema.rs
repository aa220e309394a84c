//! References to schemas: a name and a version.

use std::fmt;

use serde::{Deserialize, Serialize};
use shared::http::contract;

/// A schema and its version: `invoice@1`. A version never changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SchemaRef {
    /// The schema's name: 1 to 40 characters of `a` to `z`, `0` to `9`, `_` and `-`. The first is a letter or a
    /// digit, as [`extraction::Schema`] requires.
    pub name: String,
    /// The version, from 1 to 999,999,999.
    pub version: u32,
}

/// The last version.
const MAX_VERSION: u32 = 999_999_999;

contract::text!(
    SchemaRef,
    "^[a-z0-9][a-z0-9_-]{0,39}@[1-9][0-9]{0,8}$",
    "invoice@1",
    "A schema and its version. A version never changes."
);

/// The text is not a schema's name and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a schema is a name of 1 to 40 characters a–z, 0–9, _ and -, which begins with a letter or a digit, then @ and \
     a version of up to 9 digits, as in invoice@1"
)]
pub struct InvalidSchemaRef;

/// Whether `text` is a valid schema name.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |byte: u8| is_first(byte) || b"_-".contains(&byte);
    text.len() <= 40 && text.bytes().next().is_some_and(is_first) && text.bytes().all(is_part)
}

impl TryFrom<String> for SchemaRef {
    type Error = InvalidSchemaRef;

    fn try_from(text: String) -> Result<Self, InvalidSchemaRef> {
        let (name, version) = text.split_once('@').ok_or(InvalidSchemaRef)?;
        let version = version.parse().map_err(|_| InvalidSchemaRef)?;
        let parsed = Self { name: name.to_owned(), version };
        // One schema has one spelling.
        if is_name(name) && (1..=MAX_VERSION).contains(&version) && parsed.to_string() == text {
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
            "_a@1",
            "-a@1",
            "a@1000000000",
            &long,
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
