//! Every fault at every request of a worker, of the sweeper and of the client's own: there is one
//! charge, or none, and the order comes to its end without a person.

use std::time::Duration;

use checkout::fold_ledger::FoldLedger;
use checkout::order::{OrderId, Reason, RefundStatus, State};
use serde_json::json;
use shared::fault::{Fault, Run, walk};
use testing::provider::{DECLINED, GOOD};

use crate::books::{audit, audit_ended};
use crate::support::{PRICE, Shop, shop, sku};

/// A worker meets a fault; others come after it; if it has only stalled, it goes on when they are done.
async fn survive(shop: &Shop, run: &Run, order: OrderId) {
    let attempt = run.attempt(shop.work(order)).await;
    shop.finish(order).await;
    // Whatever it is told.
    let _ = attempt.resume().await;
    shop.finish(order).await;
}

/// A shop with ten mugs.
async fn mugs() -> Shop {
    let shop = shop().await;
    shop.sell(&sku("mug"), 10, 2).await;
    shop
}

/// Leaves an order as a worker does that dies before it writes its `n`th event.
async fn dies_before_event(shop: &Shop, order: OrderId, n: usize) {
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
async fn a_request_is_one_order_however_often_it_is_sent() {
    walk(async |run: Run| {
        let shop = mugs().await;
        let customer = shop.customer();
        shop.fill_cart(customer, &[(&sku("mug"), 2)]).await;
        let attempt = run.attempt(shop.place(customer, "key", GOOD)).await;
        let order = shop.place(customer, "key", GOOD).await.order();
        if let Some(answer) = attempt.resume().await {
            // The limit admits whom it cannot decide on.
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
async fn a_declined_card_gives_the_stock_and_the_cart_back_once() {
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
async fn what_is_held_is_let_go_of_an_order_that_is_cancelled() {
    // Before the payment exists, before it is confirmed, and when its money is held.
    for events in 1..=3 {
        walk(async |run: Run| {
            let shop = mugs().await;
            let (customer, order) = shop.order(&sku("mug"), 2, GOOD).await;
            dies_before_event(&shop, order, events).await;
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
async fn an_order_goes_on_after_its_customer_has_answered() {
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
async fn an_order_whose_money_the_provider_let_go_ends() {
    walk(async |run: Run| {
        let shop = mugs().await;
        let (customer, order) = shop.order(&sku("mug"), 1, GOOD).await;
        let dies = Run::with("payments.capture", Fault::CrashBefore);
        assert!(!dies.attempt(shop.work(order)).await.is_done());
        let capturing = shop.state(order).await;
        assert_eq!(capturing.state, State::Capturing);
        assert_eq!(shop.cancel(customer, order).await.status, 409, "it is too late");
        // Someone ends the payment at the provider, by hand.
        shop.saga.payments.cancel(&capturing.payment.unwrap(), "by hand").await.unwrap();
        shop.advance_clock(Duration::from_mins(5));
        survive(&shop, &run, order).await;
        let ended = shop.state(order).await;
        assert_eq!((ended.state, ended.reason), (State::Cancelled, Some(Reason::Declined)));
        assert_eq!(audit_ended(&shop).await.stock[&sku("mug")].available, 10);
    })
    .await;
}

/// A paid order, and a refund of it that is asked for.
async fn to_be_refunded(shop: &Shop) -> OrderId {
    let (_, order) = shop.order(&sku("mug"), 2, GOOD).await;
    shop.finish(order).await;
    assert_eq!(shop.refund(order, "r-1", Some(900)).await.status, 202);
    order
}

async fn was_refunded_once(shop: &Shop, order: OrderId) {
    let refunds = shop.state(order).await.refunds;
    assert!(refunds.values().all(|refund| refund.status == RefundStatus::Succeeded));
    assert_eq!(audit_ended(shop).await.taken, 2 * PRICE - 900);
}

#[tokio::test]
async fn money_goes_back_once() {
    walk(async |run: Run| {
        let shop = mugs().await;
        let order = to_be_refunded(&shop).await;
        // What stalls between the look and the refund, only the provider's own key can tell apart.
        shop.provider.honour_keys().await;
        survive(&shop, &run, order).await;
        was_refunded_once(&shop, order).await;
    })
    .await;
}

#[tokio::test]
async fn money_goes_back_once_where_the_provider_knows_no_keys() {
    for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::StallAfter, Fault::LoseAnswer] {
        let shop = mugs().await;
        let order = to_be_refunded(&shop).await;
        survive(&shop, &Run::with("payments.refund", fault), order).await;
        was_refunded_once(&shop, order).await;
    }
}

#[tokio::test]
async fn a_refund_is_asked_for_once_however_often_it_is_sent() {
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
        was_refunded_once(&shop, order).await;
    })
    .await;
}

#[tokio::test]
async fn the_sweeper_loses_no_order() {
    walk(async |run: Run| {
        let shop = mugs().await;
        // Nobody was ever told of it.
        let (_, order) = shop.order(&sku("mug"), 1, GOOD).await;
        shop.advance_clock(Duration::from_mins(3));
        let until = shop.clock.now() + Duration::from_mins(1);
        let attempt = run.attempt(shop.sweep.handle(until)).await;
        // The next minute's.
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
        // A part, and then all of it, which the stream tells of again.
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
async fn a_provider_who_loses_answers_and_workers_who_die_make_one_charge() {
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
