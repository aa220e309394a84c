use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;

use super::Failure;
use crate::invocation::Invocation;
use crate::telemetry::{Kind, Watch};
use crate::{Error, Result};

/// The time of an invocation that is reserved for reporting: to put messages back, and to respond.
const RESERVE: Duration = Duration::from_secs(1);

/// The part of [`RESERVE`] that is reserved for the response.
const ANSWER_RESERVE: Duration = Duration::from_millis(200);

/// Runs `reporting`. Fails when only [`ANSWER_RESERVE`] is left of the invocation.
pub(super) async fn in_time(
    invocation: &Invocation,
    reporting: impl Future<Output = Result<()>>,
) -> Result<()> {
    let left = invocation.remaining().saturating_sub(ANSWER_RESERVE);
    let in_time = tokio::time::timeout(left, reporting).await;
    in_time.unwrap_or_else(|_| Err(Error::internal("the invocation has no time left")))
}

/// The time limit of each record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) time_limit: Option<Duration>,
}

/// The outcome of a record.
pub(super) enum Ended {
    Done,
    Failed(Failure),
    /// Not enough time was left to start it.
    NotStarted,
}

impl Limits {
    /// Handles a record as its own invocation, if enough time is left. A record that exceeds its time
    /// limit or panics has failed.
    pub(super) async fn attempt(
        &self,
        invocation: &Invocation,
        handling: impl Future<Output = Result<(), Failure>>,
    ) -> Ended {
        let left = invocation.remaining().saturating_sub(RESERVE);
        let needed = self.time_limit.unwrap_or(Duration::from_nanos(1));
        if left < needed {
            return Ended::NotStarted;
        }
        let watch = Watch::start(Kind::Task);
        let handling = AssertUnwindSafe(invocation.clone().scope(handling)).catch_unwind();
        let longest = self.time_limit.unwrap_or(left).min(left);
        let ended = match tokio::time::timeout(longest, handling).await {
            Ok(Ok(Ok(()))) => Ended::Done,
            Ok(Ok(Err(failure))) => Ended::Failed(failure),
            // The panic hook has written the place and the reason to standard error.
            Ok(Err(_)) => Ended::Failed(Error::internal("the handler panicked").into()),
            Err(_) => Ended::Failed(Error::internal("the handler took too long").into()),
        };
        watch.ended(invocation, matches!(ended, Ended::Failed(_)));
        ended
    }
}
