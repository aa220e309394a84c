//! The adapter for OpenAI's chat completions: its requests, and the handling of responses.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::time::Duration;

use extraction::model::{Completion, Request, Stop};
use extraction::{ModelConfig, ModelError, Timeouts, Usage};
use serde_json::{Value, json};
use support::{completion, responding};
use wiremock::matchers::header;
use wiremock::{Mock, MockServer, ResponseTemplate};

fn request() -> Request {
    Request {
        system: "Extract.".into(),
        user: "Text".into(),
        schema_name: "invoice".into(),
        schema: json!({"type": "object", "properties": {"a": {"type": "string"}}}),
        max_tokens: 50,
    }
}

async fn ask(
    server: &MockServer,
    config: Value,
    timeouts: Timeouts,
) -> Result<Completion, ModelError> {
    let mut full =
        json!({"provider": "open_ai_compatible", "base_url": server.uri(), "model": "small"});
    full.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    let config: ModelConfig = serde_json::from_value(full).unwrap();
    config.connect(timeouts, || unreachable!()).unwrap().complete(&request()).await
}

async fn answered(template: ResponseTemplate) -> Result<Completion, ModelError> {
    let (server, _) = responding(move |_, _| template.clone()).await;
    ask(&server, json!({}), Timeouts::default()).await
}

#[tokio::test]
async fn the_request_binds_the_model_to_the_schema_and_offers_no_tool() {
    let (server, seen) = support::server(|_, _| "{\"a\":\"x\"}".into()).await;
    let answer = ask(&server, json!({}), Timeouts::default()).await.unwrap();
    assert_eq!(
        answer,
        Completion {
            text: "{\"a\":\"x\"}".into(),
            usage: Some(Usage { input_tokens: 100, output_tokens: 20, estimated: false }),
            stop: Stop::Finished,
        }
    );
    assert_eq!(
        seen.lock().unwrap()[0],
        json!({
            "model": "small", "max_tokens": 50, "temperature": 0.0, "stream": false,
            "messages": [{"role": "system", "content": "Extract."}, {"role": "user", "content": "Text"}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "invoice", "strict": true, "schema": request().schema}},
        })
    );
}

#[tokio::test]
async fn without_json_schema_the_schema_is_in_the_prompt() {
    let (server, seen) = support::server(|_, _| "{}".into()).await;
    ask(&server, json!({"json_schema": false, "temperature": null}), Timeouts::default())
        .await
        .unwrap();
    let body = &seen.lock().unwrap()[0];
    assert!(
        body["messages"][0]["content"].as_str().unwrap().ends_with(&request().schema.to_string())
    );
    assert!(body.get("response_format").is_none() && body.get("temperature").is_none());
}

#[tokio::test]
async fn the_key_is_a_bearer_token() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Bearer secret"))
        .respond_with(completion(&json!({"content": "{}"}), "stop"))
        .expect(1)
        .mount(&server)
        .await;
    ask(&server, json!({"api_key": "secret"}), Timeouts::default()).await.unwrap();
}

#[tokio::test]
async fn each_failure_has_its_kind() {
    let failed = |status: u16, error: Value| {
        answered(ResponseTemplate::new(status).set_body_json(json!({ "error": error })))
    };
    let slow_down = ResponseTemplate::new(429).insert_header("retry-after", "7");
    assert_eq!(
        answered(slow_down).await,
        Err(ModelError::Throttled { retry_after: Some(Duration::from_secs(7)) })
    );
    assert_eq!(failed(429, json!({})).await, Err(ModelError::Throttled { retry_after: None }));
    assert_eq!(
        failed(400, json!({"code": "context_length_exceeded"})).await,
        Err(ModelError::TooLong)
    );
    assert_eq!(
        failed(400, json!({"code": 400, "type": "exceed_context_size_error"})).await,
        Err(ModelError::TooLong)
    );
    assert_eq!(failed(413, json!({})).await, Err(ModelError::TooLong));
    assert_eq!(failed(400, json!({"code": "content_filter"})).await, Err(ModelError::Refused));
    assert_eq!(failed(504, json!({})).await, Err(ModelError::TimedOut));
    for status in [500, 502, 503] {
        let error = failed(status, json!({})).await.unwrap_err();
        assert!(
            matches!(error, ModelError::Unavailable(_)) && error.is_retryable(),
            "{status}: {error}"
        );
    }
    for status in [301, 400, 401, 403, 404] {
        let error = failed(status, json!({"message": "no such model"})).await.unwrap_err();
        assert!(
            matches!(&error, ModelError::Misconfigured(what) if what.contains("no such model")),
            "{status}: {error}"
        );
    }
}

#[tokio::test]
async fn each_response_is_read_by_its_form() {
    let cut = answered(completion(&json!({"content": "{"}), "length")).await.unwrap();
    assert_eq!(cut.stop, Stop::MaxTokens);
    assert_eq!(
        answered(completion(&json!({"refusal": "no"}), "stop")).await,
        Err(ModelError::Refused)
    );
    assert_eq!(
        answered(completion(&json!({"content": "x"}), "content_filter")).await,
        Err(ModelError::Refused)
    );
    // A call of a tool that was not offered is a bad answer.
    let call = json!({"content": null, "tool_calls": [{"function": {"name": "send", "arguments": "{\"a\":\"b\"}"}}]});
    assert_eq!(answered(completion(&call, "tool_calls")).await.unwrap().text, "");
    for body in ["", "<html>", "{}", "{\"choices\":[]}", "[]"] {
        let error = answered(ResponseTemplate::new(200).set_body_string(body)).await.unwrap_err();
        assert!(matches!(error, ModelError::BadAnswer(_)), "{body}: {error}");
    }
    let large = "x".repeat(5 << 20);
    let error = answered(ResponseTemplate::new(200).set_body_string(large)).await.unwrap_err();
    assert!(matches!(error, ModelError::BadAnswer(_)));
}

#[tokio::test]
async fn no_answer_is_a_timeout_and_no_server_is_unavailable() {
    let (server, _) =
        responding(|_, _| ResponseTemplate::new(200).set_delay(Duration::from_mins(1))).await;
    let timeouts = Timeouts { call: Duration::from_millis(100), ..Timeouts::default() };
    assert_eq!(ask(&server, json!({}), timeouts).await, Err(ModelError::TimedOut));

    // A port that was bound and is free again.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nowhere = json!({"base_url": format!("http://127.0.0.1:{port}")});
    let error = ask(&server, nowhere, Timeouts::default()).await.unwrap_err();
    assert_eq!(error, ModelError::Unavailable("no connection".into()));
}
