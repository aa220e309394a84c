//! Looks after orders that stand still: whose messages were lost, whose worker has died for good, whose
//! provider has never called back, or whose customer has never come back.

use std::time::Duration;

use shared::clock::Clock;
use shared::fault::point;
use shared::queue::Queue;
use shared::{Error, Result};

use crate::queues::Advance;
use crate::store::{DUE_SHARDS, Due, DuePage, Item, OVERDUE_AFTER, Store};

/// How long before the invocation's end no further order is begun.
pub const MARGIN: Duration = Duration::from_secs(10);

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

/// What came of it so far.
#[derive(Default)]
struct Swept {
    found: usize,
    failed: usize,
    cut_short: bool,
}

impl Sweep {
    /// Queues every order that is overdue; gives how many. The job comes first and the mark after it: a
    /// crash in between costs a second job, and never an order.
    ///
    /// # Errors
    /// When a shard could not be read, or an order not be queued and marked. All others are, all the same.
    pub async fn handle(&self, until: jiff::Timestamp) -> Result<usize> {
        let (mut swept, now) = (Swept::default(), self.clock.now());
        for shard in 0..DUE_SHARDS {
            let page = async |start: Option<Item>| {
                point("sweep.due", || self.store.due(shard, now, start.clone())).await
            };
            self.drain(until, &mut swept, page).await;
        }
        let found = swept.found;
        // Those whose refunds the provider has not decided on. They do not count as overdue.
        let page = async |start: Option<Item>| {
            point("sweep.settling", || self.store.settling(now, start.clone())).await
        };
        self.drain(until, &mut swept, page).await;
        if swept.cut_short {
            tracing::warn!(found, "no time for all that is overdue");
        }
        if found > 0 {
            tracing::info!(found, "orders were overdue");
            metrics::counter!("OrdersOverdue").increment(found as u64);
        }
        match swept.failed {
            0 => Ok(found),
            failed => Err(Error::internal(format!("{failed} overdue orders or shards failed"))),
        }
    }

    /// Queues what page after page gives, in time. A failure is counted and logged, and stops nothing else:
    /// the order is due again a minute later.
    async fn drain(
        &self,
        until: jiff::Timestamp,
        swept: &mut Swept,
        page: impl AsyncFn(Option<Item>) -> Result<DuePage>,
    ) {
        let mut start = None;
        loop {
            let due = match page(start).await {
                Ok(due) => due,
                Err(error) => {
                    tracing::error!(error = error.trail(), "a shard cannot be read");
                    swept.failed += 1;
                    return;
                }
            };
            for overdue in &due.orders {
                if self.clock.now() + MARGIN > until {
                    swept.cut_short = true;
                    return;
                }
                match self.wake(overdue).await {
                    Ok(()) => swept.found += 1,
                    Err(error) => {
                        let order = overdue.order().ok();
                        tracing::error!(error = error.trail(), ?order, "not queued");
                        swept.failed += 1;
                    }
                }
            }
            // The index is a moment behind: its first page may still have what was just queued.
            start = due.next;
            if start.is_none() {
                return;
            }
        }
    }

    async fn wake(&self, overdue: &Due) -> Result<()> {
        self.orders.send(&Advance::V1 { order: overdue.order()? }).await?;
        self.store.look_again(overdue, self.clock.now() + OVERDUE_AFTER).await
    }
}
