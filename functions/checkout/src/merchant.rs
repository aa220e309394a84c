//! Merchants' webhook endpoints, which receive the events of orders.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::webhook::Webhook;
use utoipa::ToSchema;

/// Maximum number of endpoints.
pub const MAX_ENDPOINTS: usize = 10;
/// Maximum length of an endpoint's name, in bytes.
pub const MAX_NAME: usize = 40;

/// An endpoint's name: 1 to 40 lowercase ASCII letters, digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(pattern = "^[a-z0-9-]+$", max_length = 40, example = "warehouse")]
pub struct EndpointName(String);

/// The error for an invalid [`EndpointName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an endpoint's name has 1 to {MAX_NAME} small letters, digits and \"-\"")]
pub struct InvalidName;

impl FromStr for EndpointName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_valid);
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

/// A merchant's webhook endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The endpoint's name.
    pub name: EndpointName,
    /// The URL and the signing secret.
    pub webhook: Webhook,
    /// The time of the last put that changed the endpoint.
    pub created_at: Timestamp,
}
