//! A job: read a document.
//!
//! SQS hands a job out at least once, and again if the worker dies. An attempt therefore first
//! claims the document, and only the attempt that holds it can finish it. The claim lasts until
//! Lambda would have ended the attempt; a job that comes up in the meantime is put back until then.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use shared::Result;
use shared::batch::{Failure as Trouble, Message};
use shared::clock::Clock;
use shared::id::Ids;

use crate::document::{AttemptId, Document, Failure, Status};
use crate::jobs::{Job, MAX_ATTEMPTS};
use crate::objects::{FetchError, Objects};
use crate::pdf::Contents;
use crate::reader::Reader;
use crate::store::{Change, Documents};

/// What the task needs.
#[derive(Clone, Debug)]
pub struct Process {
    /// The documents' table.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// Reads PDFs.
    pub reader: Reader,
    /// The time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
}

impl Process {
    /// Does a job; `lease_until` is when this attempt will be over, one way or another.
    pub async fn handle(
        &self,
        message: Message<Job>,
        lease_until: Timestamp,
    ) -> Result<(), Trouble> {
        let Job::V1 { owner, document_id: id } = message.body;
        if message.receive_count > MAX_ATTEMPTS {
            self.documents.give_up(owner, id, self.clock.now()).await?;
            let reason = format!("gave up {id} after {MAX_ATTEMPTS} attempts");
            return Err(Trouble::permanent(reason));
        }

        let (attempt, now) = (self.ids.next(), self.clock.now());
        let document = match self.documents.claim((owner, id), attempt, now, lease_until).await? {
            Change::Made(document) => document,
            // The answer to our own claim was lost, and the SDK sent it again.
            Change::Refused(document) if document.attempt == Some(attempt) => document,
            Change::Refused(document) if document.status == Status::Processing => {
                // That attempt may die: the job must come up again when its lease is over.
                let left = document.lease_until.map(|until| until.duration_since(now));
                let left = left.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default();
                let reason = format!("{id} is being processed by another attempt");
                return Err(Trouble::retry_after(reason, left + Duration::from_secs(1)));
            }
            Change::Refused(document) => {
                tracing::info!(document_id = %id, status = ?document.status, "nothing to do");
                return Ok(());
            }
            Change::NoDocument => {
                tracing::warn!(document_id = %id, "a job without a document");
                return Ok(());
            }
        };
        match self.attempt(&document, attempt).await {
            Ok(outcome) => Ok(self.conclude(&document, attempt, outcome).await?),
            Err(error) => {
                // If this fails too, the job is put back until the lease is over.
                self.documents.release((owner, id), attempt).await?;
                Err(error.into())
            }
        }
    }

    /// Fetches the file, reads it, and stores its text.
    async fn attempt(
        &self,
        document: &Document,
        attempt: AttemptId,
    ) -> Result<Result<Contents, Failure>> {
        let directory = tempfile::tempdir()?;
        let (file, text) = (directory.path().join("file.pdf"), directory.path().join("text.txt"));
        match self.objects.fetch(document, &file).await {
            Ok(()) => {}
            Err(FetchError::Gone) => return Ok(Err(Failure::FileGone)),
            Err(FetchError::Failed(error)) => return Err(error),
        }
        let contents = match self.read(&file, &text).await? {
            Ok(contents) => contents,
            Err(failure) => return Ok(Err(failure)),
        };
        self.objects.store_text(document, attempt, &text).await?;
        Ok(Ok(contents))
    }

    async fn read(&self, file: &Path, text: &Path) -> Result<Result<Contents, Failure>> {
        Ok(self.reader.read(file, text).await?.map_err(Failure::from))
    }

    async fn conclude(
        &self,
        document: &Document,
        attempt: AttemptId,
        outcome: Result<Contents, Failure>,
    ) -> Result<()> {
        let (key, now) = ((document.owner, document.id), self.clock.now());
        let change = match &outcome {
            Ok(contents) => self.documents.finish(key, attempt, contents, now).await?,
            Err(failure) => self.documents.fail(key, attempt, *failure, now).await?,
        };
        match (change, outcome) {
            (Change::Made(_), Ok(contents)) => {
                metrics::counter!("DocumentsReady").increment(1);
                tracing::info!(document_id = %document.id, pages = contents.pages, "ready");
            }
            (Change::Made(_), Err(failure)) => {
                metrics::counter!("DocumentsFailed").increment(1);
                tracing::info!(document_id = %document.id, ?failure, "failed");
            }
            _ => tracing::warn!(document_id = %document.id, "another attempt has taken over"),
        }
        Ok(())
    }
}
