//! The sweep releases expired reservations.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use inventory::reservation::Status;
use inventory::sweep::SweepReport;
use lambda_runtime::Context;
use serde_json::Value;
use shared::invocation::Invocation;
use testing::event;

use crate::audit::audit;
use crate::support::{sku, system};

#[tokio::test]
async fn only_expired_reservations_are_released() {
    let s = system().await;
    let sku = sku("a");
    s.move_stock(&sku, 20, 3).await;
    for (holder, seconds) in [("over", 60), ("just-over", 120), ("not-over", 121), ("bought", 60)] {
        let held = s.reserve(holder, &sku, 2, s.in_seconds(seconds)).await.unwrap();
        assert!(holder != "bought" || s.commit(&held).await);
    }
    assert_eq!(s.sweep().await, SweepReport::default(), "nothing is due");
    s.advance(120);
    assert_eq!(s.sweep().await, SweepReport { released: 2, ..SweepReport::default() });
    assert_eq!(s.sweep().await, SweepReport::default(), "they are not in the index");
    for (holder, status) in [
        ("over", Status::Released),
        ("just-over", Status::Released),
        ("not-over", Status::Held),
        ("bought", Status::Committed),
    ] {
        let found = s.inventory.reservation(holder, &sku).await.unwrap().unwrap();
        assert_eq!(found.status, status, "{holder}");
    }
    let counted = &audit(&s).await[&sku];
    assert_eq!((counted.available, counted.reserved), (16, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_concurrent_sweeps_release_more_than_one_page() {
    let s = system().await;
    // All reservations of one holder are in one shard.
    let reserve = |number: u32| {
        let (s, sku) = (s.clone(), sku(&format!("p{number}")));
        tokio::spawn(async move {
            s.move_stock(&sku, 3, 2).await;
            s.reserve("o", &sku, 3, s.in_seconds(60)).await.unwrap()
        })
    };
    for reserved in join_all((0..120).map(reserve)).await {
        assert_eq!(reserved.unwrap().takes.len(), 2);
    }
    s.advance(60);
    let (one, other) = tokio::join!(s.sweep(), s.sweep());
    assert_eq!((one.failed, other.failed), (0, 0));
    assert_eq!(one.released + other.released, 120, "each reservation once");
    let counted = audit(&s).await;
    assert_eq!(counted.len(), 120);
    assert!(counted.values().all(|counted| (counted.available, counted.reserved) == (3, 0)));
}

#[tokio::test]
async fn a_sweep_stops_in_time_and_the_next_one_continues() {
    let s = system().await;
    let sku = sku("a");
    s.move_stock(&sku, 30, 1).await;
    for number in 0..30 {
        s.reserve(&format!("o{number}"), &sku, 1, s.in_seconds(60)).await.unwrap();
    }
    s.advance(60);
    let left = AtomicU32::new(7);
    let has_time = || left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
    let first = s.sweeper().sweep(&has_time).await;
    assert_eq!((first.released, first.failed), (7, 0));
    assert!(first.cut_short > 0);
    assert_eq!(s.sweep().await, SweepReport { released: 23, ..SweepReport::default() });
    assert_eq!(audit(&s).await[&sku].available, 30);
}

#[tokio::test]
async fn one_failed_release_does_not_block_the_others() {
    let s = system().await;
    let (good, bad) = (sku("good"), sku("bad"));
    for sku in [&good, &bad] {
        s.move_stock(sku, 9, 1).await;
    }
    // Both are in the same shard, the corrupt one first.
    s.reserve("o", &bad, 3, s.in_seconds(50)).await.unwrap();
    s.reserve("o", &good, 3, s.in_seconds(60)).await.unwrap();
    // Somebody has changed the table by hand.
    s.corrupt(&bad).await;
    s.advance(60);
    assert_eq!(s.sweep().await, SweepReport { released: 1, failed: 1, ..SweepReport::default() });
    let held = s.inventory.reservation("o", &bad).await.unwrap().unwrap();
    assert_eq!(held.status, Status::Held, "it is unchanged");
}

#[tokio::test]
async fn an_invocation_sweeps_until_its_time_is_over_and_reports_failures() {
    let s = system().await;
    let sku = sku("a");
    s.move_stock(&sku, 4, 1).await;
    s.reserve("o", &sku, 2, s.in_seconds(60)).await.unwrap();
    s.reserve("p", &sku, 2, s.in_seconds(180)).await.unwrap();
    s.advance(60);
    let invocation = |seconds: u64| {
        let mut context = Context::default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        context.deadline = u64::try_from((now + Duration::from_secs(seconds)).as_millis()).unwrap();
        Invocation::of(&context, None)
    };
    let _: Value = serde_json::from_str(&event("inventory-sweep")).unwrap();
    let swept = s.sweeper().handle(&invocation(9)).await.unwrap();
    assert_eq!(swept, SweepReport { cut_short: 1, ..SweepReport::default() });
    let swept = s.sweeper().handle(&invocation(55)).await.unwrap();
    assert_eq!(swept, SweepReport { released: 1, ..SweepReport::default() });

    s.corrupt(&sku).await;
    s.advance(120);
    assert!(s.sweeper().handle(&invocation(55)).await.is_err());
}
