//! Counting failed attempts: an error on our side or a duplicate job does not end a document that is in
//! progress.

use std::time::Duration;

use documents::document::{Document, Status};
use documents::queues::MAX_ATTEMPTS;
use documents::sandbox::Sandbox;
use documents::stage::{Failure, Limit, Rejection, Stage, Validation, Waiting};
use documents::stages::validate::Validate;
use documents::stages::{Verdict, Work};
use jiff::Timestamp;
use shared::batch;
use shared::fault::{Run, walk};
use shared::lease::{AttemptId, GRACE};
use testing::pdf;

use crate::support::{LEASE, System, system};

/// Work whose attempts all give this verdict, or an error if there is none.
struct FixedVerdict(Option<Verdict<Validation>>);

impl Work for FixedVerdict {
    const STAGE: Stage = Stage::Validate;
    const TIME_LIMIT: Duration = LEASE;
    type Found = Validation;

    async fn attempt(
        &self,
        _: &Document,
        _: AttemptId,
        _: Timestamp,
    ) -> shared::Result<Verdict<Validation>> {
        self.0.clone().ok_or_else(|| shared::Error::internal("S3 does not answer"))
    }
}

/// Work whose reader process always crashes.
fn crashing(s: &System) -> Validate {
    Validate {
        documents: s.documents.clone(),
        objects: s.objects.clone(),
        sandbox: Sandbox::new(s.crashing_program()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_on_our_side_and_one_crash_do_not_reject_a_file() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    for receive_count in 1..=2 {
        assert!(s.job(&FixedVerdict(None), id, receive_count).await.is_err());
    }
    assert!(s.job(&crashing(&s), id, 3).await.is_err(), "one crash may have another cause");
    let document = s.document(id).await;
    assert_eq!((document.status, document.rejection), (Status::Processing, None));
    s.deliver(Stage::Validate, id, 4).await.unwrap();
    assert_eq!(s.document(id).await.stage, Stage::Scan);

    // Two crashes reject it, whatever fails in between.
    let id = s.uploaded(pdf("statement.pdf")).await;
    assert!(s.job(&crashing(&s), id, 1).await.is_err());
    assert!(s.job(&FixedVerdict(None), id, 2).await.is_err());
    s.job(&crashing(&s), id, 3).await.unwrap();
    let limit = Limit::Crash;
    assert_eq!(s.document(id).await.rejection, Some(Rejection::ParserLimits { limit }));
}

#[tokio::test]
async fn a_duplicate_job_does_not_give_up_a_document_in_progress() {
    // No attempt holds the document between two attempts, or while it waits. At that moment, a duplicate of
    // a finished job arrives as its last delivery.
    for verdict in [Verdict::Unfinished, Verdict::Waiting(Waiting::Model)] {
        let s = system().await;
        let id = s.announce_with(10, |document| document.webhook = true).await;
        s.notify(&s.put(id, vec![b' '; 10]).await).await;
        for _ in 0..MAX_ATTEMPTS + 2 {
            s.job(&FixedVerdict(Some(verdict.clone())), id, 1).await.unwrap();
        }
        s.job(&FixedVerdict(Some(verdict)), id, MAX_ATTEMPTS + 1).await.unwrap();
        let document = s.document(id).await;
        assert_eq!((document.status, document.failure), (Status::Processing, None));
        s.job(&FixedVerdict(Some(Verdict::Passed(Validation::default()))), id, 1).await.unwrap();
        let history = s.document(id).await.history;
        assert!(history.iter().all(|entry| entry.event != "failed"), "{history:?}");
        assert!(s.drain("webhooks").await.is_empty(), "no webhook job is queued");
    }
}

#[tokio::test]
async fn a_document_whose_attempts_all_fail_is_given_up_once() {
    let points = walk(async |run: Run| {
        let s = system().await;
        let id = s.announce_with(10, |document| document.webhook = true).await;
        s.notify(&s.put(id, vec![b' '; 10]).await).await;
        for receive_count in 1..=MAX_ATTEMPTS {
            assert!(s.job(&FixedVerdict(None), id, receive_count).await.is_err());
        }
        let first = run.attempt(s.job(&FixedVerdict(None), id, MAX_ATTEMPTS + 1)).await;
        // The queue or an operator delivers the job again.
        let again = s.job(&FixedVerdict(None), id, MAX_ATTEMPTS + 1).await;
        assert!(matches!(again, Err(batch::Failure::Permanent(_))), "{again:?}");
        let _ = first.resume().await;
        let document = s.document(id).await;
        assert_eq!((document.status, document.failure), (Status::Failed, Some(Failure::GaveUp)));
        assert!(!s.drain("webhooks").await.is_empty());
    })
    .await;
    assert_eq!(points, ["stage.give_up", "queue.send"]);
}

#[tokio::test]
async fn a_crash_or_a_pause_loses_no_job_and_counts_once_per_attempt() {
    for verdict in [Verdict::Died(Limit::Memory), Verdict::Unfinished] {
        walk(async |run: Run| {
            let s = system().await;
            let id = s.uploaded(vec![b' '; 10]).await;
            let work = FixedVerdict(Some(verdict.clone()));
            let first = run.attempt(s.job(&work, id, 1)).await;
            s.advance(LEASE + GRACE + Duration::from_secs(1));
            let second = s.job(&work, id, 2).await;
            let _ = first.resume().await;
            let document = s.document(id).await;
            assert_eq!(document.status, Status::Processing);
            assert!(document.deaths <= 2, "{document:?}");
            if matches!(verdict, Verdict::Died(_)) {
                assert!(second.is_err() && document.deaths >= 1, "{document:?}");
            } else {
                assert!(!s.drain("validate").await.is_empty(), "the rest is queued");
                assert_eq!(document.deaths, 0);
            }
        })
        .await;
    }
}
