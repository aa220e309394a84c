//! What the checkout's queues hold.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::backoff::Backoff;
use shared::batch::Consumer;
use shared::queue::Queue;
use shared::webhook::Job;

use crate::merchant::EndpointName;
use crate::order::{OrderId, PaymentId};

/// How often a webhook is tried. The queue hands it out once more than that, so that the last time can
/// be spent on giving it up: its `maxReceiveCount` is this and one.
pub const MAX_DELIVERIES: u32 = 12;

/// How long to wait before an order is tried again: up to 2 s, 4 s, 8 s and so on, up to a minute.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_mins(1));
/// How long to wait before a webhook is tried again: up to 10 s, 20 s, 40 s and so on, over some hours.
const WEBHOOK_BACKOFF: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_hours(2));

/// An order is to be taken as far as it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum Advance {
    /// The first version.
    #[serde(rename = "1")]
    V1 {
        /// The order.
        order: OrderId,
    },
    /// The order of a payment is to be compared with what the provider has of it.
    #[serde(rename = "2")]
    V2 {
        /// The payment.
        payment: PaymentId,
    },
}

/// A merchant is to be told of an event.
pub type Tell = Job<Told>;

/// What a merchant is told of, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Where.
    pub endpoint: EndpointName,
    /// The order.
    pub order: OrderId,
    /// The event's place in the order's history.
    pub event: u32,
}

/// What hands out the orders of `queue`. An order is not begun that could not be given `time_limit`.
#[must_use]
pub fn orders(queue: Queue, dead_letters: Queue, time_limit: Duration) -> Consumer {
    Consumer::new(queue).dead_letters(dead_letters).time_limit(time_limit).backoff(BACKOFF)
}

/// What hands out the webhooks of `queue`.
#[must_use]
pub fn webhooks(queue: Queue, dead_letters: Queue, time_limit: Duration) -> Consumer {
    orders(queue, dead_letters, time_limit).backoff(WEBHOOK_BACKOFF)
}
