//! No upload is lost: events that are lost, late, repeated or of another kind; extra versions; lost jobs;
//! missing records.

use std::time::Duration;

use documents::document::{
    ABANDONED_RETENTION, DocumentId, OVERDUE_AFTER, Status, UPLOAD_GRACE, UPLOAD_WINDOW,
};
use documents::objects::upload_key;
use documents::stage::Stage;
use documents::store::Change;
use documents::sweep::Swept;
use futures::future::join_all;
use serde_json::{Value, json};
use shared::batch;
use shared::fault::{Run, walk};
use testing::{account, pdf};

use crate::support::{System, system};

fn version(event: &Value) -> String {
    event["Records"][0]["s3"]["object"]["versionId"].as_str().unwrap().to_owned()
}

async fn sweep(s: &System) -> Swept {
    s.sweep().sweep(&|| true).await
}

/// Deletes the record, as TTL or the restore of a table may do.
async fn lose_record(s: &System, id: DocumentId) {
    let delete = aws_sdk_dynamodb::Client::new(&s.aws).delete_item().table_name("documents");
    let delete = delete.key("pk", string_value(format!("USER#{}", s.owner)));
    delete.key("sk", string_value(format!("DOC#{id}"))).send().await.unwrap();
}

fn string_value(text: String) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(text)
}

#[tokio::test]
async fn a_file_without_a_record_and_its_event_are_kept() {
    let s = system().await;
    let id = s.announce(100).await;
    let event = s.put(id, vec![b' '; 100]).await;
    lose_record(&s, id).await;
    for _ in 0..2 {
        let handled = s.try_notify(&event).await;
        assert!(
            matches!(handled, Err(batch::Failure::Permanent(_))),
            "the event goes to the dead-letter queue: {handled:?}"
        );
    }
    s.purge(id, 1).await.unwrap();
    assert_eq!(s.versions("").await, [upload_key(s.key(id))]);
}

#[tokio::test]
async fn only_created_objects_are_uploads() {
    let s = system().await;
    let id = s.announce(100).await;
    let mut event = s.put(id, vec![b' '; 100]).await;
    let uploaded = version(&event);
    for name in [
        "ObjectRemoved:DeleteMarkerCreated",
        "ObjectRemoved:Delete",
        "ObjectRestore:Completed",
        "ObjectTagging:Put",
        "LifecycleExpiration:DeleteMarkerCreated",
    ] {
        event["Records"][0]["eventName"] = json!(name);
        event["Records"][0]["s3"]["object"]["versionId"] = json!("marker");
        s.notify(&event).await;
        let document = s.document(id).await;
        assert_eq!(
            (document.status, document.object_version),
            (Status::AwaitingUpload, None),
            "{name}"
        );
    }
    // S3's test event, sent when a bucket is connected to the queue.
    s.notify(&json!({
        "Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-25T10:00:00.000Z",
        "Bucket": "files", "RequestId": "5582815E1AEA5ADF", "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3e",
    }))
    .await;
    assert_eq!(s.versions("").await.len(), 1);

    for name in ["ObjectCreated:Post", "s3:ObjectCreated:CompleteMultipartUpload"] {
        event["Records"][0]["eventName"] = json!(name);
        event["Records"][0]["s3"]["object"]["versionId"] = json!(uploaded);
        s.notify(&event).await;
        assert_eq!(s.document(id).await.object_version.as_deref(), Some(uploaded.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn extra_versions_are_counted_and_deleted() {
    let s = system().await;
    let id = s.announce(100).await;
    let mut events = Vec::new();
    for byte in 0..8 {
        events.push(s.put(id, vec![byte; 100]).await);
    }
    // All events are delivered twice, concurrently.
    join_all(events.iter().chain(&events).map(|event| s.notify(event))).await;
    let document = s.document(id).await;
    let recorded = document.object_version.clone().unwrap();
    let left = s.objects.uploads(s.key(id)).await.unwrap();
    assert_eq!(left, [(recorded.clone(), 100)]);
    assert!(events.iter().any(|event| version(event) == recorded));
    // Late repetitions change nothing.
    join_all(events.iter().map(|event| s.notify(event))).await;
    assert_eq!(s.objects.uploads(s.key(id)).await.unwrap().len(), 1);
    // Seven extra versions are counted, each once.
    assert_eq!(crate::budgets::used(&s, "upload-bytes").await, 700);
    assert_eq!(crate::budgets::used(&s, "scans").await, 7);
}

/// The announcement already counts the recorded version.
#[tokio::test]
async fn a_repeated_event_after_a_cancellation_is_not_counted() {
    let s = system().await;
    let id = s.announce(100).await;
    let event = s.put(id, vec![b' '; 100]).await;
    s.notify(&event).await;
    let cancelled = s.documents.cancel(s.key(id), s.clock.now()).await.unwrap();
    assert!(matches!(cancelled, Change::Made(_)));
    s.notify(&event).await;
    assert_eq!(crate::budgets::used(&s, "upload-bytes").await, 0);
    assert_eq!(crate::budgets::used(&s, "scans").await, 0);
}

#[tokio::test]
async fn an_upload_survives_every_fault() {
    let points = walk(async |run: Run| {
        let s = system().await;
        let id = s.announce(100).await;
        let first = s.put(id, vec![b'1'; 100]).await;
        let second = s.put(id, vec![b'2'; 100]).await;
        let attempt = run.attempt(async {
            let _ = s.try_notify(&first).await;
            let _ = s.try_notify(&second).await;
        });
        let attempt = attempt.await;
        // Both events are delivered again.
        s.notify(&first).await;
        s.notify(&second).await;
        let _ = attempt.resume().await;
        let document = s.document(id).await;
        let left = s.objects.uploads(s.key(id)).await.unwrap();
        assert_eq!(left, [(document.object_version.unwrap(), 100)]);
        assert!(!s.drain("validate").await.is_empty(), "the first job is queued");
        assert_eq!(crate::budgets::used(&s, "upload-bytes").await, 100, "counted once");
    })
    .await;
    let expected = [
        "documents.record_upload",
        "queue.send",
        "documents.record_upload",
        "budget.count",
        "objects.delete_upload",
    ];
    assert_eq!(points, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_finds_an_upload_without_an_event() {
    let s = system().await;
    let file = pdf("statement.pdf");
    let id = s.announce(file.len()).await;
    let first = s.put(id, file.clone()).await;
    s.put(id, vec![b' '; file.len()]).await;
    assert_eq!(sweep(&s).await, Swept::default(), "the form is still valid");

    s.advance(UPLOAD_WINDOW + UPLOAD_GRACE);
    assert_eq!(sweep(&s).await, Swept { recovered: 1, ..Swept::default() });
    let document = s.document(id).await;
    assert_eq!(
        (document.status, document.object_version),
        (Status::Processing, Some(version(&first)))
    );
    assert_eq!(s.objects.uploads(s.key(id)).await.unwrap().len(), 1, "the other is deleted");
    assert_eq!(s.run(id).await.status, Status::Ready);
    // A finished document is not checked any more.
    s.advance(Duration::from_hours(48));
    assert_eq!(sweep(&s).await, Swept::default());
}

#[tokio::test]
async fn an_abandoned_record_is_deleted_after_its_retention() {
    let s = system().await;
    let id = s.announce(100).await;
    let late = s.announce(100).await;
    s.advance(UPLOAD_WINDOW + UPLOAD_GRACE);
    assert_eq!(sweep(&s).await, Swept { left_alone: 2, ..Swept::default() });
    assert_eq!(s.document(id).await.status_at(s.clock.now()), Status::Expired);

    // A slow upload ends after the first check, and its event is lost.
    s.put(late, vec![b' '; 100]).await;
    s.advance(ABANDONED_RETENTION);
    assert_eq!(sweep(&s).await, Swept { recovered: 1, abandoned: 1, ..Swept::default() });
    assert!(s.documents.get(s.key(id)).await.unwrap().is_none());
    assert_eq!(s.document(late).await.status, Status::Processing);
}

#[tokio::test]
async fn an_upload_during_the_deletion_of_its_record_is_not_lost() {
    for _ in 0..8 {
        let s = system().await;
        let id = s.announce(100).await;
        s.advance(UPLOAD_WINDOW + ABANDONED_RETENTION);
        let event = s.put(id, vec![b' '; 100]).await;
        let (handled, abandoned) =
            tokio::join!(s.try_notify(&event), s.documents.abandon(s.key(id)));
        // Exactly one of the two succeeds. In both cases the file is kept.
        assert_eq!(handled.is_ok(), !abandoned.unwrap(), "{handled:?}");
        assert_eq!(s.versions("").await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_job_is_queued_again_unless_an_attempt_is_running() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    for stage in Stage::ALL {
        assert_eq!(s.drain(stage.name()).await.len(), 1, "the job is lost");
        s.advance(OVERDUE_AFTER);
        assert_eq!(sweep(&s).await, Swept { queued: 1, ..Swept::default() }, "{stage}");
        assert_eq!(sweep(&s).await, Swept::default(), "the next check is in an hour");
        assert_eq!(account::queue_size(&s.aws, s.queue_url(stage.name())).await, 1);
        s.drain(stage.name()).await;
        s.deliver(stage, id, 1).await.unwrap();
    }
    assert_eq!(s.document(id).await.status, Status::Ready);

    // An attempt is running.
    let id = s.uploaded(pdf("statement.pdf")).await;
    s.drain("validate").await;
    s.advance(OVERDUE_AFTER);
    let (key, attempt) = (s.key(id), s.ids.next());
    s.documents.claim(key, Stage::Validate, attempt, s.clock.now(), s.lease()).await.unwrap();
    assert_eq!(sweep(&s).await, Swept { left_alone: 1, ..Swept::default() });

    // A lost deletion job is queued again too.
    s.documents.mark_deleting(key, s.clock.now()).await.unwrap();
    s.advance(OVERDUE_AFTER);
    assert_eq!(sweep(&s).await, Swept { queued: 1, ..Swept::default() });
    assert_eq!(s.drain("purge").await.len(), 1);
}

#[tokio::test]
async fn a_sweep_survives_every_fault() {
    walk(async |run: Run| {
        let s = system().await;
        let with_event = s.uploaded(vec![b' '; 10]).await;
        let without_event = s.announce(10).await;
        let abandoned = s.announce(10).await;
        s.put(without_event, vec![b' '; 10]).await;
        s.drain("validate").await;
        s.advance(UPLOAD_WINDOW + ABANDONED_RETENTION);
        let first = run.attempt(sweep(&s)).await;
        sweep(&s).await;
        let _ = first.resume().await;
        s.advance(OVERDUE_AFTER);
        sweep(&s).await;
        assert!(s.drain("validate").await.len() >= 2, "a job for each");
        assert_eq!(s.document(with_event).await.status, Status::Processing);
        assert_eq!(s.document(without_event).await.status, Status::Processing);
        assert!(s.documents.get(s.key(abandoned)).await.unwrap().is_none());
        assert_eq!(s.versions("").await.len(), 2);
    })
    .await;
}
