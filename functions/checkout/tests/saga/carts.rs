//! The lines of an unpaid order return to the cart once.

use std::time::Duration;

use checkout::order::{Reason, State};
use shared::fault::{Fault, Run, walk};
use testing::provider::GOOD;

use crate::books::audit_ended;
use crate::support::{PRICE, eur, in_tenant, shop, sku};

#[tokio::test]
async fn lines_return_to_the_cart_once_despite_crashes_and_changes() {
    walk(async |run: Run| {
        let (shop, mug, pot) = (shop().await, sku("mug"), sku("pot"));
        shop.sell(&mug, 10, 2).await;
        shop.sell(&pot, 10, 1).await;
        let (customer, order) = shop.order(&mug, 2, GOOD).await;
        assert_eq!(shop.cancel(customer, order).await.status, 200);
        shop.fill_cart(customer, &[(&mug, 1), (&pot, 1)]).await;
        let attempt = run.attempt(shop.work(order)).await;
        shop.fill_cart(customer, &[(&mug, 3), (&pot, 1)]).await;
        let came_back = shop.state(order).await.state == State::Cancelled;
        shop.finish(order).await;
        let _ = attempt.resume().await;
        shop.finish(order).await;
        let mugs = if came_back { 3 } else { 5 };
        assert_eq!(shop.in_cart(customer, &mug).await, mugs, "the later quantity holds");
        assert_eq!(shop.in_cart(customer, &pot).await, 1);
        audit_ended(&shop).await;
    })
    .await;
}

/// The customer changes the cart between the worker's read and its transaction.
#[tokio::test]
async fn a_concurrent_change_of_the_cart_is_not_lost() {
    let (shop, mug, pot) = (shop().await, sku("mug"), sku("pot"));
    shop.sell(&mug, 10, 2).await;
    shop.sell(&pot, 10, 1).await;
    let (customer, order) = shop.order(&mug, 2, GOOD).await;
    assert_eq!(shop.cancel(customer, order).await.status, 200);
    // The second event ends the order.
    let stalls = Run::with_nth("orders.append", 2, Fault::StallBefore);
    let attempt = stalls.attempt(shop.work(order)).await;
    assert_eq!(shop.state(order).await.state, State::Voided);
    shop.fill_cart(customer, &[(&pot, 4)]).await;
    let _ = attempt.resume().await;
    shop.finish(order).await;
    assert_eq!((shop.in_cart(customer, &mug).await, shop.in_cart(customer, &pot).await), (2, 4));
    audit_ended(&shop).await;
}

#[tokio::test]
async fn products_that_do_not_fit_into_the_cart_are_named() {
    let (shop, mug, pot, cup) = (shop().await, sku("mug"), sku("pot"), sku("cup"));
    for sku in [&mug, &pot, &cup] {
        shop.sell(sku, 2_000, 4).await;
    }
    let customer = shop.customer();
    shop.fill_cart(customer, &[(&mug, 500), (&pot, 2), (&cup, 1)]).await;
    let order = shop.place(customer, "k", GOOD).await.order();
    // The cart has 19 other products, and the price of one ordered product has changed.
    let before = shop.store().product(&pot).await.unwrap().unwrap();
    let mut product = before.clone();
    product.price = eur(PRICE - 1);
    assert!(shop.store().put_product(&pot, Some(&before), &product).await.unwrap());
    let others: Vec<_> = (0..18).map(|number| sku(&format!("other-{number}"))).collect();
    for sku in &others {
        shop.sell(sku, 1, 1).await;
    }
    let mut lines: Vec<_> = others.iter().map(|sku| (sku, 1)).collect();
    lines.extend([(&mug, 600), (&pot, 1)]);
    shop.fill_cart(customer, &lines).await;

    shop.advance_clock(Duration::from_mins(15));
    let ended = shop.finish(order).await;
    assert_eq!(ended.reason, Some(Reason::Expired));
    assert_eq!(
        ended.not_in_cart,
        [cup, mug.clone()],
        "one exceeds the number of products, one the quantity"
    );
    let cart = shop.store().cart(in_tenant(customer)).await.unwrap();
    assert_eq!(cart.lines.len(), 20);
    assert_eq!(cart.lines[&mug].quantity, 999);
    assert_eq!((cart.lines[&pot].quantity, cart.lines[&pot].unit_price), (3, eur(PRICE - 1)));
    audit_ended(&shop).await;
}
