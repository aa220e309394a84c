//! Stock that is held for someone.
//!
//! ```text
//! held ──▶ committed ──▶ consumed     the stock has left
//!   └──────────┴───────▶ released     it is back
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sku::Sku;
use crate::stock::Take;

/// Stock of one product that is held for someone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Whom it is for: an order's id.
    pub holder: String,
    /// The product.
    pub sku: Sku,
    /// From which buckets.
    pub takes: Vec<Take>,
    /// How it stands.
    pub status: Status,
    /// When it may be released while it is no more than held. Stored in epoch milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
}

/// How a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Until it expires.
    Held,
    /// For good: it does not expire.
    Committed,
    /// The stock has left.
    Consumed,
    /// The stock is back.
    Released,
}

impl Reservation {
    /// How many.
    #[must_use]
    pub fn quantity(&self) -> u32 {
        self.takes.iter().map(|take| take.quantity).sum()
    }
}
