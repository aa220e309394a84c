//! The outbox: the one consumer of a table's stream, which passes new items on to queues and to the bus.
//!
//! **Guarantees.** Each new item of the table is handled at least once. Items of one partition key are handled
//! in the order in which they were written. A failure stops the items of its key. Items after its batch
//! wait until the batch succeeds. An item that still fails 10 minutes after it was written goes to the
//! dead-letter queue, whole and with the reason. An item that cannot be parsed, or whose handler fails
//! permanently, goes there at once. `make redrive` gives it to the function again.
//!
//! A table has one consumer, however many subscribers it has. AWS advises two readers a shard at most,
//! and a subscriber that fails must not delay another one. So each subscriber has a queue of its own:
//! the handler sends what the system's own tasks need to their queues, and publishes what other systems
//! may know on the [bus](crate::bus). Queues that need the order are FIFO queues
//! ([`Queue::send_in_order`]).
//!
//! ```no_run
//! # async fn example(environment: &shared::program::Environment) -> shared::Result<()> {
//! use serde::Deserialize;
//! use shared::bus::Event;
//! use shared::relay::Relay;
//!
//! #[derive(Deserialize)]
//! struct Item {
//!     pk: String,
//!     at: jiff::Timestamp,
//! }
//!
//! let relay = Relay::new(environment.dead_letters()?);
//! let (jobs, bus) = (environment.queue("JOBS_QUEUE_URL")?, environment.bus("arsenal.greetings")?);
//! shared::invocation::run(async |batch, invocation| {
//!     let handler = async |item: Item| {
//!         jobs.send(&item.pk).await?;
//!         Ok(bus.publish(Event::new("greeting.sent", &item.pk, item.at, ())).await?)
//!     };
//!     relay.batch(batch, &invocation, handler).await
//! })
//! .await
//! # }
//! ```
//!
//! The event source mapping has `BisectBatchOnFunctionError`, and filters for the items that the handler
//! passes on, so that no other item invokes the function.

use std::future::Future;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::batch::{Change, ChangeKind, Failure, Stream, StreamEvent};
use crate::invocation::Invocation;
use crate::queue::Queue;
use crate::{Error, Result};

/// The number of partition keys whose items are handled at once. A handler waits for a request or two.
const KEYS_AT_ONCE: usize = 8;
/// The age from which an item is not tried again. Longer than most outages of a queue or of the bus. An item
/// that is older when the function first sees it is tried once.
const GIVE_UP_AFTER: Duration = Duration::from_mins(10);

/// Passes on the new items of a table: see the [module](self).
#[derive(Clone, Debug)]
pub struct Relay {
    stream: Stream,
}

impl Relay {
    /// A relay that sends items which fail permanently to `dead_letters`.
    #[must_use]
    pub fn new(dead_letters: Queue) -> Self {
        let stream = Stream::new().dead_letters(dead_letters);
        Self { stream: stream.keys_at_once(KEYS_AT_ONCE).give_up_after(GIVE_UP_AFTER) }
    }

    /// Puts a SHA-256 in place of the attribute `name` into dead letters: a secret that cannot be guessed.
    #[must_use]
    pub fn hiding(mut self, name: &'static str) -> Self {
        self.stream = self.stream.hiding(name);
        self
    }

    /// Calls `handler` with each new item of a batch of the stream. The handler must be idempotent for its
    /// receivers.
    ///
    /// # Errors
    /// When an item was not handled. Lambda delivers the whole batch again, in halves: some emulators do
    /// not read the numbers of the records that failed, and would drop them.
    pub async fn batch<T, F, Fut>(
        &self,
        batch: StreamEvent,
        invocation: &Invocation,
        handler: F,
    ) -> Result<()>
    where
        T: DeserializeOwned,
        F: Fn(T) -> Fut,
        Fut: Future<Output = Result<(), Failure>>,
    {
        let handler = async |Change { kind, new, .. }: Change<T>| match new {
            Some(item) if kind == ChangeKind::Insert => handler(item).await,
            _ => Ok(()),
        };
        self.changes(batch, invocation, handler).await
    }

    /// [`Relay::batch`] for changes of all kinds.
    ///
    /// # Errors
    /// As for [`Relay::batch`].
    pub async fn changes<T, F, Fut>(
        &self,
        batch: StreamEvent,
        invocation: &Invocation,
        handler: F,
    ) -> Result<()>
    where
        T: DeserializeOwned,
        F: Fn(Change<T>) -> Fut,
        Fut: Future<Output = Result<(), Failure>>,
    {
        let response = self.stream.changes(batch, invocation, handler).await?;
        if response.batch_item_failures.is_empty() {
            return Ok(());
        }
        Err(Error::internal("an item was not relayed"))
    }
}
