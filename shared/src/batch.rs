//! SQS batches: every message stands or falls alone.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::FutureExt;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// A message with its body parsed.
#[derive(Clone, Debug)]
pub struct Record<T> {
    /// SQS's id of the message; a redelivery keeps it.
    pub message_id: String,
    /// How often SQS has handed out this message, this time included: 1 at first.
    pub receive_count: u32,
    /// The body, parsed from JSON.
    pub body: T,
}

/// Hands each message to `handler`, one after the other, and reports those that failed.
///
/// A body that does not parse, an error and a panic each fail their own message only: SQS hands it
/// out again after the queue's visibility time-out, and to the dead-letter queue in the end. The
/// event source mapping must have `ReportBatchItemFailures`.
///
/// # Errors
/// When a message has no id, and so could not be reported; then the whole batch is retried.
pub async fn run<T, F, Fut>(event: SqsEvent, handler: F) -> Result<SqsBatchResponse>
where
    T: DeserializeOwned,
    F: Fn(Record<T>) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        let message_id = message.message_id.clone().filter(|id| !id.is_empty());
        let message_id = message_id.ok_or_else(|| Error::internal("a message has no id"))?;
        let outcome = match parse(&message, message_id.clone()) {
            Ok(record) => match AssertUnwindSafe(handler(record)).catch_unwind().await {
                Ok(outcome) => outcome,
                Err(_) => Err(Error::internal("the handler panicked")),
            },
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            tracing::error!(message_id, error = error.trail(), "message failed");
            response.add_failure(message_id);
        }
    }
    Ok(response)
}

fn parse<T: DeserializeOwned>(message: &SqsMessage, message_id: String) -> Result<Record<T>> {
    let receive_count = message.attributes.get("ApproximateReceiveCount");
    Ok(Record {
        message_id,
        receive_count: receive_count.and_then(|count| count.parse().ok()).unwrap_or(1),
        body: serde_json::from_str(message.body.as_deref().unwrap_or_default())?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(bodies: &[(&str, &str)]) -> SqsEvent {
        let records: Vec<_> = bodies
            .iter()
            .map(|(id, body)| {
                json!({
                    "messageId": id, "body": body,
                    "attributes": {"ApproximateReceiveCount": "2"},
                })
            })
            .collect();
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    async fn handle(record: Record<u32>) -> Result<()> {
        assert_eq!(record.receive_count, 2);
        match record.body {
            0 => Err(Error::internal("zero")),
            13 => panic!("thirteen"),
            _ => Ok(()),
        }
    }

    #[tokio::test]
    async fn each_message_stands_or_falls_alone() {
        let event =
            event(&[("a", "1"), ("b", "0"), ("c", "not json"), ("d", "13"), ("e", "2"), ("f", "")]);
        let response = run(event, handle).await.unwrap();
        assert_eq!(
            serde_json::to_value(response).unwrap(),
            json!({"batchItemFailures": [
                {"itemIdentifier": "b"}, {"itemIdentifier": "c"},
                {"itemIdentifier": "d"}, {"itemIdentifier": "f"},
            ]})
        );
    }

    #[tokio::test]
    async fn success_is_an_empty_list() {
        let response = run(event(&[("a", "1")]), handle).await.unwrap();
        assert_eq!(serde_json::to_value(response).unwrap(), json!({"batchItemFailures": []}));
    }

    #[tokio::test]
    async fn a_message_without_an_id_fails_the_batch() {
        assert!(run(event(&[("", "1")]), handle).await.is_err());
    }
}
