//! Idempotency: work that is requested several times takes effect once.
//!
//! **Guarantees.** Of all runs of one [`Request`], one at a time holds the claim. After the work is done,
//! a repeated request gets the saved answer, byte for byte. A request with the same key and another
//! payload is refused. A run that stalls past the end of its claim can neither overwrite nor delete the
//! record of the next run.
//!
//! There are two modes:
//!
//! - [`Wrapped`] is for work that may safely run again: if a run dies, the next caller runs the work
//!   again after the claim expires.
//! - [`Transactional`] is for money: the saved answer, the business writes and the outgoing events
//!   are one `TransactWriteItems`. If a run dies, the work does not run again before the caller's
//!   `reconcile` has found out what happened.
//!
//! ```no_run
//! # async fn example(client: aws_sdk_dynamodb::Client) -> shared::Result<()> {
//! use shared::clock::Clock;
//! use shared::idempotency::{Records, Request, Wrapped};
//!
//! let records = Records::new(client, "requests".into(), Clock::System);
//! let request = Request::keyed("welcome", &"usr_1")?;
//! let sent = Wrapped::new(records).run(&request, async || Ok("sent".to_owned())).await?;
//! assert_eq!(sent.into_inner(), "sent"); // from this run or from an earlier one
//! # Ok(()) }
//! ```
//!
//! **Cost.** One request to DynamoDB to claim and one to complete; a replay is one request.
//!
//! **Records** have the format of Powertools for AWS Lambda (Python, 3.x), so that functions in both
//! languages can share a table. Python does not read or write `owner`. If both languages run the same
//! work with the same keys, the guarantee for stalled runs holds only between Rust functions.
//!
//! | attribute | |
//! |---|---|
//! | `id` | S, the partition key: `<prefix>#<MD5 of the key as JSON>` |
//! | `status` | S, `INPROGRESS` or `COMPLETED` |
//! | `expiration` | N, epoch seconds: the end of the record. The TTL attribute |
//! | `in_progress_expiration` | N, epoch milliseconds: the end of the claim |
//! | `data` | S, the answer as JSON; a native value is read too |
//! | `validation` | S, the hash of the payload |
//! | `owner` | S, the run that made the claim. Powertools does not have this attribute |

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
use crate::problem::{Problem, ProblemType};

/// The duration of a claim outside an invocation: the maximum run time of a function.
const LONGEST_RUN: Duration = Duration::from_mins(15);

/// 422: the key belongs to another payload.
pub const KEY_REUSED: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "idempotency-key-reused",
    "This Idempotency-Key was used for another request",
);
/// 409: another run holds the claim.
pub const IN_PROGRESS: ProblemType = ProblemType::new(
    StatusCode::CONFLICT,
    "request-in-progress",
    "The first request with this Idempotency-Key is still in progress",
);

/// The identity of a request: its key, and a hash of the payload, which must be the same for that key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    id: String,
    validation: Option<String>,
}

impl Request {
    /// The request with the key `key`, any JSON value. `prefix` separates the keys of different kinds of
    /// work.
    ///
    /// # Errors
    /// When `key` cannot be serialized as JSON.
    pub fn keyed<K: Serialize + ?Sized>(prefix: &str, key: &K) -> crate::Result<Self> {
        Ok(Self { id: format!("{prefix}#{}", hash_of(key)?), validation: None })
    }

    /// Binds the key to `payload`: the key with any other payload is refused.
    ///
    /// # Errors
    /// When `payload` cannot be serialized as JSON.
    pub fn validated<P: Serialize + ?Sized>(mut self, payload: &P) -> crate::Result<Self> {
        self.validation = Some(hash_of(payload)?);
        Ok(self)
    }

    /// Binds the key to a fingerprint of the payload.
    pub(crate) fn fingerprinted(mut self, fingerprint: String) -> Self {
        self.validation = Some(fingerprint);
        self
    }

    /// The record's key. It is the same in all attempts: pass it to external services as their
    /// idempotency key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The hash that Powertools for Python computes of a value.
///
/// # Errors
/// When the value cannot be serialized as JSON.
pub fn hash_of<T: Serialize + ?Sized>(value: &T) -> crate::Result<String> {
    Ok(hash::md5(&canonical(&serde_json::to_vec(value)?)?))
}

/// An answer and its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The answer of this run.
    New(T),
    /// The saved answer of another run.
    Replayed(T),
}

impl<T> Outcome<T> {
    /// The answer, new or replayed.
    pub fn into_inner(self) -> T {
        match self {
            Self::New(answer) | Self::Replayed(answer) => answer,
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum IdempotencyError {
    /// Another run holds the claim.
    InProgress {
        /// The latest end of the claim.
        until: Timestamp,
        /// The time from now to `until`.
        after: Duration,
    },
    /// The key belongs to another payload.
    OtherPayload,
    /// A condition of the caller's own writes does not hold; nothing is written.
    Refused {
        /// The index of the write in [`Commit`], from 0.
        index: usize,
        /// The current item, if the write returns it with `ALL_OLD`.
        item: Option<std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>>,
    },
    /// The work or DynamoDB failed.
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

/// The response of a handler: the statuses of the IETF draft of the `Idempotency-Key` header.
impl From<IdempotencyError> for Error {
    fn from(error: IdempotencyError) -> Self {
        match error {
            IdempotencyError::InProgress { after, .. } => in_progress(after).into(),
            IdempotencyError::OtherPayload => {
                Problem::of(KEY_REUSED).detail("Send a new key with a new request.").into()
            }
            IdempotencyError::Refused { index, .. } => {
                Self::internal(format!("the condition of write {index} does not hold"))
            }
            IdempotencyError::Failed(error) => error,
        }
    }
}

fn in_progress(after: Duration) -> Problem {
    // Whole seconds, rounded up, and never 0.
    let seconds = after.as_millis().div_ceil(1000).clamp(1, 900);
    Problem::of(IN_PROGRESS)
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
