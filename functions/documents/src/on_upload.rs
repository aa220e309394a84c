//! S3 tells that a file has arrived.
//!
//! S3 tells at least once, and Lambda tries a failed invocation again. So this does the same thing
//! however often it runs: one conditional change of the record, then a job. A run that was cut off
//! between the two is made good by the next, which finds the record as it left it. A file that comes
//! when its document is cancelled or deleted is deleted too.

use aws_lambda_events::s3::{S3Event, S3EventRecord};
use shared::clock::Clock;
use shared::{Error, Result};

use crate::document::Status;
use crate::objects::{Objects, parse_upload_key};
use crate::queues::Queues;
use crate::stage::Stage;
use crate::store::{Change, Documents};

/// What the task needs.
#[derive(Clone, Debug)]
pub struct OnUpload {
    /// The documents' table.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// The queue of the first stage.
    pub queues: Queues,
    /// The time.
    pub clock: Clock,
}

impl OnUpload {
    /// Takes an event. If any of its records fails, all are tried again, which does no harm.
    pub async fn handle(&self, event: S3Event) -> Result<()> {
        for record in event.records {
            self.record(record).await?;
        }
        Ok(())
    }

    async fn record(&self, record: S3EventRecord) -> Result<()> {
        let object = record.s3.object;
        let text = object.url_decoded_key.or(object.key).unwrap_or_default();
        let Some(key) = parse_upload_key(&text) else {
            tracing::warn!(key = text, "a file that is nobody's upload");
            return Ok(());
        };
        let version = object.version_id.filter(|version| !version.is_empty());
        let version =
            version.ok_or_else(|| Error::internal("the bucket does not keep versions"))?;

        let document_id = key.1;
        match self.documents.record_upload(key, &version, self.clock.now()).await? {
            Change::Made(document) => {
                tracing::info!(%document_id, "uploaded");
                self.queues.follow_up(&document).await
            }
            Change::Refused(document)
                if document.status == Status::Processing
                    && document.stage == Stage::Validate
                    && document.attempts == 0
                    && document.object_version.as_ref() == Some(&version) =>
            {
                tracing::info!(%document_id, "told again of an upload, queueing it again");
                self.queues.follow_up(&document).await
            }
            Change::Refused(document)
                if matches!(document.status, Status::Cancelled | Status::Deleting) =>
            {
                tracing::info!(%document_id, "deleting what came too late");
                self.objects.delete_upload(key, &version).await
            }
            Change::NoDocument => {
                tracing::warn!(%document_id, "deleting a file without a document");
                self.objects.delete_upload(key, &version).await
            }
            Change::Refused(document) => {
                tracing::info!(%document_id, status = ?document.status, "nothing to do");
                Ok(())
            }
        }
    }
}
