//! How a document passes a stage, whichever it is.
//!
//! A job of the stage's queue **claims** the document, does the stage's work, **ends** the stage with
//! a conditional update, and then queues the next stage's job. It is deleted only after that: a crash
//! anywhere leaves a job that comes again and goes on from what is written. A job that comes when its
//! stage is over does the one thing that may have been left undone, the queueing, and nothing else.

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
use shared::batch::{Failure as Trouble, Message};
use shared::clock::Clock;
use shared::id::Ids;
use shared::{Error, Result};

use crate::document::{AttemptId, Document, Sha256, Status};
use crate::queues::{Job, MAX_ATTEMPTS, Queues};
use crate::stage::{Done, Failure, Limit, Outcome, Rejection, Stage, Waiting};
use crate::store::{Change, Documents, End, Ended, Key};

/// How long to wait before something that was down is tried again.
const WAIT: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_mins(2));
/// How long to wait before a budget is looked at again: up to 15 minutes.
const BUDGET_WAIT: Backoff = Backoff::new(Duration::from_mins(15), Duration::from_mins(15));
/// The shortest such wait.
const SHORTEST_WAIT: Duration = Duration::from_secs(2);
/// How long a document waits for something that is down before it is given up.
pub const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// The work of a stage.
pub trait Work {
    /// The stage.
    const STAGE: Stage;
    /// How long an attempt may take.
    const TIME_LIMIT: Duration;
    /// What it finds.
    type Found: Serialize + Send + Sync;

    /// Does the work on a document, until `until` at the latest.
    fn attempt(
        &self,
        document: &Document,
        attempt: AttemptId,
        until: Timestamp,
    ) -> impl Future<Output = Result<Verdict<Self::Found>>> + Send;
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<T> {
    /// The document goes on.
    Passed(T),
    /// The document is clean, and goes on.
    Clean {
        /// What the scan found.
        found: T,
        /// The file's hash.
        sha256: Sha256,
        /// The version of the copy that later stages read.
        version: String,
    },
    /// The document goes on with what was found of the same bytes before.
    Reused(T),
    /// There is nothing to do, and the document goes on.
    Skipped,
    /// The document is not taken.
    Rejected(Rejection, Option<T>),
    /// Something that is needed is down.
    Waiting(Waiting),
    /// There was no time for all of it; what is done is saved.
    Unfinished,
    /// The file has ended the process that reads it, and is given another attempt.
    Died(Limit),
    /// The file was deleted.
    Gone,
}

/// Passes documents through stages.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The documents' table.
    pub documents: Documents,
    /// The queues.
    pub queues: Queues,
    /// The time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
}

impl Pipeline {
    /// Does a job of the stage; `lease_until` is when this attempt will be over, one way or another.
    pub async fn job<W: Work>(
        &self,
        work: &W,
        message: Message<Job>,
        lease_until: Timestamp,
    ) -> Result<(), Trouble> {
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
            // The answer to our own claim was lost, and the SDK sent it again.
            Change::Refused(document) if document.attempt == Some(attempt) => document,
            Change::Refused(document)
                if document.status == Status::Processing && document.stage == stage =>
            {
                // That attempt may die: the job must come up again when its lease is over.
                let reason = format!("{document_id} is at {stage} in another attempt");
                let after = document.lease_left(now) + Duration::from_secs(1);
                return Err(Trouble::retry_after(reason, after));
            }
            over => {
                tracing::info!(%document_id, %stage, "the stage is over");
                return Ok(self.follow_up(stage, &over).await?);
            }
        };
        match work.attempt(&document, attempt, lease_until).await {
            Ok(verdict) => self.conclude::<W>(&document, attempt, verdict).await,
            Err(error) => {
                // If this fails too, the job is put back until the lease is over.
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
    ) -> Result<(), Trouble> {
        let (key, now, stage) = (document.key(), self.clock.now(), W::STAGE);
        let (outcome, result, end, clean) = match verdict {
            Verdict::Waiting(waiting) => return self.wait(document, stage, attempt, waiting).await,
            Verdict::Unfinished => {
                let paused = self.documents.pause(key, attempt).await?;
                return Ok(self.follow_up(stage, &paused).await?);
            }
            Verdict::Died(limit) => {
                self.documents.count_death(key, attempt).await?;
                let reason = format!("the file met a limit of the parser: {limit:?}");
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

    /// Has the document wait: this job is done, and one like it comes later, however often it takes.
    /// After [`LONGEST_WAIT`] the document fails, and the job is kept for an operator.
    async fn wait(
        &self,
        document: &Document,
        stage: Stage,
        attempt: AttemptId,
        waiting: Waiting,
    ) -> Result<(), Trouble> {
        let (key, now) = (document.key(), self.clock.now());
        let since = document.waiting_for(waiting);
        let waited = now.duration_since(since.unwrap_or(now));
        let waited = Duration::try_from(waited).unwrap_or_default();
        // Whoever waits too long for a budget goes on without data instead: that is for the stage to say.
        if waiting != Waiting::Budget && waited > LONGEST_WAIT {
            let held = (stage, attempt);
            let failed = self.documents.fail(key, held, Failure::GaveUp, now).await?;
            self.ended(stage, &failed).await?;
            return Err(Trouble::permanent(format!("{} waited too long: {waiting:?}", key.1)));
        }
        let waits = self.documents.wait(key, (stage, attempt), (waiting, since), now).await?;
        if !matches!(waits, Change::Made(_)) {
            return Ok(self.follow_up(stage, &waits).await?);
        }
        tracing::warn!(document_id = %document.id, %stage, ?waiting, "waiting");
        metrics::counter!("DocumentsWaiting").increment(1);
        // Doubling with the time that has passed, and spread, so that many do not come at once.
        let tries = u32::try_from(waited.as_secs() / 10 + 1).unwrap_or(u32::MAX).ilog2() + 1;
        let backoff = if waiting == Waiting::Budget { BUDGET_WAIT } else { WAIT };
        let delay = backoff.delay(tries).max(SHORTEST_WAIT);
        Ok(self.queues.stage(stage)?.send_in(&Job::of(key), delay).await?)
    }

    /// Gives up a document whose attempts are all spent: it fails, and the job is kept for an operator.
    /// `None` when the document is still to be worked on. A job that was delivered too often may be the
    /// duplicate of one that was done, so the document's own count decides.
    async fn give_up(&self, key: Key, stage: Stage) -> Result<Option<Result<(), Trouble>>> {
        let changed = self.documents.give_up(key, stage, self.clock.now()).await?;
        let (Change::Made(document) | Change::Refused(document)) = &changed else {
            return Ok(Some(Ok(())));
        };
        if document.stage == stage && document.status == Status::Processing {
            return Ok(None);
        }
        // Given up by this delivery, or by one before it that came no further; or the stage is over.
        self.follow_up(stage, &changed).await?;
        let is_given_up = document.stage == stage && document.failure == Some(Failure::GaveUp);
        let reason = format!("gave up {} at {stage} after {MAX_ATTEMPTS} attempts", key.1);
        Ok(Some(if is_given_up { Err(Trouble::permanent(reason)) } else { Ok(()) }))
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
                tracing::warn!(document_id = %document.id, %stage, "the document was taken over");
            }
            Change::NoDocument => {}
        }
        self.follow_up(stage, changed).await
    }

    /// Queues what a document needs next that was at `stage`, unless it is further on than the next:
    /// then that was done.
    async fn follow_up(&self, stage: Stage, changed: &Change) -> Result<()> {
        let (Change::Made(document) | Change::Refused(document)) = changed else { return Ok(()) };
        let is_further = document.stage != stage && Some(document.stage) != stage.next();
        if document.status == Status::Processing && is_further {
            return Ok(());
        }
        self.queues.follow_up(document).await
    }
}

/// How often a file may end the process that reads it.
const MAX_DEATHS: u32 = 2;

/// A file has ended the process that reads it. Once may have another cause: a slow disk, or a neighbour
/// that took the processor. The second time in a stage it is rejected.
fn parser_limits<T>(document: &Document, limit: Limit) -> Verdict<T> {
    if document.deaths + 1 < MAX_DEATHS {
        return Verdict::Died(limit);
    }
    Verdict::Rejected(Rejection::ParserLimits { limit }, None)
}
