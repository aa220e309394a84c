//! A clock: the system's, or one that a test sets.
//!
//! **Guarantees.** All code that depends on the time takes a [`Clock`], so that a test can set the time
//! to just before or just after any moment.
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

/// The source of the time. Times have millisecond precision, as ids do.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A clock that changes only by [`Clock::advance`]. Clones share the time.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A manual clock that starts at `start`.
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

    /// Moves a manual clock by `by`. Does nothing to the system's clock.
    pub fn advance(&self, by: SignedDuration) {
        if let Self::Manual(at) = self {
            let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            at.fetch_add(millis, Ordering::SeqCst);
        }
    }
}
