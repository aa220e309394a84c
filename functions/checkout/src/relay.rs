//! The outbox. The events themselves are the outbox: the table's stream contains exactly the events
//! that were written. This function sends them to the queues.
//!
//! An event that a customer or a merchant causes needs a worker. An event that a worker writes needs no
//! job: the worker continues by itself, and if it crashes, its job is delivered again.

use serde::Deserialize;
use serde_json::Value;
use shared::batch::{Change, ChangeKind, Stream, StreamEvent};
use shared::invocation::Invocation;
use shared::program::Environment;
use shared::queue::Queue;
use shared::{Error, Result};

use crate::order::{Event, Recorded};
use crate::queues::{Advance, Tell, Told};
use crate::store::Store;
use crate::system;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let relay = Relay {
        store: system::store(environment)?,
        orders: system::orders(environment)?,
        webhooks: system::webhooks(environment)?,
    };
    shared::invocation::run(async |batch, invocation| relay.batch(batch, &invocation).await).await
}

/// The dependencies of the task.
#[derive(Clone, Debug)]
pub struct Relay {
    /// The checkout's table.
    pub store: Store,
    /// The queue of orders to advance.
    pub orders: Queue,
    /// The queue of webhook messages.
    pub webhooks: Queue,
}

/// An item of the stream.
#[derive(Clone, Debug, Deserialize)]
pub struct Streamed {
    sk: String,
    #[serde(flatten)]
    rest: Value,
}

impl Relay {
    /// Relays a batch of changes. The batch fails or succeeds as a whole. A failed batch is delivered
    /// again.
    pub async fn batch(&self, batch: StreamEvent, invocation: &Invocation) -> Result<()> {
        let handler = async |change| Ok(self.handle(change).await?);
        let response = Box::pin(Stream::new().changes(batch, invocation, handler)).await?;
        if response.batch_item_failures.is_empty() {
            return Ok(());
        }
        Err(Error::internal("a change was not relayed"))
    }

    /// Relays a change of the table. Idempotent for the receivers: a duplicate does no harm.
    pub async fn handle(&self, change: Change<Streamed>) -> Result<()> {
        let new = change.new.filter(|new| new.sk.starts_with("EVENT#"));
        let (ChangeKind::Insert, Some(new)) = (change.kind, new) else { return Ok(()) };
        // An unreadable event is an error, not skipped: a later version of this code reads it.
        let Recorded { order, version, event, .. } = serde_json::from_value(new.rest)?;
        if asks_for_a_worker(&event) {
            self.orders.send(&Advance::V1 { order }).await?;
        }
        if concerns_merchants(&event) {
            for endpoint in self.store.endpoints().await? {
                let about = Told { endpoint: endpoint.name, order, event: version };
                self.webhooks.send(&Tell::V1 { about }).await?;
            }
        }
        Ok(())
    }
}

/// Whether the event comes from someone other than a worker.
fn asks_for_a_worker(event: &Event) -> bool {
    matches!(
        event,
        Event::Placed(_)
            | Event::MeansGiven { .. }
            | Event::CancelRequested { .. }
            | Event::RefundRequested { .. }
    )
}

/// Whether merchants get a webhook for the event.
pub(crate) fn concerns_merchants(event: &Event) -> bool {
    matches!(
        event,
        Event::Placed(_)
            | Event::Confirmed
            | Event::Cancelled { .. }
            | Event::RefundSucceeded { .. }
            | Event::RefundFailed { .. }
            | Event::RefundReversed { .. }
            | Event::RefundFound { .. }
            | Event::FoundRefundReversed { .. }
            | Event::DisputeMoved { .. }
    )
}
