//! Sends messages to SQS.
//!
//! **Guarantees.** When [`Queue::send`] returns, the message is sent, at least once. It has the
//! correlation id and the trace of the invocation that sent it, and the log lines of a
//! [consumer](crate::batch) have them too.
//!
//! ```no_run
//! # async fn example(client: aws_sdk_sqs::Client) -> shared::Result<()> {
//! use shared::queue::Queue;
//!
//! let jobs = Queue::new(client, "https://sqs.eu-central-1.amazonaws.com/1/jobs".into());
//! jobs.send(&serde_json::json!({"version": "1", "document_id": "doc_1"})).await?;
//! # Ok(()) }
//! ```

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
};
use serde::Serialize;

use crate::fault::point;
use crate::{Result, invocation};

/// The attribute with the correlation id.
pub const CORRELATION_ID: &str = "correlation_id";
/// The attribute with the trace, in the format of the W3C header.
pub const TRACEPARENT: &str = "traceparent";

/// The maximum delay of SQS.
const MAX_DELAY: Duration = Duration::from_mins(15);

/// A queue to send to.
#[derive(Clone, Debug)]
pub struct Queue {
    pub(crate) client: Client,
    pub(crate) url: String,
}

impl Queue {
    /// The queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends `body` as JSON. It may be delivered more than once.
    ///
    /// # Errors
    /// When the body cannot be serialized as JSON, or SQS refuses it or does not answer.
    pub async fn send<T: Serialize + ?Sized>(&self, body: &T) -> Result<()> {
        self.send_in(body, Duration::ZERO).await
    }

    /// Sends `body` as JSON, to be delivered after `delay`, which is cut to whole seconds and to
    /// 15 minutes at most.
    ///
    /// # Errors
    /// As for [`Queue::send`].
    pub async fn send_in<T: Serialize + ?Sized>(&self, body: &T, delay: Duration) -> Result<()> {
        let mut message = self.message(serde_json::to_string(body)?);
        let seconds = delay.min(MAX_DELAY).as_secs();
        if seconds > 0 {
            message = message.delay_seconds(i32::try_from(seconds)?);
        }
        self.deliver(message).await
    }

    /// Sends `body` as JSON to a FIFO queue with `ContentBasedDeduplication`. Messages of one `group` are
    /// delivered in the order in which they were sent. SQS drops a message with the body of one that was sent
    /// in the last 5 minutes, even if that one is done. So the body must name what it is about.
    ///
    /// # Errors
    /// As for [`Queue::send`].
    pub async fn send_in_order<T: Serialize + ?Sized>(&self, body: &T, group: &str) -> Result<()> {
        let message = self.message(serde_json::to_string(body)?);
        self.deliver(message.message_group_id(group)).await
    }

    /// Sends a message, with the ids of the current invocation.
    async fn deliver(&self, mut message: SendMessageFluentBuilder) -> Result<()> {
        if let Some(current) = invocation::current() {
            message = message
                .message_attributes(CORRELATION_ID, text(&current.correlation_id)?)
                .message_attributes(TRACEPARENT, text(&current.trace.traceparent())?)
                .message_system_attributes(
                    MessageSystemAttributeNameForSends::AwsTraceHeader,
                    MessageSystemAttributeValue::builder()
                        .data_type("String")
                        .string_value(current.trace.xray())
                        .build()?,
                );
        }
        point("queue.send", || message.clone().send()).await?;
        Ok(())
    }

    /// Sends `body` unchanged, with `attributes`. `group`: the message group and the deduplication id.
    pub(crate) async fn forward(
        &self,
        body: String,
        attributes: HashMap<String, MessageAttributeValue>,
        group: Option<(String, String)>,
    ) -> Result<()> {
        let mut message = self.message(body).set_message_attributes(Some(attributes));
        if let Some((group, deduplication_id)) = group {
            message = message.message_group_id(group).message_deduplication_id(deduplication_id);
        }
        point("queue.forward", || message.clone().send()).await?;
        Ok(())
    }

    fn message(&self, body: String) -> SendMessageFluentBuilder {
        self.client.send_message().queue_url(&self.url).message_body(body)
    }
}

/// A text attribute.
pub(crate) fn text(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}
