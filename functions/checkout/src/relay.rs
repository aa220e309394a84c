//! The outbox: the events themselves. The table's stream tells of each that was written, and of none
//! that was not; from there it goes to the queues.
//!
//! What a customer or a merchant has asked for needs a worker. What a worker has written needs none:
//! the worker goes on by itself, and if it dies its job comes again.

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

/// What the task needs.
#[derive(Clone, Debug)]
pub struct Relay {
    /// The checkout's table.
    pub store: Store,
    /// The queue of orders that are to be advanced.
    pub orders: Queue,
    /// The queue of what merchants are to be told.
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
    /// Passes a batch of changes on. It fails or succeeds as a whole, and comes again if it fails.
    pub async fn batch(&self, batch: StreamEvent, invocation: &Invocation) -> Result<()> {
        let handler = async |change| Ok(self.handle(change).await?);
        let response = Box::pin(Stream::new().changes(batch, invocation, handler)).await?;
        if response.batch_item_failures.is_empty() {
            return Ok(());
        }
        Err(Error::internal("a change was not passed on"))
    }

    /// Passes a change of the table on. What is passed on twice does no harm.
    pub async fn handle(&self, change: Change<Streamed>) -> Result<()> {
        let new = change.new.filter(|new| new.sk.starts_with("EVENT#"));
        let (ChangeKind::Insert, Some(new)) = (change.kind, new) else { return Ok(()) };
        // One that cannot be read is not passed over: a later version of this will read it.
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

/// Whether someone other than a worker has written it.
fn asks_for_a_worker(event: &Event) -> bool {
    matches!(
        event,
        Event::Placed(_)
            | Event::MeansGiven { .. }
            | Event::CancelRequested { .. }
            | Event::RefundRequested { .. }
    )
}

/// Whether merchants are told of it.
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
