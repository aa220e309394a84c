//! A pipeline for one test. The test controls the clock and delivers the jobs.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use documents::document::{Announced, Document, DocumentId, Status};
use documents::objects::{self, Objects, upload_key};
use documents::on_upload::{Notification, OnUpload};
use documents::purge::Purge;
use documents::queues::{Job, Queues};
use documents::sandbox::Sandbox;
use documents::scanner::{Clamd, Scanner};
use documents::schema::SchemaRef;
use documents::stage::Stage;
use documents::stages::pdfa::CheckPdfa;
use documents::stages::scan::ScanFile;
use documents::stages::structure::ExtractStructure;
use documents::stages::text::ExtractText;
use documents::stages::validate::Validate;
use documents::stages::{Pipeline, Work};
use documents::store::{Documents, Key};
use documents::sweep::Sweep;
use extraction::{Extractor, Limits, Model, ModelConfig, Timeouts};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::batch::{self, Message};
use shared::budget::Budgets;
use shared::clock::Clock;
use shared::id::{Ids, TenantId, UserId};
use shared::idempotency::Records;
use shared::queue::Queue;
use shared::rate_limit::RateLimiter;
use testing::{account, clamd, event};

/// The lease of an attempt.
pub(crate) const LEASE: Duration = Duration::from_secs(90);
const QUEUES: [&str; 7] = ["validate", "scan", "pdfa", "text", "structure", "webhooks", "purge"];

pub(crate) struct System {
    pub(crate) aws: SdkConfig,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) documents: Documents,
    pub(crate) objects: Objects,
    pub(crate) pipeline: Pipeline,
    pub(crate) scanner: Scanner,
    pub(crate) model: Arc<dyn Model>,
    pub(crate) budgets: Budgets,
    pub(crate) daily_tokens: u64,
    pub(crate) bucket: String,
    pub(crate) owner: UserId,
    pub(crate) tenant: TenantId,
    queue_urls: [String; 7],
}

pub(crate) async fn system() -> System {
    let aws = account::empty().await;
    let clock = Clock::manual("2026-11-21T10:00:00Z".parse().unwrap());
    let ids = Ids::random(clock.clone());
    let table = account::table_with_due(&aws, "documents").await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let documents = Documents::new(dynamodb.clone(), table);
    let requests = account::table_named(&aws, "requests", &["id"]).await;
    let bucket = account::bucket(&aws).await;
    let mut queue_urls = [const { String::new() }; 7];
    for (url, name) in queue_urls.iter_mut().zip(QUEUES) {
        *url = account::queue_named(&aws, name).await;
    }
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let queue = |index: usize| Queue::new(sqs.clone(), queue_urls[index].clone());
    let queues = Queues::new(std::array::from_fn(queue), queue(5), queue(6));
    System {
        objects: Objects::new(objects::client(&aws), bucket.clone()),
        pipeline: Pipeline {
            documents: documents.clone(),
            queues,
            clock: clock.clone(),
            ids: ids.clone(),
        },
        scanner: Scanner::Clamd(Clamd::new(clamd())),
        model: model("http://127.0.0.1:1"),
        budgets: Budgets::new(dynamodb, requests, clock.clone()),
        daily_tokens: 5_000_000,
        owner: ids.next(),
        tenant: ids.next(),
        aws,
        clock,
        ids,
        documents,
        bucket,
        queue_urls,
    }
}

/// A language model at an OpenAI-compatible server.
pub(crate) fn model(base_url: &str) -> Arc<dyn Model> {
    let config = ModelConfig::OpenAiCompatible {
        base_url: base_url.into(),
        model: "small".into(),
        api_key: None,
        json_schema: true,
        dialect: extraction::schema::Dialect::Full,
        temperature: None,
    };
    config.connect(Timeouts::default(), || unreachable!()).unwrap()
}

/// A sandbox with the functions' program.
pub(crate) fn sandbox() -> Sandbox {
    Sandbox::new(PathBuf::from(env!("CARGO_BIN_EXE_documents-pdf")))
}

impl System {
    /// The state of the endpoints.
    pub(crate) fn system(&self) -> documents::system::System {
        let (client, table) = (aws_sdk_dynamodb::Client::new(&self.aws), "requests".to_owned());
        documents::system::System {
            documents: self.documents.clone(),
            objects: self.objects.clone(),
            queues: self.pipeline.queues.clone(),
            records: Records::new(client.clone(), table.clone(), self.clock.clone()),
            limiter: RateLimiter::new(client, table, self.clock.clone()),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        }
    }

    pub(crate) fn key(&self, id: DocumentId) -> Key {
        (self.owner, id)
    }

    pub(crate) async fn announce(&self, size: usize) -> DocumentId {
        self.announce_with(size, |_| {}).await
    }

    pub(crate) async fn announce_with(
        &self,
        size: usize,
        change: impl FnOnce(&mut Document),
    ) -> DocumentId {
        let announced = Announced {
            name: "file.pdf".to_owned().try_into().unwrap(),
            size: size as u64,
            sha256: None,
            schema: None,
        };
        let owner = (self.owner, self.tenant);
        let mut document = Document::announce(self.ids.next(), owner, announced, self.clock.now());
        change(&mut document);
        let create = aws_sdk_dynamodb::Client::new(&self.aws).transact_write_items();
        let creation = self.documents.creation(&document).unwrap();
        create.transact_items(creation).send().await.unwrap();
        document.id
    }

    /// Uploads a file to the key of the upload form. Gives S3's event.
    pub(crate) async fn put(&self, id: DocumentId, file: Vec<u8>) -> Value {
        let key = upload_key(self.key(id));
        let request = account::s3(&self.aws).put_object().bucket(&self.bucket).key(&key);
        let size = file.len();
        let put = request.body(file.into()).send().await.unwrap();
        let sample: Value = serde_json::from_str(&event("documents-on-upload")).unwrap();
        let body = sample["Records"][0]["body"].as_str().unwrap();
        let mut event: Value = serde_json::from_str(body).unwrap();
        event["Records"][0]["s3"]["object"]["size"] = json!(size);
        event["Records"][0]["s3"]["object"]["key"] = json!(key);
        event["Records"][0]["s3"]["object"]["versionId"] = json!(put.version_id());
        event
    }

    /// Delivers an event of S3, which must succeed.
    pub(crate) async fn notify(&self, event: &Value) {
        self.try_notify(event).await.unwrap();
    }

    /// Delivers an event of S3.
    pub(crate) async fn try_notify(&self, event: &Value) -> Result<(), batch::Failure> {
        let body: Notification = serde_json::from_value(event.clone()).unwrap();
        let message = Message { message_id: "m".into(), receive_count: 1, group: None, body };
        self.on_upload().handle(message).await
    }

    pub(crate) fn on_upload(&self) -> OnUpload {
        OnUpload {
            documents: self.documents.clone(),
            objects: self.objects.clone(),
            queues: self.pipeline.queues.clone(),
            budgets: self.budgets.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn sweep(&self) -> Sweep {
        Sweep { on_upload: self.on_upload() }
    }

    /// Creates a document whose upload is recorded and whose first job is queued.
    pub(crate) async fn uploaded(&self, file: Vec<u8>) -> DocumentId {
        self.uploaded_with(file, |_| {}).await
    }

    pub(crate) async fn uploaded_with(
        &self,
        file: Vec<u8>,
        change: impl FnOnce(&mut Document),
    ) -> DocumentId {
        let id = self.announce_with(file.len(), change).await;
        self.notify(&self.put(id, file).await).await;
        id
    }

    pub(crate) fn lease(&self) -> Timestamp {
        self.clock.now() + LEASE
    }

    /// Delivers a job of the stage.
    pub(crate) async fn deliver(
        &self,
        stage: Stage,
        id: DocumentId,
        receive_count: u32,
    ) -> Result<(), batch::Failure> {
        let (documents, objects) = (self.documents.clone(), self.objects.clone());
        match stage {
            Stage::Validate => {
                let work = Validate { documents, objects, sandbox: sandbox() };
                self.job(&work, id, receive_count).await
            }
            Stage::Scan => {
                let work = ScanFile { objects, scanner: self.scanner.clone() };
                self.job(&work, id, receive_count).await
            }
            Stage::Pdfa => {
                let work = CheckPdfa { documents, objects, sandbox: sandbox() };
                self.job(&work, id, receive_count).await
            }
            Stage::Text => {
                let clock = self.clock.clone();
                let work = ExtractText { documents, objects, sandbox: sandbox(), clock };
                self.job(&work, id, receive_count).await
            }
            Stage::Structure => self.job(&self.structure(), id, receive_count).await,
        }
    }

    fn structure(&self) -> ExtractStructure {
        ExtractStructure {
            documents: self.documents.clone(),
            objects: self.objects.clone(),
            extractor: Extractor::new(self.model.clone(), Limits::default(), None),
            budgets: self.budgets.clone(),
            daily_tokens: self.daily_tokens,
        }
    }

    pub(crate) async fn job<W: Work>(
        &self,
        work: &W,
        id: DocumentId,
        receive_count: u32,
    ) -> Result<(), batch::Failure> {
        self.pipeline.job(work, message(self.key(id), receive_count), self.lease()).await
    }

    /// Delivers the queued job of each stage until the document is finished or waits. Gives the document.
    pub(crate) async fn run(&self, id: DocumentId) -> Document {
        loop {
            let document = self.document(id).await;
            if document.status != Status::Processing || document.waiting.is_some() {
                return document;
            }
            let jobs = self.drain(document.stage.name()).await;
            assert!(!jobs.is_empty(), "no job for {}", document.stage);
            self.deliver(document.stage, id, 1).await.unwrap();
        }
    }

    pub(crate) async fn document(&self, id: DocumentId) -> Document {
        self.documents.get(self.key(id)).await.unwrap().unwrap()
    }

    pub(crate) fn queue_url(&self, name: &str) -> &str {
        &self.queue_urls[QUEUES.iter().position(|queue| *queue == name).unwrap()]
    }

    pub(crate) async fn drain(&self, queue: &str) -> Vec<String> {
        account::drain(&self.aws, self.queue_url(queue)).await
    }

    /// The keys of every version of every object, and of every delete marker.
    pub(crate) async fn versions(&self, prefix: &str) -> Vec<String> {
        let request = account::s3(&self.aws).list_object_versions().bucket(&self.bucket);
        let listed = request.prefix(prefix).send().await.unwrap();
        let versions = listed.versions().iter().map(|version| version.key().unwrap().to_owned());
        let markers = listed.delete_markers().iter().map(|marker| marker.key().unwrap().to_owned());
        versions.chain(markers).collect()
    }

    /// A program that a signal terminates as soon as it starts.
    pub(crate) fn crashing_program(&self) -> PathBuf {
        let path = std::env::temp_dir().join(format!("crashing-{}", self.owner));
        std::fs::write(&path, "#!/bin/sh\nkill -SEGV $$\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        path
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(SignedDuration::try_from(by).unwrap());
    }

    pub(crate) async fn purge(
        &self,
        id: DocumentId,
        receive_count: u32,
    ) -> Result<(), batch::Failure> {
        let purge = Purge {
            documents: self.documents.clone(),
            objects: self.objects.clone(),
            clock: self.clock.clone(),
        };
        purge.handle(message(self.key(id), receive_count)).await
    }
}

pub(crate) fn message(key: Key, receive_count: u32) -> Message<Job> {
    Message { message_id: "m".into(), receive_count, group: None, body: Job::of(key) }
}

pub(crate) fn schema(text: &str) -> SchemaRef {
    SchemaRef::try_from(text.to_owned()).unwrap()
}
