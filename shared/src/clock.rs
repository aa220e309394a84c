//! The time, from the system or set by a test.
//!
//! **Guarantees.** Whatever decides by the time takes a [`Clock`], so that a test can stand right
//! before and right after any moment.
//!
//! ```
//! use jiff::{SignedDuration, Timestamp};
//! use shared::clock::Clock;
//!
//! let clock = Clock::manual(Timestamp::UNIX_EPOCH);
//! let same_time = clock.clone();
//! clock.advance(SignedDuration::from_mins(15));
//! assert_eq!(same_time.now().as_second(), 900);
//! assert!(Clock::System.now() > clock.now());
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Where a function gets the time from. Times have millisecond precision, as ids do.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A clock that stands still until [`Clock::advance`] moves it; clones share the time.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    /// The time now, in UTC.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let millisecond = match self {
            Self::System => Timestamp::now().as_millisecond(),
            Self::Manual(at) => at.load(Ordering::SeqCst),
        };
        Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves a manual clock by `by`; the system's clock cannot be moved and stays as it is.
    pub fn advance(&self, by: SignedDuration) {
        if let Self::Manual(at) = self {
            let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            at.fetch_add(millis, Ordering::SeqCst);
        }
    }
}
