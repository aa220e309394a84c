//! The ledger's endpoints and its fold.

use checkout::fold_ledger::FoldLedger;
use checkout::ledger::Entry;
use checkout::queues;
use serde_json::{Value, json};
use shared::queue::Queue;
use testing::event;

use crate::support::{PRICE, Shop, a_minute, ask, euro, shop};

fn task(s: &Shop) -> FoldLedger {
    FoldLedger { store: s.store.clone(), ids: s.ids.clone() }
}

/// The sample batch of the queue, with a change of its message's body.
fn batch(change: impl FnOnce(&mut Value)) -> Value {
    let mut sample: Value = serde_json::from_str(&event("checkout-fold-ledger")).unwrap();
    let body = &mut sample["Records"][0]["body"];
    let mut job: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
    change(&mut job);
    *body = json!(job.to_string());
    sample
}

/// Folds a batch; gives the messages that must be delivered again.
async fn folded(s: &Shop, batch: Value) -> Vec<String> {
    let sqs = aws_sdk_sqs::Client::new(&s.aws);
    let dead_letters = testing::account::fifo_named(&s.aws, "ledger-dead").await;
    let queue = |url: &str| Queue::new(sqs.clone(), url.into());
    let jobs = queues::ledger(queue(&s.ledger_url), queue(&dead_letters));
    let batch = serde_json::from_value(batch).unwrap();
    let answer = task(s).batch(&jobs, batch, &a_minute()).await.unwrap();
    answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

fn account(name: &str, [debits, credits, pending_debits, pending_credits]: [u64; 4]) -> Value {
    json!({
        "currency": "EUR", "account": name, "debits": debits, "credits": credits,
        "pending_debits": pending_debits, "pending_credits": pending_credits,
    })
}

#[tokio::test]
async fn the_entries_of_an_order_are_listed_and_balance() {
    let s = shop().await;
    let empty = ask("get-ledger").of(&s).await.ok(200);
    assert_eq!(empty, json!({"balanced": true, "accounts": []}));
    assert_eq!(ask("get-order-ledger").of(&s).await.problem(), (404, "not-found"));

    let (_, unpaid) = s.ordered().await;
    let none = ask("get-order-ledger").order(unpaid).of(&s).await.ok(200);
    assert_eq!(none, json!({"entries": []}));
    let (_, id) = s.confirmed().await;
    let refund = ask("refund-order").order(id).of(&s).await.ok(202)["id"].clone();
    s.work(id).await;

    let of_order = ask("get-order-ledger").order(id).of(&s).await.ok(200);
    let at = "2026-11-21T10:00:00Z";
    let expected = json!([
        {
            "type": "transfer", "order": id, "cause": "payment", "debit": "provider",
            "credit": "sales", "amount": euro(2 * PRICE), "pending": true, "at": at,
        },
        {
            "type": "transfer", "order": id, "cause": refund, "debit": "refunds",
            "credit": "provider", "amount": euro(500), "pending": false, "at": at,
        },
        {
            "type": "resolution", "order": id, "cause": "payment", "debit": "provider",
            "credit": "sales", "amount": euro(2 * PRICE), "outcome": "posted", "at": at,
        },
    ]);
    assert_eq!(of_order["entries"], expected);

    let entries: Vec<Entry> = s.store.entries(id).await.unwrap();
    for _ in 0..2 {
        task(&s).fold(&entries).await.unwrap();
        let ledger = ask("get-ledger").of(&s).await.ok(200);
        assert_eq!(ledger["balanced"], true);
        let accounts = json!([
            account("provider", [2 * PRICE, 500, 0, 0]),
            account("sales", [0, 2 * PRICE, 0, 0]),
            account("refunds", [500, 0, 0, 0]),
        ]);
        assert_eq!(ledger["accounts"], accounts);
    }
}

#[tokio::test]
async fn an_entry_that_comes_twice_is_folded_once() {
    let s = shop().await;
    let mut twice = batch(|_| {});
    let mut again = twice["Records"][0].clone();
    again["messageId"] = json!("059f36b4-87a3-44ab-83d2-661975830a7e");
    twice["Records"].as_array_mut().unwrap().push(again);
    for _ in 0..2 {
        assert_eq!(folded(&s, twice.clone()).await, [] as [String; 0]);
    }
    let ledger = ask("get-ledger").of(&s).await.ok(200);
    let accounts = json!([account("provider", [0, 0, 6998, 0]), account("sales", [0, 0, 0, 6998])]);
    assert_eq!(ledger, json!({"balanced": true, "accounts": accounts}));
}

#[tokio::test]
async fn an_entry_that_nobody_can_read_does_not_stop_the_others() {
    let s = shop().await;
    let mut records = batch(|job| job["entry"]["debit"] = json!("us"));
    records["Records"].as_array_mut().unwrap().push(batch(|_| {})["Records"][0].take());
    assert_eq!(folded(&s, records).await, [] as [String; 0]);
    let ledger = ask("get-ledger").of(&s).await.ok(200);
    assert_eq!(ledger["accounts"].as_array().unwrap().len(), 2);
}
