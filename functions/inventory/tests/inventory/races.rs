//! Races: many callers at the same time.

use futures::future::join_all;
use inventory::reservation::Status;
use inventory::sweep::SweepReport;
use shared::fault::{Fault, Run};

use crate::audit::audit;
use crate::support::{System, sku, system};

/// Lets `callers` reserve one unit each, and returns how many succeed.
async fn buyers(s: &System, callers: usize) -> usize {
    let callers = (0..callers).map(|caller| {
        let s = s.clone();
        tokio::spawn(async move {
            let expires_at = s.in_seconds(60);
            s.reserve(&format!("o{caller}"), &sku("a"), 1, expires_at).await.is_some()
        })
    });
    join_all(callers).await.into_iter().filter(|got| *got.as_ref().unwrap()).count()
}

async fn fifty_of_two_hundred(buckets: u32) {
    let s = system().await;
    s.move_stock(&sku("a"), 50, buckets).await;
    assert_eq!(buyers(&s, 200).await, 50, "{buckets} buckets");
    let counted = &audit(&s).await[&sku("a")];
    assert_eq!((counted.available, counted.reserved), (0, 50), "{buckets} buckets");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_callers_for_50_units_50_succeed_with_1_bucket() {
    fifty_of_two_hundred(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_callers_for_50_units_50_succeed_with_4_buckets() {
    fifty_of_two_hundred(4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_callers_for_50_units_50_succeed_with_16_buckets() {
    fifty_of_two_hundred(16).await;
}

#[tokio::test]
async fn the_last_units_are_sold_from_several_buckets() {
    let s = system().await;
    let sku = sku("a");
    s.move_stock(&sku, 3, 3).await;
    let held = s.reserve("o", &sku, 3, s.in_seconds(60)).await.unwrap();
    let mut from: Vec<_> = held.takes.iter().map(|take| (take.bucket, take.quantity)).collect();
    from.sort_unstable();
    assert_eq!(from, [(0, 1), (1, 1), (2, 1)]);
    assert_eq!(s.reserve("p", &sku, 1, s.in_seconds(60)).await, None);
    assert_eq!(audit(&s).await[&sku].reserved, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_reservation_ends_in_one_way() {
    let s = system().await;
    let sku = sku("a");
    s.move_stock(&sku, 30, 2).await;
    for round in 0..30 {
        let held = s.reserve(&format!("o{round}"), &sku, 1, s.in_seconds(60)).await.unwrap();
        assert!(s.commit(&held).await);
        let ends = (0..6).map(|end| {
            let (s, held) = (s.clone(), held.clone());
            tokio::spawn(async move {
                if end % 2 == 0 { s.consume(&held).await } else { s.release(&held).await }
            })
        });
        let ended = join_all(ends).await.into_iter().filter(|done| *done.as_ref().unwrap()).count();
        assert_eq!(ended, 1);
    }
    let counted = &audit(&s).await[&sku];
    assert_eq!((counted.reserved, counted.available + counted.consumed), (0, 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_expiry_a_reservation_is_committed_or_released_and_never_both() {
    let s = system().await;
    let sku = sku("a");
    s.move_stock(&sku, 100, 4).await;
    let mut committed = 0;
    for round in 0..20 {
        let holder = format!("o{round}");
        let held = s.reserve(&holder, &sku, 5, s.in_seconds(60)).await.unwrap();
        // By the buyer's clock the reservation has a second left. By the sweepers' clock it has expired.
        let early = s.in_seconds(59);
        s.advance(60);
        let commit = s.transact(s.inventory.commit(&held, early).unwrap());
        let expiries = join_all([0, 1].map(|_| s.inventory.expire(&held, s.now())));
        // The buyer is first in some rounds, the sweepers in others.
        let (is_committed, expired) = if round % 2 == 0 {
            tokio::join!(commit, expiries)
        } else {
            let (expired, is_committed) = tokio::join!(expiries, commit);
            (is_committed, expired)
        };
        let released = expired.into_iter().filter(|expired| *expired.as_ref().unwrap()).count();
        assert_eq!(released, usize::from(!is_committed), "released once, or committed");
        let found = s.inventory.reservation(&holder, &sku).await.unwrap().unwrap();
        let expected = if is_committed { Status::Committed } else { Status::Released };
        assert_eq!(found.status, expected);
        committed += i64::from(is_committed);
    }
    let counted = &audit(&s).await[&sku];
    assert_eq!((counted.reserved, counted.available), (5 * committed, 100 - 5 * committed));
    assert!((1..20).contains(&committed), "each is first in some rounds: {committed}");
}

#[tokio::test]
async fn a_stalled_sweeper_does_not_release_a_committed_reservation() {
    let s = system().await;
    let sku = sku("a");
    s.move_stock(&sku, 5, 1).await;
    let held = s.reserve("o", &sku, 5, s.in_seconds(60)).await.unwrap();
    let early = s.in_seconds(59);
    s.advance(60);
    // The sweeper has read the expired reservation and is about to release it.
    let run = Run::with("inventory.expire", Fault::StallBefore);
    let sweep = run.attempt(s.sweep()).await;
    assert!(s.transact(s.inventory.commit(&held, early).unwrap()).await);
    let swept = sweep.resume().await.unwrap();
    assert_eq!(swept, SweepReport { left_alone: 1, ..SweepReport::default() });
    assert_eq!(audit(&s).await[&sku].reserved, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_can_be_moved_while_it_is_sold() {
    let s = system().await;
    let sku = sku("a");
    s.move_stock(&sku, 40, 4).await;
    let movers = (0..8).map(|mover: i64| {
        let (s, sku) = (s.clone(), sku.clone());
        let quantity = if mover % 2 == 0 { 5 } else { -5 };
        tokio::spawn(async move { s.move_stock(&sku, quantity, 4).await })
    });
    let (moved, bought) = tokio::join!(join_all(movers), buyers(&s, 60));
    let taken = moved.iter().zip([5, -5].into_iter().cycle());
    let moved: i64 = taken.filter(|(done, _)| *done.as_ref().unwrap()).map(|(_, q)| q).sum();
    let counted = &audit(&s).await[&sku];
    assert_eq!(counted.moved, 40 + moved);
    assert_eq!(counted.reserved, i64::try_from(bought).unwrap());
}
