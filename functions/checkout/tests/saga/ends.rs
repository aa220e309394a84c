//! Each way in which an order can end, without faults.

use std::time::Duration;

use checkout::order::{Reason, RefundStatus, State};
use testing::provider::{DECLINED, GOOD};

use crate::books::audit_ended;
use crate::support::{PRICE, shop, sku};

#[tokio::test]
async fn a_good_card_pays_and_the_stock_is_consumed() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 10, 1).await;
    let (_, order) = shop.order(&mug, 2, GOOD).await;
    let order = shop.finish(order).await;
    assert_eq!(order.state, State::Confirmed);
    let books = audit_ended(&shop).await;
    assert_eq!(books.taken, 2 * PRICE);
    assert_eq!((books.stock[&mug].sold, books.stock[&mug].available), (2, 8));
    assert_eq!(order.version, 6, "no extra event");
    assert_eq!(shop.provider.calls().await.len(), 3, "create, confirm, capture");
}

#[tokio::test]
async fn a_declined_card_takes_nothing() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 10, 1).await;
    let (_, order) = shop.order(&mug, 2, DECLINED).await;
    let order = shop.finish(order).await;
    assert_eq!((order.state, order.reason), (State::Cancelled, Some(Reason::Expired)));
    let books = audit_ended(&shop).await;
    assert_eq!((books.taken, books.stock[&mug].available), (0, 10));
}

#[tokio::test]
async fn an_unknown_payment_method_takes_nothing() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 10, 1).await;
    let (customer, order) = shop.order(&mug, 2, "pm_nobody_has").await;
    shop.work(order).await.unwrap();
    let waiting = shop.state(order).await;
    assert_eq!((waiting.state, waiting.payment), (State::PaymentRequired, None));
    assert_eq!(waiting.decline_code.as_deref(), Some("resource_missing"));
    let order = shop.finish(order).await;
    assert_eq!((order.state, order.reason), (State::Cancelled, Some(Reason::Expired)));
    assert_eq!(shop.in_cart(customer, &mug).await, 2);
    assert_eq!(audit_ended(&shop).await.stock[&mug].available, 10);
}

#[tokio::test]
async fn a_customer_who_completes_3d_secure_has_paid() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 10, 1).await;
    let means = shop.provider.needs_action().await;
    let (_, order) = shop.order(&mug, 1, &means).await;
    shop.work(order).await.unwrap();
    let asked = shop.state(order).await;
    assert_eq!(asked.state, State::ActionRequired);
    shop.work(order).await.unwrap();
    assert_eq!(shop.state(order).await, asked, "the order waits for the customer");

    shop.provider.authenticate(&asked.payment.unwrap().0).await;
    assert_eq!(shop.finish(order).await.state, State::Confirmed);
    assert_eq!(audit_ended(&shop).await.taken, PRICE);
}

#[tokio::test]
async fn a_customer_who_fails_3d_secure_has_not_paid() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 10, 1).await;
    let means = shop.provider.needs_action_and_declines().await;
    let (_, order) = shop.order(&mug, 1, &means).await;
    shop.work(order).await.unwrap();
    let payment = shop.state(order).await.payment.unwrap();
    shop.provider.authenticate(&payment.0).await;
    shop.work(order).await.unwrap();
    assert_eq!(shop.state(order).await.state, State::PaymentRequired);
    let order = shop.finish(order).await;
    assert_eq!((order.state, order.reason), (State::Cancelled, Some(Reason::Expired)));
    assert_eq!(audit_ended(&shop).await.taken, 0);
}

#[tokio::test]
async fn a_customer_who_never_comes_back_loses_the_order() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 10, 1).await;
    let means = shop.provider.needs_action().await;
    let (_, order) = shop.order(&mug, 1, &means).await;
    shop.work(order).await.unwrap();
    shop.advance_clock(Duration::from_mins(16));
    let order = shop.finish(order).await;
    assert_eq!((order.state, order.reason), (State::Cancelled, Some(Reason::Expired)));
    assert_eq!(audit_ended(&shop).await.stock[&mug].available, 10);
}

#[tokio::test]
async fn an_order_without_a_worker_in_time_expires() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 10, 1).await;
    let (_, order) = shop.order(&mug, 1, GOOD).await;
    shop.advance_clock(Duration::from_mins(16));
    let order = shop.finish(order).await;
    assert_eq!((order.state, order.reason), (State::Cancelled, Some(Reason::Expired)));
    audit_ended(&shop).await;
}

#[tokio::test]
async fn released_stock_is_not_sold() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 1, 1).await;
    let (_, order) = shop.order(&mug, 1, GOOD).await;
    // The inventory's sweeper released the reservation before the order's next step.
    let held = shop.saga.inventory.reservations(&order.to_string()).await.unwrap();
    let at = shop.clock.now() + Duration::from_mins(15);
    assert!(shop.saga.inventory.expire(&held[0], at).await.unwrap());
    let order = shop.finish(order).await;
    assert_eq!((order.state, order.reason), (State::Cancelled, Some(Reason::Expired)));
    let books = audit_ended(&shop).await;
    assert_eq!((books.taken, books.stock[&mug].available), (0, 1));
}

#[tokio::test]
async fn partial_refunds_never_exceed_the_payment() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 10, 1).await;
    let (_, order) = shop.order(&mug, 2, GOOD).await;
    shop.finish(order).await;
    assert_eq!(shop.refund(order, "r-1", Some(1_000)).await.status, 202);
    assert_eq!(shop.refund(order, "r-2", Some(500)).await.status, 202);
    assert_eq!(shop.refund(order, "r-3", Some(1_001)).await.status, 422, "1 too many");
    shop.finish(order).await;
    assert_eq!(audit_ended(&shop).await.taken, 1_000);
    assert_eq!(shop.refund(order, "r-4", None).await.status, 202);
    let order = shop.finish(order).await;
    assert!(order.refunds.values().all(|refund| refund.status == RefundStatus::Succeeded));
    let books = audit_ended(&shop).await;
    assert_eq!((books.taken, books.stock[&mug].sold), (0, 2), "sold stock stays sold");
}

#[tokio::test]
async fn an_order_of_several_products_is_all_or_nothing() {
    let (shop, mug, pot) = (shop().await, sku("mug"), sku("pot"));
    shop.sell(&mug, 10, 1).await;
    shop.sell(&pot, 1, 1).await;
    let customer = shop.customer();
    shop.fill_cart(customer, &[(&mug, 3), (&pot, 2)]).await;
    let refused = shop.place(customer, "k-1", GOOD).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (409, &"lines.pot".into()));
    shop.fill_cart(customer, &[(&mug, 3), (&pot, 1)]).await;
    let order = shop.place(customer, "k-2", GOOD).await.order();
    assert_eq!(shop.finish(order).await.state, State::Confirmed);
    let books = audit_ended(&shop).await;
    assert_eq!((books.stock[&mug].sold, books.stock[&pot].sold), (3, 1));
    assert_eq!(books.taken, 4 * PRICE);
}
