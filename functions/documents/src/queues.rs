//! The queues: one for each stage, one for webhooks, one for deletion.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::backoff::Backoff;
use shared::batch::Consumer;
use shared::config::{ConfigError, var};
use shared::id::UserId;
use shared::queue::Queue;
use shared::webhook;
use shared::{Error, Result};

use crate::document::{Document, DocumentId, Status};
use crate::stage::Stage;
use crate::store::Key;

/// The maximum number of attempts at a job. The queue's `maxReceiveCount` is one more: the last delivery
/// records the failure. A webhook is posted once more than this; its queue's `maxReceiveCount` is three more,
/// for crashes in the last attempt.
pub const MAX_ATTEMPTS: u32 = 8;

/// The wait before the next attempt: up to 10 s, 20 s, 40 s and so on, up to 15 minutes.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_mins(15));

/// The wait before the next delivery of a webhook: up to 10 s, 20 s, 40 s and so on. All waits together
/// take up to about 40 minutes.
const WEBHOOK_BACKOFF: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_hours(1));

/// A job for a document. The queue determines the kind of job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum Job {
    /// The first version.
    #[serde(rename = "1")]
    V1 {
        /// The document's owner.
        owner: UserId,
        /// The document's id.
        document_id: DocumentId,
    },
}

/// The job that delivers a webhook for a document that has ended.
pub type Tell = webhook::Job<Told>;

/// The document of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The document's owner.
    pub owner: UserId,
    /// The document.
    pub document_id: DocumentId,
}

impl Job {
    /// The job for a document.
    #[must_use]
    pub fn of((owner, document_id): Key) -> Self {
        Self::V1 { owner, document_id }
    }
}

/// The queues that a function can use.
#[derive(Clone, Debug, Default)]
pub struct Queues {
    stages: [Option<Queue>; 5],
    webhooks: Option<Queue>,
    purge: Option<Queue>,
}

/// The environment variables with the URLs of the stages' queues, in the order of the stages.
const STAGE_QUEUES: [&str; 5] = [
    "VALIDATE_QUEUE_URL",
    "SCAN_QUEUE_URL",
    "PDFA_QUEUE_URL",
    "TEXT_QUEUE_URL",
    "STRUCTURE_QUEUE_URL",
];

impl Queues {
    /// The queues whose URLs are in the function's environment.
    pub fn from_environment(client: &aws_sdk_sqs::Client) -> Result<Self> {
        let queue = |name| match var::<String>(name) {
            Ok(url) => Ok(Some(Queue::new(client.clone(), url))),
            Err(ConfigError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        };
        let mut stages = [const { None }; 5];
        for (stage, name) in stages.iter_mut().zip(STAGE_QUEUES) {
            *stage = queue(name)?;
        }
        Ok(Self {
            stages,
            webhooks: queue("WEBHOOKS_QUEUE_URL")?,
            purge: queue("PURGE_QUEUE_URL")?,
        })
    }

    /// All queues; `stages` are in the order of the stages.
    #[must_use]
    pub fn new(stages: [Queue; 5], webhooks: Queue, purge: Queue) -> Self {
        Self { stages: stages.map(Some), webhooks: Some(webhooks), purge: Some(purge) }
    }

    /// The queue of a stage.
    ///
    /// # Errors
    /// The function's environment does not have this queue's URL.
    pub fn stage(&self, stage: Stage) -> Result<&Queue> {
        let queue = self.stages[stage as usize].as_ref();
        queue.ok_or_else(|| Error::internal(format!("no queue for the stage {stage}")))
    }

    /// The queue of webhook deliveries.
    ///
    /// # Errors
    /// The function's environment does not have this queue's URL.
    pub fn webhooks(&self) -> Result<&Queue> {
        self.webhooks.as_ref().ok_or_else(|| Error::internal("no queue for webhooks"))
    }

    /// The queue of deletions.
    ///
    /// # Errors
    /// The function's environment does not have this queue's URL.
    pub fn purge(&self) -> Result<&Queue> {
        self.purge.as_ref().ok_or_else(|| Error::internal("no queue for purging"))
    }

    /// Queues the next job of a document, by its status. A job that is queued twice does no harm. So a
    /// caller that does not know whether the job was queued calls this again.
    pub async fn follow_up(&self, document: &Document) -> Result<()> {
        let job = Job::of(document.key());
        match document.status {
            Status::Processing => self.stage(document.stage)?.send(&job).await,
            Status::Ready | Status::Rejected | Status::Failed if document.webhook => {
                let (owner, document_id) = document.key();
                self.webhooks()?.send(&Tell::V1 { about: Told { owner, document_id } }).await
            }
            Status::Cancelled | Status::Deleting => self.purge()?.send(&job).await,
            _ => Ok(()),
        }
    }
}

/// A consumer of the jobs in `queue`. Jobs that fail permanently go to `dead_letters`. A job starts only if
/// the invocation has at least `time_limit` left.
#[must_use]
pub fn consumer(queue: Queue, dead_letters: Queue, time_limit: Duration) -> Consumer {
    Consumer::new(queue).dead_letters(dead_letters).time_limit(time_limit).backoff(BACKOFF)
}

/// A [`consumer`] for webhooks, with longer waits between deliveries.
#[must_use]
pub fn webhook_consumer(queue: Queue, dead_letters: Queue, time_limit: Duration) -> Consumer {
    consumer(queue, dead_letters, time_limit).backoff(WEBHOOK_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_has_a_version() {
        let text = r#"{"version":"1","owner":"usr_01M7YRRT800000000000000000","document_id":"doc_01M7YRRT800000000000000001"}"#;
        let job: Job = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&job).unwrap(), text);
        assert!(serde_json::from_str::<Job>(&text.replace("\"1\"", "\"2\"")).is_err());
        // A webhook's first job is written as it was before it had a type of its own.
        let Job::V1 { owner, document_id } = job;
        let tell = Tell::V1 { about: Told { owner, document_id } };
        assert_eq!(serde_json::to_string(&tell).unwrap(), text);
        assert_eq!(serde_json::from_str::<Tell>(text).unwrap(), tell);
    }
}
