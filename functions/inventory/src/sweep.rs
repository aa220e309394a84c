//! Releases reservations that are held and have expired.
//!
//! It may run twice at once, and be ended anywhere: each reservation is released by one transaction,
//! whose condition is that it is held and has expired. One that was committed a moment before is left
//! alone; one that is left over is due in the next minute too.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use shared::clock::Clock;
use shared::invocation::Invocation;
use shared::{Error, Result};

use crate::reservation::Status;
use crate::sku::Sku;
use crate::store::{DUE_SHARDS, Inventory};

/// Nothing is begun when there is less time left than this: a request may take 8 s.
const MARGIN: Duration = Duration::from_secs(10);

/// What the task needs.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The inventory's table.
    pub inventory: Inventory,
    /// The time.
    pub clock: Clock,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// How many reservations were released.
    pub released: u64,
    /// How many turned out not to be held any more.
    pub left_alone: u64,
    /// How many could not be released, and shards not be read; each is in the log.
    pub failed: u64,
    /// How many shards of the index were not read to their end, for want of time.
    pub cut_short: u64,
}

impl Sweep {
    /// Sweeps until nothing is due or the invocation comes to its end.
    ///
    /// # Errors
    /// When a reservation could not be released. All others are, all the same.
    pub async fn handle(&self, invocation: &Invocation) -> Result<Swept> {
        let swept = self.sweep(&|| invocation.remaining() > MARGIN).await;
        metrics::counter!("ReservationsExpired").increment(swept.released);
        let Swept { released, left_alone, failed, cut_short } = swept;
        tracing::info!(released, left_alone, failed, cut_short, "swept");
        if failed > 0 {
            return Err(Error::internal(format!("{failed} reservations could not be released")));
        }
        Ok(swept)
    }

    /// Sweeps until nothing is due or there is no time any more, all shards at once.
    pub async fn sweep(&self, has_time: &(dyn Fn() -> bool + Sync)) -> Swept {
        let now = self.clock.now();
        let shards = join_all((0..DUE_SHARDS).map(|shard| self.sweep_shard(shard, now, has_time)));
        shards.await.into_iter().fold(Swept::default(), |all, one| Swept {
            released: all.released + one.released,
            left_alone: all.left_alone + one.left_alone,
            failed: all.failed + one.failed,
            cut_short: all.cut_short + one.cut_short,
        })
    }

    async fn sweep_shard(
        &self,
        shard: u32,
        now: Timestamp,
        has_time: &(dyn Fn() -> bool + Sync),
    ) -> Swept {
        let (mut swept, mut start) = (Swept::default(), None);
        loop {
            let due = match self.inventory.due(shard, now, start).await {
                Ok(due) => due,
                Err(error) => {
                    tracing::error!(error = error.trail(), shard, "the index cannot be read");
                    swept.failed += 1;
                    return swept;
                }
            };
            for (holder, sku) in due.keys {
                if !has_time() {
                    swept.cut_short += 1;
                    return swept;
                }
                match self.release(&holder, &sku, now).await {
                    Ok(true) => swept.released += 1,
                    Ok(false) => swept.left_alone += 1,
                    Err(error) => {
                        // The others need not wait for it.
                        tracing::error!(error = error.trail(), holder, %sku, "not released");
                        swept.failed += 1;
                    }
                }
            }
            start = due.next;
            if start.is_none() {
                return swept;
            }
        }
    }

    /// Whether it was released. The index is a moment behind, so the reservation itself is asked.
    async fn release(&self, holder: &str, sku: &Sku, now: Timestamp) -> Result<bool> {
        match self.inventory.reservation(holder, sku).await? {
            Some(found) if found.status == Status::Held => self.inventory.expire(&found, now).await,
            _ => Ok(false),
        }
    }
}
