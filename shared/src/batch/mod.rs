//! Batches from SQS, DynamoDB streams and Kinesis: every record stands or falls alone.
//!
//! **Guarantees.** A record that fails, that cannot be parsed, that panics or that takes too long
//! fails alone; what its neighbours have done is kept. None is lost: a record is gone from its source
//! only when its handler has succeeded, or when it is in the dead-letter queue with the reason. None
//! is started that cannot be finished before the invocation ends.
//!
//! | a record that | SQS | a stream |
//! |---|---|---|
//! | succeeds | is deleted | is passed |
//! | fails | comes again, after a growing wait with full jitter | comes again, and all after it |
//! | fails for good: [`Failure::Permanent`], or no parsing it | goes to the dead-letter queue, with the reason | the same |
//! | was not started before the deadline | comes again at once | comes again |
//!
//! Of a FIFO queue, a message group stops at its first failure, so that its order holds; other groups
//! go on, and what is given up is out of its group's way. Of a stream, all after the first failure wait for it. Without a dead-letter queue
//! of its own ([`Consumer::dead_letters`], [`Stream::dead_letters`]), what fails for good fails like
//! anything else, and the source's own limits end it.
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
//! The event source mapping must have `ReportBatchItemFailures`; the function's role needs
//! `sqs:ChangeMessageVisibility` on the queue and `sqs:SendMessage` on the dead-letter queue. Panics
//! are caught where they unwind: the release profile says `panic = "unwind"`.

mod attempt;
mod sqs;
mod stream;

use std::time::Duration;

use serde::Serialize;

pub use sqs::{Consumer, Message, SqsEvent};
pub use stream::{Change, ChangeKind, Datum, Stream, StreamEvent};

use crate::Error;

/// What Lambda is told of a batch: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    /// The records that are to come again; none means success.
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// A record that is to come again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// A message's id, or a stream record's sequence number. Never empty: Lambda would take that for
    /// the failure of the whole batch.
    pub item_identifier: String,
}

impl BatchResponse {
    fn of(ids: impl IntoIterator<Item = String>) -> Self {
        let failure = |item_identifier| BatchItemFailure { item_identifier };
        Self { batch_item_failures: ids.into_iter().map(failure).collect() }
    }
}

/// Why a record was not handled.
///
/// By `?`, an error is one to retry, and a [`Problem`](crate::problem::Problem), which is about what
/// was sent, one to give up on.
#[derive(Debug)]
pub enum Failure {
    /// It may go well another time.
    Retry {
        /// The cause.
        error: Error,
        /// How long to wait; the consumer's backoff decides if nothing is said. SQS only.
        after: Option<Duration>,
    },
    /// It will never go well.
    Permanent(Error),
}

impl Failure {
    /// A failure for good, in words.
    #[must_use]
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self::Permanent(Error::internal(reason))
    }

    /// A failure to retry no sooner than `after`.
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
