//! The outbox and the sweeper.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use checkout::ledger::Entry;
use checkout::order::{Event, OrderId, Recorded};
use checkout::public;
use checkout::queues::{Advance, Fold, Tell, Told};
use checkout::relay::Relay;
use checkout::store::OVERDUE_AFTER;
use serde_json::{Value, json};
use shared::fault::{Fault, Run, walk};
use shared::queue::Queue;
use testing::{account, event};

use crate::support::{ORDER, Shop, a_minute, ask, shop};

/// The sample record of the stream, written now, with a change.
fn record(change: impl FnOnce(&mut Value)) -> Value {
    let mut sample: Value = serde_json::from_str(&event("checkout-relay")).unwrap();
    let now = jiff::Timestamp::now().as_second();
    sample["Records"][0]["dynamodb"]["ApproximateCreationDateTime"] = json!(now);
    change(&mut sample["Records"][0]);
    sample["Records"][0].take()
}

/// A record of an event of the sample's order.
fn of_event(event: Value) -> Value {
    let version = event["version"].as_u64().unwrap_or(2);
    record(|record| {
        let image = &mut record["dynamodb"]["NewImage"];
        image["sk"] = json!({"S": format!("EVENT#{version:06}")});
        image["version"] = json!({"N": version.to_string()});
        let event: Event = serde_json::from_value(event).unwrap();
        let event: serde_dynamo::AttributeValue = serde_dynamo::to_attribute_value(event).unwrap();
        image["event"] = serde_json::to_value(event).unwrap();
    })
}

async fn relayed(s: &Shop, records: Vec<Value>) -> shared::Result<()> {
    let batch = serde_json::from_value(json!({ "Records": records })).unwrap();
    s.relay.batch(batch, &a_minute()).await
}

/// The queued webhooks: endpoint and version of the event.
async fn queued_webhooks(s: &Shop) -> Vec<(String, u32)> {
    let jobs = account::drain(&s.aws, &s.webhooks_url).await;
    let mut tells: Vec<_> = jobs
        .iter()
        .map(|job| {
            let Tell::V1 { about: Told { endpoint, event, order } } =
                serde_json::from_str(job).unwrap()
            else {
                panic!("{job}");
            };
            assert_eq!(order.to_string(), ORDER);
            (endpoint.to_string(), event)
        })
        .collect();
    tells.sort();
    tells
}

#[test]
fn the_sample_job_is_readable() {
    let sample: Value = serde_json::from_str(&event("checkout-advance")).unwrap();
    let body = sample["Records"][0]["body"].as_str().unwrap();
    let job: Advance = serde_json::from_str(body).unwrap();
    assert_eq!(job, Advance::V1 { order: ORDER.parse().unwrap() });
}

#[tokio::test]
async fn requests_queue_a_job_and_public_events_queue_webhooks() {
    let s = shop().await;
    for name in ["one", "two"] {
        ask("put-endpoint").about("warehouse", name).of(&s).await.ok(201);
    }
    let refund = "rfn_01M7YRRT800000000000000003";
    let amount = json!({"amount": 1, "currency": "EUR"});
    for (event, gets_worker, has_webhook) in [
        (json!({"type": "payment_created", "payment": "pi_1"}), false, false),
        (json!({"type": "action_required"}), false, false),
        (json!({"type": "payment_authorised"}), false, false),
        (json!({"type": "payment_declined", "code": "c"}), false, false),
        (json!({"type": "capture_started"}), false, false),
        (json!({"type": "payment_captured"}), false, false),
        (json!({"type": "capture_failed", "code": "c"}), false, false),
        (json!({"type": "confirmed"}), false, true),
        (json!({"type": "cancel_requested", "reason": "customer"}), true, false),
        (json!({"type": "payment_voided"}), false, false),
        (json!({"type": "cancelled"}), false, true),
        (json!({"type": "refund_requested", "refund": refund, "amount": amount}), true, false),
        (json!({"type": "refund_succeeded", "refund": refund, "provider_id": "re_1"}), false, true),
        (json!({"type": "refund_failed", "refund": refund, "code": "c"}), false, true),
    ] {
        relayed(&s, vec![of_event(event.clone())]).await.unwrap();
        let workers = s.queued().await;
        let ids: Vec<_> = workers.iter().map(ToString::to_string).collect();
        assert_eq!(ids, vec![ORDER; usize::from(gets_worker)], "{event}");
        let expected =
            if has_webhook { vec![("one".into(), 2), ("two".into(), 2)] } else { vec![] };
        assert_eq!(queued_webhooks(&s).await, expected, "{event}");
    }
    relayed(&s, vec![record(|_| {})]).await.unwrap();
    assert_eq!(s.queued().await.len(), 1, "placed");
    assert_eq!(queued_webhooks(&s).await, [("one".to_owned(), 1), ("two".to_owned(), 1)]);
}

#[tokio::test]
async fn the_relay_reads_the_items_that_the_store_writes() {
    let s = shop().await;
    let (customer, id) = s.ordered().await;
    ask("cancel-order").order(id).by(customer).of(&s).await.ok(200);
    let records = all_items(&s).await;
    assert!(records.len() > 4, "a product, a cart, the order and its events");
    relayed(&s, records).await.unwrap();
    assert_eq!(s.queued().await, [id, id], "placed and cancelled");
}

#[tokio::test]
async fn only_new_events_are_relayed() {
    let s = shop().await;
    ask("put-endpoint").of(&s).await.ok(201);
    let with_key =
        |sk: &str| record(|record| record["dynamodb"]["NewImage"]["sk"] = json!({"S": sk}));
    let records = vec![
        record(|record| record["eventName"] = json!("MODIFY")),
        record(|record| {
            record["eventName"] = json!("REMOVE");
            record["dynamodb"].as_object_mut().unwrap().remove("NewImage");
        }),
        with_key("STATE"),
        with_key("CART"),
        with_key("FOLDED#TRANSFER#payment"),
    ];
    relayed(&s, records).await.unwrap();
    assert!(s.queued().await.is_empty() && queued_webhooks(&s).await.is_empty());
    assert!(account::drain(&s.aws, &s.ledger_url).await.is_empty());
}

#[tokio::test]
async fn an_event_of_a_later_version_is_kept() {
    let s = shop().await;
    let unknown = record(|record| {
        let kind = &mut record["dynamodb"]["NewImage"]["event"]["M"]["type"];
        *kind = json!({"S": "gift_wrapped"});
    });
    relayed(&s, vec![unknown.clone(), record(|_| {})]).await.unwrap();
    assert_eq!(s.queued().await.len(), 1, "the event after it is relayed");
    let kept = account::drain(&s.aws, &s.relay_dead_letters_url).await;
    let kept: Vec<Value> = kept.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(kept, [unknown]);
}

#[tokio::test]
async fn a_failed_batch_comes_again() {
    let s = shop().await;
    let no_queue = format!("{}-none", s.orders_url);
    let orders = Queue::new(aws_sdk_sqs::Client::new(&s.aws), no_queue);
    let relay = Relay { orders, ..s.relay.clone() };
    let batch = serde_json::from_value(json!({"Records": [record(|_| {})]})).unwrap();
    relay.batch(batch, &a_minute()).await.unwrap_err();
}

#[tokio::test]
async fn a_batch_that_crashes_anywhere_is_relayed_completely() {
    walk(async |run: Run| {
        let s = shop().await;
        let subscriber = account::subscriber(&s.aws, "default", public::SOURCE).await;
        ask("put-endpoint").about("warehouse", "one").of(&s).await.ok(201);
        let (_, id) = s.confirmed().await;
        let mut batch = all_items(&s).await;
        batch.reverse();
        let attempt = run.attempt(relayed(&s, batch.clone())).await;
        // The stream delivers the batch again.
        relayed(&s, batch).await.unwrap();
        drop(attempt.resume().await);
        assert!(s.queued().await.contains(&id));
        let webhooks = account::drain(&s.aws, &s.webhooks_url).await;
        let events = account::drain(&s.aws, &subscriber).await;
        for kind in ["order.placed", "order.confirmed"] {
            assert!(events.iter().any(|event| event.contains(kind)), "{kind}: {events:?}");
        }
        let versions = [1, s.store.order(id).await.unwrap().unwrap().version];
        for version in versions {
            let job = format!(r#""event":{version}"#);
            assert!(webhooks.iter().any(|it| it.contains(&job)), "{job}: {webhooks:?}");
        }
        let folds = account::drain(&s.aws, &s.ledger_url).await;
        let of = |kind: &str| folds.iter().filter(|job| job.contains(kind)).count();
        assert_eq!((of(r#""type":"transfer""#), of(r#""type":"resolution""#)), (1, 1));
    })
    .await;
}

/// The relay reads the history of an order for its public events, so an event that it cannot read is in their way too.
#[tokio::test]
async fn an_order_with_an_unreadable_event_stops_no_other_order() {
    let s = shop().await;
    let (_, broken) = s.confirmed().await;
    let (_, other) = s.confirmed().await;
    let client = aws_sdk_dynamodb::Client::new(&s.aws);
    let unknown =
        AttributeValue::M([("type".into(), AttributeValue::S("gift_wrapped".into()))].into());
    let update = client.update_item().table_name("checkout");
    update
        .key("pk", AttributeValue::S(format!("ORDER#{broken}")))
        .key("sk", AttributeValue::S("EVENT#000002".into()))
        .update_expression("SET event = :unknown")
        .expression_attribute_values(":unknown", unknown)
        .send()
        .await
        .unwrap();
    let (subscriber, hour) = (account::subscriber(&s.aws, "default", public::SOURCE).await, 3600);
    let mut batch = all_items(&s).await;
    for record in &mut batch {
        let written = &mut record["dynamodb"]["ApproximateCreationDateTime"];
        *written = json!(written.as_i64().unwrap() - hour);
    }
    relayed(&s, batch).await.unwrap();
    let events = account::drain(&s.aws, &subscriber).await;
    assert_eq!(events.iter().filter(|event| event.contains(&other.to_string())).count(), 2);
    // They have failed for an hour, so they are kept whole.
    let kept = account::drain(&s.aws, &s.relay_dead_letters_url).await;
    assert!(kept.iter().all(|record| record.contains(&broken.to_string())) && kept.len() >= 2);
}

/// The stream's records of all items of the table, in the order of their keys.
async fn all_items(s: &Shop) -> Vec<Value> {
    let client = aws_sdk_dynamodb::Client::new(&s.aws);
    let written = client.scan().table_name("checkout").send().await.unwrap();
    let image = |item: &std::collections::HashMap<String, AttributeValue>| {
        let item: serde_dynamo::Item = item.clone().into();
        record(|record| {
            record["dynamodb"]["Keys"]["pk"] = serde_json::to_value(&item["pk"]).unwrap();
            record["dynamodb"]["NewImage"] = serde_json::to_value(item).unwrap();
        })
    };
    written.items().iter().map(image).collect()
}

#[tokio::test]
async fn subscribers_of_the_bus_get_the_order_as_it_was() {
    let s = shop().await;
    let subscriber = account::subscriber(&s.aws, "default", public::SOURCE).await;
    let (customer, id) = s.confirmed().await;
    relayed(&s, all_items(&s).await).await.unwrap();
    let mut events: Vec<Value> = account::drain(&s.aws, &subscriber)
        .await
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    events.sort_by_key(|event| event["id"].to_string());
    let shown = |event: &Value| {
        ["type", "subject", "id", "dataversion"]
            .map(|name| event[name].as_str().unwrap().to_owned())
    };
    let [placed, confirmed] = events.try_into().unwrap();
    let expected = |kind: &str, version: u32| {
        [kind.to_owned(), id.to_string(), format!("{id}-{version}"), "1".to_owned()]
    };
    assert_eq!(shown(&placed), expected("order.placed", 1));
    assert_eq!(placed["data"]["status"], "processing");
    assert_eq!(placed["data"]["customer"], customer.to_string());
    let version = s.store.order(id).await.unwrap().unwrap().version;
    assert_eq!(shown(&confirmed), expected("order.confirmed", version));
    let listed = ask("list-orders").by(customer).of(&s).await.ok(200);
    assert_eq!(confirmed["data"], listed["orders"][0]);
}

#[tokio::test]
async fn ledger_entries_are_queued_in_order() {
    let s = shop().await;
    let (_, id) = s.confirmed().await;
    let entries: Vec<Entry> = s.store.entries(id).await.unwrap();
    assert!(matches!(entries[..], [Entry::Transfer(_), Entry::Resolution(_)]));
    let mut records = all_items(&s).await;
    // The transfer is written first. The names of the keys sort the other way round.
    records.reverse();
    for _ in 0..2 {
        relayed(&s, records.clone()).await.unwrap();
    }
    let queued = account::drain(&s.aws, &s.ledger_url).await;
    let folds: Vec<Fold> = queued.iter().map(|job| serde_json::from_str(job).unwrap()).collect();
    let expected: Vec<_> = entries.into_iter().map(|entry| Fold::V1 { entry }).collect();
    assert_eq!(folds, expected, "once each, though the stream delivers them twice");
}

#[tokio::test]
async fn an_order_without_progress_is_queued() {
    let s = shop().await;
    let (_, first) = s.ordered().await;
    s.advance(Duration::from_secs(1));
    let (_, second) = s.ordered().await;
    let (_, ended) = s.confirmed().await;
    let until = || s.now() + Duration::from_mins(1);

    s.advance(Duration::from_millis(118_999));
    assert_eq!(s.sweep.handle(until()).await.unwrap(), 0, "not overdue yet");
    assert_eq!(OVERDUE_AFTER, Duration::from_mins(2));
    s.advance(Duration::from_millis(1));
    assert_eq!(s.sweep.handle(until()).await.unwrap(), 1);
    assert_eq!(s.queued().await, [first]);
    assert_eq!(s.sweep.handle(until()).await.unwrap(), 0, "not queued twice");
    s.advance(Duration::from_secs(1));
    assert_eq!(s.sweep.handle(until()).await.unwrap(), 1);
    assert_eq!(s.queued().await, [second]);

    s.advance(OVERDUE_AFTER);
    assert_eq!(s.sweep.handle(s.now()).await.unwrap(), 0, "no time is left");
    assert_eq!(s.sweep.handle(until()).await.unwrap(), 2, "they still make no progress");
    let mut queued = s.queued().await;
    queued.sort();
    assert_eq!(queued, [first, second]);

    s.work(first).await;
    s.work(second).await;
    s.advance(OVERDUE_AFTER);
    assert_eq!(s.sweep.handle(until()).await.unwrap(), 0);
    assert!(!s.queued().await.contains(&ended));
}

#[tokio::test]
async fn more_than_one_page_of_orders_is_queued() {
    let s = shop().await;
    let mut overdue: Vec<OrderId> = (0..250).map(|_| s.ids.next()).collect();
    let client = aws_sdk_dynamodb::Client::new(&s.aws);
    let put = |id: &OrderId| {
        let put = PutRequest::builder()
            .item("pk", AttributeValue::S(format!("ORDER#{id}")))
            .item("sk", AttributeValue::S("STATE".into()))
            .item("due_shard", AttributeValue::S("DUE#3".into()))
            .item("due_at", AttributeValue::N(s.now().as_millisecond().to_string()));
        WriteRequest::builder().put_request(put.build().unwrap()).build()
    };
    for some in overdue.chunks(25) {
        let puts = some.iter().map(put).collect();
        client.batch_write_item().request_items("checkout", puts).send().await.unwrap();
    }
    assert_eq!(s.sweep.handle(s.now() + Duration::from_mins(5)).await.unwrap(), 250);
    let mut queued = s.queued().await;
    queued.sort();
    overdue.sort();
    assert_eq!(queued, overdue);
}

#[tokio::test]
async fn a_sweep_that_crashes_anywhere_loses_no_order() {
    let points = ["sweep.due", "queue.send", "sweep.look_again"];
    for (point, fault) in points.into_iter().flat_map(|point| Fault::ALL.map(|it| (point, it))) {
        let run = Run::with(point, fault);
        let s = shop().await;
        let (_, id) = s.ordered().await;
        s.advance(OVERDUE_AFTER);
        let until = s.now() + Duration::from_mins(1);
        let first = run.attempt(s.sweep.handle(until)).await;
        s.sweep.handle(until).await.unwrap();
        drop(first.resume().await);
        let queued = s.queued().await;
        let is_there = !queued.is_empty() && queued.iter().all(|queued| *queued == id);
        assert!(is_there, "{fault:?} at {point}: {queued:?}");
        s.advance(OVERDUE_AFTER);
        assert_eq!(s.sweep.handle(s.now() + Duration::from_mins(1)).await.unwrap(), 1);
    }
}

/// A shop with 16 overdue orders, and their ids.
async fn sixteen_overdue() -> (Shop, Vec<OrderId>) {
    let s = shop().await;
    let mut orders = Vec::new();
    for _ in 0..16 {
        orders.push(s.ordered().await.1);
    }
    orders.sort();
    s.queued().await;
    s.advance(OVERDUE_AFTER);
    (s, orders)
}

#[tokio::test]
async fn a_sweep_that_cannot_read_a_shard_queues_all_other_orders() {
    let (s, orders) = sixteen_overdue().await;
    let until = s.now() + Duration::from_mins(1);
    let run = Run::with("sweep.due", Fault::LoseAnswer);
    let swept = run.attempt(s.sweep.handle(until)).await.resume().await.unwrap();
    // The sweep returns an error, which an alarm counts.
    assert!(swept.is_err());
    let mut queued = s.queued().await;
    assert!(!queued.is_empty());
    // The rest is in that shard, and the next sweep finds it.
    assert_eq!(s.sweep.handle(until).await.unwrap(), 16 - queued.len() as u64);
    queued.extend(s.queued().await);
    queued.sort();
    assert_eq!(queued, orders);
}

/// The sweeper sends the job before it moves the next check. An order whose check was not moved is found again.
#[tokio::test]
async fn a_sweep_with_conflicts_queues_every_order() {
    // The updates of the last two orders meet the conflict.
    for (passing, fault, without_mark) in [(1, Fault::Conflict, 0), (15, Fault::Conflicts, 2)] {
        let (s, orders) = sixteen_overdue().await;
        let until = s.now() + Duration::from_mins(1);
        let run = Run::with_nth("sweep.look_again", passing, fault);
        let swept = run.attempt(s.sweep.handle(until)).await.resume().await.unwrap();
        assert_eq!(swept.is_ok(), fault == Fault::Conflict, "{swept:?}");
        let mut queued = s.queued().await;
        queued.sort();
        assert_eq!(queued, orders, "{fault:?}");
        assert_eq!(s.sweep.handle(until).await.unwrap(), without_mark, "{fault:?}");
    }
}

#[test]
fn the_json_of_an_event_is_stable() {
    let sample: Value = serde_json::from_str(&event("checkout-relay")).unwrap();
    let image = sample["Records"][0]["dynamodb"]["NewImage"].clone();
    let image: serde_dynamo::Item = serde_json::from_value(image).unwrap();
    let Recorded { event, .. } = serde_dynamo::from_item(image).unwrap();
    let Event::Placed(placed) = event else { panic!("{event:?}") };
    assert_eq!((placed.lines.len(), placed.total.amount), (1, 6998));
}
