//! Releases held reservations that have expired.
//!
//! Two sweeps may run at the same time, and a sweep may stop anywhere: one transaction releases each
//! reservation, on the condition that it is held and has expired. If a reservation was committed in the
//! meantime, the sweep leaves it unchanged. The next sweep, a minute later, continues with the rest.

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
use crate::store::{DUE_SHARDS, Inventory, parse_key};
use crate::system;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    environment.connect().await;
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

/// The outcome of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SweepReport {
    /// The number of released reservations.
    pub released: u64,
    /// The number of reservations that were no longer held.
    pub left_alone: u64,
    /// The number of reservations that could not be released, plus shards that could not be read. The log has
    /// each of them.
    pub failed: u64,
    /// The number of shards that were not read to the end, because the time was too short.
    pub cut_short: u64,
}

impl Sweep {
    /// Sweeps until nothing is due or the time of the invocation is nearly over.
    ///
    /// # Errors
    /// When a reservation could not be released or a shard could not be read. All other reservations are
    /// released.
    pub async fn handle(&self, invocation: &Invocation) -> Result<SweepReport> {
        let swept = self.sweep(&|| invocation.remaining() > MARGIN).await;
        metrics::counter!("ReservationsExpired").increment(swept.released);
        let SweepReport { released, left_alone, failed, cut_short } = swept;
        tracing::info!(released, left_alone, failed, cut_short, "sweep finished");
        if failed > 0 {
            return Err(Error::internal(format!("{failed} reservations could not be released")));
        }
        Ok(swept)
    }

    /// Sweeps until nothing is due or `has_time` returns false.
    pub async fn sweep(&self, has_time: &(dyn Fn() -> bool + Sync)) -> SweepReport {
        let now = self.clock.now();
        let shards = (0..DUE_SHARDS).map(|shard| shard.to_string());
        let release = |item| async move {
            let (holder, sku) = parse_key(&item)?;
            self.release(&holder, &sku, now).await
        };
        let swept = due::sweep(&self.inventory.due(now), shards, has_time, release).await;
        SweepReport {
            released: swept.count(&true),
            left_alone: swept.count(&false),
            failed: swept.failed,
            cut_short: swept.cut_short,
        }
    }

    /// Releases a reservation, and returns whether it was released. The index is eventually consistent, so
    /// this reads the reservation first.
    async fn release(&self, holder: &str, sku: &Sku, now: Timestamp) -> Result<bool> {
        match self.inventory.reservation(holder, sku).await? {
            Some(found) if found.status == Status::Held => self.inventory.expire(&found, now).await,
            _ => Ok(false),
        }
    }
}
