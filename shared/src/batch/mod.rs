//! Batches from SQS, DynamoDB streams and Kinesis. The failure of one record does not fail the others.
//!
//! **Guarantees.** A record fails alone when its handler fails, when it cannot be parsed, when its
//! handler panics or when it takes too long; the work for the other records is kept. No record is lost:
//! a record leaves its source only when its handler has succeeded, or when it is in the dead-letter queue
//! with the reason. No record is started that cannot end before the invocation ends.
//!
//! | a record that | SQS | a stream |
//! |---|---|---|
//! | succeeds | is deleted | is completed |
//! | fails | is delivered again, after a growing wait with full jitter | is delivered again, with all records after it |
//! | fails permanently: [`Failure::Permanent`], or it cannot be parsed | goes to the dead-letter queue, with the reason | the same |
//! | is not started before the deadline | is delivered again at once | is delivered again |
//!
//! In a FIFO queue, a message group stops at its first failure, which keeps the group's order. Other
//! groups continue. A message that goes to the dead-letter queue does not stop its group. In a stream, all
//! records after the first failure wait for it; with [`Stream::keys_at_once`], those of its key do, and
//! the others of the batch are handled and come again with it. Without a dead-letter queue
//! ([`Consumer::dead_letters`], [`Stream::dead_letters`]), a permanent failure is handled like any other
//! failure, and the limits of the source end the retries.
//!
//! ```no_run
//! # async fn example(client: aws_sdk_sqs::Client) -> shared::Result<()> {
//! use shared::batch::{Consumer, Failure, Message};
//! use shared::queue::Queue;
//!
//! let queue = |url: &str| Queue::new(client.clone(), url.into());
//! let jobs = Consumer::new(queue("https://…/jobs")).dead_letters(queue("https://…/jobs-dead"));
//! shared::invocation::run(async |event, invocation| {
//!     let job = async |message: Message<u32>| match message.body {
//!         0 => Err(Failure::permanent("there is no document 0")),
//!         number => Ok(tracing::info!(number, "read")),
//!     };
//!     jobs.consume(event, &invocation, job).await
//! })
//! .await
//! # }
//! ```
//!
//! The event source mapping must have `ReportBatchItemFailures`. The function's role needs
//! `sqs:ChangeMessageVisibility` on the queue and `sqs:SendMessage` on the dead-letter queue. Panics
//! can be caught only if they unwind: the release profile needs `panic = "unwind"`.

mod attempt;
mod sqs;
mod stream;
mod together;

use std::time::Duration;

use serde::Serialize;

pub use sqs::{Consumer, Message, SqsEvent};
pub use stream::{Change, ChangeKind, Datum, Stream, StreamEvent};

use crate::Error;

/// The response to Lambda for a batch: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    /// The records that Lambda must deliver again. An empty list means success.
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// A record that Lambda must deliver again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// A message's id, or a stream record's sequence number. Never empty: Lambda reads an empty one as
    /// the failure of the whole batch.
    pub item_identifier: String,
}

impl BatchResponse {
    fn of(ids: impl IntoIterator<Item = String>) -> Self {
        let failure = |item_identifier| BatchItemFailure { item_identifier };
        Self { batch_item_failures: ids.into_iter().map(failure).collect() }
    }
}

/// Why a handler failed.
///
/// `?` makes a [`Problem`](crate::problem::Problem), which is about the input, a permanent failure, and
/// any other error a failure to retry.
#[derive(Debug)]
pub enum Failure {
    /// A retry may succeed.
    Retry {
        /// The cause.
        error: Error,
        /// The wait before the retry; without it, the consumer's backoff decides. SQS only.
        after: Option<Duration>,
    },
    /// A retry cannot succeed.
    Permanent(Error),
}

impl Failure {
    /// A permanent failure with a reason.
    #[must_use]
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self::Permanent(Error::internal(reason))
    }

    /// A failure to retry after `after`, with a reason.
    #[must_use]
    pub fn retry_after(reason: impl Into<String>, after: Duration) -> Self {
        Self::Retry { error: Error::internal(reason), after: Some(after) }
    }

    /// The cause.
    #[must_use]
    pub fn error(&self) -> &Error {
        match self {
            Self::Retry { error, .. } | Self::Permanent(error) => error,
        }
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        match error.into() {
            Error::Problem(problem) => Self::Permanent(problem.into()),
            error => Self::Retry { error, after: None },
        }
    }
}
