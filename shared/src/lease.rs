//! Leases: one attempt at a time holds an item, until it releases the item or the lease expires.
//!
//! The item has two attributes: `attempt`, the id of the attempt that claimed it last, and `lease_until`
//! (milliseconds since 1970), which exists until the attempt releases the item.
//!
//! **Guarantees.** Of concurrent claims of an item, one succeeds. An attempt starts nothing
//! after [`Lease::until`]; the item is free [`GRACE`] later. An attempt that stalls until another attempt
//! has claimed the item writes nothing: each of its writes has the condition [`HELD`] or
//! [`CLAIMED_LAST`], which then fails.
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
//! The SDK may send a claim twice when the first answer was lost. Then the condition of the second fails,
//! because the first succeeded: if a claim fails and the item has the claim's own `attempt`, the
//! claim holds the item.

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
/// The id of an attempt. Each attempt has its own.
pub type AttemptId = Id<AttemptKind>;

/// The time between the end of an attempt and the end of its lease. Lambda can end an invocation up to
/// 0.68 s after its deadline, as observed in
/// <https://github.com/aws-powertools/powertools-lambda-python/issues/4759>, and clocks differ.
pub const GRACE: Duration = Duration::from_secs(2);

/// Condition: no attempt holds the item.
pub const FREE: &str = "(attribute_not_exists(lease_until) OR lease_until < :lease_now)";
/// Update: the attempt takes the item. Part of a `SET`.
pub const TAKE: &str = "attempt = :attempt, lease_until = :lease_until";
/// Condition: the attempt holds the item.
pub const HELD: &str = "attempt = :attempt AND attribute_exists(lease_until)";
/// Condition: no other attempt has claimed the item since. This attempt may have released it.
pub const CLAIMED_LAST: &str = "attempt = :attempt";
/// Update: the attempt releases the item. Part of a `REMOVE`.
pub const LET_GO: &str = "lease_until";

/// A lease that an attempt requests or holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The attempt.
    pub attempt: AttemptId,
    /// The latest end of the attempt.
    pub until: Timestamp,
}

impl Lease {
    /// Sets the values that [`FREE`] and [`TAKE`] need in a claim.
    #[must_use]
    pub fn claim(&self, claim: UpdateItemFluentBuilder, now: Timestamp) -> UpdateItemFluentBuilder {
        held_by(claim, self.attempt)
            .expression_attribute_values(":lease_now", milliseconds(now))
            .expression_attribute_values(":lease_until", milliseconds(self.until + GRACE))
    }
}

/// Sets the value that [`HELD`] and [`CLAIMED_LAST`] need in a write.
#[must_use]
pub fn held_by(write: UpdateItemFluentBuilder, attempt: AttemptId) -> UpdateItemFluentBuilder {
    write.expression_attribute_values(":attempt", text(attempt))
}

/// The time from `now` until an item is free, from its attribute `lease_until`; zero if it is free.
#[must_use]
pub fn left(lease_until: Option<Timestamp>, now: Timestamp) -> Duration {
    let left = lease_until.map(|until| until.duration_since(now));
    left.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default()
}

/// The wait of a job whose item is held: the job is retried 1 s after the lease ends, in case the holder
/// crashes.
#[must_use]
pub fn retry_after(lease_until: Option<Timestamp>, now: Timestamp) -> Duration {
    left(lease_until, now) + Duration::from_secs(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_retried_when_the_item_is_free() {
        let now: Timestamp = "2026-11-30T10:00:00Z".parse().unwrap();
        assert_eq!(left(None, now), Duration::ZERO);
        assert_eq!(left(Some(now - Duration::from_secs(5)), now), Duration::ZERO);
        assert_eq!(left(Some(now + Duration::from_secs(5)), now), Duration::from_secs(5));
        assert_eq!(retry_after(Some(now + Duration::from_secs(5)), now), Duration::from_secs(6));
    }
}
