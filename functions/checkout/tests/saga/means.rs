//! Another payment method after a decline.

use std::time::Duration;

use checkout::order::{MAX_TRIES, Reason, State};
use futures::future::join_all;
use serde_json::json;
use shared::fault::{Fault, Run, walk};
use testing::provider::{DECLINED, GOOD};

use crate::books::{audit, audit_ended};
use crate::support::{PRICE, Shop, shop, sku};

async fn mugs() -> Shop {
    let shop = shop().await;
    shop.sell(&sku("mug"), 10, 2).await;
    shop
}

#[tokio::test]
async fn another_card_pays_the_same_order_with_the_same_payment() {
    let (shop, mug) = (mugs().await, sku("mug"));
    let (customer, order) = shop.declined(&mug, 2).await;
    let declined = shop.state(order).await;
    assert_eq!(declined.decline_code.as_deref(), Some("card_declined"));
    assert_eq!(audit(&shop).await.stock[&mug].reserved, 2, "the stock stays held");

    let answer = shop.pay(customer, order, "k", GOOD).await;
    assert_eq!((answer.status, &answer.body["status"]), (202, &json!("processing")));
    let paid = shop.finish(order).await;
    assert_eq!((paid.state, paid.payment), (State::Confirmed, declined.payment));
    assert_eq!(shop.provider.posts("/payment_intents").await, 1);
    let books = audit_ended(&shop).await;
    assert_eq!((books.taken, books.stock[&mug].sold), (2 * PRICE, 2));
    assert_eq!(shop.in_cart(customer, &mug).await, 0);
}

#[tokio::test]
async fn another_payment_method_replaces_an_unknown_one() {
    let (shop, mug) = (mugs().await, sku("mug"));
    for honours_keys in [false, true] {
        if honours_keys {
            shop.provider.honour_keys().await;
        }
        let (customer, order) = shop.order(&mug, 1, "pm_nobody_has").await;
        shop.work(order).await.unwrap();
        for (key, means) in [("a", "pm_nobody_has"), ("b", DECLINED), ("c", "pm_nobody_has")] {
            assert_eq!(shop.pay(customer, order, key, means).await.status, 202);
            shop.work(order).await.unwrap();
            assert_eq!(shop.state(order).await.state, State::PaymentRequired, "{key}");
        }
        assert_eq!(shop.pay(customer, order, "d", GOOD).await.status, 202);
        assert_eq!(shop.finish(order).await.state, State::Confirmed);
    }
    assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE);
}

#[tokio::test]
async fn an_order_ends_after_too_many_declines() {
    let (shop, mug) = (mugs().await, sku("mug"));
    let (customer, order) = shop.declined(&mug, 2).await;
    for tried in 1..MAX_TRIES {
        assert_eq!(shop.state(order).await.declines, tried);
        assert_eq!(shop.pay(customer, order, &tried.to_string(), DECLINED).await.status, 202);
        shop.work(order).await.unwrap();
    }
    let ended = shop.state(order).await;
    assert_eq!((ended.state, ended.reason), (State::Cancelled, Some(Reason::Declined)));
    assert_eq!(shop.pay(customer, order, "more", GOOD).await.status, 409);
    assert_eq!(shop.in_cart(customer, &mug).await, 2);
    assert_eq!(audit_ended(&shop).await.stock[&mug].available, 10);
}

#[tokio::test]
async fn an_order_takes_another_payment_method_only_while_it_waits_for_one() {
    let (shop, mug) = (mugs().await, sku("mug"));
    let (customer, order) = shop.order(&mug, 1, GOOD).await;
    assert_eq!(shop.pay(customer, order, "early", GOOD).await.status, 409);
    shop.finish(order).await;
    assert_eq!(shop.pay(customer, order, "late", GOOD).await.status, 409);

    let (customer, order) = shop.declined(&mug, 1).await;
    assert_eq!(
        shop.pay(shop.customer(), order, "k", GOOD).await.status,
        404,
        "another customer's order"
    );
    shop.advance_clock(Duration::from_mins(15));
    assert_eq!(shop.pay(customer, order, "expired", GOOD).await.status, 409);
    assert_eq!(shop.finish(order).await.reason, Some(Reason::Expired));
    audit_ended(&shop).await;
}

/// Of concurrent requests with another payment method, one succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn of_concurrent_payment_methods_one_is_taken() {
    let (shop, mug) = (mugs().await, sku("mug"));
    for _ in 0..5 {
        let (customer, order) = shop.declined(&mug, 1).await;
        let keys = ["a", "b", "c", "d"];
        let answers = join_all(keys.map(|key| shop.pay(customer, order, key, GOOD))).await;
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [202, 409, 409, 409], "{answers:?}");
        join_all((0..3).map(|_| shop.work(order))).await;
        assert_eq!(shop.finish(order).await.state, State::Confirmed);
    }
    assert_eq!(audit_ended(&shop).await.taken, 5 * PRICE);
}

#[tokio::test]
async fn a_repeated_request_gives_one_payment_method() {
    let points = walk(async |run: Run| {
        let (shop, mug) = (mugs().await, sku("mug"));
        let (customer, order) = shop.declined(&mug, 2).await;
        let attempt = run.attempt(shop.pay(customer, order, "k", GOOD)).await;
        assert_eq!(shop.pay(customer, order, "k", GOOD).await.status, 202);
        if let Some(answer) = attempt.resume().await {
            // If the limiter is unavailable, the request is admitted.
            assert!(run.allows(answer.status, &["rate_limit.admit"]), "{answer:?}");
        }
        shop.finish(order).await;
        assert_eq!(shop.pay(customer, order, "k", GOOD).await.status, 202, "the saved response");
        let history = shop.store().history(order).await.unwrap();
        assert_eq!(history.iter().filter(|it| it.event.name() == "means_given").count(), 1);
        assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE);
    })
    .await;
    assert_eq!(points, ["rate_limit.admit", "idempotency.transact"]);
}

#[tokio::test]
async fn another_payment_method_pays_once_despite_crashes() {
    for honours_keys in [false, true] {
        walk(async |run: Run| {
            let (shop, mug) = (mugs().await, sku("mug"));
            if honours_keys {
                shop.provider.honour_keys().await;
            }
            let (customer, order) = shop.declined(&mug, 2).await;
            assert_eq!(shop.pay(customer, order, "k", GOOD).await.status, 202);
            let attempt = run.attempt(shop.work(order)).await;
            shop.finish(order).await;
            let _ = attempt.resume().await;
            assert_eq!(shop.finish(order).await.state, State::Confirmed);
            assert_eq!(shop.in_cart(customer, &mug).await, 0);
            assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE);
        })
        .await;
    }
}

#[tokio::test]
async fn another_payment_method_pays_once_despite_provider_faults() {
    for fault in ["drop_request", "drop_answer", "status_500_before", "status_500_after", "repeat"]
    {
        let (shop, mug) = (mugs().await, sku("mug"));
        let (customer, order) = shop.declined(&mug, 2).await;
        // A declined card whose response is lost, then a good card whose response is lost.
        for (key, means) in [("a", DECLINED), ("b", GOOD)] {
            let rule = json!({"method": "POST", "path": "/confirm$", "fault": fault});
            shop.provider.fault(rule).await;
            assert_eq!(shop.pay(customer, order, key, means).await.status, 202, "{fault}");
            while let Err(_failure) = shop.work(order).await {
                shop.advance_clock(Duration::from_secs(2));
            }
        }
        assert_eq!(shop.state(order).await.state, State::Confirmed, "{fault}");
        assert_eq!(audit_ended(&shop).await.taken, 2 * PRICE, "{fault}");
    }
}

/// The payment is authorised while the order waits for another payment method. A worker finds this.
#[tokio::test]
async fn an_authorisation_is_found_while_the_order_waits_for_a_payment_method() {
    let (shop, mug) = (mugs().await, sku("mug"));
    let (_, order) = shop.declined(&mug, 1).await;
    let payment = shop.state(order).await.payment.unwrap();
    // The customer's browser has confirmed the payment.
    shop.saga.payments.confirm(&payment, Some(GOOD), "browser").await.unwrap();
    assert_eq!(shop.finish(order).await.state, State::Confirmed);
    assert_eq!(audit_ended(&shop).await.taken, PRICE);
}

#[tokio::test]
async fn a_payment_cancelled_at_the_provider_takes_no_other_payment_method() {
    let (shop, mug) = (mugs().await, sku("mug"));
    let (customer, order) = shop.declined(&mug, 1).await;
    let payment = shop.state(order).await.payment.unwrap();
    shop.saga.payments.cancel(&payment, "by hand").await.unwrap();
    shop.work(order).await.unwrap();
    let ended = shop.state(order).await;
    assert_eq!((ended.state, ended.reason), (State::Cancelled, Some(Reason::Declined)));
    assert_eq!(shop.in_cart(customer, &mug).await, 1);
    audit_ended(&shop).await;
}

#[tokio::test]
async fn a_cancellation_wins_over_an_untried_payment_method() {
    let (shop, mug) = (mugs().await, sku("mug"));
    let (customer, order) = shop.declined(&mug, 1).await;
    assert_eq!(shop.pay(customer, order, "k", GOOD).await.status, 202);
    let dies = Run::with("payments.confirm", Fault::CrashAfter);
    assert!(!dies.attempt(shop.work(order)).await.is_done());
    assert_eq!(shop.cancel(customer, order).await.status, 200);
    assert_eq!(shop.finish(order).await.state, State::Cancelled);
    assert_eq!(audit_ended(&shop).await.taken, 0, "the held money is released");
}
