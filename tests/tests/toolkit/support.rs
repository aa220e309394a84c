//! Helpers for the tests: a table of records, an endpoint that counts its runs, requests to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use axum::Router;
use axum::routing::post;
use http_body_util::BodyExt;
use jiff::SignedDuration;
use lambda_http::http::StatusCode;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::idempotency::Records;
use testing::{account, event};
use tower::ServiceExt;

/// Longer than a claim outside an invocation, which lasts 15 min.
pub(crate) const A_CLAIM: SignedDuration = SignedDuration::from_mins(16);

/// An account with a table of records and a manual clock.
pub(crate) struct System {
    pub(crate) aws: SdkConfig,
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) clock: Clock,
    pub(crate) records: Records,
    pub(crate) sent: Sent,
}

impl System {
    pub(crate) async fn new() -> Self {
        let aws = account::empty().await;
        let table = account::table(&aws, &["id"]).await;
        let clock = Clock::manual(jiff::Timestamp::now());
        let sent = Sent::default();
        let config = aws_sdk_dynamodb::config::Builder::from(&aws).interceptor(sent.clone());
        let client = Client::from_conf(config.build());
        let records = Records::new(client.clone(), table.clone(), clock.clone());
        Self { aws, client, table, clock, records, sent }
    }

    /// All items of the table, as JSON.
    pub(crate) async fn items(&self) -> Vec<Value> {
        let scanned = self.client.scan().table_name(&self.table).send().await.unwrap();
        serde_dynamo::from_items(scanned.items.unwrap_or_default()).unwrap()
    }
}

/// Counts the requests that are sent, retries included.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent(Arc<AtomicU32>);

impl Sent {
    /// Runs `work`; gives its result and the number of requests that were sent meanwhile.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> (T, u32) {
        let before = self.0.load(SeqCst);
        let done = work.await;
        (done, self.0.load(SeqCst) - before)
    }
}

impl Intercept for Sent {
    fn name(&self) -> &'static str {
        "Sent"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, SeqCst);
        Ok(())
    }
}

/// An endpoint with a different answer for each run, and the counter of its runs.
pub(crate) fn counting(status: StatusCode) -> (Router, Arc<AtomicU32>) {
    let ran = Arc::new(AtomicU32::new(0));
    let counter = ran.clone();
    let handler = async move |body: String| {
        let number = counter.fetch_add(1, SeqCst) + 1;
        // Gives other requests the chance to run in between.
        tokio::task::yield_now().await;
        (status, [("location", format!("/v1/things/{number}"))], format!("{number} {body}"))
    };
    (Router::new().route("/v1/documents", post(handler)), ran)
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) replayed: bool,
}

impl Answer {
    /// The last part of a problem's type.
    pub(crate) fn problem(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["type"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
    }

    /// The same answer, without the mark of a replay.
    pub(crate) fn as_first(&self) -> Self {
        Self { replayed: false, ..self.clone() }
    }
}

/// The event of a POST with this `Idempotency-Key` and body, by the user of the sample events.
pub(crate) fn request(key: Option<&str>, body: &str) -> Value {
    let mut sent: Value = serde_json::from_str(&event("documents-create-upload")).unwrap();
    sent["body"] = json!(body);
    match key {
        Some(key) => sent["headers"]["idempotency-key"] = json!(key),
        None => drop(sent["headers"].as_object_mut().unwrap().remove("idempotency-key")),
    }
    sent
}

pub(crate) async fn call(router: &Router, event: &Value) -> Answer {
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let header =
        |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let (location, retry_after) = (header("location"), header("retry-after"));
    let (status, replayed) = (parts.status.as_u16(), header("idempotent-replayed").is_some());
    let body = String::from_utf8(body.to_vec()).unwrap();
    Answer { status, body, location, retry_after, replayed }
}
