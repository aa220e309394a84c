//! The production time-outs, against a server that is slower than the default time-out of one try.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use aws_config::SdkConfig;
use documents::document::DocumentId;
use documents::model;
use documents::objects::{self, Objects};
use documents::store::Key;
use extraction::ModelConfig;
use extraction::Structured;
use extraction::model::Request;
use serde_json::json;
use shared::clock::Clock;
use shared::id::Ids;
use testing::account;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Longer than the default time-out of one try.
const SLOW: Duration = Duration::from_millis(3500);

async fn slow(answer: ResponseTemplate) -> (MockServer, SdkConfig) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer.set_delay(SLOW)).mount(&server).await;
    let aws = account::at(&server.uri()).await;
    (server, aws)
}

async fn slow_bucket(xml: &str) -> (MockServer, Objects) {
    let (server, aws) = slow(ResponseTemplate::new(200).set_body_raw(xml, "text/xml")).await;
    (server, Objects::new(objects::client(&aws), "bucket".into()))
}

async fn requests(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

fn key() -> Key {
    let ids = Ids::random(Clock::System);
    let id: DocumentId = ids.next();
    (ids.next(), id)
}

#[tokio::test]
async fn a_model_call_has_a_longer_time_out() {
    let body = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "{}"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    });
    let (server, aws) = slow(ResponseTemplate::new(200).set_body_json(body)).await;
    let (structured, temperature) = (Structured::Schema, Some(0.0));
    let config = ModelConfig::Bedrock { model_id: "m".into(), structured, temperature };
    let request = Request {
        system: "Extract.".into(),
        user: "Text".into(),
        schema_name: "thing".into(),
        schema: json!({"type": "object"}),
        max_tokens: 50,
    };
    let answer = model::connect(config, &aws).unwrap().complete(&request).await;
    assert_eq!(answer.unwrap().text, "{}");
    assert_eq!(requests(&server).await, 1);
}

#[tokio::test]
async fn completing_parts_has_a_longer_time_out() {
    let xml = "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>";
    let (server, objects) = slow_bucket(xml).await;
    objects.complete_parts(key(), "upload", Vec::new()).await.unwrap();
    assert_eq!(requests(&server).await, 1);
}

#[tokio::test]
async fn copying_has_a_longer_time_out() {
    let xml = "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>";
    let (server, objects) = slow_bucket(xml).await;
    objects.copy("text/a", "text/b").await.unwrap().unwrap();
    assert_eq!(requests(&server).await, 1);
}

#[tokio::test]
async fn storing_has_a_longer_time_out() {
    let (server, objects) = slow_bucket("").await;
    objects.store("text/a", "text/plain", b"text".to_vec()).await.unwrap();
    assert_eq!(requests(&server).await, 1);
}

#[tokio::test]
async fn other_calls_time_out() {
    let (_server, objects) = slow_bucket("").await;
    let deleted = objects.delete_upload(key(), "1").await;
    assert!(deleted.unwrap_err().trail().contains("timeout"));
}
