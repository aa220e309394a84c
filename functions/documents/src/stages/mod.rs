//! How a job moves a document through a stage. All stages work the same way.
//!
//! A job of the stage's queue **claims** the document, does the stage's work, **ends** the stage with a
//! conditional update, and then queues the next stage's job. Only then is the job deleted. After a crash at
//! any point, the job is delivered again and continues from the record. A job whose stage is already over
//! only queues the next job, because a crash may have prevented that.

pub mod pdfa;
pub mod scan;
mod serve;
pub mod structure;
pub mod text;
pub mod validate;

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use shared::backoff::Backoff;
use shared::batch::{self, Message};
use shared::clock::Clock;
use shared::id::Ids;
use shared::lease;
use shared::lease::AttemptId;
use shared::{Error, Result};

use crate::document::{Document, Sha256, Status};
use crate::queues::{Job, MAX_ATTEMPTS, Queues};
use crate::stage::{Done, Failure, Limit, Outcome, Rejection, Stage, Waiting};
use crate::store::{Change, Documents, End, Ended, Key};

/// The wait before the scanner or the model is tried again.
const WAIT: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_mins(2));
/// The wait before a budget is checked again: up to 15 minutes.
const BUDGET_WAIT: Backoff = Backoff::new(Duration::from_mins(15), Duration::from_mins(15));
/// The shortest wait before a retry.
const SHORTEST_WAIT: Duration = Duration::from_secs(2);
/// How long a document waits for something unavailable before it fails.
pub const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// The work of a stage.
pub trait Work {
    /// The stage.
    const STAGE: Stage;
    /// The maximum time of an attempt.
    const TIME_LIMIT: Duration;
    /// The result of the work.
    type Found: Serialize + Send + Sync;

    /// Does the work on a document. The attempt ends at `until` at the latest.
    fn attempt(
        &self,
        document: &Document,
        attempt: AttemptId,
        until: Timestamp,
    ) -> impl Future<Output = Result<Verdict<Self::Found>>> + Send;
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<T> {
    /// The document continues.
    Passed(T),
    /// The document is clean and continues.
    Clean {
        /// The scan's result.
        found: T,
        /// The file's hash.
        sha256: Sha256,
        /// The version of the clean copy, which later stages read.
        version: String,
    },
    /// The document continues with the results of another document with the same bytes.
    Reused(T),
    /// There is nothing to do, and the document continues.
    Skipped,
    /// The document is rejected.
    Rejected(Rejection, Option<T>),
    /// Something that the stage needs is unavailable.
    Waiting(Waiting),
    /// The time is over; a part of the work is done and saved.
    Unfinished,
    /// The file terminated its reader process. Another attempt follows.
    Died(Limit),
    /// The file was deleted.
    Gone,
}

/// Moves documents through stages.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The documents' table.
    pub documents: Documents,
    /// The queues.
    pub queues: Queues,
    /// The clock.
    pub clock: Clock,
    /// Creates ids.
    pub ids: Ids,
}

impl Pipeline {
    /// Handles a job of the stage. This attempt ends at `lease_until` at the latest.
    pub async fn job<W: Work>(
        &self,
        work: &W,
        message: Message<Job>,
        lease_until: Timestamp,
    ) -> Result<(), batch::Failure> {
        let Job::V1 { owner, document_id } = message.body;
        let key = (owner, document_id);
        let stage = W::STAGE;
        if message.receive_count > MAX_ATTEMPTS
            && let Some(ended) = self.give_up(key, stage).await?
        {
            return ended;
        }

        let (attempt, now) = (self.ids.next(), self.clock.now());
        let document = match self.documents.claim(key, stage, attempt, now, lease_until).await? {
            Change::Made(document) => document,
            // Our own claim: its answer was lost, and the SDK sent it again.
            Change::Refused(document) if document.attempt == Some(attempt) => document,
            Change::Refused(document)
                if document.status == Status::Processing && document.stage == stage =>
            {
                let reason = format!("another attempt at {stage} holds {document_id}");
                let after = lease::retry_after(document.lease_until, now);
                return Err(batch::Failure::retry_after(reason, after));
            }
            change => {
                tracing::info!(%document_id, %stage, "the stage is already over");
                return Ok(self.follow_up(stage, &change).await?);
            }
        };
        match work.attempt(&document, attempt, lease_until).await {
            Ok(verdict) => self.conclude::<W>(&document, attempt, verdict).await,
            Err(error) => {
                // If this fails too, the job is retried after the end of the lease.
                self.documents.release(key, attempt).await?;
                Err(error.into())
            }
        }
    }

    async fn conclude<W: Work>(
        &self,
        document: &Document,
        attempt: AttemptId,
        verdict: Verdict<W::Found>,
    ) -> Result<(), batch::Failure> {
        let (key, now, stage) = (document.key(), self.clock.now(), W::STAGE);
        let (outcome, result, end, clean) = match verdict {
            Verdict::Waiting(waiting) => return self.wait(document, stage, attempt, waiting).await,
            Verdict::Unfinished => {
                let paused = self.documents.pause(key, attempt).await?;
                return Ok(self.follow_up(stage, &paused).await?);
            }
            Verdict::Died(limit) => {
                self.documents.count_death(key, attempt).await?;
                let reason = format!("the reader process ended: {limit:?}");
                return Err(Error::internal(reason).into());
            }
            Verdict::Gone => {
                let held = (stage, attempt);
                let failed = self.documents.fail(key, held, Failure::FileGone, now).await?;
                return Ok(self.ended(stage, &failed).await?);
            }
            Verdict::Passed(found) => (Outcome::Passed, Some(found), End::Onward, None),
            Verdict::Reused(found) => (Outcome::Reused, Some(found), End::Onward, None),
            Verdict::Skipped => (Outcome::Skipped, None, End::Onward, None),
            Verdict::Clean { found, sha256, version } => {
                (Outcome::Passed, Some(found), End::Onward, Some((sha256, version)))
            }
            Verdict::Rejected(rejection, found) => {
                (Outcome::Rejected, found, End::Rejected(rejection), None)
            }
        };
        let done = Done {
            outcome,
            started_at: document.started_at.unwrap_or(now),
            finished_at: now,
            attempts: document.attempts,
            result,
        };
        let ended = Ended { stage, done, end, clean };
        let changed = self.documents.end_stage(key, attempt, &ended, now).await?;
        Ok(self.ended(stage, &changed).await?)
    }

    /// Lets the document wait: ends this job and queues another with a delay, any number of times. After
    /// [`LONGEST_WAIT`] the document fails, and the job goes to the dead-letter queue for an operator.
    async fn wait(
        &self,
        document: &Document,
        stage: Stage,
        attempt: AttemptId,
        waiting: Waiting,
    ) -> Result<(), batch::Failure> {
        let (key, now) = (document.key(), self.clock.now());
        let since = document.waiting_for(waiting);
        let waited = now.duration_since(since.unwrap_or(now));
        let waited = Duration::try_from(waited).unwrap_or_default();
        // After too long a wait for a budget, the document continues without data: the stage decides that.
        if waiting != Waiting::Budget && waited > LONGEST_WAIT {
            let held = (stage, attempt);
            let failed = self.documents.fail(key, held, Failure::GaveUp, now).await?;
            self.ended(stage, &failed).await?;
            let reason = format!("{} waited too long: {waiting:?}", key.1);
            return Err(batch::Failure::permanent(reason));
        }
        let waits = self.documents.wait(key, (stage, attempt), (waiting, since), now).await?;
        if !matches!(waits, Change::Made(_)) {
            return Ok(self.follow_up(stage, &waits).await?);
        }
        tracing::warn!(document_id = %document.id, %stage, ?waiting, "waiting");
        metrics::counter!("DocumentsWaiting").increment(1);
        // The delay grows with the time waited so far. It is random, so that documents do not retry together.
        let tries = u32::try_from(waited.as_secs() / 10 + 1).unwrap_or(u32::MAX).ilog2() + 1;
        let backoff = if waiting == Waiting::Budget { BUDGET_WAIT } else { WAIT };
        let delay = backoff.delay(tries).max(SHORTEST_WAIT);
        Ok(self.queues.stage(stage)?.send_in(&Job::of(key), delay).await?)
    }

    /// Gives up a document that has no attempts left: it fails, and the job goes to the dead-letter queue for
    /// an operator. Gives `None` if work on the document continues. A job that was delivered too often may be
    /// a duplicate of a finished job, so the document's own count of failed attempts decides.
    async fn give_up(&self, key: Key, stage: Stage) -> Result<Option<Result<(), batch::Failure>>> {
        let changed = self.documents.give_up(key, stage, self.clock.now()).await?;
        let (Change::Made(document) | Change::Refused(document)) = &changed else {
            return Ok(Some(Ok(())));
        };
        if document.stage == stage && document.status == Status::Processing {
            return Ok(None);
        }
        // Given up by this delivery, or by an earlier one that then crashed; or the stage is over.
        self.follow_up(stage, &changed).await?;
        let is_given_up = document.stage == stage && document.failure == Some(Failure::GaveUp);
        let reason = format!("gave up {} at {stage} after {MAX_ATTEMPTS} attempts", key.1);
        Ok(Some(if is_given_up { Err(batch::Failure::permanent(reason)) } else { Ok(()) }))
    }

    /// Counts the end of a stage or of a document, and queues what is next.
    async fn ended(&self, stage: Stage, changed: &Change) -> Result<()> {
        match changed {
            Change::Made(document) => {
                let status = document.status;
                tracing::info!(document_id = %document.id, %stage, ?status, "stage ended");
                let counter = match status {
                    Status::Ready => "DocumentsReady",
                    Status::Rejected => "DocumentsRejected",
                    Status::Failed => "DocumentsFailed",
                    _ => "StagesEnded",
                };
                metrics::counter!(counter).increment(1);
            }
            Change::Refused(document) => {
                tracing::warn!(document_id = %document.id, %stage,
                    "the attempt does not hold the document any more");
            }
            Change::NoDocument => {}
        }
        self.follow_up(stage, changed).await
    }

    /// Queues the next job of a document that was at `stage`. If the document is already beyond the next
    /// stage, that job was queued before, and nothing is done.
    async fn follow_up(&self, stage: Stage, changed: &Change) -> Result<()> {
        let (Change::Made(document) | Change::Refused(document)) = changed else { return Ok(()) };
        let is_further = document.stage != stage && Some(document.stage) != stage.next();
        if document.status == Status::Processing && is_further {
            return Ok(());
        }
        self.queues.follow_up(document).await
    }
}

/// How many times a file may terminate its reader process in a stage before it is rejected.
const MAX_DEATHS: u32 = 2;

/// The verdict on a file that terminated its reader process. The first time in a stage, the cause may be
/// another one, such as a slow disk or a busy processor. The second time, the file is rejected.
fn parser_limits<T>(document: &Document, limit: Limit) -> Verdict<T> {
    if document.deaths + 1 < MAX_DEATHS {
        return Verdict::Died(limit);
    }
    Verdict::Rejected(Rejection::ParserLimits { limit }, None)
}
