//! The life cycle of a reservation, and its illegal transitions.

use inventory::reservation::Status;
use inventory::stock::Bucket;

use crate::audit::audit;
use crate::support::{sku, system};

#[tokio::test]
async fn held_committed_consumed() {
    let s = system().await;
    let sku = sku("a");
    assert_eq!(s.inventory.plan("o", &sku, 1, s.now()).await.unwrap(), None, "no stock");
    assert!(s.inventory.plan("o", &sku, 0, s.now()).await.is_err(), "the quantity must not be 0");
    s.move_stock(&sku, 5, 1).await;
    assert_eq!(s.inventory.plan("o", &sku, 6, s.now()).await.unwrap(), None, "not enough");

    let held = s.reserve("o", &sku, 3, s.in_seconds(60)).await.unwrap();
    assert_eq!(s.inventory.reservations("o").await.unwrap(), std::slice::from_ref(&held));
    let bucket = |available, reserved| [Bucket { number: 0, available, reserved }];
    assert_eq!(s.inventory.stock(&sku).await.unwrap(), bucket(2, 3));
    assert!(!s.transact(s.inventory.reserve(&held).unwrap()).await, "it exists");
    assert!(!s.consume(&held).await, "a held reservation cannot be consumed");

    assert!(s.commit(&held).await);
    assert!(!s.commit(&held).await);
    let committed = s.inventory.reservation("o", &sku).await.unwrap().unwrap();
    assert_eq!(committed.status, Status::Committed);
    assert!(s.consume(&committed).await);
    assert_eq!(s.inventory.stock(&sku).await.unwrap(), bucket(2, 0));
    assert!(!s.consume(&committed).await && !s.release(&committed).await);

    let consumed = s.inventory.reservation("o", &sku).await.unwrap().unwrap();
    assert!(s.inventory.consume(&consumed).unwrap().is_empty(), "no writes");
    assert!(!s.release(&consumed).await, "it is consumed");
    assert_eq!(audit(&s).await[&sku].consumed, 3);
}

#[tokio::test]
async fn released_once_from_held_or_committed() {
    let s = system().await;
    let sku = sku("a");
    s.move_stock(&sku, 15, 2).await;
    // Another holder has a reservation too, so that the buckets' condition alone does not prevent a second
    // release.
    s.reserve("other", &sku, 5, s.in_seconds(60)).await.unwrap();
    s.reserve("another", &sku, 5, s.in_seconds(60)).await.unwrap();
    for (holder, is_committed) in [("held", false), ("committed", true)] {
        let held = s.reserve(holder, &sku, 4, s.in_seconds(60)).await.unwrap();
        assert_eq!(held.takes.len(), 2, "one bucket has 3 units, the other 2");
        assert!(!is_committed || s.commit(&held).await);
        assert!(s.release(&held).await);
        assert!(!s.release(&held).await && !s.commit(&held).await && !s.consume(&held).await);
        let released = s.inventory.reservation(holder, &sku).await.unwrap().unwrap();
        assert_eq!(released.status, Status::Released);
        assert!(s.inventory.release(&released).unwrap().is_empty(), "no writes");
        assert_eq!(audit(&s).await[&sku].available, 5);
    }
}

#[tokio::test]
async fn expiry_is_exact_to_the_millisecond() {
    let s = system().await;
    let sku = sku("a");
    s.move_stock(&sku, 5, 1).await;
    let millisecond = jiff::SignedDuration::from_millis(1);
    // One of these times has a fraction in RFC 3339, the other has none.
    for fraction in [0, 500] {
        let expires_at = s.in_seconds(60) + jiff::SignedDuration::from_millis(fraction);
        let holder = format!("o{fraction}");
        let held = s.reserve(&holder, &sku, 1, expires_at).await.unwrap();
        let at = |now| s.inventory.commit(&held, now).unwrap();
        assert!(!s.transact(at(expires_at)).await);
        assert!(s.transact(at(expires_at - millisecond)).await);
        assert_eq!(s.inventory.reservations(&holder).await.unwrap()[0].expires_at, expires_at);
    }
}

#[tokio::test]
async fn the_stock_of_several_products_is_read_together() {
    let s = system().await;
    let skus: Vec<_> = (0..40).map(|number| sku(&format!("p{number}"))).collect();
    for (sku, quantity) in skus.iter().zip([7, 8, 9]) {
        s.move_stock(sku, quantity, 3).await;
    }
    let stocks = s.inventory.available_stock(&skus).await.unwrap();
    assert_eq!(stocks.len(), 40, "including products without stock");
    let first: Vec<_> = skus.iter().take(4).map(|sku| stocks[sku]).collect();
    assert_eq!(first, [7, 8, 9, 0]);
}

#[tokio::test]
async fn a_holder_may_have_more_than_one_page_of_reservations() {
    let s = system().await;
    for number in 0..40 {
        let sku = sku(&format!("p{number}"));
        s.move_stock(&sku, 1, 1).await;
        s.reserve("o", &sku, 1, s.in_seconds(60)).await.unwrap();
    }
    assert_eq!(s.inventory.reservations("o").await.unwrap().len(), 40);
    assert_eq!(s.inventory.reservations("p").await.unwrap(), []);
}
