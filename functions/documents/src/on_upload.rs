//! Handles S3's event notifications of uploads:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
//!
//! S3 delivers an event at least once, through a queue that retries. So the handler is idempotent: it makes
//! one conditional change of the record, then queues a job. If a run stops between the two, the next run
//! finds the changed record and queues the job.
//!
//! The first recorded version of an upload is the one that counts. Every other version is counted in the
//! tenant's budgets and deleted at once. So is a version whose document is cancelled or deleted. A file
//! without any record is kept: see [`OnUpload::version_created`].

use std::time::Duration;

use aws_lambda_events::s3::S3EventRecord;
use serde::Deserialize;
use shared::Result;
use shared::batch::{self, Message};
use shared::budget::Budgets;
use shared::clock::Clock;
use shared::id::TenantId;
use shared::program::Environment;

use crate::allowance::{SCANS, UPLOAD_BYTES};
use crate::document::Status;
use crate::objects::{Objects, parse_upload_key};
use crate::queues::{Queues, consumer};
use crate::stage::Stage;
use crate::store::{Change, Documents, Key};
use crate::system;

/// The maximum time for one message.
pub const TIME_LIMIT: Duration = Duration::from_secs(25);

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = system::on_upload(environment)?;
    let queue = environment.queue("UPLOAD_EVENTS_QUEUE_URL")?;
    let events = consumer(queue, environment.dead_letters()?, TIME_LIMIT).concurrency(10);
    shared::invocation::run(async |event, invocation| {
        events.consume(event, &invocation, |message| task.handle(message)).await
    })
    .await
}

/// The task's dependencies.
#[derive(Clone, Debug)]
pub struct OnUpload {
    /// The documents' table.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// The queues of the first stage and of deletions.
    pub queues: Queues,
    /// Counts uploads beyond the announced one.
    pub budgets: Budgets,
    /// The clock.
    pub clock: Clock,
}

/// A message of S3: event records, or the test event that S3 sends when a bucket is connected to the queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Notification {
    /// Events.
    Records {
        /// The event records.
        #[serde(rename = "Records")]
        records: Vec<S3EventRecord>,
    },
    /// `s3:TestEvent`.
    Test {
        /// The event's name.
        #[serde(rename = "Event")]
        event: String,
    },
}

impl OnUpload {
    /// Handles a message. If one of its records fails, all are retried, which does no harm.
    pub async fn handle(&self, message: Message<Notification>) -> Result<(), batch::Failure> {
        match message.body {
            Notification::Records { records } => {
                for record in records {
                    self.record(record).await?;
                }
            }
            Notification::Test { event } => tracing::info!(event, "not an upload"),
        }
        Ok(())
    }

    async fn record(&self, record: S3EventRecord) -> Result<(), batch::Failure> {
        let event = record.event_name.unwrap_or_default();
        let object = record.s3.object;
        let text = object.url_decoded_key.or(object.key).unwrap_or_default();
        // Delete markers have versions too; restoring or tagging an object creates no version.
        if !event.trim_start_matches("s3:").starts_with("ObjectCreated:") {
            tracing::info!(event, key = text, "not an upload");
            return Ok(());
        }
        let Some(key) = parse_upload_key(&text) else {
            tracing::warn!(key = text, "the key is not that of an upload");
            return Ok(());
        };
        let version = object.version_id.filter(|version| !version.is_empty());
        let version = version
            .ok_or_else(|| batch::Failure::permanent("the bucket does not keep versions"))?;
        let size = u64::try_from(object.size.unwrap_or_default()).unwrap_or_default();
        self.version_created(key, &version, size).await
    }

    /// Handles a new version of a document's upload, of `size` bytes.
    ///
    /// A file is never deleted because its record is missing. If there is no tombstone of the document
    /// either, the file is kept until the bucket's lifecycle deletes it, and the message goes to the
    /// dead-letter queue.
    pub async fn version_created(
        &self,
        key: Key,
        version: &str,
        size: u64,
    ) -> Result<(), batch::Failure> {
        let document_id = key.1;
        match self.documents.record_upload(key, version, self.clock.now()).await? {
            Change::Made(document) => {
                tracing::info!(%document_id, "uploaded");
                Ok(self.queues.follow_up(&document).await?)
            }
            Change::Refused(document) if document.object_version.as_deref() == Some(version) => {
                if document.status == Status::Processing
                    && document.stage == Stage::Validate
                    && document.attempts == 0
                {
                    tracing::info!(%document_id, "repeated upload event, queueing the job again");
                    self.queues.follow_up(&document).await?;
                }
                Ok(())
            }
            Change::Refused(document)
                if matches!(document.status, Status::Cancelled | Status::Deleting) =>
            {
                Ok(self.discard(key, document.tenant, (version, size)).await?)
            }
            Change::Refused(document) if document.object_version.is_some() => {
                Ok(self.discard(key, document.tenant, (version, size)).await?)
            }
            Change::Refused(document) => {
                tracing::info!(%document_id, status = ?document.status, "nothing to do");
                Ok(())
            }
            Change::NoDocument => {
                if let Some(tenant) = self.documents.deleted(key).await? {
                    return Ok(self.discard(key, tenant, (version, size)).await?);
                }
                metrics::counter!("UploadsWithoutDocument").increment(1);
                Err(batch::Failure::permanent(format!(
                    "no record of {document_id}; its file, version {version}, is kept"
                )))
            }
        }
    }

    /// Deletes a version that is not recorded. It is counted first, so that posting a form repeatedly uses
    /// up the tenant's budgets.
    async fn discard(
        &self,
        key: Key,
        tenant: TenantId,
        (version, size): (&str, u64),
    ) -> Result<()> {
        let once = format!("{}#{version}", key.1);
        let uses = [(UPLOAD_BYTES, size), (SCANS, 1)];
        self.budgets.count(&tenant.to_string(), &uses, &once).await?;
        tracing::info!(document_id = %key.1, version, "deleting an unrecorded version");
        metrics::counter!("UploadsDiscarded").increment(1);
        self.objects.delete_upload(key, version).await
    }
}
