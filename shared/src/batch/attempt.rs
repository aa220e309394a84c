use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;

use super::Failure;
use crate::Error;
use crate::invocation::Invocation;
use crate::telemetry::{Kind, Watch};

/// What is kept back of an invocation for reporting: for putting messages back, and for the answer.
const RESERVE: Duration = Duration::from_secs(1);

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
