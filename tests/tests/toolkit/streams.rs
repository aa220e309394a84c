//! Streams: records are handled in order, up to the first failure.

use std::sync::Mutex;

use serde_json::{Value, json};
use shared::batch::{Failure, Message, Stream};
use shared::invocation;
use shared::queue::Queue;

use crate::batches::{Queues, a_minute, handle};

fn change(sequence_number: &str, body: &Value) -> Value {
    json!({
        "eventID": format!("event-{sequence_number}"), "eventName": "INSERT",
        "eventSource": "aws:dynamodb", "awsRegion": "eu-central-1",
        "dynamodb": {
            "Keys": {"pk": {"S": "1"}}, "SequenceNumber": sequence_number, "SizeBytes": 1,
            "StreamViewType": "NEW_IMAGE", "NewImage": body,
        },
    })
}

fn text(body: &str) -> Value {
    json!({"body": {"S": body}, "correlation_id": {"S": "api-request-7"}})
}

#[derive(serde::Deserialize)]
struct Item {
    body: String,
}

async fn changes(stream: &Stream, records: Vec<Value>) -> (Value, Vec<String>) {
    let handled = Mutex::new(Vec::new());
    let event = serde_json::from_value(json!({ "Records": records })).unwrap();
    let invocation = a_minute();
    let answer = stream.changes(event, &invocation, |change: shared::batch::Change<Item>| {
        assert_eq!(invocation::current().unwrap().correlation_id, "api-request-7");
        let body = change.new.unwrap().body;
        handled.lock().unwrap().push(body.clone());
        async {
            let message =
                Message { message_id: String::new(), receive_count: 1, group: None, body };
            handle(message).await
        }
    });
    let answer = serde_json::to_value(answer.await.unwrap()).unwrap();
    (answer, handled.into_inner().unwrap())
}

#[tokio::test]
async fn a_stream_stops_at_its_first_failure() {
    let all =
        vec![change("1", &text("1ok")), change("2", &text("2fails")), change("3", &text("3ok"))];
    let (answer, handled) = changes(&Stream::new(), all).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
    assert_eq!(handled, ["1ok", "2fails"]);
    let (answer, _) = changes(&Stream::new(), vec![change("1", &text("1ok"))]).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    let (answer, _) = changes(&Stream::new(), vec![change("1", &text("1panics"))]).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "1"}]}));
}

#[tokio::test]
async fn a_stream_continues_after_a_permanent_failure() {
    let q = Queues::new(false).await;
    let bad = json!({"body": {"N": "1"}});
    let all = vec![
        change("1", &bad),
        change("2", &text("2never")),
        json!({"dynamodb": {"SequenceNumber": "3"}}),
        change("4", &text("4ok")),
    ];
    let (answer, _) = changes(&Stream::new(), all.clone()).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "1"}]}));

    let giving_up =
        Stream::new().dead_letters(Queue::new(q.client.clone(), q.dead_letters.clone()));
    let (answer, handled) = changes(&giving_up, all).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(handled, ["2never", "4ok"]);
    let mut dead = Vec::new();
    while dead.len() < 3 {
        dead.extend(q.receive(&q.dead_letters).await);
    }
    let bodies: Vec<Value> = dead
        .iter()
        .map(|message| serde_json::from_str(message["body"].as_str().unwrap()).unwrap())
        .collect();
    assert!(bodies.contains(&change("1", &bad)));
}

#[tokio::test]
async fn a_record_without_a_sequence_number_fails_the_batch() {
    let event = serde_json::from_value(json!({"Records": [change("", &text("1ok"))]})).unwrap();
    let invocation = a_minute();
    let stream = Stream::new();
    let answer = stream.changes(event, &invocation, async |_: shared::batch::Change<Item>| Ok(()));
    assert!(answer.await.is_err());
}

#[tokio::test]
async fn kinesis_records_are_typed() {
    use base64::Engine;
    let record = |number: &str, data: &str| {
        let data = base64::prelude::BASE64_STANDARD.encode(data);
        json!({"kinesis": {"partitionKey": "p", "sequenceNumber": number, "data": data,
            "kinesisSchemaVersion": "1.0", "approximateArrivalTimestamp": 1.5}})
    };
    let records = [record("1", r#"{"body":"1ok"}"#), record("2", r#"{"body":"2fails"}"#)];
    let event = serde_json::from_value(json!({ "Records": records })).unwrap();
    let (invocation, stream) = (a_minute(), Stream::new());
    let answer = stream.data(event, &invocation, async |datum: shared::batch::Datum<Item>| {
        assert_eq!(datum.partition_key, "p");
        if datum.data.body == "2fails" { Err(Failure::permanent("no")) } else { Ok(()) }
    });
    let answer = serde_json::to_value(answer.await.unwrap()).unwrap();
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
}
