//! The wait before a retry.
//!
//! **Guarantees.** The longest wait doubles with each attempt, up to a cap. The wait is a random time
//! between zero and the longest wait, evenly distributed ("full jitter"), so that callers that fail
//! together do not retry together.
//! <https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>
//!
//! ```
//! use shared::backoff::Backoff;
//! use std::time::Duration;
//!
//! let backoff = Backoff::new(Duration::from_secs(5), Duration::from_mins(15));
//! assert!(backoff.delay(1) <= Duration::from_secs(5));
//! assert!(backoff.delay(2) <= Duration::from_secs(10));
//! assert!(backoff.delay(60) <= Duration::from_mins(15));
//! ```

use std::time::Duration;

/// Exponential backoff with full jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    /// The wait is at most `base` after the first attempt, at most twice that after the second, and so
    /// on; never more than `cap`.
    #[must_use]
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// A random wait after attempt number `tries`, counted from 1.
    #[must_use]
    pub fn delay(&self, tries: u32) -> Duration {
        self.longest(tries).mul_f64(fastrand::f64())
    }

    fn longest(&self, tries: u32) -> Duration {
        let doublings = 1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX);
        self.base.saturating_mul(doublings).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_doubles_up_to_the_cap() {
        let backoff = Backoff::new(Duration::from_secs(5), Duration::from_mins(15));
        let longest = [1, 2, 3, 8, 9, 33, u32::MAX].map(|tries| backoff.longest(tries).as_secs());
        assert_eq!(longest, [5, 10, 20, 640, 900, 900, 900]);
    }

    #[test]
    fn waits_are_spread_evenly() {
        let backoff = Backoff::new(Duration::from_secs(8), Duration::from_secs(8));
        let waits: Vec<_> = (0..1000).map(|_| backoff.delay(1)).collect();
        for quarter in 0..4 {
            let range = Duration::from_secs(quarter * 2)..Duration::from_secs(quarter * 2 + 2);
            let count = waits.iter().filter(|wait| range.contains(*wait)).count();
            assert!((150..350).contains(&count), "{count} of 1000 in quarter {quarter}");
        }
    }
}
