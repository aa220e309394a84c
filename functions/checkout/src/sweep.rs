//! Looks after orders that stand still: whose messages were lost, whose worker has died for good, whose
//! provider has never called back, or whose customer has never come back.

use std::time::Duration;

use shared::Result;
use shared::clock::Clock;
use shared::fault::point;
use shared::queue::Queue;

use crate::queues::Advance;
use crate::store::{DUE_SHARDS, Due, OVERDUE_AFTER, Store};

/// How long before the invocation's end no further order is begun.
pub const MARGIN: Duration = Duration::from_secs(5);

/// What the task needs.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The checkout's table.
    pub store: Store,
    /// The queue of orders that are to be advanced.
    pub orders: Queue,
    /// The time.
    pub clock: Clock,
}

impl Sweep {
    /// Queues every order that is overdue; gives how many. The job comes first and the mark after it: a
    /// crash in between costs a second job, and never an order.
    pub async fn handle(&self, until: jiff::Timestamp) -> Result<usize> {
        let mut found = 0;
        for shard in 0..DUE_SHARDS {
            loop {
                let now = self.clock.now();
                let due = point("sweep.due", || self.store.due(shard, now)).await?;
                for overdue in &due {
                    if self.clock.now() + MARGIN > until {
                        tracing::warn!(found, "no time for all that is overdue");
                        return Ok(found);
                    }
                    self.wake(overdue).await?;
                    found += 1;
                }
                if due.len() < 100 {
                    break;
                }
            }
        }
        self.ask_again(until).await?;
        if found > 0 {
            tracing::info!(found, "orders were overdue");
            metrics::counter!("OrdersOverdue").increment(found as u64);
        }
        Ok(found)
    }

    /// Has orders looked at whose refunds the provider has not decided on. They do not count as overdue.
    async fn ask_again(&self, until: jiff::Timestamp) -> Result<()> {
        loop {
            let now = self.clock.now();
            let due = point("sweep.settling", || self.store.settling(now)).await?;
            for waiting in &due {
                if self.clock.now() + MARGIN > until {
                    return Ok(());
                }
                self.wake(waiting).await?;
            }
            if due.len() < 100 {
                return Ok(());
            }
        }
    }

    async fn wake(&self, overdue: &Due) -> Result<()> {
        self.orders.send(&Advance::V1 { order: overdue.order()? }).await?;
        let at = self.clock.now() + OVERDUE_AFTER;
        point("sweep.look_again", || self.store.look_again(overdue, at)).await
    }
}
