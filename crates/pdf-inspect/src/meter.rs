//! Counters that are checked against the limits.

use crate::{Budget, Error, Limits};

/// Bytes in a step of work.
const STEP: u64 = 256;

/// The amounts spent so far.
pub(crate) struct Meter {
    pub(crate) limits: Limits,
    pub(crate) work: u64,
    pub(crate) inflated: u64,
}

impl Meter {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self { limits, work: 0, inflated: 0 }
    }

    /// Adds steps of work.
    pub(crate) const fn work(&mut self, steps: u64) -> Result<(), Error> {
        self.work = self.work.saturating_add(steps);
        if self.work > self.limits.work { Err(Error::over(Budget::Work)) } else { Ok(()) }
    }

    /// Adds the work of reading `bytes` bytes.
    pub(crate) const fn read(&mut self, bytes: u64) -> Result<(), Error> {
        self.work(bytes / STEP + 1)
    }

    /// Adds `bytes` inflated bytes of a stream.
    pub(crate) fn inflate(&mut self, bytes: u64) -> Result<(), Error> {
        self.inflated = self.inflated.saturating_add(bytes);
        if self.inflated > self.limits.total_bytes {
            return Err(Error::over(Budget::TotalBytes));
        }
        self.read(bytes)
    }
}
