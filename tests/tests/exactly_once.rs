//! Many concurrent uploads, with duplicate events and duplicate jobs: every document is processed once.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::HashSet;

use serde_json::{Value, json};
use testing::stack::{Stack, User};
use testing::{event, pdf};

const UPLOADS: usize = 20;

/// The message of S3 about the upload of this document.
async fn s3_event(user: &User<'_>, id: &str) -> Value {
    let bucket = user.stack.output("DocumentsBucketName");
    let key = format!("uploads/{}/{id}.pdf", user.id);
    let s3 = testing::account::s3(&user.stack.aws);
    let object = s3.head_object().bucket(bucket).key(&key).send().await.unwrap();
    let mut event: Value = serde_json::from_str(&event("documents-on-upload")).unwrap();
    let body = &mut event["Records"][0]["body"];
    let mut notice: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
    let s3 = &mut notice["Records"][0]["s3"];
    s3["bucket"]["name"] = json!(bucket);
    s3["object"]["key"] = json!(key);
    s3["object"]["size"] = json!(object.content_length());
    s3["object"]["versionId"] = json!(object.version_id());
    *body = json!(notice.to_string());
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_announcements_with_one_key_make_one_document() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let announce = || user.announce_keyed("one-key", "a.pdf", 100);
    let answers = futures::future::join_all((0..40).map(|_| announce())).await;
    let documents: HashSet<_> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, 201, "{answer:?}");
            answer.body["document"]["id"].as_str().unwrap()
        })
        .collect();
    assert_eq!(documents.len(), 1);
    let listed = user.get("/v1/documents").await.body;
    assert_eq!(listed["documents"].as_array().unwrap().len(), 1);

    let other = user.announce_keyed("one-key", "a.pdf", 101).await;
    assert_eq!((other.status.as_u16(), other.problem()), (422, "idempotency-key-reused"));
    // Keys of different users are independent.
    let somebody = stack.new_user().await;
    let theirs = somebody.announce_keyed("one-key", "a.pdf", 100).await;
    assert!(!documents.contains(theirs.body["document"]["id"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_uploads_at_once_with_everything_delivered_again() {
    let stack = Stack::deployed().await;
    let user = stack.new_user().await;
    let sqs = aws_sdk_sqs::Client::new(&stack.aws);

    let one = async |number: usize| {
        let id = user.upload(&format!("{number}.pdf"), pdf("x11-security.pdf")).await;
        // The event again, which queues one more job, and two more jobs.
        stack.invoke("documents-on-upload", &s3_event(&user, &id).await).await;
        let job = json!({"version": "1", "owner": user.id, "document_id": id}).to_string();
        for _ in 0..2 {
            let message = sqs.send_message().queue_url(stack.output("DocumentsValidateQueueUrl"));
            message.message_body(&job).send().await.unwrap();
        }
        let document = user.settled(&id).await;
        // The event and the job once more, after the document has ended.
        stack.invoke("documents-on-upload", &s3_event(&user, &id).await).await;
        sqs.send_message()
            .queue_url(stack.output("DocumentsValidateQueueUrl"))
            .message_body(&job)
            .send()
            .await
            .unwrap();
        document
    };
    let documents = futures::future::join_all((0..UPLOADS).map(one)).await;

    for document in &documents {
        assert_eq!(document["status"], "ready", "{document}");
        assert_eq!(document["stages"]["text"]["result"]["pages"], 8);
    }
    let texts = stack.object_keys(&format!("text/{}/", user.id)).await;
    let read: HashSet<_> = texts.iter().filter_map(|key| key.split('/').nth(2)).collect();
    // Each document has the lines and the text of each run, and the whole text.
    let whole = texts.iter().filter(|key| key.ends_with("/text.txt")).count();
    assert_eq!((whole, read.len()), (UPLOADS, UPLOADS), "one text for each document");

    // The late duplicates have changed nothing.
    for before in documents {
        let path = format!("/v1/documents/{}", before["id"].as_str().unwrap());
        let after = user.get(&path).await.body;
        for field in ["status", "finished_at", "stages", "history"] {
            assert_eq!(after[field], before[field], "{field}");
        }
        for stage in ["validate", "scan", "pdfa", "text"] {
            assert_eq!(after["stages"][stage]["attempts"], 1, "{after}");
        }
    }
}
