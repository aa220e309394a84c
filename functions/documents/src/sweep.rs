//! On a schedule: documents of which nothing was heard for too long. The event of an upload was lost, or
//! the job of a stage, or the file never came.
//!
//! It may run twice at once, and be ended anywhere: it queues jobs and records uploads, which do no harm
//! when that was done before, and only then puts off the next look. One document that fails is looked at in
//! the next run, and keeps no other waiting.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::due::{self, MARGIN};
use shared::invocation::Invocation;
use shared::program::Environment;
use shared::{Error, Result};

use crate::document::{ABANDONED_KEPT, Document, OVERDUE_AFTER, Status};
use crate::on_upload::OnUpload;
use crate::store::{DUE_SHARDS, Key, named};
use crate::system;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = Sweep { on_upload: system::on_upload(environment)? };
    shared::invocation::run(async |_: Value, invocation| task.handle(&invocation).await).await
}

/// What the task needs.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Records an upload whose event was lost; its queues are those of all stages.
    pub on_upload: OnUpload,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Uploads whose event did not arrive.
    pub recovered: u64,
    /// Documents whose jobs were queued again.
    pub queued: u64,
    /// Records of uploads that never came, deleted.
    pub abandoned: u64,
    /// Documents with nothing to be done for.
    pub left_alone: u64,
    /// Documents and shards that could not be read; each is in the log.
    pub failed: u64,
    /// Shards of the index that were not read to their end, for want of time.
    pub cut_short: u64,
}

/// What came of a document that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Recovered,
    Queued,
    Abandoned,
    LeftAlone,
}

impl Sweep {
    /// Sweeps until nothing is due or the invocation comes to its end.
    ///
    /// # Errors
    /// When a document could not be looked at. All others are, all the same.
    pub async fn handle(&self, invocation: &Invocation) -> Result<Swept> {
        let swept = self.sweep(&|| invocation.remaining() > MARGIN).await;
        metrics::counter!("UploadsRecovered").increment(swept.recovered);
        metrics::counter!("DocumentsOverdue").increment(swept.queued);
        tracing::info!(?swept, "swept");
        match swept.failed {
            0 => Ok(swept),
            failed => {
                Err(Error::internal(format!("{failed} documents or shards could not be read")))
            }
        }
    }

    /// Sweeps until nothing is due or there is no time any more.
    pub async fn sweep(&self, has_time: &(dyn Fn() -> bool + Sync)) -> Swept {
        let (documents, now) = (&self.on_upload.documents, self.on_upload.clock.now());
        let shards = (0..DUE_SHARDS).map(|shard| shard.to_string());
        let look = |item| async move { self.look(named(&item)?, now).await };
        let swept = due::sweep(&documents.due(now), shards, has_time, look).await;
        Swept {
            recovered: swept.count(&Outcome::Recovered),
            queued: swept.count(&Outcome::Queued),
            abandoned: swept.count(&Outcome::Abandoned),
            left_alone: swept.count(&Outcome::LeftAlone),
            failed: swept.failed,
            cut_short: swept.cut_short,
        }
    }

    /// The index is a moment behind, so the document itself is asked.
    async fn look(&self, key: Key, now: Timestamp) -> Result<Outcome> {
        let Some(document) = self.on_upload.documents.get(key).await? else {
            return Ok(Outcome::LeftAlone);
        };
        match document.status {
            Status::AwaitingUpload => self.look_for_upload(&document, now).await,
            Status::Processing | Status::Cancelled | Status::Deleting => {
                let is_overdue = now >= document.last_heard_of() + OVERDUE_AFTER
                    && document.lease_left(now).is_zero();
                let mut outcome = Outcome::LeftAlone;
                if is_overdue || document.status != Status::Processing {
                    tracing::warn!(document_id = %key.1, status = ?document.status,
                        stage = %document.stage, "overdue, its job is queued again");
                    self.on_upload.queues.follow_up(&document).await?;
                    outcome = Outcome::Queued;
                }
                self.on_upload.documents.look_again(key, now + OVERDUE_AFTER).await?;
                Ok(outcome)
            }
            _ => Ok(Outcome::LeftAlone),
        }
    }

    /// The form has expired. Its file may be there all the same, with its event lost or still on the way.
    async fn look_for_upload(&self, document: &Document, now: Timestamp) -> Result<Outcome> {
        let (key, on_upload) = (document.key(), &self.on_upload);
        let uploads = on_upload.objects.uploads(key).await?;
        for (version, size) in &uploads {
            // The first is recorded, and the others are deleted, as their events would have it.
            let arrived = on_upload.arrived(key, version, *size).await;
            arrived.map_err(|trouble| Error::internal(trouble.error().trail()))?;
        }
        let kept_until = document.upload_expires_at + ABANDONED_KEPT;
        if !uploads.is_empty() {
            tracing::warn!(document_id = %key.1, "an upload that nobody had told of");
            return Ok(Outcome::Recovered);
        }
        if now < kept_until {
            on_upload.documents.look_again(key, kept_until).await?;
            return Ok(Outcome::LeftAlone);
        }
        let is_gone = on_upload.documents.abandon(key).await?;
        Ok(if is_gone { Outcome::Abandoned } else { Outcome::LeftAlone })
    }
}
