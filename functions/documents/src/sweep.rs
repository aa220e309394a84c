//! On a schedule: finds documents without progress. Either the event of an upload or the job of a stage was
//! lost, or the user never uploaded the file.
//!
//! Two runs at once, or a run that stops anywhere, do no harm: queueing a job and recording an upload are
//! idempotent, and the next check is scheduled only afterwards. A document that fails is checked again in
//! the next run, and does not delay the others.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::due::{self, MARGIN};
use shared::invocation::Invocation;
use shared::program::Environment;
use shared::{Error, Result};

use crate::document::{ABANDONED_RETENTION, Document, OVERDUE_AFTER, Status};
use crate::on_upload::OnUpload;
use crate::store::{DUE_SHARDS, Key, key_from_index};
use crate::system;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = Sweep { on_upload: system::on_upload(environment)? };
    shared::invocation::run(async |_: Value, invocation| task.handle(&invocation).await).await
}

/// The sweep's dependencies.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Records an upload whose event was lost. It needs the queues of all stages.
    pub on_upload: OnUpload,
}

/// The counts of one sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Uploads whose event was lost.
    pub recovered: u64,
    /// Documents whose jobs were queued again.
    pub queued: u64,
    /// Abandoned uploads whose records were deleted.
    pub abandoned: u64,
    /// Documents that needed no action.
    pub left_alone: u64,
    /// Documents and shards that failed; each is in the log.
    pub failed: u64,
    /// Shards of the index that were not read completely because the time was over.
    pub cut_short: u64,
}

/// The outcome for one due document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Recovered,
    Queued,
    Abandoned,
    LeftAlone,
}

impl Sweep {
    /// Sweeps until nothing is due or the invocation is about to end.
    ///
    /// # Errors
    /// At least one document or shard failed. All others are still checked.
    pub async fn handle(&self, invocation: &Invocation) -> Result<Swept> {
        let swept = self.sweep(&|| invocation.remaining() > MARGIN).await;
        metrics::counter!("UploadsRecovered").increment(swept.recovered);
        metrics::counter!("DocumentsOverdue").increment(swept.queued);
        tracing::info!(?swept, "swept");
        match swept.failed {
            0 => Ok(swept),
            failed => Err(Error::internal(format!("{failed} documents or shards failed"))),
        }
    }

    /// Sweeps until nothing is due or `has_time` gives false.
    pub async fn sweep(&self, has_time: &(dyn Fn() -> bool + Sync)) -> Swept {
        let (documents, now) = (&self.on_upload.documents, self.on_upload.clock.now());
        let shards = (0..DUE_SHARDS).map(|shard| shard.to_string());
        let check = |item| async move { self.check(key_from_index(&item)?, now).await };
        let swept = due::sweep(&documents.due(now), shards, has_time, check).await;
        Swept {
            recovered: swept.count(&Outcome::Recovered),
            queued: swept.count(&Outcome::Queued),
            abandoned: swept.count(&Outcome::Abandoned),
            left_alone: swept.count(&Outcome::LeftAlone),
            failed: swept.failed,
            cut_short: swept.cut_short,
        }
    }

    /// Checks one document. The index is eventually consistent, so this reads the document itself.
    async fn check(&self, key: Key, now: Timestamp) -> Result<Outcome> {
        let Some(document) = self.on_upload.documents.get(key).await? else {
            return Ok(Outcome::LeftAlone);
        };
        match document.status {
            Status::AwaitingUpload => self.check_upload(&document, now).await,
            Status::Processing | Status::Cancelled | Status::Deleting => {
                let is_overdue = now >= document.last_activity() + OVERDUE_AFTER
                    && document.lease_left(now).is_zero();
                let mut outcome = Outcome::LeftAlone;
                if is_overdue || document.status != Status::Processing {
                    tracing::warn!(document_id = %key.1, status = ?document.status,
                        stage = %document.stage, "document overdue, queueing its job again");
                    self.on_upload.queues.follow_up(&document).await?;
                    outcome = Outcome::Queued;
                }
                self.on_upload.documents.schedule_check(key, now + OVERDUE_AFTER).await?;
                Ok(outcome)
            }
            _ => Ok(Outcome::LeftAlone),
        }
    }

    /// Checks a document whose form has expired. The file may exist although its event was lost or is late.
    async fn check_upload(&self, document: &Document, now: Timestamp) -> Result<Outcome> {
        let (key, on_upload) = (document.key(), &self.on_upload);
        let uploads = on_upload.objects.uploads(key).await?;
        for (version, size) in &uploads {
            // As with their events: the first version is recorded and the others are deleted.
            let recorded = on_upload.version_created(key, version, *size).await;
            recorded.map_err(|failure| Error::internal(failure.error().trail()))?;
        }
        let kept_until = document.upload_expires_at + ABANDONED_RETENTION;
        if !uploads.is_empty() {
            tracing::warn!(document_id = %key.1, "found an upload without an event");
            return Ok(Outcome::Recovered);
        }
        if now < kept_until {
            on_upload.documents.schedule_check(key, kept_until).await?;
            return Ok(Outcome::LeftAlone);
        }
        let is_deleted = on_upload.documents.abandon(key).await?;
        Ok(if is_deleted { Outcome::Abandoned } else { Outcome::LeftAlone })
    }
}
