//! Reservations of stock.
//!
//! ```text
//! held ──▶ committed ──▶ consumed     the stock is sold
//!   └──────────┴───────▶ released     the stock is available again
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sku::Sku;
use crate::stock::Take;

/// A reservation of one product for a holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The holder: an order's id.
    pub holder: String,
    /// The product.
    pub sku: Sku,
    /// The quantity from each bucket.
    pub takes: Vec<Take>,
    /// The status.
    pub status: Status,
    /// The time when a held reservation expires. A committed one does not expire. Stored in epoch milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
}

/// The status of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The stock is reserved until the reservation expires.
    Held,
    /// The stock is reserved and the reservation does not expire.
    Committed,
    /// The stock is sold.
    Consumed,
    /// The stock is available again.
    Released,
}

impl Reservation {
    /// The quantity over all buckets.
    #[must_use]
    pub fn quantity(&self) -> u32 {
        self.takes.iter().map(|take| take.quantity).sum()
    }
}
