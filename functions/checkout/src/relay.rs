//! The outbox. The events themselves are the outbox: the table's stream contains exactly the events and
//! the ledger entries that were written. This function passes them on.
//!
//! | a new item | goes to |
//! |---|---|
//! | an event that a customer or a merchant causes | the queue of orders to advance |
//! | an event that concerns merchants | the queue of webhooks, once for each endpoint, and the bus |
//! | a ledger entry | the queue of entries to add to the balances |
//!
//! An event that a worker writes needs no job: the worker continues by itself, and if it crashes, its job
//! is delivered again.

use serde::Deserialize;
use serde_json::Value;
use shared::Result;
use shared::batch::StreamEvent;
use shared::bus::Bus;
use shared::invocation::Invocation;
use shared::program::Environment;
use shared::queue::Queue;

use crate::ledger::Entry;
use crate::order::{Event, Recorded};
use crate::public::{self, Publication};
use crate::queues::{Advance, Fold, Tell, Told};
use crate::store::Store;
use crate::system;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let relay = Relay {
        store: system::store(environment)?,
        orders: system::orders(environment)?,
        webhooks: system::webhooks(environment)?,
        ledger: system::ledger(environment)?,
        bus: environment.bus(public::SOURCE)?,
        outbox: shared::relay::Relay::new(environment.dead_letters()?),
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
    /// The queue of ledger entries to add to the balances.
    pub ledger: Queue,
    /// The bus.
    pub bus: Bus,
    /// Reads the stream.
    pub outbox: shared::relay::Relay,
}

/// A new item of the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub enum NewItem {
    /// An event of an order.
    Event(Recorded),
    /// A ledger entry.
    Entry(Entry),
    /// An item that is not passed on.
    Other,
}

impl TryFrom<Value> for NewItem {
    type Error = serde_json::Error;

    fn try_from(item: Value) -> Result<Self, serde_json::Error> {
        if item["sk"].as_str().is_some_and(|sk| sk.starts_with("EVENT#")) {
            return serde_json::from_value(item).map(Self::Event);
        }
        Ok(Store::entry(item)?.map_or(Self::Other, Self::Entry))
    }
}

impl Relay {
    /// Passes on the new items of a batch.
    pub async fn batch(&self, batch: StreamEvent, invocation: &Invocation) -> Result<()> {
        let handler = async |item| Ok(self.item(item).await?);
        Box::pin(self.outbox.batch(batch, invocation, handler)).await
    }

    /// Passes on an item. Idempotent for the receivers: a duplicate does no harm.
    async fn item(&self, item: NewItem) -> Result<()> {
        match item {
            NewItem::Event(recorded) => self.event(&recorded).await,
            NewItem::Entry(entry) => self.entry(entry).await,
            NewItem::Other => Ok(()),
        }
    }

    async fn event(&self, Recorded { order, version, event, .. }: &Recorded) -> Result<()> {
        if asks_for_a_worker(event) {
            self.orders.send(&Advance::V1 { order: *order }).await?;
        }
        if public::name(event).is_none() {
            return Ok(());
        }
        // Everything is read first: a read that fails again and again must not send the jobs each time.
        let endpoints = self.store.endpoints().await?;
        let publication = Publication::find(&self.store, *order, *version).await?;
        for endpoint in endpoints {
            let about = Told { endpoint: endpoint.name, order: *order, event: *version };
            self.webhooks.send(&Tell::V1 { about }).await?;
        }
        if let Some(publication) = publication {
            self.bus.publish(publication.event()).await?;
        }
        Ok(())
    }

    /// The entries of an order stay in order, so that no pending sum is negative.
    async fn entry(&self, entry: Entry) -> Result<()> {
        let order = entry.movement().order.to_string();
        self.ledger.send_in_order(&Fold::V1 { entry }, &order).await
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
