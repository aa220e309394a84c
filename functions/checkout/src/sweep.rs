//! Queues orders that make no progress: because a message was lost, a worker crashed, the provider sent no
//! webhook, or the customer did not return.

use jiff::Timestamp;
use serde_json::Value;
use shared::clock::Clock;
use shared::due::{self, Item, MARGIN};
use shared::program::Environment;
use shared::queue::Queue;
use shared::{Error, Result};

use crate::queues::Advance;
use crate::store::{DUE_SHARDS, DueOrder, OVERDUE_AFTER, SETTLING, Store, due_shard};
use crate::system;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = Sweep {
        store: system::store(environment)?,
        orders: system::orders(environment)?,
        clock: environment.clock.clone(),
    };
    shared::invocation::run(async |_: Value, invocation| task.handle(invocation.deadline).await)
        .await
}

/// The dependencies of the task.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The checkout's table.
    pub store: Store,
    /// The queue of orders to advance.
    pub orders: Queue,
    /// The clock.
    pub clock: Clock,
}

impl Sweep {
    /// Queues every overdue order, and returns their number. It sends the job before it moves the next check:
    /// a crash in between causes a second job, and loses no order.
    ///
    /// # Errors
    /// When a shard could not be read or an order could not be queued. All other orders are queued.
    pub async fn handle(&self, until: Timestamp) -> Result<u64> {
        let now = self.clock.now();
        let has_time = || self.clock.now() + MARGIN <= until;
        let queue_order =
            |item: Item| async move { self.queue_order(&serde_dynamo::from_item(item)?).await };
        let shards = (0..DUE_SHARDS).map(due_shard);
        let overdue = due::sweep(&self.store.due(now), shards, &has_time, queue_order).await;
        // These orders do not count as overdue.
        let settling = [SETTLING.to_owned()];
        let settling =
            due::sweep(&self.store.settling(now), settling, &has_time, queue_order).await;
        let found = overdue.count(&());
        if overdue.cut_short + settling.cut_short > 0 {
            tracing::warn!(found, "the time was too short for all overdue orders");
        }
        if found > 0 {
            tracing::info!(found, "queued overdue orders");
            metrics::counter!("OrdersOverdue").increment(found);
        }
        match overdue.failed + settling.failed {
            0 => Ok(found),
            failed => Err(Error::internal(format!("{failed} overdue orders or shards failed"))),
        }
    }

    async fn queue_order(&self, overdue: &DueOrder) -> Result<()> {
        self.orders.send(&Advance::V1 { order: overdue.order()? }).await?;
        self.store.postpone_check(overdue, self.clock.now() + OVERDUE_AFTER).await
    }
}
