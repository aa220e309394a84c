//! Items that must be checked by a certain time, even if their events and messages are lost.
//!
//! Such an item has the attributes `due_shard` and `due_at` (milliseconds since 1970), which are the keys of
//! its table's sparse index `due`. An item that waits for nothing has neither.
//!
//! **Guarantees.** A sweep checks every item that is due, unless it runs out of time; the next sweep finds
//! the rest. A failure of one item, or of one shard's page, is logged and counted. A failed item stops
//! nothing else; a failed page ends its own shard. Sweeps may run in parallel, so an item may be checked
//! twice.
//!
//! ```no_run
//! # async fn example(client: aws_sdk_dynamodb::Client) -> shared::Result<()> {
//! use shared::due::{self, Due};
//!
//! let due = Due::by(jiff::Timestamp::now(), "things.due", client, "things".into());
//! let shards = (0..8).map(|shard| shard.to_string());
//! let swept = due::sweep(&due, shards, &|| true, |item| async move {
//!     // The index lags behind the table: read the item itself before you act.
//!     Ok(item.len() > 4)
//! });
//! let swept = swept.await;
//! println!("{} large items, {} failures", swept.count(&true), swept.failed);
//! # Ok(()) }
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use jiff::Timestamp;

use crate::Result;
use crate::fault::point;
pub use crate::table::Item;

/// The time that must be left to start on another item: a request may take 8 s.
pub const MARGIN: Duration = Duration::from_secs(10);
/// The maximum number of items in a page.
const PAGE: i32 = 100;

/// The due items of a table.
#[derive(Clone, Debug)]
pub struct Due {
    until: Timestamp,
    point: &'static str,
    client: Client,
    table: String,
}

/// The result of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept<O> {
    /// The number of items by outcome.
    outcomes: BTreeMap<O, u64>,
    /// The number of items and of shards that failed; each failure is in the log.
    pub failed: u64,
    /// The number of shards that the sweep did not finish because the time was over.
    pub cut_short: u64,
}

impl Due {
    /// The items of `table` that are due at `until` or before. Pages are read at the fault point `point`.
    #[must_use]
    pub fn by(until: Timestamp, point: &'static str, client: Client, table: String) -> Self {
        Self { until, point, client, table }
    }

    /// A page of a shard, the longest due first, and the start of the next page. 0.5 RRU for 4 KB.
    async fn page(&self, shard: &str, start: Option<Item>) -> Result<(Vec<Item>, Option<Item>)> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND due_at <= :until")
            .expression_attribute_values(":shard", AttributeValue::S(shard.into()))
            .expression_attribute_values(
                ":until",
                AttributeValue::N(self.until.as_millisecond().to_string()),
            )
            .set_exclusive_start_key(start)
            .limit(PAGE);
        let answer = point(self.point, || query.clone().send()).await?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }
}

/// The shard of an item, from 0 to `shards` - 1. The same name gives the same shard, so that a retry
/// builds the same transaction. Shards spread the writes: a partition of the index takes 1,000 WRU a second.
#[must_use]
pub fn shard(name: &str, shards: u32) -> u32 {
    let hash = |hash: u32, byte: u8| hash.wrapping_mul(31).wrapping_add(byte.into());
    name.bytes().fold(0, hash) % shards
}

impl<O: Ord> Swept<O> {
    /// The number of items with this outcome.
    #[must_use]
    pub fn count(&self, outcome: &O) -> u64 {
        self.outcomes.get(outcome).copied().unwrap_or_default()
    }

    fn and(mut self, other: Self) -> Self {
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
        let (failed, cut_short) = (self.failed + other.failed, self.cut_short + other.cut_short);
        Self { failed, cut_short, ..self }
    }
}

impl<O> Default for Swept<O> {
    fn default() -> Self {
        Self { outcomes: BTreeMap::new(), failed: 0, cut_short: 0 }
    }
}

/// Calls `look` with each due item of `shards`, until `has_time` gives false. The shards run in parallel.
pub async fn sweep<O: Ord, Fut>(
    due: &Due,
    shards: impl IntoIterator<Item = String>,
    has_time: &(dyn Fn() -> bool + Sync),
    look: impl Fn(Item) -> Fut,
) -> Swept<O>
where
    Fut: Future<Output = Result<O>>,
{
    let shards = shards.into_iter().map(|shard| sweep_shard(due, shard, has_time, &look));
    join_all(shards).await.into_iter().fold(Swept::default(), Swept::and)
}

async fn sweep_shard<O: Ord, Fut>(
    due: &Due,
    shard: String,
    has_time: &(dyn Fn() -> bool + Sync),
    look: &impl Fn(Item) -> Fut,
) -> Swept<O>
where
    Fut: Future<Output = Result<O>>,
{
    let (mut swept, mut start) = (Swept::default(), None);
    loop {
        // Each page is read once: the index lags behind the table, and may still have the checked items.
        let (items, next) = match due.page(&shard, start).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(error = error.trail(), shard, "read of the index failed");
                swept.failed += 1;
                return swept;
            }
        };
        for item in items {
            if !has_time() {
                swept.cut_short += 1;
                return swept;
            }
            match look(item).await {
                Ok(outcome) => *swept.outcomes.entry(outcome).or_default() += 1,
                Err(error) => {
                    tracing::error!(error = error.trail(), shard, "check of a due item failed");
                    swept.failed += 1;
                }
            }
        }
        start = next;
        if start.is_none() {
            return swept;
        }
    }
}
