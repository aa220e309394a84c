//! How often something may happen: the generic cell rate algorithm, exact over all instances.
//!
//! **Guarantees.** Within any stretch of a quota's window, a subject is admitted at most `limit` times
//! at once and then evenly, once every `window / limit`; however many functions ask at the same
//! moment, for the decision is one conditional write. A request whose answer the network loses may be
//! counted twice, and never not at all.
//!
//! ```no_run
//! # async fn example(client: aws_sdk_dynamodb::Client) -> shared::Result<()> {
//! use shared::clock::Clock;
//! use shared::rate_limit::{Quota, RateLimiter};
//! use std::time::Duration;
//!
//! const SIGN_INS: Quota = Quota::new("sign-ins", 10, Duration::from_mins(1));
//! let limiter = RateLimiter::new(client, "requests".into(), Clock::System);
//! let decision = limiter.admit(&SIGN_INS, "ada@example.org").await?;
//! assert!(decision.is_admitted && decision.remaining == 9);
//! # Ok(()) }
//! ```
//!
//! **Cost.** One `UpdateItem` (1 WRU), whether it admits or refuses; two when this environment does not
//! know whether the subject was busy just now, and guesses wrong.
//!
//! The item: `id` is `rate#<quota>#<subject>`; `tat` (N, epoch microseconds) is the theoretical arrival
//! time, up to which the subject has used its allowance; `expiration` (N, epoch seconds) is the TTL
//! attribute. [`http::rate_limit`](crate::http::rate_limit) puts it in front of a route.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure,
};

use crate::clock::Clock;
use crate::write::{self, Written};
use crate::{Error, Result};

/// How many subjects an environment remembers to guess right.
const REMEMBERED: usize = 1024;
/// How often a decision is tried that others get in the way of.
const MAX_TRIES: u32 = 8;

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What may happen, for the item's key and the header: letters, digits and hyphens.
    pub name: &'static str,
    /// How often, within the window.
    pub limit: u32,
    /// The window.
    pub window: Duration,
}

impl Quota {
    /// `limit` times within `window`.
    #[must_use]
    pub const fn new(name: &'static str, limit: u32, window: Duration) -> Self {
        Self { name, limit, window }
    }

    /// The time that one admission uses up, in microseconds.
    fn interval(&self) -> i64 {
        let window = i64::try_from(self.window.as_micros()).unwrap_or(i64::MAX);
        // Rounded up: never more than the limit.
        (window / i64::from(self.limit.max(1))).max(1)
            + i64::from(window % i64::from(self.limit.max(1)) != 0)
    }

    /// The time that the whole limit uses up, in microseconds.
    fn allowance(&self) -> i64 {
        self.interval().saturating_mul(i64::from(self.limit))
    }

    fn decision(&self, is_admitted: bool, until: i64, now: i64) -> Decision {
        let used = (until - now).max(0);
        let free = (self.allowance() - used).max(0);
        let micros = |time: i64| Duration::from_micros(time.max(0).unsigned_abs());
        Decision {
            is_admitted,
            remaining: u32::try_from(free / self.interval()).unwrap_or(0),
            retry_after: if is_admitted {
                Duration::ZERO
            } else {
                micros(until - (now + self.allowance() - self.interval()))
            },
            reset: micros(used),
        }
    }
}

/// Whether something may happen, and how often more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may.
    pub is_admitted: bool,
    /// How often more it may at once.
    pub remaining: u32,
    /// When it may the next time, if it may not now: from now.
    pub retry_after: Duration,
    /// When the whole limit will be there again: from now.
    pub reset: Duration,
}

/// Decides.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    client: Client,
    table: String,
    clock: Clock,
    seen: Arc<Mutex<HashMap<String, i64>>>,
}

/// What came of one try.
enum Tried {
    Admitted {
        until: i64,
    },
    /// The item was not as guessed; it says this.
    Found {
        until: Option<i64>,
    },
}

impl RateLimiter {
    /// Decides by the items in `table`, whose partition key is `id`.
    #[must_use]
    pub fn new(client: Client, table: String, clock: Clock) -> Self {
        Self { client, table, clock, seen: Arc::default() }
    }

    /// The clock that decides.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Whether `subject` may, once more.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or the item is contended beyond measure.
    pub async fn admit(&self, quota: &Quota, subject: &str) -> Result<Decision> {
        let id = format!("rate#{}#{subject}", quota.name);
        let now = self.clock.now().as_microsecond();
        let latest = now + quota.allowance() - quota.interval();
        let mut busy_until = self.recall(&id);
        for _ in 0..MAX_TRIES {
            match self
                .attempt(quota, &id, now, busy_until.is_some_and(|until| until >= now))
                .await?
            {
                Tried::Admitted { until } => {
                    self.remember(id, until);
                    return Ok(quota.decision(true, until, now));
                }
                Tried::Found { until: Some(until) } if until > latest => {
                    self.remember(id, until);
                    return Ok(quota.decision(false, until, now));
                }
                Tried::Found { until } => busy_until = until,
            }
        }
        Err(Error::Conflict("the rate limit's item is contended".into()))
    }

    /// Adds one admission: to what is used up already if the subject is busy, from now on if not.
    async fn attempt(&self, quota: &Quota, id: &str, now: i64, is_busy: bool) -> Result<Tried> {
        let expiration = (now + quota.allowance()) / 1_000_000 + 1;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_owned()))
            .expression_attribute_names("#expiration", "expiration")
            .expression_attribute_values(":expiration", number(expiration))
            .expression_attribute_values(":now", number(now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let update = if is_busy {
            update
                .update_expression("SET tat = tat + :interval, #expiration = :expiration")
                .condition_expression("tat >= :now AND tat <= :latest")
                .expression_attribute_values(":interval", number(quota.interval()))
                .expression_attribute_values(
                    ":latest",
                    number(now + quota.allowance() - quota.interval()),
                )
        } else {
            update
                .update_expression("SET tat = :next, #expiration = :expiration")
                .condition_expression("attribute_not_exists(tat) OR tat < :now")
                .expression_attribute_values(":next", number(now + quota.interval()))
        };
        let tat = |item: Option<&HashMap<String, AttributeValue>>| match item?.get("tat")? {
            AttributeValue::N(number) => number.parse().ok(),
            _ => None,
        };
        match write::send("rate_limit.admit", update).await? {
            Written::Made(item) => match tat(item.as_ref()) {
                Some(until) => Ok(Tried::Admitted { until }),
                None => Err(Error::internal("an update gave no item")),
            },
            Written::Refused(item) => Ok(Tried::Found { until: tat(item.as_ref()) }),
        }
    }

    fn recall(&self, id: &str) -> Option<i64> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }

    fn remember(&self, id: String, until: i64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(id, until);
    }
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uneven_window_admits_no_more_than_the_limit() {
        let quota = Quota::new("q", 7, Duration::from_mins(1));
        assert_eq!(quota.interval(), 8_571_429);
        assert!(quota.allowance() >= 60_000_000);
    }

    #[test]
    fn a_decision_says_what_is_left_and_when() {
        let quota = Quota::new("q", 10, Duration::from_secs(10));
        let now = 1_000_000_000;
        let first = quota.decision(true, now + 1_000_000, now);
        assert_eq!((first.remaining, first.reset.as_secs()), (9, 1));
        let last = quota.decision(true, now + 10_000_000, now);
        assert_eq!((last.remaining, last.reset.as_secs()), (0, 10));
        let refused = quota.decision(false, now + 9_400_000, now);
        assert_eq!((refused.remaining, refused.retry_after.as_millis()), (0, 400));
    }
}
