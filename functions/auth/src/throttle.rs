//! How often a password may be tried: the rules.
//!
//! An attacker who knows an address may try passwords from many networks at once, so the tries of each address are
//! counted, whether it has an account or not. A try counts as a failure when it is taken, before the password is
//! checked; a right password clears the count. A [rate limit](shared::rate_limit) would not do: it has no end, and it
//! counts right passwords as wrong ones.
//!
//! **Guarantees.**
//!
//! - At most [`FREE`] tries of one address are made without a wait. Before each further one, the wait since the
//!   last try doubles, from 1 s up to [`LONGEST`].
//! - After [`MOST`] failures in a row, no password is accepted until the count is cleared by a reset, or
//!   forgotten. NIST SP 800-63B-4, section 3.2.2, allows at most 100 failures in a row.
//! - A count is forgotten [`MEMORY`] after its last try.
//!
//! [`store`](crate::store) takes a try with one conditional write, so many tries at once are counted one by one.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond::required as milliseconds;
use jiff::fmt::serde::timestamp::second::required as seconds;
use serde::Deserialize;

/// The failures in a row before a try has to wait.
pub const FREE: u32 = 10;
/// The failures in a row after which no password is accepted.
pub const MOST: u32 = 100;
/// The longest wait between two tries.
pub const LONGEST: Duration = Duration::from_mins(15);
/// How long failures are counted after the last try.
pub const MEMORY: Duration = Duration::from_hours(30 * 24);

/// The tries of the passwords for one address since the last right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Tries {
    /// The failures in a row, with those tries whose password is being checked.
    pub failures: u32,
    /// The time of the last try that was taken.
    #[serde(with = "milliseconds")]
    pub tried_at: Timestamp,
    /// When the failures are forgotten.
    #[serde(with = "seconds")]
    pub expires: Timestamp,
}

/// Why no password may be tried now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The next try may be made after this time.
    Wait(Duration),
    /// There are [`MOST`] failures in a row: the password must be reset.
    Locked,
}

/// How long a try waits after the last one, after this many failures in a row. `None` if no try is allowed.
#[must_use]
pub fn wait(failures: u32) -> Option<Duration> {
    match failures {
        0..FREE => Some(Duration::ZERO),
        FREE..MOST => {
            let doublings = failures - FREE;
            Some(Duration::from_secs(1_u64.checked_shl(doublings).unwrap_or(u64::MAX)).min(LONGEST))
        }
        MOST.. => None,
    }
}

/// The numbers of failures after which a try is allowed, in ranges with the same wait.
pub(crate) fn steps() -> Vec<(RangeInclusive<u32>, Duration)> {
    let mut steps: Vec<(RangeInclusive<u32>, Duration)> = Vec::new();
    for (failures, wait) in (0..).map_while(|failures| Some((failures, wait(failures)?))) {
        match steps.last_mut() {
            Some((range, same)) if *same == wait => *range = *range.start()..=failures,
            _ => steps.push((failures..=failures, wait)),
        }
    }
    steps
}

impl Tries {
    /// Whether the failures no longer count at `now`.
    #[must_use]
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        self.expires <= now
    }

    /// Whether a password may be tried at `now`.
    pub fn admit(&self, now: Timestamp) -> Result<(), Refused> {
        if self.is_forgotten(now) {
            return Ok(());
        }
        let wait = wait(self.failures).ok_or(Refused::Locked)?;
        // A clock that is behind that of the last try waits longer.
        match Duration::try_from((self.tried_at + wait).duration_since(now)) {
            Ok(left) if !left.is_zero() && !wait.is_zero() => Err(Refused::Wait(left)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn now() -> Timestamp {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn tries(failures: u32) -> Tries {
        Tries { failures, tried_at: now(), expires: now() + MEMORY }
    }

    #[test]
    fn the_wait_doubles_from_a_second_up_to_fifteen_minutes() {
        let waits: Vec<_> =
            (0..=100).map(|failures| wait(failures).map(|it| it.as_secs())).collect();
        assert!(waits[..10].iter().all(|wait| *wait == Some(0)));
        let doubled = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900].map(Some);
        assert_eq!(waits[10..22], doubled);
        assert!(waits[20..100].iter().all(|wait| *wait == Some(900)));
        assert_eq!(waits[100], None);
        // 100 failures in a row take this long at least.
        let total: u64 = waits.iter().flatten().sum();
        assert_eq!(total / 3_600, 20);
    }

    #[test]
    fn a_try_is_admitted_to_the_millisecond() {
        for failures in [0, 9] {
            assert_eq!(tries(failures).admit(now()), Ok(()));
        }
        assert_eq!(tries(10).admit(now()), Err(Refused::Wait(Duration::from_secs(1))));
        let early = now() + Duration::from_millis(999);
        assert_eq!(tries(10).admit(early), Err(Refused::Wait(MILLISECOND)));
        assert_eq!(tries(10).admit(now() + Duration::from_secs(1)), Ok(()));
        assert_eq!(tries(100).admit(now() + LONGEST), Err(Refused::Locked));
        let behind = now() - Duration::from_secs(5);
        assert_eq!(tries(10).admit(behind), Err(Refused::Wait(Duration::from_secs(6))));
        assert_eq!(tries(9).admit(behind), Ok(()));
    }

    #[test]
    fn failures_are_forgotten_after_thirty_days() {
        assert_eq!(tries(100).admit(now() + MEMORY - MILLISECOND), Err(Refused::Locked));
        assert_eq!(tries(100).admit(now() + MEMORY), Ok(()));
    }

    proptest! {
        /// The steps, of which the condition of the write is made, say the same as the rule.
        #[test]
        fn the_steps_are_the_rule(failures in 0_u32..130) {
            let steps = steps();
            let found: Vec<_> = steps.iter().filter(|(range, _)| range.contains(&failures)).collect();
            prop_assert_eq!(found.len(), usize::from(failures < MOST));
            prop_assert_eq!(found.first().map(|(_, wait)| *wait), wait(failures));
        }

        #[test]
        fn more_failures_never_wait_less(failures: u32, more: u32, elapsed in 0_u64..2_000) {
            let at = now() + Duration::from_secs(elapsed);
            let later = failures.saturating_add(more);
            if tries(later).admit(at).is_ok() {
                prop_assert_eq!(tries(failures).admit(at), Ok(()));
            }
        }

        /// Whoever tries as often as possible, at any times, makes no more tries than the waits allow.
        #[test]
        fn no_schedule_of_tries_gets_more(pauses in proptest::collection::vec(0_u64..2_000, 0..400)) {
            let (mut at, mut tries) = (now(), Tries { failures: 0, tried_at: now(), expires: now() });
            let (mut made, mut waited) = (0_u32, Duration::ZERO);
            for pause in pauses {
                at += Duration::from_secs(pause);
                waited += Duration::from_secs(pause);
                if tries.admit(at).is_ok() {
                    made += 1;
                    tries = Tries { failures: tries.failures + 1, tried_at: at, expires: at + MEMORY };
                }
            }
            prop_assert!(made <= MOST);
            let needed: Duration = (0..made).filter_map(wait).sum();
            prop_assert!(needed <= waited, "{made} tries in {waited:?}");
        }
    }
}
