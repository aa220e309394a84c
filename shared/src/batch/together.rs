use std::future::Future;

use serde::de::DeserializeOwned;

use super::attempt::Ended;
use super::sqs::{Consumer, Message, Received, SqsEvent, received};
use super::{BatchResponse, Failure};
use crate::invocation::Invocation;
use crate::{Error, Result};

impl Consumer {
    /// Calls `handler` once with all messages of the batch that can be parsed, for work that costs less
    /// for many messages than for each of them. They succeed or fail together. In a FIFO queue, a message
    /// that cannot be parsed does not stop its group.
    ///
    /// # Errors
    /// As for [`consume`](Self::consume).
    pub async fn consume_together<T, F, Fut>(
        &self,
        event: SqsEvent,
        invocation: &Invocation,
        handler: F,
    ) -> Result<BatchResponse>
    where
        T: DeserializeOwned,
        F: FnOnce(Vec<Message<T>>) -> Fut,
        Fut: Future<Output = Result<(), Failure>>,
    {
        let (mut messages, mut parsed, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for mut received in received(event)? {
            match received.parse() {
                Ok(message) => {
                    parsed.push(message);
                    messages.push(received);
                }
                Err(error) => {
                    let ended = Ended::Failed(Failure::Permanent(error));
                    let invocation = received.invocation(invocation);
                    received.back_in = self.outcome(&received, ended, &invocation).await;
                    failed.push(received);
                }
            }
        }
        if !messages.is_empty() {
            let ended = self.limits.attempt(invocation, handler(parsed)).await;
            for mut received in messages {
                let invocation = received.invocation(invocation);
                received.back_in = self.outcome(&received, same(&ended), &invocation).await;
                failed.push(received);
            }
        }
        failed.retain(|received: &Received| received.back_in.is_some());
        Ok(self.answer(failed, invocation).await)
    }
}

/// The same outcome, for another of the messages.
fn same(ended: &Ended) -> Ended {
    let Ended::Failed(failure) = ended else {
        return if matches!(ended, Ended::Done) { Ended::Done } else { Ended::NotStarted };
    };
    let error = Error::internal(failure.error().trail());
    Ended::Failed(match failure {
        Failure::Retry { after, .. } => Failure::Retry { error, after: *after },
        Failure::Permanent(_) => Failure::Permanent(error),
    })
}
