//! Races: many callers or workers at the same time.

use checkout::order::State;
use futures::future::join_all;
use testing::provider::GOOD;

use crate::books::{audit, audit_ended};
use crate::support::{Answer, PRICE, shop, sku};

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_customers_get_fifty_units() {
    for buckets in [1, 4] {
        let (shop, mug) = (shop().await, sku("mug"));
        shop.sell(&mug, 50, buckets).await;
        let customers: Vec<_> = (0..200).map(|_| shop.customer()).collect();
        let line = [(&mug, 1)];
        join_all(customers.iter().map(|customer| shop.fill_cart(*customer, &line))).await;
        let placed = customers.iter().map(|customer| shop.place(*customer, "key", GOOD));
        let answers = join_all(placed).await;
        let refused = answers.iter().filter(|answer| answer.status != 202);
        for answer in refused {
            assert_eq!(answer.status, 409, "{answer:?}");
        }
        let mut orders: Vec<_> =
            answers.iter().filter(|it| it.status == 202).map(Answer::order).collect();
        audit(&shop).await;
        // Customers who were refused because of conflicts try again. Nothing is oversold.
        for (customer, answer) in customers.iter().zip(&answers) {
            if answer.status != 202 {
                let again = shop.place(*customer, "key", GOOD).await;
                if again.status == 202 {
                    orders.push(again.order());
                } else {
                    let problem = again.body["type"].as_str().unwrap();
                    assert!(problem.ends_with("out-of-stock"), "{again:?}");
                }
            }
        }
        assert_eq!(orders.len(), 50, "all units are sold");
        join_all(orders.iter().map(|order| shop.finish(*order))).await;
        let books = audit_ended(&shop).await;
        assert_eq!((books.count(State::Confirmed), books.taken), (50, 50 * PRICE));
        assert_eq!((books.stock[&mug].sold, books.stock[&mug].available), (50, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_callers_with_one_key_make_one_order() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 500, 1).await;
    let customer = shop.customer();
    shop.fill_cart(customer, &[(&mug, 2)]).await;
    let answers = join_all((0..100).map(|_| shop.place(customer, "key", GOOD))).await;
    let order = shop.place(customer, "key", GOOD).await;
    let order = if order.status == 429 { answers[0].order() } else { order.order() };
    for answer in answers.iter().filter(|answer| answer.status != 429) {
        assert_eq!(answer.order(), order);
    }
    shop.finish(order).await;
    let books = audit_ended(&shop).await;
    assert_eq!((books.orders.len(), books.taken), (1, 2 * PRICE));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_for_one_cart_make_one_order() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 500, 1).await;
    for _ in 0..20 {
        let customer = shop.customer();
        shop.fill_cart(customer, &[(&mug, 1)]).await;
        let (one, other) =
            tokio::join!(shop.place(customer, "one", GOOD), shop.place(customer, "other", GOOD));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [202, 422], "{one:?} {other:?}");
    }
    assert_eq!(audit(&shop).await.orders.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_cancellation_and_a_capture_one_wins() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 500, 1).await;
    let (mut cancelled, mut confirmed) = (0, 0);
    for round in 0..40_u64 {
        let (customer, order) = shop.order(&mug, 1, GOOD).await;
        let later = async {
            // At a random moment of the worker's run.
            for _ in 0..round * 12 {
                tokio::task::yield_now().await;
            }
            shop.cancel(customer, order).await
        };
        let (_, answer) = tokio::join!(shop.work(order), later);
        let ended = shop.finish(order).await;
        match answer.status {
            200 => {
                assert_eq!(ended.state, State::Cancelled);
                cancelled += 1;
            }
            409 => {
                assert_eq!(ended.state, State::Confirmed);
                confirmed += 1;
            }
            _ => panic!("{answer:?}"),
        }
    }
    let books = audit_ended(&shop).await;
    assert_eq!(books.taken, confirmed * PRICE, "{cancelled} were cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_refunds_never_exceed_the_payment() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 10, 1).await;
    let (_, order) = shop.order(&mug, 2, GOOD).await;
    shop.finish(order).await;
    let asked =
        (0..8).map(|n| shop.refund(order, ["a", "b", "c", "d", "e", "f", "g", "h"][n], Some(600)));
    let answers = join_all(asked).await;
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    assert!((1..=4).contains(&taken), "4 × 600 fit into 2,500: {answers:?}");
    join_all((0..4).map(|_| shop.work(order))).await;
    shop.finish(order).await;
    let books = audit_ended(&shop).await;
    assert_eq!(books.taken, 2 * PRICE - 600 * taken as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_on_one_order_make_one_charge() {
    let (shop, mug) = (shop().await, sku("mug"));
    shop.sell(&mug, 500, 1).await;
    for _ in 0..10 {
        let (_, order) = shop.order(&mug, 1, GOOD).await;
        join_all((0..8).map(|_| shop.work(order))).await;
        assert_eq!(shop.finish(order).await.state, State::Confirmed);
    }
    assert_eq!(audit_ended(&shop).await.taken, 10 * PRICE);
}
