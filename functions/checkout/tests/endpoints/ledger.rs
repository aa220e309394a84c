//! The ledger's endpoints and its fold.

use checkout::fold_ledger::FoldLedger;
use checkout::ledger::Entry;
use serde_json::{Value, json};
use shared::batch::StreamEvent;
use testing::event;

use crate::support::{PRICE, Shop, ask, euro, shop};

fn task(s: &Shop) -> FoldLedger {
    FoldLedger { store: s.store.clone(), ids: s.ids.clone() }
}

/// The sample batch of the stream, with a change.
fn batch(change: impl FnOnce(&mut Value)) -> StreamEvent {
    let mut sample: Value = serde_json::from_str(&event("checkout-fold-ledger")).unwrap();
    change(&mut sample["Records"]);
    serde_json::from_value(sample).unwrap()
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
async fn an_entry_that_the_stream_delivers_twice_is_folded_once() {
    let s = shop().await;
    let twice = || {
        batch(|records| {
            let first = records[0].clone();
            records.as_array_mut().unwrap().push(first);
        })
    };
    for _ in 0..2 {
        task(&s).handle(&twice()).await.unwrap();
    }
    let ledger = ask("get-ledger").of(&s).await.ok(200);
    let accounts = json!([account("provider", [0, 0, 6998, 0]), account("sales", [0, 0, 0, 6998])]);
    assert_eq!(ledger, json!({"balanced": true, "accounts": accounts}));
}

#[tokio::test]
async fn only_new_entries_are_folded() {
    let s = shop().await;
    for change in ["MODIFY", "REMOVE"] {
        task(&s).handle(&batch(|records| records[0]["eventName"] = json!(change))).await.unwrap();
    }
    let event: Value = serde_json::from_str(&event("checkout-relay")).unwrap();
    task(&s).handle(&serde_json::from_value(event).unwrap()).await.unwrap();
    let ledger = ask("get-ledger").of(&s).await.ok(200);
    assert_eq!(ledger["accounts"], json!([]));
    // An unreadable entry is an error.
    let broken = batch(|records| records[0]["dynamodb"]["NewImage"]["debit"] = json!({"S": "us"}));
    task(&s).handle(&broken).await.unwrap_err();
}
