//! Every fault at every request of a stage: the stage ends once, and the next one's job is queued.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use documents::document::{Document, Status};
use documents::stage::{Outcome, Stage, Validation, Waiting};
use documents::stages::{Verdict, Work};
use jiff::Timestamp;
use shared::fault::{Run, walk};
use shared::lease::{AttemptId, GRACE};

use crate::support::{LEASE, system};

/// Work that gives a fixed verdict and counts its attempts.
struct CountedWork {
    verdict: Verdict<Validation>,
    attempts: AtomicUsize,
}

impl Work for CountedWork {
    const STAGE: Stage = Stage::Validate;
    const TIME_LIMIT: Duration = LEASE;
    type Found = Validation;

    async fn attempt(
        &self,
        _: &Document,
        _: AttemptId,
        _: Timestamp,
    ) -> shared::Result<Verdict<Validation>> {
        self.attempts.fetch_add(1, SeqCst);
        Ok(self.verdict.clone())
    }
}

#[tokio::test]
async fn a_stage_ends_once_and_the_next_is_queued() {
    let points = walk(async |run: Run| {
        let s = system().await;
        let id = s.uploaded(vec![b' '; 10]).await;
        let found = Validation { pages: 3, ..Validation::default() };
        let work = CountedWork { verdict: Verdict::Passed(found), attempts: AtomicUsize::new(0) };

        let first = run.attempt(s.job(&work, id, 1)).await;
        // The message is delivered again, before and after the end of the lease.
        let _ = s.job(&work, id, 2).await;
        s.advance(LEASE + GRACE + Duration::from_secs(1));
        s.job(&work, id, 3).await.unwrap();
        // A stalled attempt continues too late.
        let _ = first.resume().await;

        let document = s.document(id).await;
        assert_eq!((document.status, document.stage), (Status::Processing, Stage::Scan));
        let passed = document.history.iter().filter(|entry| entry.event == "passed").count();
        assert_eq!(passed, 1);
        let done = document.stages.validate.unwrap();
        assert_eq!((done.outcome, done.result.unwrap().pages), (Outcome::Passed, 3));
        assert!(!s.drain("scan").await.is_empty(), "nothing is lost");
        assert!(work.attempts.load(SeqCst) <= 2);
    })
    .await;
    assert_eq!(points, ["stage.claim", "stage.end", "queue.send"]);
}

#[tokio::test]
async fn a_waiting_document_always_has_a_job() {
    walk(async |run: Run| {
        let s = system().await;
        let id = s.uploaded(vec![b' '; 10]).await;
        s.drain("validate").await;
        let verdict = Verdict::Waiting(Waiting::Scanner);
        let work = CountedWork { verdict, attempts: AtomicUsize::new(0) };
        let first = run.attempt(s.job(&work, id, 1)).await;
        let redelivered = s.job(&work, id, 2).await;
        let _ = first.resume().await;
        let document = s.document(id).await;
        // A delayed job is queued, or the original message is delivered again.
        let queued = testing::account::queue_size(&s.aws, s.queue_url("validate")).await;
        assert!(queued > 0 || redelivered.is_err(), "{document:?}");
        assert_eq!(document.status, Status::Processing);
    })
    .await;
}
