//! From the record of an upload to its text, on real DynamoDB, S3 and SQS APIs: duplicates, races,
//! crashes, and what becomes of a job that cannot be done.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use documents::document::{Document, DocumentId, Failure, Status, UPLOAD_WINDOW};
use documents::jobs::{Job, MAX_ATTEMPTS, consumer};
use documents::objects::{self, Objects, upload_key};
use documents::on_upload::OnUpload;
use documents::process::Process;
use documents::reader::Reader;
use documents::store::{Change, Documents};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::batch::{Failure as Trouble, Message};
use shared::clock::Clock;
use shared::id::{Ids, UserId};
use shared::invocation::Invocation;
use shared::queue::Queue;
use testing::{account, event, pdf};

const LEASE: Duration = Duration::from_secs(90);

struct System {
    aws: SdkConfig,
    clock: Clock,
    ids: Ids,
    documents: Documents,
    on_upload: OnUpload,
    process: Arc<Process>,
    bucket: String,
    queue_url: String,
    owner: UserId,
}

async fn system() -> System {
    let aws = account::empty().await;
    let clock = Clock::manual("2026-11-21T10:00:00Z".parse().unwrap());
    let ids = Ids::random(clock.clone());
    let table = account::table(&aws, &["pk", "sk"]).await;
    let documents = Documents::new(aws_sdk_dynamodb::Client::new(&aws), table);
    let bucket = account::bucket(&aws).await;
    let objects = Objects::new(objects::client(&aws), bucket.clone());
    let queue_url = account::queue(&aws).await;
    let jobs = Queue::new(aws_sdk_sqs::Client::new(&aws), queue_url.clone());
    System {
        on_upload: OnUpload { documents: documents.clone(), jobs, clock: clock.clone() },
        process: Arc::new(Process {
            documents: documents.clone(),
            objects,
            reader: Reader::new(env!("CARGO_BIN_EXE_documents-process").into()),
            clock: clock.clone(),
            ids: ids.clone(),
        }),
        owner: ids.next(),
        aws,
        clock,
        ids,
        documents,
        bucket,
        queue_url,
    }
}

impl System {
    async fn announce(&self, size: usize) -> DocumentId {
        let name = "file.pdf".to_owned().try_into().unwrap();
        let who = (self.owner, self.ids.next());
        let document =
            Document::announce(self.ids.next(), who, name, size as u64, self.clock.now());
        let create = aws_sdk_dynamodb::Client::new(&self.aws).transact_write_items();
        let creation = self.documents.creation(&document).unwrap();
        create.transact_items(creation).send().await.unwrap();
        document.id
    }

    /// Puts a file where the upload form would; gives S3's event.
    async fn put(&self, id: DocumentId, file: Vec<u8>) -> Value {
        let key = upload_key(self.owner, id);
        let request = account::s3(&self.aws).put_object().bucket(&self.bucket).key(&key);
        let put = request.body(file.into()).send().await.unwrap();
        let mut event: Value = serde_json::from_str(&event("documents-on-upload")).unwrap();
        event["Records"][0]["s3"]["object"]["key"] = json!(key);
        event["Records"][0]["s3"]["object"]["versionId"] = json!(put.version_id());
        event
    }

    async fn told(&self, event: &Value) {
        self.on_upload.handle(serde_json::from_value(event.clone()).unwrap()).await.unwrap();
    }

    /// A document whose file is there and whose job is queued.
    async fn uploaded(&self, file: Vec<u8>) -> DocumentId {
        let id = self.announce(file.len()).await;
        self.told(&self.put(id, file).await).await;
        id
    }

    fn lease(&self) -> Timestamp {
        self.clock.now() + LEASE
    }

    async fn deliver(&self, id: DocumentId, receive_count: u32) -> Result<(), Trouble> {
        let body = Job::V1 { owner: self.owner, document_id: id };
        let message = Message { message_id: "m".into(), receive_count, group: None, body };
        self.process.handle(message, self.lease()).await
    }

    async fn document(&self, id: DocumentId) -> Document {
        self.documents.get(self.owner, id).await.unwrap().unwrap()
    }

    async fn texts(&self) -> usize {
        let request = account::s3(&self.aws).list_objects_v2().bucket(&self.bucket);
        request.prefix("text/").send().await.unwrap().contents().len()
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(SignedDuration::try_from(by).unwrap());
    }
}

#[tokio::test]
async fn the_sample_events_are_taken() {
    let s = system().await;
    // Both are about a document that is not here, which is nothing to fail for.
    s.told(&serde_json::from_str(&event("documents-on-upload")).unwrap()).await;
    let batch = serde_json::from_str(&event("documents-process")).unwrap();
    let lease = s.lease();
    let jobs = consumer(s.on_upload.jobs.clone(), s.on_upload.jobs.clone());
    let mut context = lambda_runtime::Context::default();
    context.deadline = u64::try_from(Timestamp::now().as_millisecond()).unwrap() + 60_000;
    let invocation = Invocation::of(&context, None);
    let handling = jobs.consume(batch, &invocation, |job| s.process.handle(job, lease));
    let answer = handling.await.unwrap();
    assert!(answer.batch_item_failures.is_empty());
}

#[tokio::test]
async fn an_upload_told_of_many_times_is_one_transition() {
    let s = system().await;
    let id = s.announce(100).await;
    let event = s.put(id, vec![b' '; 100]).await;
    join_all((0..10).map(|_| s.told(&event))).await;
    let uploaded = s.document(id).await;
    assert_eq!(uploaded.status, Status::Uploaded);
    assert_eq!(uploaded.uploaded_at, Some(s.clock.now()));

    // At least one job, each the same.
    let jobs = account::drain(&s.aws, &s.queue_url).await;
    let job = json!({"version": "1", "owner": s.owner, "document_id": id});
    assert!(!jobs.is_empty());
    assert!(jobs.iter().all(|body| serde_json::from_str::<Value>(body).unwrap() == job));

    // Another file in its place changes nothing: the first version is what counts.
    s.advance(Duration::from_secs(1));
    s.told(&s.put(id, b"%PDF-1.7 other".to_vec()).await).await;
    assert_eq!(s.document(id).await, uploaded);
    assert!(account::drain(&s.aws, &s.queue_url).await.is_empty());
}

#[tokio::test]
async fn a_run_cut_off_before_the_job_was_queued_is_made_good() {
    let s = system().await;
    let id = s.announce(100).await;
    let event = s.put(id, vec![b' '; 100]).await;
    let version = event["Records"][0]["s3"]["object"]["versionId"].as_str().unwrap();
    // The transition was made, and then the function died.
    let made = s.documents.record_upload(s.owner, id, version, s.clock.now()).await.unwrap();
    assert!(matches!(made, Change::Made(_)));
    assert!(account::drain(&s.aws, &s.queue_url).await.is_empty());

    s.told(&event).await;
    assert_eq!(account::drain(&s.aws, &s.queue_url).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_deliveries_at_once_one_processes() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    let deliveries = join_all((0..8).map(|_| s.deliver(id, 1))).await;
    assert!(deliveries.iter().any(Result::is_ok));

    let document = s.document(id).await;
    assert_eq!((document.status, document.attempts), (Status::Ready, 1));
    assert_eq!(s.texts().await, 1);

    // And again, when all is done.
    s.deliver(id, 2).await.unwrap();
    assert_eq!(s.document(id).await, document);
}

#[tokio::test]
async fn a_job_is_put_back_while_another_attempt_may_live_and_done_after() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    // An attempt that died right after its claim.
    let key = (s.owner, id);
    let dead = s.ids.next();
    s.documents.claim(key, dead, s.clock.now(), s.lease()).await.unwrap();

    match s.deliver(id, 2).await {
        Err(Trouble::Retry { after, .. }) => {
            assert_eq!(after, Some(LEASE + Duration::from_secs(1)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(s.document(id).await.attempt, Some(dead));
    s.advance(LEASE);
    assert!(s.deliver(id, 3).await.is_err(), "it is good to its last millisecond");
    s.advance(Duration::from_millis(1));
    s.deliver(id, 4).await.unwrap();
    let document = s.document(id).await;
    assert_eq!((document.status, document.attempts), (Status::Ready, 2));
}

#[tokio::test]
async fn an_attempt_that_stalled_past_its_lease_changes_nothing() {
    let s = system().await;
    let other = s.uploaded(pdf("statement.pdf")).await;
    s.deliver(other, 1).await.unwrap();
    let contents = s.document(other).await.contents.unwrap();

    let id = s.uploaded(pdf("statement.pdf")).await;
    let (key, stalled, next) = ((s.owner, id), s.ids.next(), s.ids.next());
    s.documents.claim(key, stalled, s.clock.now(), s.lease()).await.unwrap();
    s.advance(LEASE + Duration::from_secs(1));
    s.documents.claim(key, next, s.clock.now(), s.lease()).await.unwrap();

    // Neither while the next attempt is at it, nor when that one is done.
    for _ in 0..2 {
        let (document, now) = (s.document(id).await, s.clock.now());
        for late in [
            s.documents.finish(key, stalled, &contents, now).await,
            s.documents.fail(key, stalled, Failure::Damaged, now).await,
            s.documents.release(key, stalled).await,
        ] {
            assert!(matches!(late.unwrap(), Change::Refused(_)));
        }
        assert_eq!(s.document(id).await, document);
        s.documents.finish(key, next, &contents, now).await.unwrap();
    }
}

#[tokio::test]
async fn a_worker_that_dies_every_time_is_given_up_too() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    for _ in 0..MAX_ATTEMPTS {
        let claimed = s.documents.claim((s.owner, id), s.ids.next(), s.clock.now(), s.lease());
        assert!(matches!(claimed.await.unwrap(), Change::Made(_)));
        s.advance(LEASE + Duration::from_secs(1));
    }
    assert!(s.deliver(id, MAX_ATTEMPTS + 1).await.is_err());
    let document = s.document(id).await;
    assert_eq!((document.status, document.failure), (Status::Failed, Some(Failure::GaveUp)));
}

#[tokio::test]
async fn a_job_that_cannot_be_done_ends_in_a_state_and_can_be_redriven() {
    let s = system().await;
    let file = pdf("statement.pdf");
    // The record says another size than the file has: every attempt fails on our side.
    let id = s.announce(file.len() + 1).await;
    s.told(&s.put(id, file.clone()).await).await;
    for receive_count in 1..=MAX_ATTEMPTS {
        assert!(s.deliver(id, receive_count).await.is_err());
        let document = s.document(id).await;
        assert_eq!((document.status, document.attempts), (Status::Uploaded, receive_count));
        assert_eq!(document.lease_until, None);
    }
    // The last delivery is not one more attempt; it fails for good, so that the job is kept.
    let last = s.deliver(id, MAX_ATTEMPTS + 1).await;
    assert!(matches!(last, Err(Trouble::Permanent(_))), "{last:?}");
    let given_up = s.document(id).await;
    assert_eq!((given_up.status, given_up.failure), (Status::Failed, Some(Failure::GaveUp)));
    assert_eq!(given_up.attempts, MAX_ATTEMPTS);

    // The operator redrives the job: it counts from one again, and an attempt is made.
    assert!(s.deliver(id, 1).await.is_err());
    let again = s.document(id).await;
    assert_eq!((again.status, again.attempts), (Status::Uploaded, MAX_ATTEMPTS + 1));
    assert_eq!((again.failure, again.finished_at), (None, None));
}

#[tokio::test]
async fn a_file_that_was_deleted_is_said_to_be_gone() {
    let s = system().await;
    let id = s.uploaded(pdf("statement.pdf")).await;
    let version = s.document(id).await.object_version;
    let request = account::s3(&s.aws).delete_object().bucket(&s.bucket);
    let request = request.key(upload_key(s.owner, id)).set_version_id(version);
    request.send().await.unwrap();
    s.deliver(id, 1).await.unwrap();
    let document = s.document(id).await;
    assert_eq!((document.status, document.failure), (Status::Failed, Some(Failure::FileGone)));
}

#[tokio::test]
async fn a_refused_file_is_not_tried_again() {
    let s = system().await;
    let id = s.uploaded(pdf("bad/password.pdf")).await;
    s.deliver(id, 1).await.unwrap();
    let failed = s.document(id).await;
    assert_eq!(failed.failure, Some(Failure::PasswordProtected));
    s.deliver(id, 2).await.unwrap();
    assert_eq!(s.document(id).await, failed);
    assert_eq!(s.texts().await, 0);
}

#[tokio::test]
async fn what_never_came_expires_without_ttl() {
    let s = system().await;
    let id = s.announce(100).await;
    s.advance(UPLOAD_WINDOW.checked_sub(Duration::from_millis(1)).unwrap());
    assert_eq!(s.document(id).await.status_at(s.clock.now()), Status::AwaitingUpload);
    s.advance(Duration::from_millis(1));
    assert_eq!(s.document(id).await.status_at(s.clock.now()), Status::Expired);

    // What S3 took in the last moment still counts, though it is told of late.
    s.told(&s.put(id, vec![b' '; 100]).await).await;
    assert_eq!(s.document(id).await.status_at(s.clock.now()), Status::Uploaded);
}
