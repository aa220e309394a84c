//! The relay: new items of a table, once each at least, in the order of their keys.

use std::sync::Mutex;

use serde_json::{Value, json};
use shared::batch::Failure;
use shared::queue::Queue;
use shared::relay::Relay;
use testing::account;
use tokio::sync::Barrier;

use crate::batches::{Queues, a_minute};

/// A record of an item `pk`, whose text tells the handler what to do.
fn record(number: u32, pk: &str, does: &str) -> Value {
    json!({
        "eventID": format!("event-{number}"), "eventName": "INSERT",
        "dynamodb": {
            "Keys": {"pk": {"S": pk}}, "SequenceNumber": number.to_string(),
            "NewImage": {"pk": {"S": pk}, "does": {"S": does}},
        },
    })
}

#[derive(serde::Deserialize)]
struct Item {
    pk: String,
    does: String,
}

struct Relayed {
    queues: Queues,
    items: Mutex<Vec<String>>,
}

impl Relayed {
    async fn new() -> Self {
        Self { queues: Queues::new(false).await, items: Mutex::default() }
    }

    async fn batch(&self, records: &[Value]) -> shared::Result<()> {
        let relay =
            Relay::new(Queue::new(self.queues.client.clone(), self.queues.dead_letters.clone()));
        let batch = serde_json::from_value(json!({ "Records": records })).unwrap();
        let handler = async |Item { pk, does }: Item| {
            tokio::task::yield_now().await;
            self.items.lock().unwrap().push(format!("{pk} {does}"));
            match does.as_str() {
                "fails" => Err(shared::Error::internal("no").into()),
                "never" => Err(Failure::permanent("no")),
                "panics" => panic!("no"),
                _ => Ok(()),
            }
        };
        relay.batch(batch, &a_minute(), handler).await
    }

    fn items(&self) -> Vec<String> {
        let mut items = std::mem::take(&mut *self.items.lock().unwrap());
        // Keys are handled at once; the order within a key is kept.
        items.sort_by_key(|item| item.split(' ').next().unwrap().to_owned());
        items
    }
}

#[tokio::test]
async fn new_items_are_handled_in_the_order_of_their_key() {
    let relayed = Relayed::new().await;
    let mut records: Vec<_> = (0..40)
        .map(|number| {
            record(number, ["a", "b", "c", "d"][number as usize % 4], &number.to_string())
        })
        .collect();
    records.push(record(40, "e", "modified"));
    records[40]["eventName"] = json!("MODIFY");
    records.push(record(41, "e", "removed"));
    records[41]["eventName"] = json!("REMOVE");
    records[41]["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    relayed.batch(&records).await.unwrap();
    let of = |first: u32, pk: &str| {
        (0..10).map(|n| format!("{pk} {}", first + 4 * n)).collect::<Vec<_>>()
    };
    assert_eq!(relayed.items(), [of(0, "a"), of(1, "b"), of(2, "c"), of(3, "d")].concat());
}

#[tokio::test]
async fn keys_are_handled_at_once() {
    let together = Barrier::new(2);
    let queues = Queues::new(false).await;
    let relay = Relay::new(Queue::new(queues.client.clone(), queues.dead_letters.clone()));
    let records = [record(1, "a", "waits"), record(2, "b", "waits")];
    let batch = serde_json::from_value(json!({ "Records": records })).unwrap();
    let handler = async |_: Item| {
        together.wait().await;
        Ok(())
    };
    relay.batch(batch, &a_minute(), handler).await.unwrap();
}

#[tokio::test]
async fn a_failure_stops_only_its_key() {
    for failure in ["fails", "panics"] {
        let relayed = Relayed::new().await;
        let records = [
            record(1, "a", "works"),
            record(2, "a", failure),
            record(3, "b", "works"),
            record(4, "a", "waits"),
            record(5, "b", "works too"),
        ];
        let error = relayed.batch(&records).await.unwrap_err();
        assert_eq!(error.trail(), "an item was not relayed");
        let expected =
            ["a works".to_owned(), format!("a {failure}"), "b works".into(), "b works too".into()];
        assert_eq!(relayed.items(), expected);
    }
}

#[tokio::test]
async fn an_item_that_can_never_be_handled_goes_to_the_dead_letters_whole() {
    let relayed = Relayed::new().await;
    let mut unreadable = record(2, "a", "");
    unreadable["dynamodb"]["NewImage"]["does"] = json!({"N": "1"});
    let records = [record(1, "a", "never"), unreadable, record(3, "a", "works")];
    relayed.batch(&records).await.unwrap();
    assert_eq!(relayed.items(), ["a never", "a works"]);
    let aws = &relayed.queues;
    let mut dead = Vec::new();
    while dead.len() < 2 {
        dead.extend(aws.receive(&aws.dead_letters).await);
    }
    let bodies: Vec<Value> =
        dead.iter().map(|it| serde_json::from_str(it["body"].as_str().unwrap()).unwrap()).collect();
    assert!(records[..2].iter().all(|record| bodies.contains(record)), "{bodies:?}");
}

#[tokio::test]
async fn an_item_stays_in_the_stream_if_the_dead_letter_queue_is_away() {
    let aws = account::empty().await;
    let client = aws_sdk_sqs::Client::new(&aws);
    let url = account::queue(&aws).await;
    let relay = Relay::new(Queue::new(client, format!("{url}-none")));
    let batch = serde_json::from_value(json!({"Records": [record(1, "a", "never")]})).unwrap();
    let handler = async |_: Item| Err(Failure::permanent("no"));
    relay.batch(batch, &a_minute(), handler).await.unwrap_err();
}

#[tokio::test]
async fn an_item_that_has_failed_for_ten_minutes_is_given_up_whole() {
    let now = jiff::Timestamp::now().as_second();
    for (age, is_given_up) in [(0, false), (500, false), (700, true)] {
        let relayed = Relayed::new().await;
        let mut fails = record(1, "a", "fails");
        fails["dynamodb"]["ApproximateCreationDateTime"] = json!(now - age);
        let records = [fails.clone(), record(2, "a", "works")];
        assert_eq!(relayed.batch(&records).await.is_ok(), is_given_up, "{age} s");
        let dead = relayed.queues.receive(&relayed.queues.dead_letters).await;
        let bodies: Vec<Value> = dead
            .iter()
            .map(|it| serde_json::from_str(it["body"].as_str().unwrap()).unwrap())
            .collect();
        assert_eq!(bodies, if is_given_up { vec![fails] } else { vec![] });
    }
}
