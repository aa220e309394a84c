//! The adapter for Bedrock: the body of the Converse request, and the handling of answers and errors.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, Credentials, Region};
use extraction::model::{Completion, Request, Stop};
use extraction::{ModelConfig, ModelError, Structured, Timeouts, Usage};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn request() -> Request {
    Request {
        system: "Extract.".into(),
        user: "Text".into(),
        schema_name: "invoice".into(),
        schema: json!({"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": false}),
        max_tokens: 50,
    }
}

async fn ask(
    server: &MockServer,
    structured: Structured,
    timeouts: Timeouts,
) -> Result<Completion, ModelError> {
    let config = aws_sdk_bedrockruntime::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "test"))
        .endpoint_url(server.uri())
        .build();
    let model = ModelConfig::Bedrock {
        model_id: "amazon.nova-lite-v1:0".into(),
        structured,
        temperature: Some(0.0),
    };
    model.connect(timeouts, || Client::from_conf(config)).unwrap().complete(&request()).await
}

async fn answering(
    template: ResponseTemplate,
    structured: Structured,
) -> (Result<Completion, ModelError>, Vec<Value>) {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/model/amazon.nova-lite-v1%3A0/converse"))
        .respond_with(template)
        .mount(&server)
        .await;
    let result = ask(&server, structured, Timeouts::default()).await;
    let requests = server.received_requests().await.unwrap();
    (
        result,
        requests.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect(),
    )
}

fn message(content: &Value, stop: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "output": {"message": {"role": "assistant", "content": content}}, "stopReason": stop,
        "usage": {"inputTokens": 30, "outputTokens": 7, "totalTokens": 37}, "metrics": {"latencyMs": 5},
    }))
}

#[tokio::test]
async fn structured_output_uses_output_config() {
    let text = json!([{"text": "{\"n\":"}, {"text": "1}"}]);
    let (answer, bodies) = answering(message(&text, "end_turn"), Structured::Schema).await;
    assert_eq!(
        answer,
        Ok(Completion {
            text: "{\"n\":1}".into(),
            usage: Some(Usage { input_tokens: 30, output_tokens: 7, estimated: false }),
            stop: Stop::Finished,
        })
    );
    assert_eq!(
        bodies,
        [json!({
            "system": [{"text": "Extract."}],
            "messages": [{"role": "user", "content": [{"text": "Text"}]}],
            "inferenceConfig": {"maxTokens": 50, "temperature": 0.0},
            "outputConfig": {"textFormat": {
                "type": "json_schema",
                "structure": {"jsonSchema": {"name": "invoice", "schema": request().schema.to_string()}},
            }},
        })]
    );
}

#[tokio::test]
async fn a_tool_is_forced_and_its_input_is_the_answer() {
    for (structured, strict) in [(Structured::Tool, None), (Structured::StrictTool, Some(true))] {
        let content = json!([
            {"text": "I record."},
            {"toolUse": {"toolUseId": "t", "name": "record", "input": {"n": 1}}},
        ]);
        let (answer, bodies) = answering(message(&content, "tool_use"), structured).await;
        assert_eq!(answer.unwrap().text, "{\"n\":1}");
        let mut spec = json!({
            "name": "record", "description": "Records the document's data.", "inputSchema": {"json": request().schema},
        });
        if let Some(strict) = strict {
            spec["strict"] = json!(strict);
        }
        let expected =
            json!({"tools": [{"toolSpec": spec}], "toolChoice": {"tool": {"name": "record"}}});
        assert_eq!(bodies[0]["toolConfig"], expected);
        assert!(bodies[0].get("outputConfig").is_none());
    }
}

#[tokio::test]
async fn another_tool_or_no_tool_is_a_bad_answer() {
    let other = json!([{"toolUse": {"toolUseId": "t", "name": "send_mail", "input": {"n": 1}}}]);
    assert_eq!(answering(message(&other, "tool_use"), Structured::Tool).await.0.unwrap().text, "");
    let words = json!([{"text": "{\"n\":1}"}]);
    assert_eq!(answering(message(&words, "end_turn"), Structured::Tool).await.0.unwrap().text, "");
    let unasked = json!([{"toolUse": {"toolUseId": "t", "name": "record", "input": {"n": 1}}}]);
    assert_eq!(
        answering(message(&unasked, "tool_use"), Structured::Schema).await.0.unwrap().text,
        ""
    );
}

#[tokio::test]
async fn each_stop_reason_has_its_meaning() {
    let stopped = async |reason: &str| {
        answering(message(&json!([{"text": "{}"}]), reason), Structured::Schema).await.0
    };
    assert_eq!(stopped("max_tokens").await.unwrap().stop, Stop::MaxTokens);
    assert_eq!(stopped("malformed_model_output").await.unwrap().stop, Stop::Finished);
    assert_eq!(stopped("content_filtered").await, Err(ModelError::Refused));
    assert_eq!(stopped("guardrail_intervened").await, Err(ModelError::Refused));
    assert_eq!(stopped("model_context_window_exceeded").await, Err(ModelError::TooLong));
}

#[tokio::test]
async fn each_error_has_its_kind_and_is_not_retried() {
    let failed = async |status: u16, code: &str, message: &str| {
        let template = ResponseTemplate::new(status)
            .insert_header("x-amzn-errortype", code)
            .set_body_json(json!({"message": message}));
        let (result, bodies) = answering(template, Structured::Schema).await;
        assert_eq!(bodies.len(), 1, "{code} is tried again");
        result.unwrap_err()
    };
    assert_eq!(
        failed(429, "ThrottlingException", "").await,
        ModelError::Throttled { retry_after: None }
    );
    assert_eq!(failed(408, "ModelTimeoutException", "").await, ModelError::TimedOut);
    for (status, code) in [
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
        (429, "ModelNotReadyException"),
        (424, "ModelErrorException"),
    ] {
        assert_eq!(failed(status, code, "").await, ModelError::Unavailable(code.into()));
    }
    assert_eq!(failed(502, "", "").await, ModelError::Unavailable("502".into()));
    assert_eq!(
        failed(400, "ValidationException", "Input is too long for requested model.").await,
        ModelError::TooLong
    );
    for (status, code) in [
        (400, "ValidationException"),
        (403, "AccessDeniedException"),
        (404, "ResourceNotFoundException"),
        (403, "UnrecognizedClientException"),
    ] {
        let error = failed(status, code, "the model is not enabled").await;
        assert!(
            matches!(&error, ModelError::Misconfigured(what) if what.contains("not enabled") && what.contains(code)),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn no_answer_is_a_timeout_and_no_server_is_unavailable() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    Mock::given(method("POST")).respond_with(slow).mount(&server).await;
    let timeouts = Timeouts { call: Duration::from_millis(100), ..Timeouts::default() };
    assert_eq!(ask(&server, Structured::Schema, timeouts).await, Err(ModelError::TimedOut));

    // The server's port is free again once it is dropped.
    let config = aws_sdk_bedrockruntime::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "test"))
        .endpoint_url("http://127.0.0.1:9")
        .build();
    let model = ModelConfig::Bedrock {
        model_id: "m".into(),
        structured: Structured::Schema,
        temperature: None,
    };
    let model = model.connect(Timeouts::default(), || Client::from_conf(config)).unwrap();
    let error = model.complete(&request()).await.unwrap_err();
    assert!(matches!(error, ModelError::Unavailable(_)), "{error:?}");
}
