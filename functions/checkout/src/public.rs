//! What others get to know of an order: the events for merchants' webhooks and for the bus.

use serde_json::{Value, json};
use shared::Result;
use shared::bus;

use crate::api::View;
use crate::order::{Event, Order, OrderId, Recorded};
use crate::store::Store;

/// The source of the events on the bus.
pub const SOURCE: &str = "arsenal.checkout";

/// The public name of an event. `None` if the event is internal.
#[must_use]
pub fn name(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::Placed(_) => "order.placed",
        Event::Confirmed => "order.confirmed",
        Event::Cancelled { .. } => "order.cancelled",
        Event::RefundSucceeded { .. } => "refund.succeeded",
        Event::RefundFailed { .. } => "refund.failed",
        Event::RefundReversed { .. } | Event::FoundRefundReversed { .. } => "refund.reversed",
        Event::RefundFound { .. } => "refund.found",
        Event::DisputeMoved { .. } => "dispute.moved",
        _ => return None,
    })
}

/// A public event, and the order as it was right after it.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The public name of the event.
    pub name: &'static str,
    /// The event.
    pub recorded: Recorded,
    /// The order, not as it is now.
    pub order: Order,
}

impl Publication {
    /// Finds an event by its order and its version. `None` if it does not exist, or is internal. 1 RRU for
    /// 4 KB of the order's events.
    pub async fn find(store: &Store, order: OrderId, version: u32) -> Result<Option<Self>> {
        let mut history = store.history(order).await?;
        history.retain(|recorded| recorded.version <= version);
        let last = history.last().filter(|last| last.version == version).cloned();
        let Some(recorded) = last else { return Ok(None) };
        let (Some(name), Some(order)) = (name(&recorded.event), Order::of(history)?) else {
            return Ok(None);
        };
        Ok(Some(Self { name, recorded, order }))
    }

    /// The body of the webhook to merchants.
    #[must_use]
    pub fn webhook(&self) -> Value {
        json!({"type": self.name, "timestamp": self.recorded.at, "data": View::of(&self.order)})
    }

    /// The event on the bus. Its id is the order and the version of the event.
    #[must_use]
    pub fn event(&self) -> bus::Event<View> {
        let Recorded { order, version, at, .. } = &self.recorded;
        bus::Event::new(self.name, &format!("{order}-{version}"), *at, View::of(&self.order))
            .subject(order)
            .tenant(&self.order.placed.tenant)
    }
}
