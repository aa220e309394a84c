//! Retries of DynamoDB writes that conflict with other writes.
//!
//! **Guarantees.** A write that conflicts with another write is sent up to 8 times, with a growing wait
//! between the attempts. Only one layer retries. If the conflict persists, the caller gets
//! [`Error::Conflict`]: over HTTP, 503 with `Retry-After`; in a batch, a failure to retry. It is never a
//! bare 500. The write that conflicted is not made; earlier writes of the caller stay.
//!
//! | DynamoDB answers | who retries |
//! |---|---|
//! | `TransactionConflictException`: a transaction holds the item | this module |
//! | `TransactionCanceledException` for `TransactionConflict`, `ThrottlingError` or `ProvisionedThroughputExceeded` | this module |
//! | `ThrottlingException`, `ProvisionedThroughputExceededException`, `RequestLimitExceeded`, `ReplicatedWriteConflictException` | the SDK, up to three attempts in total |
//! | `TransactionInProgressException`: the same transaction is still in progress | the SDK, up to three attempts in total; then it is unknown whether the transaction is made, and the caller gets [`Error::Internal`] |
//!
//! [`write`](crate::write) sends a single write and [`transaction`](crate::transaction) several at once.
//! Each attempt of each write is a point of [`fault`](crate::fault), and no other point can conflict.
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

use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ErrorMetadata, ProvideErrorMetadata};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::TransactionConflictException;

use crate::backoff::Backoff;
use crate::fault::{Lost, write_point};
pub(crate) use crate::table::Item;
use crate::{Error, Result};

/// Maximum attempts when other writes conflict.
const MAX_TRIES: u32 = 8;
/// The waits between the attempts: about 1 s in total, and never more than 2 s.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(25), Duration::from_millis(400));
/// The error codes that the SDK retries by itself. Nothing else retries them.
const SENT_AGAIN_BY_SDK: [&str; 4] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ReplicatedWriteConflictException",
];

tokio::task_local! {
    /// Set inside an attempt of [`retried`]. [`retried`] retries the attempt, so each write in it is sent
    /// once.
    static IN_ATTEMPT: ();
}

type BoxError = Box<dyn StdError + Send + Sync>;
/// Why a write was not made.
#[derive(Debug)]
pub(crate) enum Failed {
    /// A condition does not hold: the index of the write, and the item if the write returns it.
    Refused(usize, Option<Item>),
    /// Another request holds an item.
    Conflict(BoxError),
    /// Any other reason.
    Other(Error),
}

/// An error that the SDK has retried up to its limit.
#[derive(Debug, thiserror::Error)]
#[error("all attempts of the SDK failed")]
struct GivenUpBySdk(#[source] BoxError);

impl Failed {
    /// Classifies an error of DynamoDB by its code.
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

    /// The error of a write for which a test injects a conflict.
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

/// The outcome of a write.
pub(crate) enum Sent<T> {
    Made(T),
    Refused(usize, Option<Item>),
}

/// Sends a write until it is made, is refused, or fails for a reason other than a conflict, up to
/// [`MAX_TRIES`] times. A refusal has the index of the write and the item. Each attempt is at the fault
/// point `name`.
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

/// Runs `attempt`, which reads, changes and writes, up to 8 times: it runs again when it gives `None`
/// (another writer was first), or when a write in it conflicts. Each write is sent once in each attempt.
///
/// # Errors
/// [`Error::Conflict`] when another writer was first in all 8 attempts; the errors of `attempt`.
pub async fn retried<T, Fut>(attempt: impl Fn() -> Fut) -> Result<T>
where
    Fut: Future<Output = Result<Option<T>>>,
{
    let mut tries = 1;
    loop {
        let error = match IN_ATTEMPT.scope((), attempt()).await {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => "another writer was first in every attempt".into(),
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
