use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;

use super::Failure;
use crate::invocation::Invocation;
use crate::telemetry::{Kind, Watch};
use crate::{Error, Result};

/// What is kept back of an invocation for reporting: for putting messages back, and for the answer.
const RESERVE: Duration = Duration::from_secs(1);

/// What is kept back of that for the answer.
const ANSWER_RESERVE: Duration = Duration::from_millis(200);

/// Reports, for as long as there is time for it.
pub(super) async fn in_time(
    invocation: &Invocation,
    reporting: impl Future<Output = Result<()>>,
) -> Result<()> {
    let left = invocation.remaining().saturating_sub(ANSWER_RESERVE);
    let in_time = tokio::time::timeout(left, reporting).await;
    in_time.unwrap_or_else(|_| Err(Error::internal("there was no time for it")))
}

/// How long records may take.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) time_limit: Option<Duration>,
}

/// What came of a record.
pub(super) enum Ended {
    Done,
    Failed(Failure),
    /// There was no time left to start it.
    NotStarted,
}

impl Limits {
    /// Handles a record as an invocation of its own, unless there is not enough time left for it. It
    /// is given up when its time is over, and when it panics.
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
            // The panic hook has written where and why to standard error.
            Ok(Err(_)) => Ended::Failed(Error::internal("the handler panicked").into()),
            Err(_) => Ended::Failed(Error::internal("the handler took too long").into()),
        };
        watch.ended(invocation, matches!(ended, Ended::Failed(_)));
        ended
    }
}
