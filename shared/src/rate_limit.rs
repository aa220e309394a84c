//! Rate limits: the generic cell rate algorithm, exact over all instances.
//!
//! **Guarantees.** A subject is admitted at most `limit` times at once, and then once every
//! `window / limit`. This also holds for concurrent requests of many instances, because each decision is
//! one conditional write. If the network loses an answer, the request may be counted twice; it is always
//! counted at least once.
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
//! **Cost.** One `UpdateItem` (1 WRU) for an admission or a refusal. Two if this environment has no
//! current value of the subject's item: then its first update may assume the wrong state.
//!
//! The item: `id` is `rate#<quota>#<subject>`; `tat` (N, epoch microseconds) is the theoretical arrival
//! time, up to which the subject has used its quota; `expiration` (N, epoch seconds) is the TTL
//! attribute. [`http::rate_limit`](crate::http::rate_limit) adds a limit to a route.

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

/// The maximum number of subjects whose last known time an environment keeps.
const REMEMBERED: usize = 1024;
/// Maximum attempts at a decision when other requests change the item.
const MAX_TRIES: u32 = 8;

/// A limit in a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The name, in the item's key and the header: letters, digits and hyphens.
    pub name: &'static str,
    /// The number of admissions in a window.
    pub limit: u32,
    /// The window.
    pub window: Duration,
}

impl Quota {
    /// `limit` admissions in each `window`.
    #[must_use]
    pub const fn new(name: &'static str, limit: u32, window: Duration) -> Self {
        Self { name, limit, window }
    }

    /// The time that one admission uses, in microseconds.
    fn interval(&self) -> i64 {
        let window = i64::try_from(self.window.as_micros()).unwrap_or(i64::MAX);
        // Rounded up, so that the rate never exceeds the limit.
        (window / i64::from(self.limit.max(1))).max(1)
            + i64::from(window % i64::from(self.limit.max(1)) != 0)
    }

    /// The time that `limit` admissions use, in microseconds.
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

/// Whether a request is admitted, and what remains of the quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the request is admitted.
    pub is_admitted: bool,
    /// How many more requests would be admitted now.
    pub remaining: u32,
    /// The time from now until the next admission; zero if the request is admitted.
    pub retry_after: Duration,
    /// The time from now until the whole limit is available again.
    pub reset: Duration,
}

/// Admits or refuses requests by a quota.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    client: Client,
    table: String,
    clock: Clock,
    seen: Arc<Mutex<HashMap<String, i64>>>,
}

/// The outcome of one attempt. `until` is the item's `tat`.
enum Outcome {
    Admitted {
        until: i64,
    },
    /// The item did not have the assumed state; it has this one.
    Found {
        until: Option<i64>,
    },
}

impl RateLimiter {
    /// A limiter with its items in `table`, whose partition key is `id`.
    #[must_use]
    pub fn new(client: Client, table: String, clock: Clock) -> Self {
        Self { client, table, clock, seen: Arc::default() }
    }

    /// The limiter's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Admits or refuses one request of `subject`.
    ///
    /// # Errors
    /// When DynamoDB does not answer; [`Error::Conflict`] when other requests changed the item in all 8
    /// attempts.
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
                Outcome::Admitted { until } => {
                    self.remember(id, until);
                    return Ok(quota.decision(true, until, now));
                }
                Outcome::Found { until: Some(until) } if until > latest => {
                    self.remember(id, until);
                    return Ok(quota.decision(false, until, now));
                }
                Outcome::Found { until } => busy_until = until,
            }
        }
        Err(Error::Conflict("other requests changed the rate limit's item in every attempt".into()))
    }

    /// Tries to add one admission: after `tat` if the subject is assumed to be busy, otherwise from `now`.
    async fn attempt(&self, quota: &Quota, id: &str, now: i64, is_busy: bool) -> Result<Outcome> {
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
                Some(until) => Ok(Outcome::Admitted { until }),
                None => Err(Error::internal("an update returned no item")),
            },
            Written::Refused(item) => Ok(Outcome::Found { until: tat(item.as_ref()) }),
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
    fn a_decision_has_the_remaining_requests_and_the_times() {
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
