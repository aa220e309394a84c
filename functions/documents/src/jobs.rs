//! The queue of documents to process.

use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::id::UserId;

use crate::document::DocumentId;

/// How often a document is tried. The queue hands a job out once more than that, so that the last
/// time can be spent on saying so, and then moves it to the dead-letter queue: its
/// `maxReceiveCount` is this and one.
pub const MAX_ATTEMPTS: u32 = 4;

/// A job: read this document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum Job {
    /// The first version.
    #[serde(rename = "1")]
    V1 {
        /// Whose document it is.
        owner: UserId,
        /// The document.
        document_id: DocumentId,
    },
}

/// The queue.
#[derive(Clone, Debug)]
pub struct Jobs {
    client: Client,
    queue_url: String,
}

impl Jobs {
    /// The jobs of the queue at `queue_url`.
    #[must_use]
    pub fn new(client: Client, queue_url: String) -> Self {
        Self { client, queue_url }
    }

    /// Queues `job`. It may come out more than once.
    pub async fn send(&self, job: Job) -> Result<()> {
        self.client
            .send_message()
            .queue_url(&self.queue_url)
            .message_body(serde_json::to_string(&job)?)
            .send()
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_says_its_version() {
        let text = r#"{"version":"1","owner":"usr_01M7YRRT800000000000000000","document_id":"doc_01M7YRRT800000000000000001"}"#;
        let job: Job = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&job).unwrap(), text);
        assert!(serde_json::from_str::<Job>(&text.replace("\"1\"", "\"2\"")).is_err());
    }
}
