//! The queues: one for each stage, one for telling tenants, one for deleting.

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

/// How often a job is tried. The queue hands it out once more than that, so that the last time can be
/// spent on saying so: its `maxReceiveCount` is this and one.
pub const MAX_ATTEMPTS: u32 = 8;

/// How long to wait before the next attempt: up to 10 s, 20 s, 40 s and so on.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_mins(15));

/// How long to wait before the next delivery of a webhook: up to 10 s, 20 s, 40 s and so on, over up to
/// 40 minutes in all.
const WEBHOOK_BACKOFF: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_hours(1));

/// A job about a document. Which one it is, is said by the queue.
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

/// A tenant is to be told of a document's end.
pub type Tell = webhook::Job<Told>;

/// The document that a tenant is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Whose document it is.
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

/// The queues that a function knows of.
#[derive(Clone, Debug, Default)]
pub struct Queues {
    stages: [Option<Queue>; 5],
    webhooks: Option<Queue>,
    purge: Option<Queue>,
}

/// The variables with the stages' queues, in the stages' order.
const STAGE_QUEUES: [&str; 5] = [
    "VALIDATE_QUEUE_URL",
    "SCAN_QUEUE_URL",
    "PDFA_QUEUE_URL",
    "TEXT_QUEUE_URL",
    "STRUCTURE_QUEUE_URL",
];

impl Queues {
    /// Those whose URLs are in the function's environment.
    pub fn of_environment(client: &aws_sdk_sqs::Client) -> Result<Self> {
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

    /// These queues: the stages' in their order, the webhooks', the purge's.
    #[must_use]
    pub fn new(stages: [Queue; 5], webhooks: Queue, purge: Queue) -> Self {
        Self { stages: stages.map(Some), webhooks: Some(webhooks), purge: Some(purge) }
    }

    /// The queue of a stage.
    pub fn stage(&self, stage: Stage) -> Result<&Queue> {
        let queue = self.stages[stage as usize].as_ref();
        queue.ok_or_else(|| Error::internal(format!("no queue for the stage {stage}")))
    }

    /// The queue of what is told to tenants.
    pub fn webhooks(&self) -> Result<&Queue> {
        self.webhooks.as_ref().ok_or_else(|| Error::internal("no queue for webhooks"))
    }

    /// The queue of what is deleted.
    pub fn purge(&self) -> Result<&Queue> {
        self.purge.as_ref().ok_or_else(|| Error::internal("no queue for purging"))
    }

    /// Queues whatever a document, as it stands, needs next. What is queued twice does no harm, so
    /// that this can be done again by whoever cannot tell whether it was.
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

/// What hands the jobs of `queue` out, and sends to `dead_letters` what is given up. A job is not
/// started that could not be given `time_limit`.
#[must_use]
pub fn consumer(queue: Queue, dead_letters: Queue, time_limit: Duration) -> Consumer {
    Consumer::new(queue).dead_letters(dead_letters).time_limit(time_limit).backoff(BACKOFF)
}

/// The same for webhooks, which are tried for longer.
#[must_use]
pub fn webhook_consumer(queue: Queue, dead_letters: Queue, time_limit: Duration) -> Consumer {
    consumer(queue, dead_letters, time_limit).backoff(WEBHOOK_BACKOFF)
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
        // A webhook's first job is written as it was before it had a type of its own.
        let Job::V1 { owner, document_id } = job;
        let tell = Tell::V1 { about: Told { owner, document_id } };
        assert_eq!(serde_json::to_string(&tell).unwrap(), text);
        assert_eq!(serde_json::from_str::<Tell>(text).unwrap(), tell);
    }
}
