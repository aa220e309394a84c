//! Posts an event to a merchant's webhook.

use serde_json::json;
use shared::Result;
use shared::program::Environment;
use shared::webhook::{Deliver, Message, Place, Source, TIME_LIMIT};

use crate::api::View;
use crate::order::{Event, Order, Recorded};
use crate::queues::{self, MAX_DELIVERIES, Told};
use crate::store::Store;
use crate::system;

/// The types of the messages, with their summaries.
pub(crate) const KINDS: [(&str, &str); 8] = [
    ("order.placed", "An order is placed"),
    ("order.confirmed", "An order is paid"),
    ("order.cancelled", "An order has ended unpaid"),
    ("refund.succeeded", "The customer has the money of a refund"),
    ("refund.failed", "A refund has failed"),
    ("refund.reversed", "The bank has returned the money of a refund"),
    ("refund.found", "The provider has a refund that we did not request"),
    ("dispute.moved", "A dispute of the payment has begun or has moved money"),
];

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let events = Events { store: system::store(environment)? };
    let deliver = Deliver {
        store: events.store.webhooks(),
        courier: environment.courier()?,
        clock: environment.clock.clone(),
        ids: environment.ids(),
    };
    let (webhooks, dead_letters) = (system::webhooks(environment)?, environment.dead_letters()?);
    let jobs = queues::webhooks(webhooks, dead_letters, TIME_LIMIT);
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| deliver.job(&events, job, MAX_DELIVERIES)).await
    })
    .await
}

/// The source of the messages: the events of orders.
#[derive(Clone, Debug)]
pub struct Events {
    /// The checkout's table.
    pub store: Store,
}

impl Source for Events {
    type About = Told;

    /// The message contains the order as it was right after the event, not as it is now.
    async fn find(&self, about: &Told) -> Result<Option<(Place, Message)>> {
        let Told { endpoint, order, event } = about;
        let mut history = self.store.history(*order).await?;
        history.retain(|recorded| recorded.version <= *event);
        let last = history.last().filter(|last| last.version == *event).cloned();
        let Some(Recorded { event, at, version, .. }) = last else { return Ok(None) };
        let Some(state) = Order::of(history)? else { return Ok(None) };
        let kind = name(&event);
        let message = Message {
            id: format!("msg_{order}_{version}"),
            kind: kind.to_owned(),
            created_at: at,
            body: json!({"type": kind, "timestamp": at, "data": View::of(&state)}).to_string(),
        };
        Ok(Some((Store::place(endpoint), message)))
    }
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::Placed(_) => "order.placed",
        Event::Confirmed => "order.confirmed",
        Event::Cancelled { .. } => "order.cancelled",
        Event::RefundSucceeded { .. } => "refund.succeeded",
        Event::RefundFailed { .. } => "refund.failed",
        Event::RefundReversed { .. } | Event::FoundRefundReversed { .. } => "refund.reversed",
        Event::RefundFound { .. } => "refund.found",
        Event::DisputeMoved { .. } => "dispute.moved",
        _ => "order.updated",
    }
}
