//! Products: name, price, and whether they are on sale.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::money::Money;

/// The maximum length of a name, in characters.
pub const MAX_NAME: usize = 200;

/// A product. The inventory knows its stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// The name.
    pub name: String,
    /// The price of one unit.
    pub price: Money,
    /// Whether the product is on sale.
    pub active: bool,
}
