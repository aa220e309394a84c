//! A cached value with a time to live: a parameter, a secret, a set of keys.
//!
//! **Guarantees.** Concurrent calls fetch the value once. A value older than its time to live is fetched
//! again. If that fails, the old value is used until it is twice its time to live old.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use shared::cached::Cached;
//! use shared::clock::Clock;
//! use std::time::Duration;
//!
//! let keys = Cached::new(Duration::from_mins(5), Clock::System);
//! let fetch = async || Ok("keys".to_owned());
//! assert_eq!(*keys.get(fetch).await.unwrap(), "keys"); // fetched
//! assert_eq!(*keys.get(async || panic!()).await.unwrap(), "keys"); // kept
//! # });
//! ```

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::Result;
use crate::clock::Clock;

/// A value with a time to live.
#[derive(Debug)]
pub struct Cached<T> {
    time_to_live: Duration,
    clock: Clock,
    held: Mutex<Option<Held<T>>>,
}

#[derive(Debug)]
struct Held<T> {
    value: Arc<T>,
    fetched_at: Timestamp,
}

impl<T> Cached<T> {
    /// An empty cache. A fetched value is fresh for `time_to_live`.
    #[must_use]
    pub fn new(time_to_live: Duration, clock: Clock) -> Self {
        Self { time_to_live, clock, held: Mutex::new(None) }
    }

    /// The value. Calls `fetch` if there is no fresh value.
    ///
    /// # Errors
    /// The error of `fetch`, when no usable value is left.
    pub async fn get(&self, fetch: impl AsyncFnOnce() -> Result<T>) -> Result<Arc<T>> {
        self.younger_than(self.time_to_live, fetch).await
    }

    /// The value, if it is younger than `age`, which is at most the time to live. Otherwise calls `fetch`. For a caller
    /// who has a reason to believe that the value has changed; `age` limits the rate of such calls.
    ///
    /// # Errors
    /// The error of `fetch`, when no usable value is left.
    pub async fn younger_than(
        &self,
        age: Duration,
        fetch: impl AsyncFnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        let is_good = |held: &&Held<T>, for_how_long| now < held.fetched_at + for_how_long;
        if let Some(fresh) = held.as_ref().filter(|held| is_good(held, age)) {
            return Ok(fresh.value.clone());
        }
        match fetch().await {
            Ok(value) => {
                let value = Arc::new(value);
                *held = Some(Held { value: value.clone(), fetched_at: now });
                Ok(value)
            }
            Err(error) => match held.as_ref().filter(|held| is_good(held, self.time_to_live * 2)) {
                Some(stale) => {
                    tracing::warn!(error = error.trail(), "fetch failed; the old value is used");
                    Ok(stale.value.clone())
                }
                None => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use futures::future::join_all;
    use jiff::SignedDuration;

    use super::*;
    use crate::Error;

    const TTL: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn concurrent_calls_fetch_once() {
        let (cached, fetched) = (Cached::new(TTL, Clock::System), AtomicU32::new(0));
        let fetch = async || {
            tokio::task::yield_now().await;
            Ok(fetched.fetch_add(1, SeqCst))
        };
        let values = join_all((0..50).map(|_| cached.get(fetch))).await;
        assert!(values.into_iter().all(|value| *value.unwrap() == 0));
    }

    #[tokio::test]
    async fn a_stale_value_is_used_until_twice_its_time_to_live() {
        let clock = Clock::manual("2026-11-21T10:00:00Z".parse().unwrap());
        let cached = Cached::new(TTL, clock.clone());
        let fail = async || Err(Error::internal("no"));
        assert!(cached.get(fail).await.is_err());
        assert_eq!(*cached.get(async || Ok(1)).await.unwrap(), 1);
        clock.advance(SignedDuration::from_secs(59));
        assert_eq!(*cached.get(async || Ok(2)).await.unwrap(), 1);
        clock.advance(SignedDuration::from_secs(1));
        assert_eq!(*cached.get(fail).await.unwrap(), 1);
        clock.advance(SignedDuration::from_secs(60));
        assert!(cached.get(fail).await.is_err());
        assert_eq!(*cached.get(async || Ok(3)).await.unwrap(), 3);
    }
}
