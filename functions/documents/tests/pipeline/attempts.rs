//! What counts as an attempt that failed: neither another's fault nor a job that was delivered twice ends
//! a document that is being worked on.

use std::time::Duration;

use documents::document::{Document, Status};
use documents::queues::MAX_ATTEMPTS;
use documents::sandbox::Sandbox;
use documents::stage::{Failure, Limit, Rejection, Stage, Validation, Waiting};
use documents::stages::validate::Validate;
use documents::stages::{Verdict, Work};
use jiff::Timestamp;
use shared::batch::Failure as Trouble;
use shared::fault::{Run, walk};
use shared::lease::{AttemptId, GRACE};
use testing::pdf;

use crate::support::{LEASE, System, system};

/// A stage whose attempts all end like this; an error if there is no verdict.
struct Ends(Option<Verdict<Validation>>);

impl Work for Ends {
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

/// Work whose reader dies of a signal, whatever it is given.
fn deadly(s: &System) -> Validate {
    Validate {
        documents: s.documents.clone(),
        objects: s.objects.clone(),
        sandbox: Sandbox::new(s.deadly_program()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_ours_and_one_death_do_not_reject_a_file() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    for receive_count in 1..=2 {
        assert!(s.job(&Ends(None), id, receive_count).await.is_err());
    }
    assert!(s.job(&deadly(&s), id, 3).await.is_err(), "one death may be bad luck");
    let document = s.document(id).await;
    assert_eq!((document.status, document.rejection), (Status::Processing, None));
    s.deliver(Stage::Validate, id, 4).await.unwrap();
    assert_eq!(s.document(id).await.stage, Stage::Scan);

    // Two deaths reject it, whatever has failed in between.
    let id = s.uploaded(pdf("statement.pdf")).await;
    assert!(s.job(&deadly(&s), id, 1).await.is_err());
    assert!(s.job(&Ends(None), id, 2).await.is_err());
    s.job(&deadly(&s), id, 3).await.unwrap();
    let limit = Limit::Crash;
    assert_eq!(s.document(id).await.rejection, Some(Rejection::ParserLimits { limit }));
}

#[tokio::test]
async fn a_duplicate_gives_up_no_document_that_gets_on() {
    // Between two rounds of work, and between two looks at something that is down, nobody holds the
    // document. A duplicate of a job that is done comes just then, for the last time.
    for verdict in [Verdict::Unfinished, Verdict::Waiting(Waiting::Model)] {
        let s = system().await;
        let id = s.announce_with(10, |document| document.webhook = true).await;
        s.told(&s.put(id, vec![b' '; 10]).await).await;
        for _ in 0..MAX_ATTEMPTS + 2 {
            s.job(&Ends(Some(verdict.clone())), id, 1).await.unwrap();
        }
        s.job(&Ends(Some(verdict)), id, MAX_ATTEMPTS + 1).await.unwrap();
        let document = s.document(id).await;
        assert_eq!((document.status, document.failure), (Status::Processing, None));
        s.job(&Ends(Some(Verdict::Passed(Validation::default()))), id, 1).await.unwrap();
        let history = s.document(id).await.history;
        assert!(history.iter().all(|entry| entry.event != "failed"), "{history:?}");
        assert!(s.drain("webhooks").await.is_empty(), "the tenant is told of no end");
    }
}

#[tokio::test]
async fn a_document_whose_attempts_all_fail_is_given_up_once() {
    let points = walk(async |run: Run| {
        let s = system().await;
        let id = s.announce_with(10, |document| document.webhook = true).await;
        s.told(&s.put(id, vec![b' '; 10]).await).await;
        for receive_count in 1..=MAX_ATTEMPTS {
            assert!(s.job(&Ends(None), id, receive_count).await.is_err());
        }
        let first = run.attempt(s.job(&Ends(None), id, MAX_ATTEMPTS + 1)).await;
        // The queue hands it out again, or an operator does.
        let again = s.job(&Ends(None), id, MAX_ATTEMPTS + 1).await;
        assert!(matches!(again, Err(Trouble::Permanent(_))), "{again:?}");
        let _ = first.resume().await;
        let document = s.document(id).await;
        assert_eq!((document.status, document.failure), (Status::Failed, Some(Failure::GaveUp)));
        assert!(!s.drain("webhooks").await.is_empty());
    })
    .await;
    assert_eq!(points, ["stage.give_up", "queue.send"]);
}

#[tokio::test]
async fn a_death_and_a_pause_lose_no_job_and_count_at_most_once_for_each_attempt() {
    for verdict in [Verdict::Died(Limit::Memory), Verdict::Unfinished] {
        walk(async |run: Run| {
            let s = system().await;
            let id = s.uploaded(vec![b' '; 10]).await;
            let work = Ends(Some(verdict.clone()));
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
