//! No upload vanishes: events that are lost, late, repeated or of another kind; versions that do not count;
//! jobs that are lost; records that are missing.

use std::time::Duration;

use documents::document::{
    ABANDONED_KEPT, DocumentId, OVERDUE_AFTER, Status, UPLOAD_GRACE, UPLOAD_WINDOW,
};
use documents::objects::upload_key;
use documents::stage::Stage;
use documents::store::Change;
use documents::sweep::Swept;
use futures::future::join_all;
use serde_json::{Value, json};
use shared::batch::Failure as Trouble;
use shared::fault::{Run, walk};
use testing::{account, pdf};

use crate::support::{System, system};

fn version(event: &Value) -> String {
    event["Records"][0]["s3"]["object"]["versionId"].as_str().unwrap().to_owned()
}

async fn sweep(s: &System) -> Swept {
    s.sweep().sweep(&|| true).await
}

/// Deletes the record, as TTL or a restored table would have it.
async fn lose_record(s: &System, id: DocumentId) {
    let delete = aws_sdk_dynamodb::Client::new(&s.aws).delete_item().table_name("documents");
    let delete = delete.key("pk", account_string(format!("USER#{}", s.owner)));
    delete.key("sk", account_string(format!("DOC#{id}"))).send().await.unwrap();
}

fn account_string(text: String) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(text)
}

#[tokio::test]
async fn a_file_whose_record_is_missing_is_kept_and_its_message_too() {
    let s = system().await;
    let id = s.announce(100).await;
    let event = s.put(id, vec![b' '; 100]).await;
    lose_record(&s, id).await;
    for _ in 0..2 {
        let told = s.try_told(&event).await;
        assert!(
            matches!(told, Err(Trouble::Permanent(_))),
            "it goes to the dead letters: {told:?}"
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
        s.told(&event).await;
        let document = s.document(id).await;
        assert_eq!(
            (document.status, document.object_version),
            (Status::AwaitingUpload, None),
            "{name}"
        );
    }
    // What S3 sends when a bucket is connected with the queue.
    s.told(&json!({
        "Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-25T10:00:00.000Z",
        "Bucket": "files", "RequestId": "5582815E1AEA5ADF", "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3e",
    }))
    .await;
    assert_eq!(s.versions("").await.len(), 1);

    for name in ["ObjectCreated:Post", "s3:ObjectCreated:CompleteMultipartUpload"] {
        event["Records"][0]["eventName"] = json!(name);
        event["Records"][0]["s3"]["object"]["versionId"] = json!(uploaded);
        s.told(&event).await;
        assert_eq!(s.document(id).await.object_version.as_deref(), Some(uploaded.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_versions_the_recorded_one_stays_and_the_others_go_at_once() {
    let s = system().await;
    let id = s.announce(100).await;
    let mut events = Vec::new();
    for byte in 0..8 {
        events.push(s.put(id, vec![byte; 100]).await);
    }
    // All at once, each told of twice.
    join_all(events.iter().chain(&events).map(|event| s.told(event))).await;
    let document = s.document(id).await;
    let recorded = document.object_version.clone().unwrap();
    let left = s.objects.uploads(s.key(id)).await.unwrap();
    assert_eq!(left, [(recorded.clone(), 100)]);
    assert!(events.iter().any(|event| version(event) == recorded));
    // And again when all is done.
    join_all(events.iter().map(|event| s.told(event))).await;
    assert_eq!(s.objects.uploads(s.key(id)).await.unwrap().len(), 1);
    // Seven versions were counted beside what was announced, each once.
    assert_eq!(crate::budgets::used(&s, "upload-bytes").await, 700);
    assert_eq!(crate::budgets::used(&s, "scans").await, 7);
}

/// The announcement has counted the recorded version already.
#[tokio::test]
async fn an_event_that_comes_again_after_a_cancel_is_not_counted() {
    let s = system().await;
    let id = s.announce(100).await;
    let event = s.put(id, vec![b' '; 100]).await;
    s.told(&event).await;
    let cancelled = s.documents.cancel(s.key(id), s.clock.now()).await.unwrap();
    assert!(matches!(cancelled, Change::Made(_)));
    s.told(&event).await;
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
            let _ = s.try_told(&first).await;
            let _ = s.try_told(&second).await;
        });
        let attempt = attempt.await;
        // Each comes again.
        s.told(&first).await;
        s.told(&second).await;
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
async fn an_upload_that_nobody_told_of_is_found() {
    let s = system().await;
    let file = pdf("statement.pdf");
    let id = s.announce(file.len()).await;
    let first = s.put(id, file.clone()).await;
    s.put(id, vec![b' '; file.len()]).await;
    assert_eq!(sweep(&s).await, Swept::default(), "its form is good still");

    s.advance(UPLOAD_WINDOW + UPLOAD_GRACE);
    assert_eq!(sweep(&s).await, Swept { recovered: 1, ..Swept::default() });
    let document = s.document(id).await;
    assert_eq!(
        (document.status, document.object_version),
        (Status::Processing, Some(version(&first)))
    );
    assert_eq!(s.objects.uploads(s.key(id)).await.unwrap().len(), 1, "the other is deleted");
    assert_eq!(s.run(id).await.status, Status::Ready);
    // At its end nobody looks at it any more.
    s.advance(Duration::from_hours(48));
    assert_eq!(sweep(&s).await, Swept::default());
}

#[tokio::test]
async fn a_record_goes_when_its_file_never_came_and_not_before() {
    let s = system().await;
    let id = s.announce(100).await;
    let late = s.announce(100).await;
    s.advance(UPLOAD_WINDOW + UPLOAD_GRACE);
    assert_eq!(sweep(&s).await, Swept { left_alone: 2, ..Swept::default() });
    assert_eq!(s.document(id).await.status_at(s.clock.now()), Status::Expired);

    // A slow upload ends after that, and its event is lost too.
    s.put(late, vec![b' '; 100]).await;
    s.advance(ABANDONED_KEPT);
    assert_eq!(sweep(&s).await, Swept { recovered: 1, abandoned: 1, ..Swept::default() });
    assert!(s.documents.get(s.key(id)).await.unwrap().is_none());
    assert_eq!(s.document(late).await.status, Status::Processing);
}

#[tokio::test]
async fn an_upload_and_the_end_of_its_record_race_and_no_file_is_lost() {
    for _ in 0..8 {
        let s = system().await;
        let id = s.announce(100).await;
        s.advance(UPLOAD_WINDOW + ABANDONED_KEPT);
        let event = s.put(id, vec![b' '; 100]).await;
        let (told, abandoned) = tokio::join!(s.try_told(&event), s.documents.abandon(s.key(id)));
        // One of them was first. Either way the file is there.
        assert_eq!(told.is_ok(), !abandoned.unwrap(), "{told:?}");
        assert_eq!(s.versions("").await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_lost_is_queued_again_and_a_living_one_is_not() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    for stage in Stage::ALL {
        assert_eq!(s.drain(stage.name()).await.len(), 1, "the job is lost");
        s.advance(OVERDUE_AFTER);
        assert_eq!(sweep(&s).await, Swept { queued: 1, ..Swept::default() }, "{stage}");
        assert_eq!(sweep(&s).await, Swept::default(), "it is looked at again in an hour");
        assert_eq!(account::queue_size(&s.aws, s.queue_url(stage.name())).await, 1);
        s.drain(stage.name()).await;
        s.deliver(stage, id, 1).await.unwrap();
    }
    assert_eq!(s.document(id).await.status, Status::Ready);

    // An attempt is at it.
    let id = s.uploaded(pdf("statement.pdf")).await;
    s.drain("validate").await;
    s.advance(OVERDUE_AFTER);
    let (key, attempt) = (s.key(id), s.ids.next());
    s.documents.claim(key, Stage::Validate, attempt, s.clock.now(), s.lease()).await.unwrap();
    assert_eq!(sweep(&s).await, Swept { left_alone: 1, ..Swept::default() });

    // What is to be deleted is deleted, though its job was lost.
    s.documents.mark_deleting(key, s.clock.now()).await.unwrap();
    s.advance(OVERDUE_AFTER);
    assert_eq!(sweep(&s).await, Swept { queued: 1, ..Swept::default() });
    assert_eq!(s.drain("purge").await.len(), 1);
}

#[tokio::test]
async fn a_sweep_survives_every_fault() {
    walk(async |run: Run| {
        let s = system().await;
        let told = s.uploaded(vec![b' '; 10]).await;
        let untold = s.announce(10).await;
        let never = s.announce(10).await;
        s.put(untold, vec![b' '; 10]).await;
        s.drain("validate").await;
        s.advance(UPLOAD_WINDOW + ABANDONED_KEPT);
        let first = run.attempt(sweep(&s)).await;
        sweep(&s).await;
        let _ = first.resume().await;
        s.advance(OVERDUE_AFTER);
        sweep(&s).await;
        assert!(s.drain("validate").await.len() >= 2, "a job for each");
        assert_eq!(s.document(told).await.status, Status::Processing);
        assert_eq!(s.document(untold).await.status, Status::Processing);
        assert!(s.documents.get(s.key(never)).await.unwrap().is_none());
        assert_eq!(s.versions("").await.len(), 2);
    })
    .await;
}
