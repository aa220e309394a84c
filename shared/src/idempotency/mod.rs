//! Work that is asked for many times and done once.
//!
//! **Guarantees.** Of all who ask with one [`Request`], one at a time holds the claim; who asks again
//! when it is done gets the saved answer, byte for byte; who asks with another payload is refused.
//! A run that has lost its claim, because it stalled past its end, can neither overwrite nor delete
//! what the next run records.
//!
//! Two modes, chosen by name:
//!
//! - [`Wrapped`] is for work that may safely run again: if a run dies, the next caller runs the work
//!   again when the claim has run out.
//! - [`Transactional`] is for money: the saved answer, the business writes and the outgoing events
//!   are one `TransactWriteItems`. If a run dies, the work is never simply run again: the caller's
//!   `reconcile` finds out first what happened.
//!
//! ```no_run
//! # async fn example(client: aws_sdk_dynamodb::Client) -> shared::Result<()> {
//! use shared::clock::Clock;
//! use shared::idempotency::{Records, Request, Wrapped};
//!
//! let records = Records::new(client, "requests".into(), Clock::System);
//! let request = Request::keyed("welcome", &"usr_1")?;
//! let sent = Wrapped::new(records).run(&request, async || Ok("sent".to_owned())).await?;
//! assert_eq!(sent.into_inner(), "sent"); // whether now or by an earlier run
//! # Ok(()) }
//! ```
//!
//! **Cost.** One request of DynamoDB to claim, one to complete; a replay is one.
//!
//! **Records** are those of Powertools for AWS Lambda (Python, 3.x), so that functions in either
//! language can share a table. Python knows no owner and takes no care of one: where both run the same
//! work under the same keys, what is said above of runs that stalled holds among Rust functions only.
//!
//! | attribute | |
//! |---|---|
//! | `id` | S, the partition key: `<prefix>#<MD5 of the key as JSON>` |
//! | `status` | S, `INPROGRESS` or `COMPLETED` |
//! | `expiration` | N, epoch seconds: the record is void from then on. The TTL attribute |
//! | `in_progress_expiration` | N, epoch milliseconds: the claim is over from then on |
//! | `data` | S, the answer as JSON; a native value is read too |
//! | `validation` | S, the hash of the payload |
//! | `owner` | S, the run that made the claim. Ours alone |

pub(crate) mod hash;
mod record;
mod records;
mod transactional;
mod wrapped;

use std::error::Error as StdError;
use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::{HeaderValue, StatusCode, header};
use serde::Serialize;

pub use hash::canonical;
pub use records::{Claim, Records};
pub use transactional::{Commit, Reconciled, Transactional};
pub use wrapped::Wrapped;

use crate::Error;
use crate::problem::Problem;

/// How long a claim is good where no invocation says when it ends: as long as a function may run.
const LONGEST_RUN: Duration = Duration::from_mins(15);

/// What is asked for: its key, and a hash of the payload that must be the same under that key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    id: String,
    validation: Option<String>,
}

impl Request {
    /// The request known by `key`, any JSON value. `prefix` keeps the keys of one kind of work apart
    /// from those of another.
    ///
    /// # Errors
    /// When `key` cannot be written as JSON.
    pub fn keyed<K: Serialize + ?Sized>(prefix: &str, key: &K) -> crate::Result<Self> {
        Ok(Self { id: format!("{prefix}#{}", hash_of(key)?), validation: None })
    }

    /// Refuses the key to any other `payload`.
    ///
    /// # Errors
    /// When `payload` cannot be written as JSON.
    pub fn validated<P: Serialize + ?Sized>(mut self, payload: &P) -> crate::Result<Self> {
        self.validation = Some(hash_of(payload)?);
        Ok(self)
    }

    /// Refuses the key to any payload with another fingerprint.
    pub(crate) fn fingerprinted(mut self, fingerprint: String) -> Self {
        self.validation = Some(fingerprint);
        self
    }

    /// The record's key. Stable over all attempts: give it to outside services as their own
    /// idempotency key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The hash that Powertools for Python makes of a value.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn hash_of<T: Serialize + ?Sized>(value: &T) -> crate::Result<String> {
    Ok(hash::md5(&canonical(&serde_json::to_vec(value)?)?))
}

/// An answer, and where it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// This run's own.
    New(T),
    /// An earlier run's, as it was saved.
    Replayed(T),
}

impl<T> Outcome<T> {
    /// The answer, wherever it is from.
    pub fn into_inner(self) -> T {
        match self {
            Self::New(answer) | Self::Replayed(answer) => answer,
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum IdempotencyError {
    /// Another run holds the claim, until then at most.
    InProgress {
        /// When the claim runs out.
        until: Timestamp,
        /// How long that is from now.
        after: Duration,
    },
    /// The key belongs to another payload.
    OtherPayload,
    /// A condition of the transaction's own writes does not hold; nothing was written.
    Refused {
        /// Which of [`Commit`]'s writes, counted from 0.
        index: usize,
        /// The item as it stands, if the write asked for it with `ALL_OLD`.
        item: Option<std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>>,
    },
    /// The work failed, or DynamoDB did.
    Failed(Error),
}

impl<E: StdError + Send + Sync + 'static> From<E> for IdempotencyError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Error> for IdempotencyError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// For a handler to return: problems as the IETF's draft of the `Idempotency-Key` header has them.
impl From<IdempotencyError> for Error {
    fn from(error: IdempotencyError) -> Self {
        match error {
            IdempotencyError::InProgress { after, .. } => in_progress(after).into(),
            IdempotencyError::OtherPayload => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "This Idempotency-Key was used for another request",
            )
            .detail("Send a new key with a new request.")
            .into(),
            IdempotencyError::Refused { index, .. } => {
                Self::internal(format!("the condition of write {index} does not hold"))
            }
            IdempotencyError::Failed(error) => error,
        }
    }
}

fn in_progress(after: Duration) -> Problem {
    // In whole seconds, rounded up, and never "at once".
    let seconds = after.as_millis().div_ceil(1000).clamp(1, 900);
    Problem::new(
        StatusCode::CONFLICT,
        "request-in-progress",
        "The first request with this Idempotency-Key is still under way",
    )
    .detail("Send the same request again later.")
    .header(header::RETRY_AFTER, HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_published_vectors() {
        assert_eq!(hash_of("order-123").unwrap(), "767699b3ce7ee65ad155a61a6f7bdafb");
        assert_eq!(
            hash_of(&json!({"userId": "u1", "amount": 10})).unwrap(),
            "42f7c9dd53837fdfda4bd1e24c503fba"
        );
        let request = Request::keyed("charge", "order-123").unwrap();
        assert_eq!(request.id(), "charge#767699b3ce7ee65ad155a61a6f7bdafb");
    }

    #[test]
    fn retry_after_is_in_whole_seconds_and_never_zero() {
        for (milliseconds, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (5000, "5")] {
            let problem = in_progress(Duration::from_millis(milliseconds));
            let response = axum::response::IntoResponse::into_response(problem);
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds);
        }
    }
}
