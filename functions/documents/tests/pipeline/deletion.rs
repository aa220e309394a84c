//! A document that is cancelled or deleted at any time leaves no objects.

use std::time::Duration;

use documents::api::{cancel, delete};
use documents::document::{DocumentId, Status};
use documents::purge::MAX_CHECKS;
use documents::stage::{Progress, Stage};
use http_body_util::BodyExt;
use lambda_http::request::from_str;
use shared::batch;
use shared::http::app;
use shared::lease::GRACE;
use testing::contract::ask;
use testing::{event, pdf};

use crate::support::{LEASE, System, system};

async fn call(router: axum::Router, event_name: &str, s: &System, id: DocumentId) -> u16 {
    let event = event(event_name)
        .replace("doc_01M7YRRT800000000000000002", &id.to_string())
        .replace("usr_01M7YRRT800000000000000000", &s.owner.to_string())
        .replace("ten_01M7YRRT800000000000000001", &s.tenant.to_string());
    let response = ask(&app(router), from_str(&event).unwrap()).await;
    let status = response.status().as_u16();
    response.into_body().collect().await.unwrap();
    status
}

async fn cancel(s: &System, id: DocumentId) -> u16 {
    call(cancel::router(s.system()), "documents-cancel", s, id).await
}

async fn delete(s: &System, id: DocumentId) -> u16 {
    call(delete::router(s.system()), "documents-delete", s, id).await
}

/// A document right before `stage`; a finished one if `stage` is `None`.
async fn before(s: &System, stage: Option<Stage>) -> DocumentId {
    let id = s.uploaded(pdf("statement.pdf")).await;
    for done in Stage::ALL.into_iter().take_while(|done| Some(*done) != stage) {
        s.deliver(done, id, 1).await.unwrap();
    }
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_at_any_time_leaves_nothing() {
    for stage in Stage::ALL.into_iter().map(Some).chain([None]) {
        let s = system().await;
        let id = before(&s, stage).await;
        assert_eq!(delete(&s, id).await, 204);
        assert_eq!(delete(&s, id).await, 204, "idempotent");
        assert_eq!(s.document(id).await.status, Status::Deleting);
        // A job that was in flight does no work; it queues the purge again.
        s.drain("purge").await;
        if let Some(stage) = stage {
            s.deliver(stage, id, 1).await.unwrap();
            assert_eq!(s.drain("purge").await.len(), 1);
        }
        s.purge(id, 1).await.unwrap();
        assert_eq!(s.versions("").await, Vec::<String>::new(), "{stage:?}");
        assert!(s.documents.get(s.key(id)).await.unwrap().is_none());
        assert_eq!(delete(&s, id).await, 404);
        // Later jobs do nothing, and a second purge does no harm.
        for stage in Stage::ALL {
            s.deliver(stage, id, 1).await.unwrap();
        }
        s.purge(id, 1).await.unwrap();
        assert!(s.documents.get(s.key(id)).await.unwrap().is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancellation_at_any_time_leaves_only_the_record() {
    for stage in Stage::ALL {
        let s = system().await;
        let id = before(&s, Some(stage)).await;
        assert_eq!(cancel(&s, id).await, 200);
        assert_eq!(cancel(&s, id).await, 200, "idempotent");
        s.deliver(stage, id, 1).await.unwrap();
        s.purge(id, 1).await.unwrap();
        assert_eq!(s.versions("").await, Vec::<String>::new(), "{stage}");
        let document = s.document(id).await;
        assert_eq!((document.status, document.clean_version), (Status::Cancelled, None));
        assert_eq!(document.stages, documents::stage::Stages::default());
    }
    let s = system().await;
    let id = before(&s, None).await;
    s.drain("purge").await;
    assert_eq!(cancel(&s, id).await, 409, "it is ready");
    assert!(s.drain("purge").await.is_empty());
    assert_eq!(s.document(id).await.status, Status::Ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_waits_for_an_attempt_that_may_still_write() {
    let s = system().await;
    let id = before(&s, Some(Stage::Text)).await;
    let (key, attempt) = (s.key(id), s.ids.next());
    s.documents.claim(key, Stage::Text, attempt, s.clock.now(), s.lease()).await.unwrap();
    assert_eq!(delete(&s, id).await, 204);
    match s.purge(id, 1).await {
        Err(batch::Failure::Retry { after, .. }) => {
            assert_eq!(after, Some(LEASE + GRACE + Duration::from_secs(1)));
        }
        other => panic!("{other:?}"),
    }
    // The attempt does not know of the deletion and writes. It cannot end the stage, and what it wrote is
    // deleted too.
    let text = documents::objects::text_key(key, attempt, "000001-000001.txt");
    s.objects.store(&text, "text/plain", b"late".to_vec()).await.unwrap();
    let late = s.documents.save_progress(key, attempt, &Progress::default()).await.unwrap();
    assert!(matches!(late, documents::store::Change::Refused(_)));
    s.advance(LEASE + GRACE + Duration::from_secs(1));
    s.purge(id, 2).await.unwrap();
    assert_eq!(s.versions("").await, Vec::<String>::new());
}

#[tokio::test]
async fn an_upload_after_the_deletion_is_deleted() {
    let s = system().await;
    let id = s.announce(100).await;
    assert_eq!(cancel(&s, id).await, 200);
    s.purge(id, 1).await.unwrap();
    // The form is still valid.
    s.notify(&s.put(id, vec![b' '; 100]).await).await;
    assert_eq!(s.versions("").await, Vec::<String>::new());
    assert_eq!(s.document(id).await.status, Status::Cancelled);

    let id = s.announce(100).await;
    assert_eq!(delete(&s, id).await, 204);
    s.purge(id, 1).await.unwrap();
    s.notify(&s.put(id, vec![b' '; 100]).await).await;
    assert_eq!(s.versions("").await, Vec::<String>::new());
    assert!(s.documents.get(s.key(id)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_purge_of_an_unmarked_document_deletes_nothing() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    // The request crashed after it queued the job and before it marked the record.
    for receive_count in 1..MAX_CHECKS {
        assert!(s.purge(id, receive_count).await.is_err(), "the mark may follow");
    }
    s.purge(id, MAX_CHECKS).await.unwrap();
    assert_eq!(s.document(id).await.status, Status::Processing);
    assert_eq!(s.versions("").await.len(), 1);
}

#[tokio::test]
async fn another_users_document_cannot_be_cancelled_or_deleted() {
    let mut s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    let owner = std::mem::replace(&mut s.owner, s.ids.next());
    assert_eq!((cancel(&s, id).await, delete(&s, id).await), (404, 404));
    s.owner = owner;
    assert_eq!(s.document(id).await.status, Status::Processing);
    assert!(s.drain("purge").await.is_empty());
}
