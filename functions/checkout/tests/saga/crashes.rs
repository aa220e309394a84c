//! Every fault at every request of a worker, of the sweeper and of the client: there is one charge or
//! none, and the order ends without manual work.

use std::time::Duration;

use checkout::fold_ledger::FoldLedger;
use checkout::order::{OrderId, Reason, RefundStatus, State};
use serde_json::json;
use shared::fault::{Fault, Run, walk};
use testing::provider::{DECLINED, GOOD};

use crate::books::{audit, audit_ended};
use crate::support::{PRICE, Shop, shop, sku};

/// A worker meets a fault, and other workers finish the order. If the first one only stalled, it continues then.
async fn survive(shop: &Shop, run: &Run, order: OrderId) {
    let attempt = run.attempt(shop.work(order)).await;
    shop.finish(order).await;
    // Its result does not matter.
    let _ = attempt.resume().await;
    shop.finish(order).await;
}

/// A shop with ten mugs.
async fn mugs() -> Shop {
    let shop = shop().await;
    shop.sell(&sku("mug"), 10, 2).await;
    shop
}

/// Runs a worker that crashes before it writes its `n`th event.
async fn crash_before_event(shop: &Shop, order: OrderId, n: usize) {
    let run = Run::with_nth("orders.append", n, Fault::CrashBefore);
    assert!(!run.attempt(shop.work(order)).await.is_done());
}

#[tokio::test]
async fn an_order_is_paid_once() {
    let points = walk(async |run: Run| {
        let shop = mugs().await;
        let (_, order) = shop.order(&sku("mug"), 2, GOOD).await;
        survive(&shop, &run, order).await;
        assert_eq!(shop.state(order).await.state, State::Confirmed);
        let books = audit_ended(&shop).await;
        assert_eq!((books.taken, books.stock[&sku("mug")].sold), (2 * PRICE, 2));
    })
    .await;
    for point in ["saga.claim", "payments.create", "payments.confirm", "payments.capture"] {
        assert!(points.contains(&point), "{points:?}");
    }
    assert_eq!(points.iter().filter(|point| **point == "orders.append").count(), 5, "{points:?}");
}

#[tokio::test]
async fn a_repeated_request_places_one_order() {
    walk(async |run: Run| {
        let shop = mugs().await;
        let customer = shop.customer();
        shop.fill_cart(customer, &[(&sku("mug"), 2)]).await;
        let attempt = run.attempt(shop.place(customer, "key", GOOD)).await;
        let order = shop.place(customer, "key", GOOD).await.order();
        if let Some(answer) = attempt.resume().await {
            // If the limiter is unavailable, the request is admitted.
            assert!(run.allows(answer.status, &["rate_limit.admit"]), "{answer:?}");
            if answer.status < 300 {
                assert_eq!(answer.order(), order);
            }
        }
        assert_eq!(shop.place(customer, "key", GOOD).await.order(), order);
        shop.finish(order).await;
        let books = audit_ended(&shop).await;
        assert_eq!((books.orders.len(), books.taken), (1, 2 * PRICE));
    })
    .await;
}

#[tokio::test]
async fn a_declined_card_returns_the_stock_and_the_cart_once() {
    walk(async |run: Run| {
        let shop = mugs().await;
        let (customer, order) = shop.order(&sku("mug"), 2, DECLINED).await;
        survive(&shop, &run, order).await;
        let ended = shop.state(order).await;
        assert_eq!((ended.state, ended.reason), (State::Cancelled, Some(Reason::Expired)));
        assert_eq!(shop.in_cart(customer, &sku("mug")).await, 2);
        assert_eq!(audit_ended(&shop).await.stock[&sku("mug")].available, 10);
    })
    .await;
}

#[tokio::test]
async fn the_money_of_a_cancelled_order_is_released() {
    // Before the payment exists, before it is confirmed, and while the provider holds the money.
    for events in 1..=3 {
        walk(async |run: Run| {
            let shop = mugs().await;
            let (customer, order) = shop.order(&sku("mug"), 2, GOOD).await;
            crash_before_event(&shop, order, events).await;
            assert_eq!(shop.cancel(customer, order).await.status, 200);
            shop.advance_clock(Duration::from_mins(5));
            survive(&shop, &run, order).await;
            let ended = shop.state(order).await;
            assert_eq!((ended.state, ended.reason), (State::Cancelled, Some(Reason::Customer)));
            let books = audit_ended(&shop).await;
            assert_eq!((books.taken, books.stock[&sku("mug")].available), (0, 10));
        })
        .await;
    }
}

#[tokio::test]
async fn an_order_is_advanced_after_3d_secure() {
    walk(async |run: Run| {
        let shop = mugs().await;
        let means = shop.provider.needs_action().await;
        let (_, order) = shop.order(&sku("mug"), 1, &means).await;
        shop.work(order).await.unwrap();
        let payment = shop.state(order).await.payment.unwrap();
        shop.provider.authenticate(&payment.0).await;
        survive(&shop, &run, order).await;
        assert_eq!(shop.state(order).await.state, State::Confirmed);
        assert_eq!(audit_ended(&shop).await.taken, PRICE);
    })
    .await;
}

#[tokio::test]
async fn an_order_whose_payment_was_cancelled_at_the_provider_ends() {
    walk(async |run: Run| {
        let shop = mugs().await;
        let (customer, order) = shop.order(&sku("mug"), 1, GOOD).await;
        let dies = Run::with("payments.capture", Fault::CrashBefore);
        assert!(!dies.attempt(shop.work(order)).await.is_done());
        let capturing = shop.state(order).await;
        assert_eq!(capturing.state, State::Capturing);
        assert_eq!(shop.cancel(customer, order).await.status, 409, "it is too late");
        // Somebody cancels the payment at the provider.
        shop.saga.payments.cancel(&capturing.payment.unwrap(), "by hand").await.unwrap();
        shop.advance_clock(Duration::from_mins(5));
        survive(&shop, &run, order).await;
        let ended = shop.state(order).await;
        assert_eq!((ended.state, ended.reason), (State::Cancelled, Some(Reason::Declined)));
        assert_eq!(audit_ended(&shop).await.stock[&sku("mug")].available, 10);
    })
    .await;
}

/// A paid order with a requested refund.
async fn with_requested_refund(shop: &Shop) -> OrderId {
    let (_, order) = shop.order(&sku("mug"), 2, GOOD).await;
    shop.finish(order).await;
    assert_eq!(shop.refund(order, "r-1", Some(900)).await.status, 202);
    order
}

async fn assert_refunded_once(shop: &Shop, order: OrderId) {
    let refunds = shop.state(order).await.refunds;
    assert!(refunds.values().all(|refund| refund.status == RefundStatus::Succeeded));
    assert_eq!(audit_ended(shop).await.taken, 2 * PRICE - 900);
}

#[tokio::test]
async fn a_refund_is_sent_once() {
    walk(async |run: Run| {
        let shop = mugs().await;
        let order = with_requested_refund(&shop).await;
        // If a worker stalls between the listing and the refund, only the idempotency key prevents a second
        // refund.
        shop.provider.honour_keys().await;
        survive(&shop, &run, order).await;
        assert_refunded_once(&shop, order).await;
    })
    .await;
}

#[tokio::test]
async fn a_refund_is_sent_once_to_a_provider_without_idempotency_keys() {
    for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::StallAfter, Fault::LoseAnswer] {
        let shop = mugs().await;
        let order = with_requested_refund(&shop).await;
        survive(&shop, &Run::with("payments.refund", fault), order).await;
        assert_refunded_once(&shop, order).await;
    }
}

#[tokio::test]
async fn a_repeated_request_makes_one_refund() {
    walk(async |run: Run| {
        let shop = mugs().await;
        let (_, order) = shop.order(&sku("mug"), 2, GOOD).await;
        shop.finish(order).await;
        let attempt = run.attempt(shop.refund(order, "r-1", Some(900))).await;
        assert_eq!(shop.refund(order, "r-1", Some(900)).await.status, 202);
        if let Some(answer) = attempt.resume().await {
            assert!(run.allows(answer.status, &[]), "{answer:?}");
        }
        assert_eq!(shop.refund(order, "r-1", Some(900)).await.status, 202);
        shop.finish(order).await;
        assert_eq!(shop.state(order).await.refunds.len(), 1);
        assert_refunded_once(&shop, order).await;
    })
    .await;
}

#[tokio::test]
async fn the_sweeper_loses_no_order() {
    walk(async |run: Run| {
        let shop = mugs().await;
        // The job was never sent.
        let (_, order) = shop.order(&sku("mug"), 1, GOOD).await;
        shop.advance_clock(Duration::from_mins(3));
        let until = shop.clock.now() + Duration::from_mins(1);
        let attempt = run.attempt(shop.sweep.handle(until)).await;
        // The sweep of the next minute.
        shop.sweep.handle(until).await.unwrap();
        let _ = attempt.resume().await;
        let queued = shop.queued().await;
        assert!(queued.contains(&order), "{queued:?}");
        shop.finish(order).await;
        assert_eq!(audit_ended(&shop).await.taken, PRICE);
    })
    .await;
}

#[tokio::test]
async fn balances_count_every_entry_once() {
    walk(async |run: Run| {
        let shop = mugs().await;
        let (_, order) = shop.order(&sku("mug"), 1, GOOD).await;
        shop.finish(order).await;
        let entries = shop.store().entries(order).await.unwrap();
        assert_eq!(entries.len(), 2);
        let fold = FoldLedger { store: shop.store().clone(), ids: shop.ids.clone() };
        // The stream delivers a part, and then the whole batch again.
        fold.fold(&entries[..1]).await.unwrap();
        let attempt = run.attempt(fold.fold(&entries)).await;
        fold.fold(&entries).await.unwrap();
        let _ = attempt.resume().await;
        // Compares the balances with the entries.
        audit(&shop).await;
    })
    .await;
}

#[tokio::test]
async fn lost_responses_and_crashed_workers_make_one_charge() {
    for path in ["/confirm$", "/capture$"] {
        for fault in ["drop_answer", "status_500_after"] {
            walk(async |run: Run| {
                let shop = mugs().await;
                let (_, order) = shop.order(&sku("mug"), 2, GOOD).await;
                shop.provider.fault(json!({"method": "POST", "path": path, "fault": fault})).await;
                survive(&shop, &run, order).await;
                assert_eq!(shop.state(order).await.state, State::Confirmed);
                assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE);
            })
            .await;
        }
    }
}
