//! Writes to DynamoDB that other requests get in the way of.
//!
//! **Guarantees.** A write that conflicts with another is sent again, up to 8 times, after a growing
//! wait, at one layer only. If the conflict lasts, the caller gets [`Error::Conflict`]: over HTTP, 503
//! with `Retry-After`; in a batch, a failure to retry. It is never a bare 500. The write that conflicted is not
//! made; what the caller wrote before it stays.
//!
//! | DynamoDB answers | who sends it again |
//! |---|---|
//! | `TransactionConflictException`: a transaction is at the item | this module |
//! | `TransactionCanceledException` for `TransactionConflict`, `ThrottlingError` or `ProvisionedThroughputExceeded` | this module |
//! | `ThrottlingException`, `ProvisionedThroughputExceededException`, `RequestLimitExceeded`, `ReplicatedWriteConflictException` | the SDK, up to three times in all |
//! | `TransactionInProgressException`: the same transaction is still under way | the SDK, up to three times in all; then nobody knows whether it is made, and the caller gets [`Error::Internal`] |
//!
//! [`write`](crate::write) sends single writes and [`transaction`](crate::transaction) several at once.
//! Each try of each write is a point of [`fault`](crate::fault), and no other point can conflict.
//! [`retried`] is for a change that reads first: it reads again after a conflict.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use shared::conflict::retried;
//! use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
//!
//! let version = AtomicU32::new(0);
//! // Reads, changes, and writes if the version is still the one that was read.
//! let attempt = async || Ok((version.fetch_add(1, SeqCst) == 2).then_some("changed"));
//! assert_eq!(retried(attempt).await.unwrap(), "changed");
//! # });
//! ```

use std::collections::HashMap;
use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ErrorMetadata, ProvideErrorMetadata};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::TransactionConflictException;

use crate::backoff::Backoff;
use crate::fault::{Lost, write_point};
use crate::{Error, Result};

/// How often a write is sent that others get in the way of.
const MAX_TRIES: u32 = 8;
/// How long to wait before the next try: some 1 s in all, and never more than 2 s.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(25), Duration::from_millis(400));
/// What the SDK sends again by itself. Nothing else sends it again on top of that.
const SENT_AGAIN_BY_SDK: [&str; 4] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ReplicatedWriteConflictException",
];

tokio::task_local! {
    /// Whether [`retried`] makes the attempt again, so that the writes within are sent once.
    static IN_ATTEMPT: ();
}

type BoxError = Box<dyn StdError + Send + Sync>;
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Why a write was not made.
#[derive(Debug)]
pub(crate) enum Failed {
    /// A condition does not hold: which write's, and the item if the write asks for it.
    Refused(usize, Option<Item>),
    /// Another request is at an item.
    Conflict(BoxError),
    /// For another reason.
    Other(Error),
}

/// What the SDK has sent as often as it may.
#[derive(Debug, thiserror::Error)]
#[error("sent as often as the SDK may")]
struct GivenUpBySdk(#[source] BoxError);

impl Failed {
    /// An error of DynamoDB's, told by its code.
    pub(crate) fn coded(
        error: impl StdError + ProvideErrorMetadata + Send + Sync + 'static,
    ) -> Self {
        match error.code() {
            Some("TransactionConflictException") => Self::Conflict(error.into()),
            Some(code) if SENT_AGAIN_BY_SDK.contains(&code) => {
                Self::Other(Error::Conflict(GivenUpBySdk(error.into()).into()))
            }
            _ => Self::Other(error.into()),
        }
    }

    /// What a write gives that conflicts on purpose.
    fn conflict() -> Self {
        let code = ErrorMetadata::builder().code("TransactionConflictException").build();
        let error = TransactionConflictException::builder().meta(code).build();
        Self::coded(UpdateItemError::TransactionConflictException(error))
    }
}

impl Lost for Failed {
    fn lost() -> Self {
        Self::Other(Error::lost())
    }
}

/// What came of a write.
pub(crate) enum Sent<T> {
    Made(T),
    Refused(usize, Option<Item>),
}

/// Sends a write until it is made, is refused or fails for another reason than a conflict. Refused: by
/// which condition, and the item. Each try is at the point that tests know by `name`.
pub(crate) async fn sent<T, Fut>(name: &'static str, send: impl Fn() -> Fut) -> Result<Sent<T>>
where
    Fut: Future<Output = Result<T, Failed>>,
{
    let max_tries = if IN_ATTEMPT.try_with(|()| ()).is_ok() { 1 } else { MAX_TRIES };
    let mut tries = 1;
    loop {
        match write_point(name, Failed::conflict, &send).await {
            Ok(made) => return Ok(Sent::Made(made)),
            Err(Failed::Refused(index, item)) => return Ok(Sent::Refused(index, item)),
            Err(Failed::Conflict(_)) if tries < max_tries => {
                tokio::time::sleep(BACKOFF.delay(tries)).await;
                tries += 1;
            }
            Err(Failed::Conflict(error)) => return Err(Error::Conflict(error)),
            Err(Failed::Other(error)) => return Err(error),
        }
    }
}

/// Makes an attempt that reads, changes and writes, again as long as others are faster: as long as it
/// gives nothing, or a write in it conflicts with another. A write in it is sent once an attempt.
///
/// # Errors
/// [`Error::Conflict`] when others were faster 8 times; the attempt's own.
pub async fn retried<T, Fut>(attempt: impl Fn() -> Fut) -> Result<T>
where
    Fut: Future<Output = Result<Option<T>>>,
{
    let mut tries = 1;
    loop {
        let error = match IN_ATTEMPT.scope((), attempt()).await {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => "others were faster each time".into(),
            Err(Error::Conflict(error)) if !error.is::<GivenUpBySdk>() => error,
            Err(error) => return Err(error),
        };
        if tries == MAX_TRIES {
            return Err(Error::Conflict(error));
        }
        tokio::time::sleep(BACKOFF.delay(tries)).await;
        tries += 1;
    }
}
