//! Runs a function as Lambda does, against a Runtime API that the test controls.

#![cfg(feature = "example")]
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

/// Longer than any test.
const NEVER: Duration = Duration::from_hours(1);

/// A Runtime API that gives these events, one after the other, and then none. It is also an SQS that
/// accepts every request, and a trace collector that answers after `delay`.
async fn runtime_api(events: &[&[&str]], delay: Duration) -> MockServer {
    let server = MockServer::start().await;
    for (index, bodies) in events.iter().enumerate() {
        let record = |body: &&str| {
            json!({
                "messageId": body, "receiptHandle": format!("handle-{body}"),
                "body": json!(body).to_string(), "messageAttributes": {},
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:jobs",
            })
        };
        let records: Vec<Value> = bodies.iter().map(record).collect();
        let deadline = jiff::Timestamp::now().as_millisecond() + 60_000;
        let event = ResponseTemplate::new(200)
            .set_body_json(json!({ "Records": records }))
            .insert_header("lambda-runtime-aws-request-id", format!("req-{index}").as_str())
            .insert_header("lambda-runtime-deadline-ms", deadline.to_string().as_str())
            .insert_header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:x:1:function:f")
            .insert_header("lambda-runtime-trace-id", TRACE);
        let next = Mock::given(method("GET")).and(path(NEXT)).respond_with(event);
        next.up_to_n_times(1).mount(&server).await;
    }
    let none = ResponseTemplate::new(200).set_delay(NEVER);
    Mock::given(method("GET")).and(path(NEXT)).respond_with(none).mount(&server).await;
    let taken = ResponseTemplate::new(202);
    Mock::given(path_regex("/response$")).respond_with(taken).mount(&server).await;
    let collected = ResponseTemplate::new(200).set_delay(delay);
    Mock::given(path("/v1/traces")).respond_with(collected).mount(&server).await;
    let put_back =
        ResponseTemplate::new(200).set_body_json(json!({"Successful": [], "Failed": []}));
    Mock::given(path("/")).respond_with(put_back).mount(&server).await;
    server
}

struct Running {
    process: Child,
    server: MockServer,
}

impl Running {
    fn start(server: MockServer) -> Self {
        Self::start_with(server, "")
    }

    /// Starts the function with a fault, which takes effect in a build with `failpoints`.
    fn start_with(server: MockServer, fault: &str) -> Self {
        let process = Command::new(env!("CARGO_BIN_EXE_example-function"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", server.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "example-function")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ENDPOINT_URL", server.uri())
            .env("FAULT", fault)
            .env("QUEUE_URL", format!("{}/jobs", server.uri()))
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", server.uri())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { process, server }
    }

    /// Waits until the function has answered `count` invocations and requests the next event. Gives all
    /// requests that the server received.
    async fn requests(&mut self, count: usize) -> Vec<Request> {
        loop {
            let ended = self.process.try_wait().unwrap();
            assert_eq!(ended, None, "the function has ended");
            let requests = self.server.received_requests().await.unwrap();
            let polls = requests.iter().filter(|request| request.url.path() == NEXT).count();
            if polls > count {
                return requests;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The lines that the function has written to standard output.
    async fn written(mut self) -> Vec<Value> {
        self.process.start_kill().unwrap();
        let mut lines = BufReader::new(self.process.stdout.take().unwrap()).lines();
        let mut written = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            written.push(serde_json::from_str(&line).unwrap());
        }
        written
    }
}

fn answers(requests: &[Request]) -> Vec<Value> {
    let answers = requests.iter().filter(|request| request.url.path().ends_with("/response"));
    answers.map(|request| request.body_json().unwrap()).collect()
}

#[tokio::test]
async fn a_panic_in_one_record_fails_that_record_alone() {
    let server = runtime_api(&[&["one", "panic", "two"], &["three"]], Duration::ZERO).await;
    let mut running = Running::start(server);
    let requests = running.requests(2).await;
    assert_eq!(
        answers(&requests),
        [
            json!({"batchItemFailures": [{"itemIdentifier": "panic"}]}),
            json!({"batchItemFailures": []}),
        ]
    );
}

#[tokio::test]
async fn metrics_of_an_invocation_are_written_before_the_next() {
    let mut running =
        Running::start(runtime_api(&[&["one", "fail", "two"], &["three"]], Duration::ZERO).await);
    running.requests(2).await;
    let written = running.written().await;
    let metrics: Vec<_> = written.iter().filter(|line| line.get("_aws").is_some()).collect();
    assert_eq!(metrics.len(), 2, "{written:?}");
    let (first, second) = (metrics[0], metrics[1]);
    for (line, name, value) in [
        (first, "ColdStart", json!(1)),
        (first, "MessagesSeen", json!(3)),
        (first, "RecordsSucceeded", json!(2)),
        (first, "RecordsFailed", json!(1)),
        (first, "Success", json!(1)),
        (second, "MessagesSeen", json!(1)),
        (second, "RecordsSucceeded", json!(1)),
    ] {
        assert_eq!(line[name], value, "{name}");
    }
    assert_eq!((second.get("ColdStart"), second.get("RecordsFailed")), (None, None));
    assert_eq!(first["Latency"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&first["service"], &first["function_name"]),
        (&json!("example"), &json!("example-function"))
    );
    assert_eq!(
        (&first["function_request_id"], &second["function_request_id"]),
        (&json!("req-0"), &json!("req-1"))
    );
    // The format of CloudWatch.
    let directive = &first["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "Arsenal");
    assert_eq!(directive["Dimensions"], json!([["service", "function_name"]]));
    for metric in directive["Metrics"].as_array().unwrap() {
        assert!(first.get(metric["Name"].as_str().unwrap()).is_some(), "{metric}");
    }
}

#[cfg(feature = "otlp")]
#[tokio::test]
async fn spans_are_sent_after_the_answer_in_the_trace_of_the_caller() {
    let mut running = Running::start(runtime_api(&[&["one"]], Duration::ZERO).await);
    let requests = running.requests(1).await;
    let order: Vec<_> =
        requests.iter().map(|request| request.url.path().rsplit('/').next().unwrap()).collect();
    assert_eq!(order, ["next", "response", "traces", "next"]);
    // Protocol buffers contain the bytes of the ids unchanged.
    let trace: Vec<u8> = u128::to_be_bytes(0x5759_e988_bd86_2e3f_e1be_46a9_9427_2793).into();
    let parent: Vec<u8> = u64::to_be_bytes(0x5399_5c3f_42cd_8ad8).into();
    let spans = &requests[2].body;
    let count = |id: &[u8]| spans.windows(id.len()).filter(|window| *window == id).count();
    assert_eq!(count(&trace), 2, "the invocation's span and its record's");
    assert_eq!(count(&parent), 1);
}

#[cfg(feature = "otlp")]
#[tokio::test]
async fn a_collector_that_hangs_delays_no_answer() {
    let mut running = Running::start(runtime_api(&[&["one"], &["two"], &["three"]], NEVER).await);
    let requests = running.requests(3).await;
    assert_eq!(answers(&requests).len(), 3);
}

#[cfg(feature = "failpoints")]
#[tokio::test]
async fn a_function_crashes_at_the_configured_fault() {
    let server = runtime_api(&[&["one", "fail"]], Duration::ZERO).await;
    let mut running = Running::start_with(server, "batch.put_back:crash-before");
    let ended = running.process.wait().await.unwrap();
    assert!(!ended.success());
    let requests = running.server.received_requests().await.unwrap();
    assert!(answers(&requests).is_empty());
    assert_eq!(requests.len(), 1, "the only request is the one for the event");
}
