//! On a schedule: documents of which nothing was heard for too long. The event of an upload was lost, or
//! the job of a stage, or the file never came.
//!
//! It may run twice at once, and be ended anywhere: it queues jobs and records uploads, which do no harm
//! when that was done before, and only then puts off the next look. One document that fails is looked at in
//! the next run, and keeps no other waiting.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use shared::invocation::Invocation;
use shared::{Error, Result};

use crate::document::{ABANDONED_KEPT, Document, OVERDUE_AFTER, Status};
use crate::on_upload::OnUpload;
use crate::store::{DUE_SHARDS, Key};

/// Nothing is begun when there is less time left than this: a request may take 8 s.
const MARGIN: Duration = Duration::from_secs(10);

/// What the task needs.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Records an upload whose event was lost; its queues are those of all stages.
    pub on_upload: OnUpload,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Uploads that nobody had told of.
    pub recovered: u64,
    /// Documents whose jobs were queued again.
    pub queued: u64,
    /// Records of uploads that never came, deleted.
    pub abandoned: u64,
    /// Documents with nothing to be done for.
    pub left_alone: u64,
    /// Documents that could not be looked at, and shards not be read; each is in the log.
    pub failed: u64,
    /// Shards of the index that were not read to their end, for want of time.
    pub cut_short: u64,
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
            failed => Err(Error::internal(format!("{failed} documents could not be looked at"))),
        }
    }

    /// Sweeps until nothing is due or there is no time any more, all shards at once.
    pub async fn sweep(&self, has_time: &(dyn Fn() -> bool + Sync)) -> Swept {
        let now = self.on_upload.clock.now();
        let shards = join_all((0..DUE_SHARDS).map(|shard| self.sweep_shard(shard, now, has_time)));
        shards.await.into_iter().fold(Swept::default(), |all, one| Swept {
            recovered: all.recovered + one.recovered,
            queued: all.queued + one.queued,
            abandoned: all.abandoned + one.abandoned,
            left_alone: all.left_alone + one.left_alone,
            failed: all.failed + one.failed,
            cut_short: all.cut_short + one.cut_short,
        })
    }

    async fn sweep_shard(
        &self,
        shard: u32,
        now: Timestamp,
        has_time: &(dyn Fn() -> bool + Sync),
    ) -> Swept {
        let (mut swept, mut start) = (Swept::default(), None);
        loop {
            let due = match self.on_upload.documents.due(shard, now, start).await {
                Ok(due) => due,
                Err(error) => {
                    tracing::error!(error = error.trail(), shard, "the index cannot be read");
                    swept.failed += 1;
                    return swept;
                }
            };
            for key in due.keys {
                if !has_time() {
                    swept.cut_short += 1;
                    return swept;
                }
                if let Err(error) = self.look(key, now, &mut swept).await {
                    tracing::error!(error = error.trail(), document_id = %key.1, "not looked at");
                    swept.failed += 1;
                }
            }
            start = due.next;
            if start.is_none() {
                return swept;
            }
        }
    }

    /// The index is a moment behind, so the document itself is asked.
    async fn look(&self, key: Key, now: Timestamp, swept: &mut Swept) -> Result<()> {
        let Some(document) = self.on_upload.documents.get(key).await? else {
            swept.left_alone += 1;
            return Ok(());
        };
        match document.status {
            Status::AwaitingUpload => self.look_for_upload(&document, now, swept).await,
            Status::Processing | Status::Cancelled | Status::Deleting => {
                let is_overdue = now >= document.last_heard_of() + OVERDUE_AFTER
                    && document.lease_left(now).is_zero();
                if is_overdue || document.status != Status::Processing {
                    tracing::warn!(document_id = %key.1, status = ?document.status,
                        stage = %document.stage, "overdue, its job is queued again");
                    self.on_upload.queues.follow_up(&document).await?;
                    swept.queued += 1;
                } else {
                    swept.left_alone += 1;
                }
                self.on_upload.documents.look_again(key, now + OVERDUE_AFTER).await
            }
            _ => {
                swept.left_alone += 1;
                Ok(())
            }
        }
    }

    /// The form has expired. Its file may be there all the same, with its event lost or still on the way.
    async fn look_for_upload(
        &self,
        document: &Document,
        now: Timestamp,
        swept: &mut Swept,
    ) -> Result<()> {
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
            swept.recovered += 1;
        } else if now < kept_until {
            on_upload.documents.look_again(key, kept_until).await?;
            swept.left_alone += 1;
        } else if on_upload.documents.abandon(key).await? {
            swept.abandoned += 1;
        }
        Ok(())
    }
}
