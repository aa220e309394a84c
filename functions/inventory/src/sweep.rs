//! Releases reservations that are held and have expired.
//!
//! It may run twice at once, and be ended anywhere: each reservation is released by one transaction,
//! whose condition is that it is held and has expired. One that was committed a moment before is left
//! alone; one that is left over is due in the next minute too.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::clock::Clock;
use shared::due::{self, MARGIN};
use shared::invocation::Invocation;
use shared::program::Environment;
use shared::{Error, Result};

use crate::reservation::Status;
use crate::sku::Sku;
use crate::store::{DUE_SHARDS, Inventory, names};
use crate::system;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let inventory = system::inventory(environment)?;
    let task = Sweep { inventory, clock: environment.clock.clone() };
    shared::invocation::run(async |_: Value, invocation| task.handle(&invocation).await).await
}

/// The dependencies of the task.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The inventory's table.
    pub inventory: Inventory,
    /// The clock.
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

    /// Sweeps until nothing is due or there is no time any more.
    pub async fn sweep(&self, has_time: &(dyn Fn() -> bool + Sync)) -> Swept {
        let now = self.clock.now();
        let shards = (0..DUE_SHARDS).map(|shard| shard.to_string());
        let release = |item| async move {
            let (holder, sku) = names(&item)?;
            self.release(&holder, &sku, now).await
        };
        let swept = due::sweep(&self.inventory.due(now), shards, has_time, release).await;
        Swept {
            released: swept.count(&true),
            left_alone: swept.count(&false),
            failed: swept.failed,
            cut_short: swept.cut_short,
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
