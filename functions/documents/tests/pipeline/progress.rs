//! From stage to stage: each stage's work is done once, by one attempt at a time.

use std::time::Duration;

use documents::document::{Document, Status, UPLOAD_WINDOW};
use documents::objects::upload_key;
use documents::queues::{MAX_ATTEMPTS, Queues};
use documents::stage::{Done, Failure, Outcome, Progress, Stage, Validation, Waiting};
use documents::stages::{Pipeline, Verdict, Work};
use documents::store::{Change, End, Ended};
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::batch;
use shared::lease::{AttemptId, GRACE};
use testing::{account, pdf};

use crate::support::{LEASE, System, message, system};

fn names(document: &Document) -> Vec<String> {
    document.history.iter().map(|entry| entry.event.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_passes_every_stage() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    let document = s.run(id).await;
    assert_eq!(document.status, Status::Ready, "{document:?}");
    assert_eq!(
        names(&document),
        ["announced", "uploaded", "passed", "passed", "passed", "passed", "skipped", "ready"]
    );
    let stages = &document.stages;
    assert_eq!(stages.scan.as_ref().unwrap().result.as_ref().unwrap().engine, "clamd");
    assert_eq!(stages.text.as_ref().unwrap().outcome, Outcome::Passed);
    assert_eq!(stages.structure.as_ref().unwrap().outcome, Outcome::Skipped);
    assert!(document.content_sha256.is_some());
    // The file, its clean copy, the run's lines and text, and the whole text.
    assert_eq!(s.versions("").await.len(), 5);
}

#[tokio::test]
async fn repeated_upload_events_make_one_transition() {
    let s = system().await;
    let id = s.announce(100).await;
    let event = s.put(id, vec![b' '; 100]).await;
    join_all((0..10).map(|_| s.notify(&event))).await;
    let uploaded = s.document(id).await;
    assert_eq!((uploaded.status, uploaded.stage), (Status::Processing, Stage::Validate));
    assert_eq!(uploaded.uploaded_at, Some(s.clock.now()));

    // There is at least one job, and all are the same.
    let jobs = s.drain("validate").await;
    let job = json!({"version": "1", "owner": s.owner, "document_id": id});
    assert!(!jobs.is_empty());
    assert!(jobs.iter().all(|body| serde_json::from_str::<Value>(body).unwrap() == job));

    // A second upload changes nothing: the first version counts.
    s.advance(Duration::from_secs(1));
    s.notify(&s.put(id, b"%PDF-1.7 other".to_vec()).await).await;
    assert_eq!(s.document(id).await, uploaded);
    assert!(s.drain("validate").await.is_empty());
}

#[tokio::test]
async fn a_repeated_event_queues_the_job_after_a_crash() {
    let s = system().await;
    let id = s.announce(100).await;
    let event = s.put(id, vec![b' '; 100]).await;
    let version = event["Records"][0]["s3"]["object"]["versionId"].as_str().unwrap();
    // The function made the transition and then crashed.
    let made = s.documents.record_upload(s.key(id), version, s.clock.now()).await.unwrap();
    assert!(matches!(made, Change::Made(_)));
    assert!(s.drain("validate").await.is_empty());

    s.notify(&event).await;
    assert_eq!(s.drain("validate").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_concurrent_deliveries_one_passes_each_stage() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    for stage in Stage::ALL {
        let deliveries = join_all((0..6).map(|_| s.deliver(stage, id, 1))).await;
        assert!(deliveries.iter().any(Result::is_ok), "{deliveries:?}");
        // Late deliveries queue the next stage's job again, because it may be missing.
        if let Some(next) = stage.next() {
            assert!(!s.drain(next.name()).await.is_empty());
        }
    }
    let document = s.document(id).await;
    assert_eq!(document.status, Status::Ready);
    let stages = document.stages.clone();
    let attempts = [
        stages.validate.unwrap().attempts,
        stages.scan.unwrap().attempts,
        stages.pdfa.unwrap().attempts,
        stages.text.unwrap().attempts,
        stages.structure.unwrap().attempts,
    ];
    assert_eq!(attempts, [1; 5]);
    assert_eq!(s.versions("clean/").await.len(), 1);
    assert_eq!(s.versions("text/").await.len(), 3);

    // Deliveries after the end change nothing, in any order.
    for stage in Stage::ALL.into_iter().rev() {
        s.deliver(stage, id, 2).await.unwrap();
    }
    assert_eq!(s.document(id).await, document);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_job_needs_no_queue() {
    let mut s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    for stage in [Stage::Validate, Stage::Scan, Stage::Pdfa] {
        s.deliver(stage, id, 1).await.unwrap();
    }
    // In production, a function has only the next stage's queue. Here it has none.
    s.pipeline.queues = Queues::default();
    for (stage, succeeds) in [(Stage::Validate, true), (Stage::Scan, true), (Stage::Pdfa, false)] {
        assert_eq!(s.deliver(stage, id, 2).await.is_ok(), succeeds, "{stage}");
    }
    // The last delivery of a job needs no queue either, if the stage is long over.
    s.deliver(Stage::Validate, id, MAX_ATTEMPTS + 1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_ends_two_stages_late_needs_no_queue() {
    /// Work so slow that the document passes the next stages in the meantime.
    struct Slow<'a>(&'a System, Verdict<Validation>);

    impl Work for Slow<'_> {
        const STAGE: Stage = Stage::Validate;
        const TIME_LIMIT: Duration = LEASE;
        type Found = Validation;

        async fn attempt(
            &self,
            document: &Document,
            _: AttemptId,
            _: Timestamp,
        ) -> shared::Result<Verdict<Validation>> {
            self.0.advance(LEASE + GRACE + Duration::from_secs(1));
            for stage in [Stage::Validate, Stage::Scan, Stage::Pdfa] {
                self.0.deliver(stage, document.id, 2).await.unwrap();
            }
            Ok(self.1.clone())
        }
    }

    let waiting = Verdict::Waiting(Waiting::Scanner);
    for verdict in [Verdict::Passed(Validation::default()), waiting, Verdict::Unfinished] {
        let s = system().await;
        let id = s.uploaded(pdf("statement.pdf")).await;
        let slow = Slow(&s, verdict);
        let no_queues = Pipeline { queues: Queues::default(), ..s.pipeline.clone() };
        no_queues.job(&slow, message(s.key(id), 1), s.lease()).await.unwrap();
        assert_eq!(s.document(id).await.stage, Stage::Text);
    }
}

#[tokio::test]
async fn a_job_is_retried_until_another_attempts_lease_ends() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    // An attempt that crashed right after its claim.
    let (key, crashed) = (s.key(id), s.ids.next());
    s.documents.claim(key, Stage::Validate, crashed, s.clock.now(), s.lease()).await.unwrap();

    match s.deliver(Stage::Validate, id, 2).await {
        Err(batch::Failure::Retry { after, .. }) => {
            assert_eq!(after, Some(LEASE + GRACE + Duration::from_secs(1)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(s.document(id).await.attempt, Some(crashed));
    s.advance(LEASE + GRACE);
    assert!(
        s.deliver(Stage::Validate, id, 3).await.is_err(),
        "the lease includes its last instant"
    );
    s.advance(Duration::from_millis(1));
    s.deliver(Stage::Validate, id, 4).await.unwrap();
    let document = s.document(id).await;
    assert_eq!(document.stage, Stage::Scan);
    assert_eq!(document.stages.validate.unwrap().attempts, 2);
}

#[tokio::test]
async fn an_attempt_that_stalled_beyond_its_lease_changes_nothing() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    let (key, stalled, next) = (s.key(id), s.ids.next(), s.ids.next());
    let stage = Stage::Validate;
    s.documents.claim(key, stage, stalled, s.clock.now(), s.lease()).await.unwrap();
    s.advance(LEASE + GRACE + Duration::from_secs(1));
    s.documents.claim(key, stage, next, s.clock.now(), s.lease()).await.unwrap();
    let now = s.clock.now();
    let ended = Ended {
        stage,
        done: Done::<()> {
            outcome: Outcome::Passed,
            started_at: now,
            finished_at: now,
            attempts: 1,
            result: None,
        },
        end: End::Onward,
        clean: None,
    };

    // Neither during the next attempt, nor after it.
    for _ in 0..2 {
        let document = s.document(id).await;
        for late in [
            s.documents.end_stage(key, stalled, &ended, now).await,
            s.documents.fail(key, (stage, stalled), Failure::FileGone, now).await,
            s.documents.wait(key, (stage, stalled), (Waiting::Scanner, None), now).await,
            s.documents.save_progress(key, stalled, &Progress::default()).await,
            s.documents.release(key, stalled).await,
        ] {
            assert!(matches!(late.unwrap(), Change::Refused(_)));
        }
        assert_eq!(s.document(id).await, document);
        s.documents.end_stage(key, next, &ended, now).await.unwrap();
    }
}

#[tokio::test]
async fn a_document_is_given_up_after_a_crash_in_every_attempt() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    for _ in 0..MAX_ATTEMPTS {
        let (now, attempt) = (s.clock.now(), s.ids.next());
        let claim = s.documents.claim(s.key(id), Stage::Validate, attempt, now, s.lease());
        assert!(matches!(claim.await.unwrap(), Change::Made(_)));
        s.advance(LEASE + GRACE + Duration::from_secs(1));
    }
    assert!(s.deliver(Stage::Validate, id, MAX_ATTEMPTS + 1).await.is_err());
    let document = s.document(id).await;
    assert_eq!((document.status, document.failure), (Status::Failed, Some(Failure::GaveUp)));
}

#[tokio::test]
async fn a_document_that_always_fails_is_given_up_and_can_be_redriven() {
    let s = system().await;
    let file = pdf("statement.pdf");
    // The record has another size than the file: every attempt fails on our side.
    let id = s.announce_with(file.len() + 1, |document| document.webhook = true).await;
    s.notify(&s.put(id, file).await).await;
    for receive_count in 1..=MAX_ATTEMPTS {
        assert!(s.deliver(Stage::Validate, id, receive_count).await.is_err());
        let document = s.document(id).await;
        assert_eq!((document.status, document.attempts), (Status::Processing, receive_count));
        assert_eq!(document.lease_until, None);
    }
    // The last delivery makes no attempt. It fails permanently, so that the job goes to the dead-letter queue.
    let last = s.deliver(Stage::Validate, id, MAX_ATTEMPTS + 1).await;
    assert!(matches!(last, Err(batch::Failure::Permanent(_))), "{last:?}");
    let given_up = s.document(id).await;
    assert_eq!((given_up.status, given_up.failure), (Status::Failed, Some(Failure::GaveUp)));
    assert_eq!(given_up.attempts, MAX_ATTEMPTS);

    // If that delivery crashed, the next one queues the webhook.
    s.drain("webhooks").await;
    let again = s.deliver(Stage::Validate, id, MAX_ATTEMPTS + 1).await;
    assert!(matches!(again, Err(batch::Failure::Permanent(_))), "{again:?}");
    assert_eq!(s.drain("webhooks").await.len(), 1);
    assert_eq!(s.document(id).await, given_up);

    // The operator redrives the job: its receive count starts at 1 again, and an attempt is made.
    assert!(s.deliver(Stage::Validate, id, 1).await.is_err());
    let again = s.document(id).await;
    assert_eq!((again.status, again.attempts), (Status::Processing, MAX_ATTEMPTS + 1));
    assert_eq!((again.failure, again.finished_at), (None, None));
}

async fn delete_upload(s: &System, id: documents::document::DocumentId) {
    let version = s.document(id).await.object_version;
    let request = account::s3(&s.aws).delete_object().bucket(&s.bucket);
    let request = request.key(upload_key(s.key(id))).set_version_id(version);
    request.send().await.unwrap();
}

#[tokio::test]
async fn a_document_whose_file_was_deleted_fails() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    delete_upload(&s, id).await;
    s.deliver(Stage::Validate, id, 1).await.unwrap();
    let document = s.document(id).await;
    assert_eq!((document.status, document.failure), (Status::Failed, Some(Failure::FileGone)));

    let id = s.uploaded(pdf("statement.pdf")).await;
    s.deliver(Stage::Validate, id, 1).await.unwrap();
    delete_upload(&s, id).await;
    s.deliver(Stage::Scan, id, 1).await.unwrap();
    let document = s.document(id).await;
    assert_eq!((document.status, document.failure), (Status::Failed, Some(Failure::FileGone)));
}

#[tokio::test]
async fn an_upload_that_never_arrives_expires_without_ttl() {
    let s = system().await;
    let id = s.announce(100).await;
    s.advance(UPLOAD_WINDOW.checked_sub(Duration::from_millis(1)).unwrap());
    assert_eq!(s.document(id).await.status_at(s.clock.now()), Status::AwaitingUpload);
    s.advance(Duration::from_millis(1));
    assert_eq!(s.document(id).await.status_at(s.clock.now()), Status::Expired);

    // A file that S3 accepted just before the expiry counts, even if its event is late.
    s.notify(&s.put(id, vec![b' '; 100]).await).await;
    assert_eq!(s.document(id).await.status_at(s.clock.now()), Status::Processing);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_are_read_once_for_a_tenant() {
    let s = system().await;
    let first = s.uploaded(pdf("statement.pdf")).await;
    let first = s.run(first).await;
    let second = s.uploaded(pdf("statement.pdf")).await;
    let second = s.run(second).await;
    assert_eq!(second.status, Status::Ready);
    let outcomes = |stages: &documents::stage::Stages| {
        (stages.pdfa.as_ref().unwrap().outcome, stages.text.as_ref().unwrap().outcome)
    };
    assert_eq!(outcomes(&first.stages), (Outcome::Passed, Outcome::Passed));
    assert_eq!(outcomes(&second.stages), (Outcome::Reused, Outcome::Reused));
    // But it was scanned again: the scanner's signatures may be newer.
    assert_eq!(second.stages.scan.as_ref().unwrap().outcome, Outcome::Passed);

    // The second document has its own results: they stay when the first document is deleted.
    s.documents.mark_deleting(first.key(), s.clock.now()).await.unwrap();
    s.purge(first.id, 1).await.unwrap();
    let text = second.stages.text.unwrap().result.unwrap();
    let stored = s.objects.fetch(&text.text_key, 1 << 20).await.unwrap().unwrap();
    assert_eq!(stored.len(), text.text_bytes);

    // Another tenant's document does not reuse them.
    let other = s.uploaded_with(pdf("statement.pdf"), |document| document.tenant = s.ids.next());
    let other = s.run(other.await).await;
    assert_eq!(outcomes(&other.stages), (Outcome::Passed, Outcome::Passed));
}
