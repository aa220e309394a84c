//! S3 tells that a file has arrived: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
//!
//! S3 tells at least once, through a queue that keeps what cannot be done yet. So this does the same thing
//! however often it runs: one conditional change of the record, then a job. A run that was cut off between
//! the two is made good by the next, which finds the record as it left it.
//!
//! The record decides which version of an upload counts: the first that is recorded. Every other version is
//! counted in the tenant's budgets and deleted at once, and so is what comes when its document is cancelled
//! or deleted. A file without any record is kept: see [`OnUpload::arrived`].

use std::time::Duration;

use aws_lambda_events::s3::S3EventRecord;
use serde::Deserialize;
use shared::Result;
use shared::batch::{Failure as Trouble, Message};
use shared::clock::Clock;
use shared::id::TenantId;
use shared::program::Environment;

use crate::allowance::{SCANS, UPLOAD_BYTES};
use crate::budget::Budgets;
use crate::document::Status;
use crate::objects::{Objects, parse_upload_key};
use crate::queues::{Queues, consumer};
use crate::stage::Stage;
use crate::store::{Change, Documents, Key};
use crate::system;

/// How long one message may take.
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

/// What the task needs.
#[derive(Clone, Debug)]
pub struct OnUpload {
    /// The documents' table.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// The queue of the first stage, and of what is deleted.
    pub queues: Queues,
    /// Counts what is uploaded beside what was announced.
    pub budgets: Budgets,
    /// The time.
    pub clock: Clock,
}

/// What S3 sends: records, or the event that tests a queue when a bucket is connected with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Notice {
    /// Things that happened.
    Records {
        /// Each of them.
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
    /// Takes a message. If any of its records fails, all are tried again, which does no harm.
    pub async fn handle(&self, message: Message<Notice>) -> Result<(), Trouble> {
        match message.body {
            Notice::Records { records } => {
                for record in records {
                    self.record(record).await?;
                }
            }
            Notice::Test { event } => tracing::info!(event, "not an upload"),
        }
        Ok(())
    }

    async fn record(&self, record: S3EventRecord) -> Result<(), Trouble> {
        let event = record.event_name.unwrap_or_default();
        let object = record.s3.object;
        let text = object.url_decoded_key.or(object.key).unwrap_or_default();
        // A delete marker has a version of its own; a restored or tagged object is no new one.
        if !event.trim_start_matches("s3:").starts_with("ObjectCreated:") {
            tracing::info!(event, key = text, "not an upload");
            return Ok(());
        }
        let Some(key) = parse_upload_key(&text) else {
            tracing::warn!(key = text, "a file that is nobody's upload");
            return Ok(());
        };
        let version = object.version_id.filter(|version| !version.is_empty());
        let version =
            version.ok_or_else(|| Trouble::permanent("the bucket does not keep versions"))?;
        let size = u64::try_from(object.size.unwrap_or_default()).unwrap_or_default();
        self.arrived(key, &version, size).await
    }

    /// A version of a document's upload is there, of `size` bytes.
    ///
    /// Nothing is deleted because a record is missing: if none says that the document was deleted, the file
    /// stays where it is until the bucket's lifecycle ends it, and the message goes to the dead letters.
    pub async fn arrived(&self, key: Key, version: &str, size: u64) -> Result<(), Trouble> {
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
                    tracing::info!(%document_id, "told again of an upload, queueing it again");
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
                Err(Trouble::permanent(format!(
                    "no record of {document_id}; its file, version {version}, is kept"
                )))
            }
        }
    }

    /// Deletes a version that no document will have. It is counted first: a form that is posted again and
    /// again uses up the tenant's budgets.
    async fn discard(
        &self,
        key: Key,
        tenant: TenantId,
        (version, size): (&str, u64),
    ) -> Result<()> {
        let once = format!("{}#{version}", key.1);
        let uses = [(UPLOAD_BYTES, size), (SCANS, 1)];
        self.budgets.count(&tenant.to_string(), &uses, &once).await?;
        tracing::info!(document_id = %key.1, version, "deleting a file that does not count");
        metrics::counter!("UploadsDiscarded").increment(1);
        self.objects.delete_upload(key, version).await
    }
}
