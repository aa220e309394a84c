//! Stock-keeping units (SKUs): the ids of products.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The maximum length of an SKU, in bytes.
pub const MAX_LENGTH: usize = 64;

/// The id of a product: 1 to 64 ASCII letters, ASCII digits, `-`, `_` and `.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(pattern = "^[A-Za-z0-9._-]+$", max_length = 64, example = "book-rust-2e")]
pub struct Sku(String);

/// The text is not a valid [`Sku`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an SKU has 1 to {MAX_LENGTH} letters, digits, \"-\", \"_\" and \".\"")]
pub struct InvalidSku;

impl TryFrom<String> for Sku {
    type Error = InvalidSku;

    fn try_from(text: String) -> Result<Self, InvalidSku> {
        let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let fits = (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_one);
        if fits { Ok(Self(text)) } else { Err(InvalidSku) }
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.0
    }
}

impl std::str::FromStr for Sku {
    type Err = InvalidSku;

    fn from_str(text: &str) -> Result<Self, InvalidSku> {
        text.to_owned().try_into()
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
