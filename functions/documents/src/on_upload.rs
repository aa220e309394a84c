//! S3 tells that a file has arrived.
//!
//! S3 tells at least once, and Lambda tries a failed invocation again. So this does the same thing
//! however often it runs: one conditional change of the record, then a job. A run that was cut off
//! between the two is made good by the next, which finds the record as it left it.

use aws_lambda_events::s3::{S3Event, S3EventRecord};
use shared::clock::Clock;
use shared::queue::Queue;
use shared::{Error, Result};

use crate::document::Status;
use crate::jobs::Job;
use crate::objects::parse_upload_key;
use crate::store::{Change, Documents};

/// What the task needs.
#[derive(Clone, Debug)]
pub struct OnUpload {
    /// The documents' table.
    pub documents: Documents,
    /// The queue.
    pub jobs: Queue,
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
        let key = object.url_decoded_key.or(object.key).unwrap_or_default();
        let Some((owner, id)) = parse_upload_key(&key) else {
            tracing::warn!(key, "a file that is nobody's upload");
            return Ok(());
        };
        let version = object.version_id.filter(|version| !version.is_empty());
        let version =
            version.ok_or_else(|| Error::internal("the bucket does not keep versions"))?;

        let now = self.clock.now();
        match self.documents.record_upload(owner, id, &version, now).await? {
            Change::Made(_) => tracing::info!(document_id = %id, "uploaded"),
            Change::Refused(document)
                if document.status == Status::Uploaded
                    && document.object_version.as_ref() == Some(&version) =>
            {
                tracing::info!(document_id = %id, "told again of an upload, queueing it again");
            }
            Change::Refused(document) => {
                tracing::info!(document_id = %id, status = ?document.status, "nothing to do");
                return Ok(());
            }
            Change::NoDocument => {
                tracing::warn!(document_id = %id, "a file without a document");
                return Ok(());
            }
        }
        self.jobs.send(&Job::V1 { owner, document_id: id }).await
    }
}
