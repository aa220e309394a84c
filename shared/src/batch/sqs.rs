use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

pub use aws_lambda_events::sqs::SqsEvent;
use aws_lambda_events::sqs::{SqsMessage, SqsMessageAttribute};
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::MessageAttributeValue;
use futures::StreamExt;
use futures::future::join_all;
use futures::stream;
use serde::de::DeserializeOwned;

use super::attempt::{Ended, Limits, in_time};
use super::{BatchResponse, Failure};
use crate::backoff::Backoff;
use crate::fault::point;
use crate::invocation::Invocation;
use crate::queue::{CORRELATION_ID, Queue, TRACEPARENT, text};
use crate::trace::TraceContext;
use crate::{Error, Result};

/// The maximum number of attributes of a message.
const MAX_ATTRIBUTES: usize = 10;
/// The maximum length of a reason in the dead-letter queue, in bytes.
const MAX_REASON: usize = 1024;
/// The longest wait before a message is delivered again. SQS allows 12 h, counted from the receive, so
/// 1 h is left for the handling.
const MAX_VISIBILITY: Duration = Duration::from_hours(11);

/// A message with its body parsed.
#[derive(Clone, Debug)]
pub struct Message<T> {
    /// The id that SQS gave the message; a redelivery keeps it.
    pub message_id: String,
    /// How often SQS has delivered this message, including this time: 1 at the first delivery.
    pub receive_count: u32,
    /// Its message group, if it has one.
    pub group: Option<String>,
    /// The body, parsed from JSON.
    pub body: T,
}

/// Consumes a queue: see the [module](super).
#[derive(Clone, Debug)]
pub struct Consumer {
    queue: Queue,
    dead_letters: Option<Queue>,
    concurrency: usize,
    pub(super) limits: Limits,
    backoff: Backoff,
}

/// A message as received, and whether it is to be delivered again.
pub(super) struct Received {
    message: SqsMessage,
    id: String,
    /// The wait before the message is delivered again. `None` if it is done.
    pub(super) back_in: Option<Duration>,
}

impl Consumer {
    /// Consumes `queue`, one message at a time. Retries wait for up to 5 s, 10 s, 20 s and so on, up to
    /// 15 min.
    #[must_use]
    pub fn new(queue: Queue) -> Self {
        Self {
            queue,
            dead_letters: None,
            concurrency: 1,
            limits: Limits::default(),
            backoff: Backoff::new(Duration::from_secs(5), Duration::from_mins(15)),
        }
    }

    /// Sends messages that fail permanently to `queue`, which may be the dead-letter queue of the
    /// consumed queue.
    #[must_use]
    pub fn dead_letters(mut self, queue: Queue) -> Self {
        self.dead_letters = Some(queue);
        self
    }

    /// Handles up to `concurrency` messages at once; in a FIFO queue, up to `concurrency` groups.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Limits the time of each message: a message that takes longer fails, and a message is not started
    /// when less time is left of the invocation.
    #[must_use]
    pub fn time_limit(mut self, time_limit: Duration) -> Self {
        self.limits.time_limit = Some(time_limit);
        self
    }

    /// Sets the wait before a failed message is delivered again.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Calls `handler` with each message.
    ///
    /// # Errors
    /// When a message has no id, and so cannot be reported. Then the whole batch is delivered again.
    pub async fn consume<T, F, Fut>(
        &self,
        event: SqsEvent,
        invocation: &Invocation,
        handler: F,
    ) -> Result<BatchResponse>
    where
        T: DeserializeOwned,
        F: Fn(Message<T>) -> Fut,
        Fut: Future<Output = Result<(), Failure>>,
    {
        let lanes = lanes(event)?;
        let handler = &handler;
        let lanes = stream::iter(lanes).map(|lane| self.lane(lane, invocation, handler));
        let received: Vec<Vec<_>> = lanes.buffer_unordered(self.concurrency).collect().await;
        let failed = received.into_iter().flatten();
        let failed = failed.filter(|received| received.back_in.is_some()).collect();
        Ok(self.answer(failed, invocation).await)
    }

    /// Puts back the messages that must be delivered again, and names them to Lambda.
    pub(super) async fn answer(
        &self,
        failed: Vec<Received>,
        invocation: &Invocation,
    ) -> BatchResponse {
        if let Err(error) = in_time(invocation, self.put_back(&failed)).await {
            // They are delivered again when the queue's visibility time-out ends.
            tracing::warn!(error = error.trail(), "visibility time-outs not changed");
        }
        BatchResponse::of(failed.into_iter().map(|received| received.id))
    }

    /// Handles messages in order, up to the first that must be delivered again.
    async fn lane<T, F, Fut>(
        &self,
        mut lane: Vec<Received>,
        invocation: &Invocation,
        handler: &F,
    ) -> Vec<Received>
    where
        T: DeserializeOwned,
        F: Fn(Message<T>) -> Fut,
        Fut: Future<Output = Result<(), Failure>>,
    {
        let mut stopped = None;
        for received in &mut lane {
            if stopped.is_none() {
                stopped = self.message(received, invocation, handler).await;
            }
            received.back_in = stopped;
        }
        lane
    }

    /// Handles a message. Gives the wait before it is delivered again, or `None` if it is done.
    async fn message<T, F, Fut>(
        &self,
        received: &Received,
        invocation: &Invocation,
        handler: &F,
    ) -> Option<Duration>
    where
        T: DeserializeOwned,
        F: Fn(Message<T>) -> Fut,
        Fut: Future<Output = Result<(), Failure>>,
    {
        let invocation = received.invocation(invocation);
        let handling = async { handler(received.parse().map_err(Failure::Permanent)?).await };
        let ended = self.limits.attempt(&invocation, handling).await;
        self.outcome(received, ended, &invocation).await
    }

    /// Counts the outcome of a message. Gives the wait before it is delivered again, or `None` if it is
    /// done.
    pub(super) async fn outcome(
        &self,
        received: &Received,
        ended: Ended,
        invocation: &Invocation,
    ) -> Option<Duration> {
        let (outcome, back_in) = match ended {
            Ended::Done => ("RecordsSucceeded", None),
            Ended::NotStarted => ("RecordsNotStarted", Some(Duration::ZERO)),
            Ended::Failed(failure) => {
                let failed = self.failed(received, failure, invocation);
                Box::pin(invocation.clone().scope(failed)).await
            }
        };
        metrics::counter!(outcome).increment(1);
        back_in
    }

    async fn failed(
        &self,
        received: &Received,
        failure: Failure,
        invocation: &Invocation,
    ) -> (&'static str, Option<Duration>) {
        let message_id = received.id.as_str();
        let reason = failure.error().trail();
        let after = match (failure, &self.dead_letters) {
            (Failure::Permanent(_), Some(queue)) => {
                match in_time(invocation, received.give_up(queue, &reason)).await {
                    Ok(()) => {
                        tracing::error!(
                            message_id,
                            error = reason,
                            "message failed permanently; sent to the dead-letter queue"
                        );
                        return ("RecordsGivenUp", None);
                    }
                    Err(error) => {
                        let error = error.trail();
                        tracing::error!(message_id, error, "dead-letter queue not reached");
                        None
                    }
                }
            }
            (Failure::Retry { after, .. }, _) => after,
            (Failure::Permanent(_), None) => None,
        };
        tracing::error!(message_id, error = reason, "message failed");
        let back_in = after.unwrap_or_else(|| self.backoff.delay(received.receive_count()));
        ("RecordsFailed", Some(back_in))
    }

    /// Sets when each message is delivered again. It sends one request for each message, because some
    /// emulators require a separate permission for the batch request, and no role has that permission.
    async fn put_back(&self, failed: &[Received]) -> Result<()> {
        let requests = failed.iter().filter_map(|received| {
            let seconds = received.back_in?.min(MAX_VISIBILITY).as_secs();
            let request = self
                .queue
                .client
                .change_message_visibility()
                .queue_url(&self.queue.url)
                .receipt_handle(received.message.receipt_handle.as_deref()?)
                .visibility_timeout(i32::try_from(seconds).ok()?);
            Some(async move { point("batch.put_back", || request.clone().send()).await })
        });
        for answer in join_all(requests).await {
            answer?;
        }
        Ok(())
    }
}

impl Received {
    /// The invocation that is about this message.
    pub(super) fn invocation(&self, invocation: &Invocation) -> Invocation {
        let trace = attribute(&self.message, TRACEPARENT)
            .and_then(|header| TraceContext::from_traceparent(&header))
            .or_else(|| TraceContext::from_xray(self.message.attributes.get("AWSTraceHeader")?));
        invocation.caused_by(attribute(&self.message, CORRELATION_ID), trace)
    }

    fn receive_count(&self) -> u32 {
        let count = self.message.attributes.get("ApproximateReceiveCount");
        count.and_then(|count| count.parse().ok()).unwrap_or(1)
    }

    fn group(&self) -> Option<&String> {
        self.message.attributes.get("MessageGroupId")
    }

    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<Message<T>> {
        Ok(Message {
            message_id: self.id.clone(),
            receive_count: self.receive_count(),
            group: self.group().cloned(),
            body: serde_json::from_str(self.message.body.as_deref().unwrap_or_default())?,
        })
    }

    /// Sends the unchanged message to the dead-letter queue, with the reason.
    async fn give_up(&self, queue: &Queue, reason: &str) -> Result<()> {
        let mut attributes = HashMap::from([
            ("failure_reason".to_owned(), text(shortened(reason))?),
            ("failed_message_id".to_owned(), text(&self.id)?),
        ]);
        for (name, value) in &self.message.message_attributes {
            if attributes.len() < MAX_ATTRIBUTES
                && !attributes.contains_key(name)
                && let Some(value) = forwarded(value)
            {
                attributes.insert(name.clone(), value);
            }
        }
        let group = self.group().map(|group| (group.clone(), self.id.clone()));
        queue.forward(self.message.body.clone().unwrap_or_default(), attributes, group).await
    }
}

/// The messages of a batch.
pub(super) fn received(event: SqsEvent) -> Result<Vec<Received>> {
    let received = |message: SqsMessage| {
        let id = message.message_id.clone().filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| Error::internal("a message has no id"))?;
        Ok(Received { message, id, back_in: None })
    };
    event.records.into_iter().map(received).collect()
}

/// Groups the messages that must stay in order: a message group of a FIFO queue is one lane, and any
/// other message is a lane by itself.
fn lanes(event: SqsEvent) -> Result<Vec<Vec<Received>>> {
    let mut lanes: Vec<Vec<Received>> = Vec::new();
    let mut of_group: HashMap<String, usize> = HashMap::new();
    for received in received(event)? {
        // A standard queue can have message groups too. They are for fair queues and define no order.
        let queue = received.message.event_source_arn.as_deref().unwrap_or_default();
        let is_fifo = queue.rsplit_once('.').is_some_and(|(_, suffix)| suffix == "fifo");
        let next = lanes.len();
        let lane = match received.group().filter(|_| is_fifo) {
            Some(group) => *of_group.entry(group.clone()).or_insert(next),
            None => next,
        };
        if lane == next {
            lanes.push(Vec::new());
        }
        lanes[lane].push(received);
    }
    Ok(lanes)
}

fn attribute(message: &SqsMessage, name: &str) -> Option<String> {
    message.message_attributes.get(name)?.string_value.clone()
}

fn forwarded(value: &SqsMessageAttribute) -> Option<MessageAttributeValue> {
    MessageAttributeValue::builder()
        .set_data_type(value.data_type.clone())
        .set_string_value(value.string_value.clone())
        .set_binary_value(value.binary_value.as_ref().map(|bytes| Blob::new(bytes.0.clone())))
        .build()
        .ok()
}

/// The first [`MAX_REASON`] bytes of a reason, cut at a character.
pub(super) fn shortened(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_REASON)]
}
