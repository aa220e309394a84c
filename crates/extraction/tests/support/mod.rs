//! A server with OpenAI's chat completions whose answers the test defines.

#![allow(dead_code)]

use std::sync::{Arc, Mutex};

use extraction::{Dialect, Extractor, Limits, ModelConfig, Page, Price, Timeouts};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// The requests that the server received.
pub(crate) type Seen = Arc<Mutex<Vec<Value>>>;

/// Starts a server that calls `answer` with each request's number (from 0) and body, and returns the result as message
/// content.
pub(crate) async fn server(
    answer: impl Fn(usize, &Value) -> String + Send + Sync + 'static,
) -> (MockServer, Seen) {
    responding(move |number, body| {
        completion(&json!({"role": "assistant", "content": answer(number, body)}), "stop")
    })
    .await
}

/// Like [`server`], but `answer` returns the whole response.
pub(crate) async fn responding(
    respond: impl Fn(usize, &Value) -> ResponseTemplate + Send + Sync + 'static,
) -> (MockServer, Seen) {
    let server = MockServer::start().await;
    let seen = Seen::default();
    let record = Arc::clone(&seen);
    let responder = move |request: &Request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let mut seen = record.lock().unwrap();
        seen.push(body);
        respond(seen.len() - 1, &seen[seen.len() - 1])
    };
    Mock::given(method("POST"))
        .and(path("/v1/chat/completions"))
        .respond_with(responder)
        .mount(&server)
        .await;
    (server, seen)
}

/// A chat completion that used 100 input and 20 output tokens.
pub(crate) fn completion(message: &Value, finish: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "id": "x", "object": "chat.completion", "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }))
}

pub(crate) fn limits() -> Limits {
    Limits { chunk_tokens: 1_000, answer_tokens: 500, parallel: 1, ..Limits::default() }
}

pub(crate) fn extractor(server: &MockServer, limits: Limits) -> Extractor {
    let config = ModelConfig::OpenAiCompatible {
        base_url: server.uri(),
        model: "m".into(),
        api_key: None,
        json_schema: true,
        dialect: Dialect::Bounded,
        temperature: Some(0.0),
    };
    let model = config.connect(Timeouts::default(), || unreachable!()).unwrap();
    Extractor::new(model, limits, Some(Price { input: 1_000_000, output: 2_000_000 }))
}

pub(crate) fn pages(texts: &[&str]) -> Vec<Page> {
    texts.iter().zip(1..).map(|(text, number)| Page { number, text: (*text).to_owned() }).collect()
}

/// The text of a request's user message.
pub(crate) fn user(body: &Value) -> &str {
    body["messages"][1]["content"].as_str().unwrap()
}
