//! Tells a merchant of an event.

use std::time::Duration;

use serde_json::json;
use shared::Result;
use shared::batch::{Failure as Trouble, Message};
use shared::clock::Clock;
use shared::program::Environment;
use shared::webhook::{Courier, NotTaken};

use crate::api::View;
use crate::order::{Event, Order, Recorded};
use crate::queues::{self, MAX_DELIVERIES, Tell};
use crate::store::Store;
use crate::system;

/// How long a delivery may take: the post, and looking up what is posted.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = DeliverWebhook {
        store: system::store(environment)?,
        courier: environment.courier()?,
        clock: environment.clock.clone(),
    };
    let (webhooks, dead_letters) = (system::webhooks(environment)?, environment.dead_letters()?);
    let jobs = queues::webhooks(webhooks, dead_letters, TIME_LIMIT);
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| task.handle(job)).await
    })
    .await
}

/// What the task needs.
#[derive(Clone, Debug)]
pub struct DeliverWebhook {
    /// The checkout's table.
    pub store: Store,
    /// What posts.
    pub courier: Courier,
    /// The time.
    pub clock: Clock,
}

impl DeliverWebhook {
    /// Does a job. A message may come more than once, and after a later one; its id stays the same, and
    /// it says what the order was then.
    pub async fn handle(&self, message: Message<Tell>) -> Result<(), Trouble> {
        let Tell::V1 { endpoint, order, event } = message.body;
        let Some(endpoint) = self.store.endpoint(&endpoint).await? else { return Ok(()) };
        if endpoint.webhook.gone_at.is_some() {
            return Ok(());
        }
        let mut history = self.store.history(order).await?;
        history.retain(|recorded| recorded.version <= event);
        let last = history.last().filter(|last| last.version == event).cloned();
        let Some(Recorded { event, at, version, .. }) = last else { return Ok(()) };
        let Some(told) = Order::of(history)? else { return Ok(()) };
        let name = name(&event);
        let id = format!("msg_{order}_{version}");
        let body = json!({"type": name, "timestamp": at, "data": View::of(&told)});
        let body = body.to_string();
        let now = self.clock.now();
        match self.courier.post(&endpoint.webhook, &id, &body, now).await {
            Ok(()) => {
                tracing::info!(order_id = %order, event = name, "told");
                metrics::counter!("WebhooksDelivered").increment(1);
                Ok(())
            }
            Err(NotTaken::Gone) => {
                tracing::warn!(endpoint = %endpoint.name, "gone (410): nothing more is posted");
                Ok(self.store.endpoint_gone(&endpoint, now).await?)
            }
            Err(error) => Err(error.failure(message.receive_count > MAX_DELIVERIES)),
        }
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
