//! Products: what is sold, and for how much.

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// The longest name, in characters.
pub const MAX_NAME: usize = 200;

/// A product. How many there are is the inventory's to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// What it is called.
    pub name: String,
    /// What one costs.
    pub price: Money,
    /// Whether it is sold.
    pub active: bool,
}
