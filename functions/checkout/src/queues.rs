//! The jobs in the checkout's queues.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::backoff::Backoff;
use shared::batch::Consumer;
use shared::queue::Queue;
use shared::webhook::Job;

use crate::ledger::Entry;
use crate::merchant::EndpointName;
use crate::order::{OrderId, PaymentId};

/// Maximum failed attempts of a webhook message before its last attempt. The queue's `maxReceiveCount` is
/// this plus three, for crashes in the last attempt. If the last attempt fails, the message is given up.
pub const MAX_DELIVERIES: u32 = 12;

/// The wait before the next attempt of an order or of ledger entries: up to 2 s, 4 s, 8 s and so on, at most 1 min.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_mins(1));
/// The wait before the next attempt of a webhook: up to 10 s, 20 s, 40 s and so on, at most 2 h.
const WEBHOOK_BACKOFF: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_hours(2));

/// A job that advances an order as far as possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum Advance {
    /// The first version.
    #[serde(rename = "1")]
    V1 {
        /// The order.
        order: OrderId,
    },
    /// Compares the order of a payment with the provider's data.
    #[serde(rename = "2")]
    V2 {
        /// The payment.
        payment: PaymentId,
    },
}

/// A job that posts an event to a merchant's endpoint.
pub type Tell = Job<Told>;

/// An event and the endpoint that receives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The endpoint.
    pub endpoint: EndpointName,
    /// The order.
    pub order: OrderId,
    /// The event's version in the order's history.
    pub event: u32,
}

/// A job that adds a ledger entry to the balances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum Fold {
    /// The first version.
    #[serde(rename = "1")]
    V1 {
        /// The entry.
        entry: Entry,
    },
}

/// The consumer of the orders of `queue`. It starts an order only if `time_limit` remains for it.
#[must_use]
pub fn orders(queue: Queue, dead_letters: Queue, time_limit: Duration) -> Consumer {
    Consumer::new(queue).dead_letters(dead_letters).time_limit(time_limit).backoff(BACKOFF)
}

/// The consumer of the webhooks of `queue`.
#[must_use]
pub fn webhooks(queue: Queue, dead_letters: Queue, time_limit: Duration) -> Consumer {
    orders(queue, dead_letters, time_limit).backoff(WEBHOOK_BACKOFF)
}

/// The consumer of the ledger entries of `queue`.
#[must_use]
pub fn ledger(queue: Queue, dead_letters: Queue) -> Consumer {
    Consumer::new(queue).dead_letters(dead_letters).backoff(BACKOFF)
}
