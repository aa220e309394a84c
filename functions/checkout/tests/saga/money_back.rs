//! Late decisions of the provider, and changes that others make at the provider.

use std::time::Duration;

use checkout::ledger::{Account, Cause, Entry};
use checkout::order::{DisputeStatus, Funds, Order, OrderId, Origin, Reason, RefundStatus, State};
use serde_json::json;
use shared::fault::{Fault, Run, walk};
use testing::provider::GOOD;

use crate::books::{audit, audit_ended};
use crate::support::{PRICE, Shop, eur, shop, sku};

async fn mugs() -> Shop {
    let shop = shop().await;
    shop.sell(&sku("mug"), 10, 2).await;
    shop
}

/// A paid order of two mugs.
async fn paid(shop: &Shop) -> Order {
    let (_, order) = shop.order(&sku("mug"), 2, GOOD).await;
    shop.finish(order).await
}

fn payment(order: &Order) -> &str {
    &order.payment.as_ref().unwrap().0
}

/// A paid order with a pending refund, and the provider's id of the refund.
async fn with_pending_refund(shop: &Shop, status: &str) -> (OrderId, String) {
    let order = paid(shop).await.id;
    shop.provider.next_refund(status).await;
    assert_eq!(shop.refund(order, "r-1", Some(900)).await.status, 202);
    let waiting = shop.finish(order).await;
    let refund = waiting.refunds.values().next().unwrap();
    assert_eq!(refund.status, RefundStatus::Pending, "{status}");
    (order, refund.provider_id.clone().unwrap())
}

/// The causes of the order's entries, except the payment's.
async fn causes(shop: &Shop, order: OrderId) -> Vec<String> {
    let entries = shop.store().entries(order).await.unwrap();
    let causes = entries.into_iter().map(|entry| entry.movement().cause.clone());
    causes.filter(|cause| *cause != Cause::Payment).map(String::from).collect()
}

#[tokio::test]
async fn a_pending_refund_is_not_booked_and_blocks_nothing() {
    for status in ["pending", "requires_action"] {
        let shop = mugs().await;
        let (order, refund) = with_pending_refund(&shop, status).await;
        assert_eq!(causes(&shop, order).await, [""; 0], "nothing is booked");
        let waiting = shop.state(order).await;
        assert_eq!((waiting.refunded(), waiting.refundable()), (0, 2 * PRICE - 900));
        audit(&shop).await;

        // Another refund succeeds.
        assert_eq!(shop.refund(order, "r-2", Some(100)).await.status, 202);
        assert_eq!(shop.finish(order).await.refunded(), 100);
        assert_eq!(audit(&shop).await.taken, 2 * PRICE - 100);

        // The sweeper queues the order from time to time, and does not count it as overdue.
        assert_eq!(shop.sweep.handle(shop.until()).await.unwrap(), 0);
        assert_eq!(shop.queued().await, []);
        let calls = shop.provider.calls().await.len();
        shop.advance_clock(Duration::from_mins(16));
        for _ in 0..3 {
            assert_eq!(shop.sweep.handle(shop.until()).await.unwrap(), 0);
        }
        assert_eq!(shop.queued().await, [order], "once");
        shop.work(order).await.unwrap();
        assert_eq!(shop.provider.calls().await.len(), calls + 2, "refunds and disputes");
        assert_eq!(shop.sweep.handle(shop.until()).await.unwrap(), 0);
        assert_eq!(shop.queued().await, []);

        shop.provider.settle_refund(&refund, "succeeded", None).await;
        shop.advance_clock(Duration::from_mins(33));
        shop.sweep.handle(shop.until()).await.unwrap();
        assert_eq!(shop.queued().await, [order]);
        shop.work(order).await.unwrap();
        assert_eq!(shop.state(order).await.refunded(), 1_000);
        assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE - 1_000);
    }
}

#[tokio::test]
async fn a_pending_refund_succeeds_or_fails_once() {
    for (status, code) in [("succeeded", None), ("failed", Some("expired_or_canceled_card"))] {
        walk(async |run: Run| {
            let shop = mugs().await;
            let (order, refund) = with_pending_refund(&shop, "pending").await;
            shop.provider.settle_refund(&refund, status, code).await;
            let attempt = run.attempt(shop.work(order)).await;
            let done = shop.compare(order).await;
            let _ = attempt.resume().await;
            let refund = done.refunds.values().next().unwrap();
            assert_eq!(refund.code.as_deref(), code);
            let gone = if code.is_some() { 0 } else { 900 };
            assert_eq!((done.refunded(), done.refundable()), (gone, 2 * PRICE - gone));
            assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE - gone);
        })
        .await;
    }
}

#[tokio::test]
async fn a_returned_refund_can_be_made_again() {
    walk(async |run: Run| {
        let shop = mugs().await;
        let order = paid(&shop).await.id;
        shop.refund(order, "r-1", None).await;
        let refunded = shop.finish(order).await;
        assert_eq!(refunded.refundable(), 0);
        let (id, refund) = refunded.refunds.iter().next().unwrap();
        let provider_id = refund.provider_id.as_deref().unwrap();
        shop.advance_clock(Duration::from_hours(72));
        shop.provider.settle_refund(provider_id, "failed", Some("lost_or_stolen_card")).await;
        let known = refunded.payment.clone().unwrap();
        let attempt = run.attempt(shop.saga.compare_payment(&known, shop.until())).await;
        let back = shop.compare(order).await;
        let _ = attempt.resume().await;
        assert_eq!(back.refunds[id].status, RefundStatus::Failed);
        assert_eq!(back.refunds[id].code.as_deref(), Some("lost_or_stolen_card"));
        assert_eq!(causes(&shop, order).await, [format!("reversal:{id}"), id.to_string()]);
        assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE);

        assert_eq!(shop.refund(order, "r-2", None).await.status, 202);
        assert_eq!(shop.finish(order).await.refunded(), 2 * PRICE);
        assert_eq!(audit_ended(&shop).await.taken, 0);
    })
    .await;
}

#[tokio::test]
async fn a_refund_by_hand_has_its_own_entry() {
    walk(async |run: Run| {
        let shop = mugs().await;
        let order = paid(&shop).await;
        let refund = shop.provider.refund_by_hand(payment(&order), 700).await;
        let known = order.payment.clone().unwrap();
        let attempt = run.attempt(shop.saga.compare_payment(&known, shop.until())).await;
        let found = shop.compare(order.id).await;
        let _ = attempt.resume().await;
        assert_eq!(
            (found.found[&refund].origin, found.refundable()),
            (Origin::ByHand, 2 * PRICE - 700)
        );
        assert_eq!(causes(&shop, order.id).await, [format!("by_hand:{refund}")]);
        assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE - 700);

        shop.provider.settle_refund(&refund, "failed", None).await;
        let back = shop.compare(order.id).await;
        assert_eq!((back.refunded(), back.refundable()), (0, 2 * PRICE));
        assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE);
    })
    .await;
}

#[tokio::test]
async fn a_refund_that_the_provider_doubles_is_found() {
    let shop = mugs().await;
    let order = paid(&shop).await.id;
    shop.refund(order, "r-1", Some(900)).await;
    // This provider ignores idempotency keys.
    shop.provider.fault(json!({"path": "/refunds$", "method": "POST", "fault": "repeat"})).await;
    shop.finish(order).await;
    let found = shop.compare(order).await;
    assert_eq!(found.refunds.values().next().unwrap().status, RefundStatus::Succeeded);
    let [doubled] = &*found.found.values().collect::<Vec<_>>() else { panic!("{found:?}") };
    assert_eq!((doubled.origin, doubled.amount), (Origin::Doubled, eur(900)));
    assert_eq!((found.refunded(), found.refundable()), (1_800, 2 * PRICE - 1_800));
    assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE - 1_800);
}

#[tokio::test]
async fn an_unknown_status_is_an_error_and_blocks_nothing() {
    let shop = mugs().await;
    let (order, refund) = with_pending_refund(&shop, "pending").await;
    let by_hand = shop.provider.refund_by_hand(payment(&shop.state(order).await), 100).await;
    shop.provider.settle_refund(&refund, "put_on_ice", None).await;
    assert!(shop.work(order).await.is_err());
    let stopped = shop.store().state(order).await.unwrap().unwrap();
    assert!(stopped.trouble.is_some_and(|why| why.contains("put_on_ice")));
    assert!(stopped.order.found.contains_key(&by_hand), "the other refund is booked");
    shop.provider.settle_refund(&refund, "succeeded", None).await;
    shop.compare(order).await;
    assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE - 1_000);
}

#[tokio::test]
async fn a_dispute_withdraws_and_returns_money() {
    let (lost, won) = (DisputeStatus::Lost, DisputeStatus::Won);
    for (end, status, funds) in [("lost", lost, Funds::Withdrawn), ("won", won, Funds::Reinstated)]
    {
        walk(async |run: Run| {
            let shop = mugs().await;
            let order = paid(&shop).await;
            let known = order.payment.clone().unwrap();
            let dispute = shop.provider.dispute(payment(&order), "warning_needs_response").await;
            shop.compare(order.id).await;
            assert_eq!(causes(&shop, order.id).await, [""; 0], "it is only an inquiry");
            shop.provider.settle_dispute(&dispute, "needs_response").await;
            let opened = shop.compare(order.id).await;
            assert_eq!(opened.disputes[&dispute].funds, Funds::Withdrawn);
            audit_ended(&shop).await;
            shop.provider.settle_dispute(&dispute, end).await;
            let attempt = run.attempt(shop.saga.compare_payment(&known, shop.until())).await;
            let closed = shop.compare(order.id).await;
            let _ = attempt.resume().await;
            let closed = &closed.disputes[&dispute];
            assert_eq!((closed.status, closed.funds), (status, funds));
            audit_ended(&shop).await;
            let entries = shop.store().entries(order.id).await.unwrap();
            assert_eq!(entries.len(), 4, "authorised, captured, withdrawn, decided: {entries:?}");
            let disputed = balance(&shop, order.id, Account::Disputed).await;
            assert_eq!(disputed, 0, "nothing is disputed any more");
        })
        .await;
    }
}

/// A payment was refunded in part before its dispute. The shop loses the dispute and gets back only the
/// refunded part. Or the bank returns everything long after the loss, and changes the status before it moves the money.
#[tokio::test]
async fn a_dispute_returns_a_part_or_returns_money_late() {
    let late = [("lost", 0), ("won", 0), ("won", 2 * PRICE)];
    for (moves, losses) in [(&[("lost", 900)][..], 2 * PRICE - 900), (&late[..], 0)] {
        let shop = mugs().await;
        let order = paid(&shop).await;
        shop.refund(order.id, "r-1", Some(900)).await;
        let order = shop.finish(order.id).await;
        let dispute = shop.provider.dispute(payment(&order), "needs_response").await;
        shop.compare(order.id).await;
        for (status, back) in moves {
            shop.provider.reinstate(&dispute, status, *back).await;
            let moved = shop.compare(order.id).await;
            assert_eq!(moved.disputes[&dispute].returned(), *back, "{status}");
            audit_ended(&shop).await;
        }
        assert_eq!(balance(&shop, order.id, Account::Disputed).await, 0);
        assert_eq!(balance(&shop, order.id, Account::DisputeLosses).await, losses);
    }
}

/// The balance of an account over the entries of an order.
async fn balance(shop: &Shop, order: OrderId, account: Account) -> u64 {
    let entries = shop.store().entries(order).await.unwrap();
    let moved = entries.iter().map(Entry::movement).map(|moved| {
        let amount = i64::try_from(moved.amount.amount).unwrap();
        amount * (i64::from(moved.debit == account) - i64::from(moved.credit == account))
    });
    u64::try_from(moved.sum::<i64>()).unwrap()
}

/// An order whose worker crashes before its `n`th event, or before the capture request if `n` is 4, and the
/// provider's id of its payment.
async fn crashed_before(shop: &Shop, n: usize) -> (shared::id::UserId, OrderId, String) {
    let (customer, order) = shop.order(&sku("mug"), 2, GOOD).await;
    let run = match n {
        4 => Run::with("payments.capture", Fault::CrashBefore),
        _ => Run::with_nth("orders.append", n, Fault::CrashBefore),
    };
    assert!(!run.attempt(shop.work(order)).await.is_done());
    let payment = payment(&shop.state(order).await).to_owned();
    (customer, order, payment)
}

#[tokio::test]
async fn a_capture_by_hand_pays_the_order() {
    // Before the order records the authorisation; after that; and after the stock is committed.
    for events in 2..=4 {
        walk(async |run: Run| {
            let shop = mugs().await;
            let (_, order, payment) = crashed_before(&shop, events).await;
            shop.provider.capture_by_hand(&payment, None).await;
            shop.advance_clock(Duration::from_mins(5));
            let attempt = run.attempt(shop.work(order)).await;
            shop.finish(order).await;
            let _ = attempt.resume().await;
            assert_eq!(shop.state(order).await.state, State::Confirmed, "{events}");
            assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE);
        })
        .await;
    }
}

/// Before and after the order records the authorisation.
#[tokio::test]
async fn a_capture_by_hand_of_a_cancelled_order_is_refunded() {
    for events in [2, 3] {
        is_refunded(events, Reason::Customer).await;
    }
}

#[tokio::test]
async fn a_capture_by_hand_of_an_expired_order_is_refunded() {
    for events in [2, 3] {
        is_refunded(events, Reason::Expired).await;
    }
}

async fn is_refunded(events: usize, reason: Reason) {
    walk(async |run: Run| {
        let shop = mugs().await;
        let (customer, order, payment) = crashed_before(&shop, events).await;
        shop.provider.capture_by_hand(&payment, None).await;
        shop.provider.honour_keys().await;
        if reason == Reason::Customer {
            assert_eq!(shop.cancel(customer, order).await.status, 200);
        }
        shop.advance_clock(Duration::from_mins(16));
        let attempt = run.attempt(shop.work(order)).await;
        shop.finish(order).await;
        let _ = attempt.resume().await;
        let ended = shop.finish(order).await;
        assert_eq!((ended.state, ended.reason), (State::Cancelled, Some(reason)));
        let books = audit_ended(&shop).await;
        assert_eq!((books.taken, books.stock[&sku("mug")].available), (0, 10));
    })
    .await;
}

#[tokio::test]
async fn a_partial_capture_by_hand_is_refunded() {
    for events in 2..=4 {
        let shop = mugs().await;
        let (_, order, payment) = crashed_before(&shop, events).await;
        shop.provider.capture_by_hand(&payment, Some(PRICE)).await;
        shop.advance_clock(Duration::from_mins(5));
        let ended = shop.finish(order).await;
        assert_eq!((ended.state, ended.captured_by_hand), (State::Cancelled, Some(eur(PRICE))));
        assert_eq!(ended.refunded(), PRICE);
        assert_eq!(audit_ended(&shop).await.taken, 0);
    }
}

#[tokio::test]
async fn a_cancellation_by_hand_ends_the_order() {
    for events in 2..=4 {
        let shop = mugs().await;
        let (_, order, payment) = crashed_before(&shop, events).await;
        let id = checkout::order::PaymentId(payment);
        shop.saga.payments.cancel(&id, "by hand").await.unwrap();
        shop.advance_clock(Duration::from_mins(5));
        let ended = shop.finish(order).await;
        assert_eq!((ended.state, ended.reason), (State::Cancelled, Some(Reason::Declined)));
        assert_eq!(audit_ended(&shop).await.stock[&sku("mug")].available, 10);
    }
}
