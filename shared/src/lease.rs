//! Leases: one attempt at an item at a time, until it lets go of the item or its time is over.
//!
//! The item has two attributes: `attempt`, the id of the attempt that claimed it last, and `lease_until`
//! (milliseconds since 1970), which exists as long as the lease is held.
//!
//! **Guarantees.** Of all attempts that claim an item at once, one gets it. An attempt begins nothing
//! after [`Lease::until`]; the item is free [`GRACE`] later. An attempt that stalls and goes on after its time writes nothing: each of its writes has
//! the condition [`HELD`] or [`CLAIMED_LAST`], which fails once another attempt has claimed the item.
//!
//! ```no_run
//! # async fn example(table: shared::table::Table, ids: shared::id::Ids) -> shared::Result<()> {
//! use shared::lease::{FREE, Lease, TAKE};
//! use shared::table::key;
//! use shared::write::{self, Written};
//! use std::time::Duration;
//!
//! let now = jiff::Timestamp::now();
//! let lease = Lease { attempt: ids.next(), until: now + Duration::from_secs(60) };
//! let update = table.update(key("ORDER#1", "STATE"));
//! let claim = lease
//!     .claim(update, now)
//!     .update_expression(format!("SET {TAKE}"))
//!     .condition_expression(format!("attribute_exists(pk) AND {FREE}"));
//! let is_ours = matches!(write::send("orders.claim", claim).await?, Written::Made(_));
//! # Ok(()) }
//! ```
//!
//! The SDK may send a claim twice when the first answer was lost. Then the second is refused by the first:
//! an item that refuses a claim and has the claim's own `attempt` is held by it.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use jiff::Timestamp;

use crate::id::{Id, Kind};
use crate::table::{milliseconds, text};

/// The kind of an attempt's id.
#[derive(Debug)]
pub enum AttemptKind {}
impl Kind for AttemptKind {
    const PREFIX: &'static str = "att";
}
/// An attempt at an item. No two have the same id.
pub type AttemptId = Id<AttemptKind>;

/// How long after the end of its attempt an item is free. Lambda has been seen to end an invocation as
/// much as 0.68 s after its deadline
/// (<https://github.com/aws-powertools/powertools-lambda-python/issues/4759>), and clocks differ.
pub const GRACE: Duration = Duration::from_secs(2);

/// Condition: no attempt holds the item.
pub const FREE: &str = "(attribute_not_exists(lease_until) OR lease_until < :lease_now)";
/// Update: the attempt holds the item. Part of a `SET`.
pub const TAKE: &str = "attempt = :attempt, lease_until = :lease_until";
/// Condition: the attempt holds the item.
pub const HELD: &str = "attempt = :attempt AND attribute_exists(lease_until)";
/// Condition: no other attempt has claimed the item since, whether or not this one still holds it.
pub const CLAIMED_LAST: &str = "attempt = :attempt";
/// Update: nobody holds the item. Part of a `REMOVE`.
pub const LET_GO: &str = "lease_until";

/// A lease that an attempt asks for or holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whose.
    pub attempt: AttemptId,
    /// When the attempt is over at the latest.
    pub until: Timestamp,
}

impl Lease {
    /// Gives a claim the values of [`FREE`] and [`TAKE`].
    #[must_use]
    pub fn claim(&self, claim: UpdateItemFluentBuilder, now: Timestamp) -> UpdateItemFluentBuilder {
        held_by(claim, self.attempt)
            .expression_attribute_values(":lease_now", milliseconds(now))
            .expression_attribute_values(":lease_until", milliseconds(self.until + GRACE))
    }
}

/// Gives a write the value of [`HELD`] and [`CLAIMED_LAST`].
#[must_use]
pub fn held_by(write: UpdateItemFluentBuilder, attempt: AttemptId) -> UpdateItemFluentBuilder {
    write.expression_attribute_values(":attempt", text(attempt))
}

/// How long an item is not free from `now` on, by its attribute `lease_until`; zero if it is free.
#[must_use]
pub fn left(lease_until: Option<Timestamp>, now: Timestamp) -> Duration {
    let left = lease_until.map(|until| until.duration_since(now));
    left.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default()
}

/// How long a job waits that finds its item held: its holder may die, so the job comes again when the item
/// is free.
#[must_use]
pub fn retry_after(lease_until: Option<Timestamp>, now: Timestamp) -> Duration {
    left(lease_until, now) + Duration::from_secs(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_comes_again_when_the_item_is_free() {
        let now: Timestamp = "2026-11-30T10:00:00Z".parse().unwrap();
        assert_eq!(left(None, now), Duration::ZERO);
        assert_eq!(left(Some(now - Duration::from_secs(5)), now), Duration::ZERO);
        assert_eq!(left(Some(now + Duration::from_secs(5)), now), Duration::from_secs(5));
        assert_eq!(retry_after(Some(now + Duration::from_secs(5)), now), Duration::from_secs(6));
    }
}
