//! Merchants: who is told what becomes of orders, and where.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::webhook::Webhook;

/// The most endpoints.
pub const MAX_ENDPOINTS: usize = 10;
/// The longest name of one, in bytes.
pub const MAX_NAME: usize = 40;

/// What an endpoint is known by: up to [`MAX_NAME`] small letters of ASCII, digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointName(String);

/// Why a text is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an endpoint's name has 1 to {MAX_NAME} small letters, digits and \"-\"")]
pub struct InvalidName;

impl FromStr for EndpointName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_one = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_one);
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidName) }
    }
}

impl TryFrom<String> for EndpointName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<EndpointName> for String {
    fn from(name: EndpointName) -> Self {
        name.0
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a merchant is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// What it is known by.
    pub name: EndpointName,
    /// Where, and what signs.
    pub webhook: Webhook,
    /// Since when.
    pub created_at: Timestamp,
}
