//! Every fault at every request: no stock is lost, and nothing happens twice.

use std::collections::BTreeSet;

use inventory::reservation::Status;
use serde_json::json;
use shared::fault::{Fault, Run, walk};

use crate::audit::audit;
use crate::endpoints::{Answer, call, functions, movement_request};
use crate::support::{System, sku, system};

#[tokio::test]
async fn a_sweep_that_crashes_anywhere_loses_nothing() {
    let points = walk(async |run: Run| {
        let s = system().await;
        let sku = sku("a");
        s.move_stock(&sku, 10, 2).await;
        for (holder, quantity, seconds) in [("over", 7, 60), ("over-too", 1, 60), ("held", 1, 90)] {
            s.reserve(holder, &sku, quantity, s.in_seconds(seconds)).await.unwrap();
        }
        s.advance(60);
        let first = run.attempt(s.sweep()).await;
        audit(&s).await;
        // A minute later the next sweep releases the rest. A buyer may reserve in between.
        let bought = s.inventory.reservation("held", &sku).await.unwrap().unwrap();
        assert!(s.commit(&bought).await);
        s.advance(60);
        let second = s.sweep().await;
        assert_eq!(second.failed, 0);
        let first = first.resume().await;

        let counted = &audit(&s).await[&sku];
        assert_eq!((counted.available, counted.reserved), (9, 1));
        let known = first.map_or(0, |first| first.released) + second.released;
        assert!(known <= 2, "each reservation is released once");
        for (holder, status) in [
            ("over", Status::Released),
            ("over-too", Status::Released),
            ("held", Status::Committed),
        ] {
            let found = s.inventory.reservation(holder, &sku).await.unwrap().unwrap();
            assert_eq!(found.status, status, "{holder}");
        }
    })
    .await;
    let points: BTreeSet<_> = points.into_iter().collect();
    let expected = ["inventory.due", "inventory.expire", "inventory.reservation"];
    assert_eq!(points, BTreeSet::from(expected));
}

#[tokio::test]
async fn a_movement_that_is_retried_after_a_crash_is_made_once() {
    // 30 of 50 can be removed only once.
    for quantity in [30, -30] {
        let points = walk(async |run: Run| {
            let s = system().await;
            let sku = sku("book-rust-2e");
            s.move_stock(&sku, 50, 2).await;
            let f = functions(&s).await;
            let event = movement_request(quantity);
            let first = run.attempt(call(&f.move_stock, &event)).await;
            audit(&s).await;
            let again = call(&f.move_stock, &event).await;
            assert_eq!(again.status, 201, "{again:?}");
            if let Some(first) = first.resume().await {
                assert!(run.allows(first.status, &[]), "{first:?}");
                if first.status < 300 {
                    assert_eq!((first.status, first.body), (201, again.body));
                }
            }
            let counted = &audit(&s).await[&sku];
            assert_eq!((counted.moved, counted.available), (50 + quantity, 50 + quantity));
        })
        .await;
        assert_eq!(points, ["inventory.ledger", "idempotency.transact"]);
    }
}

/// Calls the endpoint to move stock, with 10 units in stock. `meanwhile` runs after the endpoint has planned.
async fn moved_while(quantity: i64, meanwhile: impl AsyncFnOnce(&System)) -> (System, Answer) {
    let s = system().await;
    s.move_stock(&sku("book-rust-2e"), 10, 1).await;
    let f = functions(&s).await;
    let event = movement_request(quantity);
    let run = Run::with("idempotency.transact", Fault::StallBefore);
    let call = run.attempt(call(&f.move_stock, &event)).await;
    meanwhile(&s).await;
    let answer = call.resume().await.unwrap();
    (s, answer)
}

#[tokio::test]
async fn a_movement_is_planned_again_after_a_conflict() {
    let sku = sku("book-rust-2e");
    let (s, answer) = moved_while(10, async |s| _ = s.move_stock(&sku, 1, 1).await).await;
    assert_eq!((answer.status, &answer.body["number"]), (201, &json!(3)));
    assert_eq!(audit(&s).await[&sku].available, 21);

    let reserve = async |s: &System| _ = s.reserve("o", &sku, 3, s.in_seconds(60)).await.unwrap();
    let (s, answer) = moved_while(-10, reserve).await;
    assert_eq!(answer.status, 409, "{answer:?}");
    let counted = &audit(&s).await[&sku];
    assert_eq!((counted.available, counted.reserved), (7, 3));
    let (s, answer) = moved_while(-7, reserve).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let counted = &audit(&s).await[&sku];
    assert_eq!((counted.available, counted.reserved), (0, 3));
}
