//! A function as Lambda runs it, with a Runtime API that the test holds in its hands.

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

/// A Runtime API that has these events, one after the other, and then none for ever. Everything else
/// that is asked of it, it takes: it is SQS, and a collector of traces, that answers after `delay`.
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

    /// With a fault in it, if the build knows faults.
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

    /// All that was asked of the server, once `count` invocations have been answered and the function
    /// asks for one more.
    async fn asked(&mut self, count: usize) -> Vec<Request> {
        loop {
            let ended = self.process.try_wait().unwrap();
            assert_eq!(ended, None, "the function has ended");
            let asked = self.server.received_requests().await.unwrap();
            let polls = asked.iter().filter(|request| request.url.path() == NEXT).count();
            if polls > count {
                return asked;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the function has written to standard output.
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

fn answers(asked: &[Request]) -> Vec<Value> {
    let answers = asked.iter().filter(|request| request.url.path().ends_with("/response"));
    answers.map(|request| request.body_json().unwrap()).collect()
}

#[tokio::test]
async fn a_panic_in_one_record_fails_that_record_alone() {
    let server = runtime_api(&[&["one", "panic", "two"], &["three"]], Duration::ZERO).await;
    let mut running = Running::start(server);
    let asked = running.asked(2).await;
    assert_eq!(
        answers(&asked),
        [
            json!({"batchItemFailures": [{"itemIdentifier": "panic"}]}),
            json!({"batchItemFailures": []}),
        ]
    );
}

#[tokio::test]
async fn what_an_invocation_counts_is_out_before_the_next() {
    let mut running =
        Running::start(runtime_api(&[&["one", "fail", "two"], &["three"]], Duration::ZERO).await);
    running.asked(2).await;
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
    // As CloudWatch wants it.
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
    let asked = running.asked(1).await;
    let order: Vec<_> =
        asked.iter().map(|request| request.url.path().rsplit('/').next().unwrap()).collect();
    assert_eq!(order, ["next", "response", "traces", "next"]);
    // Protocol buffers hold ids as they are.
    let trace: Vec<u8> = u128::to_be_bytes(0x5759_e988_bd86_2e3f_e1be_46a9_9427_2793).into();
    let parent: Vec<u8> = u64::to_be_bytes(0x5399_5c3f_42cd_8ad8).into();
    let spans = &asked[2].body;
    let count = |id: &[u8]| spans.windows(id.len()).filter(|window| *window == id).count();
    assert_eq!(count(&trace), 2, "the invocation's span and its record's");
    assert_eq!(count(&parent), 1);
}

#[cfg(feature = "otlp")]
#[tokio::test]
async fn a_collector_that_hangs_delays_no_answer() {
    let mut running = Running::start(runtime_api(&[&["one"], &["two"], &["three"]], NEVER).await);
    let asked = running.asked(3).await;
    assert_eq!(answers(&asked).len(), 3);
}

#[cfg(feature = "failpoints")]
#[tokio::test]
async fn a_function_crashes_where_it_is_told_to() {
    let server = runtime_api(&[&["one", "fail"]], Duration::ZERO).await;
    let mut running = Running::start_with(server, "batch.put_back:crash-before");
    let ended = running.process.wait().await.unwrap();
    assert!(!ended.success());
    let asked = running.server.received_requests().await.unwrap();
    assert!(answers(&asked).is_empty());
    assert_eq!(asked.len(), 1, "it was told of the event, and did nothing after");
}
