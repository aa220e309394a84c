//! Measures the processor time of the layers. DynamoDB and SQS are replaced by immediate answers from
//! memory.
//!
//! `cargo bench -p shared`

#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use lambda_http::Context;
use serde_json::{Value, json};
use shared::batch::{Consumer, Message};
use shared::clock::Clock;
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::http::{app, idempotency};
use shared::idempotency::{Records, canonical};
use shared::invocation::Invocation;
use shared::queue::Queue;
use shared::rate_limit::{Quota, RateLimiter};
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// Answers every request with the same body.
#[derive(Clone, Copy, Debug)]
struct Answers(&'static str);

impl HttpConnector for Answers {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let response = HttpResponse::new(200.try_into().unwrap(), self.0.into());
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl HttpClient for Answers {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(*self)
    }
}

fn dynamodb(answer: &'static str) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "bench"))
        .http_client(Answers(answer));
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

fn consumer() -> Consumer {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "bench"))
        .http_client(Answers("{}"));
    let client = aws_sdk_sqs::Client::from_conf(config.build());
    Consumer::new(Queue::new(client, "https://sqs.eu-central-1.amazonaws.com/1/jobs".into()))
}

fn endpoint() -> Router {
    let body = json!({"id": "doc_01M7YRRT800000000000000002", "status": "awaiting_upload"});
    Router::new().route("/v1/documents", post(async move || axum::Json(body)))
}

/// The sample event of a POST, with a new key each time.
fn request() -> lambda_http::Request {
    static KEY: AtomicU64 = AtomicU64::new(0);
    const EVENT: &str = include_str!("../../events/documents/create-upload.json");
    let key = format!("key-{}", KEY.fetch_add(1, Relaxed));
    let event = EVENT.replace("8e03978e-40d5-43dd-bc93-6894a57f9324", &key);
    lambda_http::request::from_str(&event).unwrap()
}

fn requests(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let records = |answer| Records::new(dynamodb(answer), "requests".into(), Clock::System);
    let limit = Limit {
        limiter: RateLimiter::new(
            dynamodb(r#"{"Attributes":{"tat":{"N":"1"}}}"#),
            "requests".into(),
            Clock::System,
        ),
        quota: Quota::new("uploads", 100, Duration::from_mins(1)),
        subject: Subject::User,
        unavailable: Unavailable::Admit,
    };
    let mut group = c.benchmark_group("request");
    for (name, router) in [
        ("bare", endpoint()),
        ("idempotent", idempotency::wrapped(endpoint(), records("{}"))),
        ("rate-limited", limited(endpoint(), limit)),
    ] {
        let router = app(router);
        group.bench_function(name, |b| {
            b.to_async(&runtime).iter_batched(
                request,
                |request| {
                    let router = router.clone();
                    async move {
                        let response = router.oneshot(request).await.unwrap();
                        assert_eq!(response.status(), 200);
                        response
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    // The share of the DynamoDB SDK: one request, signed and parsed, but not sent.
    let client = dynamodb("{}");
    group.bench_function("one SDK call", |b| {
        b.to_async(&runtime).iter(|| {
            client
                .get_item()
                .table_name("t")
                .key("id", aws_sdk_dynamodb::types::AttributeValue::S("1".into()))
                .send()
        });
    });
    group.finish();
}

/// A list of 20 entries, without and with what [`app`] adds to it.
fn edge(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let entry = |number| {
        json!({"id": format!("doc_01M7YRRT80000000000000{number:04}"), "name": format!("{number}.pdf"),
            "status": "ready", "size": 1_000 + number * 7_919, "created_at": "2026-11-21T10:00:00Z"})
    };
    // Shared, because a router clones its handlers.
    let list = Arc::new(json!({"documents": (0..20).map(entry).collect::<Vec<_>>()}));
    let bytes = list.to_string().len();
    let handler = async move || axum::Json(list.as_ref()).into_response();
    let bare = Router::new().route("/v1/documents", get(handler));
    let whole = app(bare.clone());
    let tag = {
        let request = Request::get("/v1/documents").body(Body::empty()).unwrap();
        let answer = runtime.block_on(whole.clone().oneshot(request)).unwrap();
        answer.headers()["etag"].to_str().unwrap().to_owned()
    };
    let mut group = c.benchmark_group(format!("list of {bytes} bytes"));
    for (name, router, header, value) in [
        ("without the edge", bare, "accept", "*/*"),
        ("tagged", whole.clone(), "accept", "*/*"),
        ("not modified", whole.clone(), "if-none-match", tag.as_str()),
        ("compressed", whole, "accept-encoding", "gzip"),
    ] {
        group.bench_function(name, |b| {
            b.to_async(&runtime).iter(|| {
                let request = Request::get("/v1/documents").header(header, value);
                router.clone().oneshot(request.body(Body::empty()).unwrap())
            });
        });
    }
    group.finish();
}

fn hashes(c: &mut Criterion) {
    let item = json!({"sku": "A-1", "quantity": 2, "price": {"amount": 1999, "currency": "EUR"}, "note": "für 🦀"});
    let mut group = c.benchmark_group("canonical JSON");
    for count in [8, 600] {
        let body = serde_json::to_vec(&vec![item.clone(); count]).unwrap();
        group.bench_function(format!("{} bytes", body.len()), |b| {
            b.iter(|| canonical(black_box(&body)).unwrap());
        });
    }
    group.finish();
}

fn batches(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let record = |id: usize| {
        json!({"messageId": id.to_string(), "receiptHandle": "r", "body": r#"{"document_id":"doc_1"}"#,
            "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
            "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:jobs"})
    };
    let records: Vec<Value> = (0..10).map(record).collect();
    let event: shared::batch::SqsEvent =
        serde_json::from_value(json!({ "Records": records })).unwrap();
    let mut context = Context::default();
    context.deadline = u64::MAX / 2_000_000;
    let (invocation, consumer) = (Invocation::of(&context, None), consumer());
    c.bench_function("batch of 10", |b| {
        b.to_async(&runtime).iter_batched(
            || event.clone(),
            |event| consumer.consume(event, &invocation, async |_: Message<Value>| Ok(())),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, requests, edge, hashes, batches);
criterion_main!(benches);
