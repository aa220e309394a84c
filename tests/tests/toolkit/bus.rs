//! The bus, with a real EventBridge API, and with its recorded refusals.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::bus::{Bus, Event};
use shared::fault::{Run, walk};
use testing::account;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::batches::a_minute;

const SOURCE: &str = "arsenal.tests";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Data {
    pages: u32,
}

fn ready() -> Event<Data> {
    let at = "2026-11-21T10:00:00.123Z".parse().unwrap();
    let event = Event::new("document.ready", "doc_1-4", at, Data { pages: 3 });
    event.subject(&"doc_1").tenant(&"ten_1")
}

#[tokio::test]
async fn a_subscriber_gets_the_envelope() {
    let aws = account::empty().await;
    let client = aws_sdk_eventbridge::Client::new(&aws);
    client.create_event_bus().name("events").send().await.unwrap();
    let subscriber = account::subscriber(&aws, "events", SOURCE).await;
    let others = account::subscriber(&aws, "events", "arsenal.others").await;

    let bus = Bus::new(client, "events".into(), SOURCE);
    let invocation = a_minute().caused_by(Some("api-request-7".into()), None);
    let trace = invocation.trace.traceparent();
    invocation.scope(bus.publish(ready())).await.unwrap();

    let messages = account::drain(&aws, &subscriber).await;
    let envelope: Value = serde_json::from_str(&messages[0]).unwrap();
    let expected = json!({
        "specversion": "1.0", "type": "document.ready", "dataversion": "1", "source": SOURCE,
        "id": "doc_1-4", "time": "2026-11-21T10:00:00.123Z", "subject": "doc_1",
        "tenant": "ten_1", "traceparent": trace, "correlationid": "api-request-7",
        "datacontenttype": "application/json", "data": {"pages": 3},
    });
    assert_eq!((envelope, messages.len()), (expected, 1));
    let event: Event<Data> = serde_json::from_str(&messages[0]).unwrap();
    assert_eq!(event.data, Data { pages: 3 });
    assert!(account::drain(&aws, &others).await.is_empty());
}

#[tokio::test]
async fn an_event_that_is_published_again_has_the_same_id() {
    walk(async |run: Run| {
        let aws = account::empty().await;
        let subscriber = account::subscriber(&aws, "default", SOURCE).await;
        let bus = Bus::new(aws_sdk_eventbridge::Client::new(&aws), "default".into(), SOURCE);
        let attempt = run.attempt(bus.publish(ready())).await;
        bus.publish(ready()).await.unwrap();
        drop(attempt.resume().await);
        let messages = account::drain(&aws, &subscriber).await;
        let id = |message: &String| serde_json::from_str::<Event<Data>>(message).unwrap().id;
        assert!(!messages.is_empty() && messages.iter().all(|it| id(it) == "doc_1-4"));
    })
    .await;
}

/// EventBridge answers 200 when it refuses an entry.
#[tokio::test]
async fn an_event_that_the_bus_refuses_is_an_error() {
    let refusal = json!({
        "FailedEntryCount": 1,
        "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}],
    });
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(refusal);
    Mock::given(any()).respond_with(answer).mount(&server).await;

    let aws = account::at(&server.uri()).await;
    let bus = Bus::new(aws_sdk_eventbridge::Client::new(&aws), "default".into(), SOURCE);
    let error = bus.publish(ready()).await.unwrap_err();
    assert_eq!(error.trail(), "the bus refused the event doc_1-4: InternalFailure");
}
