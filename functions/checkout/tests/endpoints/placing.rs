//! Placing an order.

use std::collections::BTreeSet;
use std::time::Duration;

use checkout::order::State;
use futures::future::join_all;
use serde_json::{Value, json};
use shared::fault::{Fault, Run, walk};
use shared::id::UserId;
use testing::eventually;

use crate::support::{
    Answer, Ask, BOOK, CUSTOMER, PRICE, Shop, TENANT, ask, euro, replace_product, shop,
};

fn place(key: &str) -> Ask {
    ask("place-order").key(key)
}

/// A shop with ten books in stock, two of which are in the customer's cart.
async fn ready() -> Shop {
    let s = shop().await;
    s.sell(BOOK, PRICE).await;
    s.stock(BOOK, 10, 2).await;
    s.put_in_cart(CUSTOMER.parse().unwrap(), BOOK, 2).await;
    s
}

async fn in_cart(s: &Shop) -> Vec<(String, u32)> {
    s.cart_of(CUSTOMER.parse().unwrap()).await
}

/// The number of the customer's orders.
async fn customer_orders(s: &Shop, customer: UserId) -> usize {
    s.store.customer_orders((customer, TENANT.parse().unwrap()), None, 100).await.unwrap().0.len()
}

#[tokio::test]
async fn an_order_is_written_completely() {
    let s = ready().await;
    let answer = ask("place-order").of(&s).await;
    let id = answer.order();
    assert_eq!(answer.header("location"), Some(&*format!("/v1/orders/{id}")));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let line = json!({
        "sku": BOOK, "name": format!("One {BOOK}"), "quantity": 2, "unit_price": euro(PRICE),
    });
    let expected = json!({
        "id": id, "status": "processing", "customer": CUSTOMER, "lines": [line],
        "total": euro(2 * PRICE), "refunded": euro(0), "placed_at": "2026-11-21T10:00:00Z",
        "changed_at": "2026-11-21T10:00:00Z", "expires_at": "2026-11-21T10:15:00Z",
    });
    assert_eq!(answer.body, expected);

    let items = s.items("checkout", &format!("ORDER#{id}")).await;
    let keys: Vec<_> = items.iter().map(|item| item["sk"].as_str().unwrap()).collect();
    assert_eq!(keys, ["EVENT#000001", "STATE"]);
    assert_eq!(items[0]["event"]["type"], "placed");
    assert_eq!(items[0]["event"]["payment_method"], "pm_card_visa");
    assert_eq!(items[1]["order"]["state"], "placed");
    let held = s.inventory.reservations(&id.to_string()).await.unwrap();
    assert_eq!(held.iter().map(inventory::Reservation::quantity).collect::<Vec<_>>(), [2]);
    assert_eq!(s.stock_of(BOOK).await, (8, 2));
    assert!(in_cart(&s).await.is_empty());
    assert!(s.queued().await.is_empty(), "the relay queues the job");
}

#[tokio::test]
async fn a_repeated_request_returns_the_same_order() {
    let s = ready().await;
    let first = place("k").of(&s).await;
    // By now the cart is empty, the product is sold out and its price is higher.
    s.sell(BOOK, PRICE + 1).await;
    s.stock(BOOK, -8, 2).await;
    for quantity in [0, 1] {
        if quantity > 0 {
            s.put_in_cart(CUSTOMER.parse().unwrap(), BOOK, quantity).await;
        }
        let again = place("k").of(&s).await;
        assert!(again.is_replayed() && !first.is_replayed());
        assert_eq!((again.status, &again.text), (202, &first.text));
        assert_eq!(again.header("location"), first.header("location"));
    }
    // The same key in quotes.
    assert_eq!(place("\"k\"").of(&s).await.text, first.text);
    assert_eq!(in_cart(&s).await.len(), 1, "the new cart is unchanged");
    assert_eq!(customer_orders(&s, CUSTOMER.parse().unwrap()).await, 1);

    let other = place("k").body(&json!({"payment_method": "pm_card_mastercard"})).of(&s).await;
    assert_eq!(other.problem(), (422, "idempotency-key-reused"));
    let without = ask("place-order").without_header("idempotency-key").of(&s).await;
    assert_eq!(without.problem(), (400, "idempotency-key-missing"));
    let another = place("k").by(s.customer()).of(&s).await;
    assert_eq!(another.problem(), (422, "cart-empty"), "a key belongs to a user");
}

#[tokio::test]
async fn an_invalid_order_is_refused_and_changes_nothing() {
    let s = shop().await;
    let empty = place("k").of(&s).await;
    assert_eq!(empty.problem(), (422, "cart-empty"));
    let customer = CUSTOMER.parse().unwrap();
    for sku in ["a", "b", "c", "d"] {
        s.sell(sku, 100).await;
        s.stock(sku, 3, 1).await;
        s.put_in_cart(customer, sku, 2).await;
    }
    for means in ["", "pm card", "pm/../../v1/charges", "pm_é", &"p".repeat(65)] {
        let answer = place("k").body(&json!({"payment_method": means})).of(&s).await;
        assert_eq!(answer.problem(), (422, "invalid-payment-method"), "{means}");
        assert_eq!(answer.field().0, "payment_method");
    }
    for (body, field) in [
        (json!({}), "payment_method"),
        (json!({"payment_method": "pm_card_visa", "total": 1}), "total"),
    ] {
        let answer = place("k").body(&body).of(&s).await;
        assert_eq!((answer.problem(), answer.field().0), ((422, "invalid-body"), field));
    }

    s.sell("b", 101).await;
    let gone = json!({"name": "Gone", "price": euro(100), "active": false});
    replace_product().about(BOOK, "c").body(&gone).of(&s).await.ok(200);
    let answer = place("k").of(&s).await;
    assert_eq!(answer.problem(), (409, "price-changed"));
    let errors = json!([
        {"field": "lines.b", "detail": "it costs 101 now, in minor units of EUR"},
        {"field": "lines.c", "detail": "it is no longer sold"},
    ]);
    assert_eq!(answer.body["errors"], errors);

    s.put_in_cart(customer, "b", 2).await;
    ask("remove-from-cart").about(BOOK, "c").of(&s).await.ok(200);
    s.stock("a", -2, 1).await;
    s.stock("d", -3, 1).await;
    let answer = place("k").of(&s).await;
    assert_eq!(answer.problem(), (409, "out-of-stock"));
    let errors = json!([
        {"field": "lines.a", "detail": "1 left"},
        {"field": "lines.d", "detail": "0 left"},
    ]);
    assert_eq!(answer.body["errors"], errors);
    let lines: Vec<_> = ["a", "b", "d"].map(|sku| (sku.to_owned(), 2)).to_vec();
    assert_eq!(in_cart(&s).await, lines);
    assert_eq!(s.stock_of("b").await, (3, 0), "no stock is held");
    assert_eq!(customer_orders(&s, customer).await, 0);

    // The same key succeeds later.
    s.stock("a", 1, 1).await;
    s.stock("d", 2, 1).await;
    assert_eq!(place("k").of(&s).await.status, 202);
}

/// A product is replaced between the check of the prices and the transaction.
#[tokio::test]
async fn nothing_is_sold_at_an_old_price_or_when_not_on_sale() {
    for (change, detail) in [
        (
            json!({"name": "A book", "price": euro(PRICE + 1)}),
            "it costs 3500 now, in minor units of EUR",
        ),
        (
            json!({"name": "A book", "price": {"amount": PRICE, "currency": "USD"}}),
            "it costs 3499 now, in minor units of USD",
        ),
        (json!({"name": "A book", "price": euro(PRICE), "active": false}), "it is no longer sold"),
    ] {
        let s = ready().await;
        let run = Run::with("idempotency.transact", Fault::StallBefore);
        let placing = place("k");
        let attempt = run.attempt(placing.of(&s)).await;
        replace_product().body(&change).of(&s).await.ok(200);
        let answer = attempt.resume().await.unwrap();
        assert_eq!(answer.problem(), (409, "price-changed"), "{change}: {}", answer.text);
        assert_eq!(answer.field().1, detail);
        assert_eq!(customer_orders(&s, CUSTOMER.parse().unwrap()).await, 0);
        assert_eq!((s.stock_of(BOOK).await, in_cart(&s).await.len()), ((10, 0), 1));
    }
    // A new name does not make the price outdated.
    let s = ready().await;
    let run = Run::with("idempotency.transact", Fault::StallBefore);
    let placing = place("k");
    let attempt = run.attempt(placing.of(&s)).await;
    let renamed = json!({"name": "The book", "price": euro(PRICE)});
    replace_product().body(&renamed).of(&s).await.ok(200);
    attempt.resume().await.unwrap().order();
}

#[tokio::test]
async fn a_total_below_the_minimum_is_refused_before_stock_is_held() {
    let s = shop().await;
    s.sell(BOOK, 49).await;
    s.stock(BOOK, 10, 1).await;
    s.put_in_cart(CUSTOMER.parse().unwrap(), BOOK, 1).await;
    let answer = place("k").of(&s).await;
    assert_eq!(
        (answer.problem(), answer.field()),
        ((422, "invalid-total"), ("total", "at least 50, in minor units of EUR"))
    );
    s.put_in_cart(CUSTOMER.parse().unwrap(), BOOK, 2).await;
    assert_eq!(place("k").of(&s).await.status, 202);
}

#[tokio::test]
async fn checkouts_are_rate_limited() {
    let s = shop().await;
    for number in 0..100 {
        let answer = place(&number.to_string()).of(&s).await;
        assert_eq!(answer.problem(), (422, "cart-empty"));
    }
    let answer = place("100").of(&s).await;
    assert_eq!(answer.problem(), (429, "too-many-requests"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    let another = place("100").by(s.customer()).of(&s).await;
    assert_eq!(another.problem(), (422, "cart-empty"));
    s.advance(Duration::from_secs(1));
    assert_eq!(place("100").of(&s).await.problem(), (422, "cart-empty"));
}

/// Sends all requests concurrently.
async fn concurrently(s: &Shop, requests: Vec<Ask>) -> Vec<Answer> {
    let calls = requests.into_iter().map(|request| {
        let s = s.clone();
        tokio::spawn(async move { request.of(&s).await })
    });
    join_all(calls).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_callers_with_one_key_place_one_order() {
    let s = ready().await;
    let answers = concurrently(&s, vec![place("k"); 100]).await;
    let texts: BTreeSet<_> = answers.iter().map(|answer| &answer.text).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    answers[0].order();
    assert!(answers.iter().all(|answer| answer.status == 202));
    assert_eq!(answers.iter().filter(|answer| !answer.is_replayed()).count(), 1);
    assert_eq!(customer_orders(&s, CUSTOMER.parse().unwrap()).await, 1);
    assert_eq!(s.stock_of(BOOK).await, (8, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_concurrent_keys_for_one_cart_one_places_an_order() {
    let s = ready().await;
    let answers = concurrently(&s, (0..8).map(|key| place(&key.to_string())).collect()).await;
    let (placed, others): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 202);
    assert_eq!(placed.len(), 1);
    for other in others {
        assert_eq!(other.problem(), (422, "cart-empty"));
    }
    assert_eq!(customer_orders(&s, CUSTOMER.parse().unwrap()).await, 1);
    assert_eq!(s.stock_of(BOOK).await, (8, 2));
}

async fn fifty_for_two_hundred(buckets: u32) {
    let s = shop().await;
    s.sell(BOOK, PRICE).await;
    s.stock(BOOK, 50, buckets).await;
    let customers: Vec<UserId> = (0..200).map(|_| s.customer()).collect();
    join_all(customers.iter().map(|customer| s.put_in_cart(*customer, BOOK, 1))).await;
    let requests = customers.iter().map(|customer| place("k").by(*customer)).collect();
    let answers = concurrently(&s, requests).await;

    let mut placed = 0;
    for (answer, customer) in answers.iter().zip(customers) {
        if answer.status == 202 {
            placed += 1;
            assert!(s.cart_of(customer).await.is_empty());
            let held = s.inventory.reservations(&answer.order().to_string()).await.unwrap();
            assert_eq!(held[0].quantity(), 1);
        } else {
            assert_eq!(answer.problem(), (409, "out-of-stock"), "{}", answer.text);
            assert_eq!(s.cart_of(customer).await, [(BOOK.to_owned(), 1)]);
            assert_eq!(customer_orders(&s, customer).await, 0);
        }
    }
    assert_eq!(placed, 50);
    assert_eq!(s.stock_of(BOOK).await, (0, 50));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_customers_for_50_books_50_succeed_with_1_bucket() {
    fifty_for_two_hundred(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_customers_for_50_books_50_succeed_with_4_buckets() {
    fifty_for_two_hundred(4).await;
}

#[tokio::test]
async fn a_retry_after_a_crash_places_one_order() {
    let points = walk(async |run: Run| {
        let s = ready().await;
        let first = place("k");
        let first = run.attempt(first.of(&s)).await;
        let again = place("k").of(&s).await;
        let id = again.order();
        if let Some(first) = first.resume().await {
            // If the limiter is unavailable, the request is admitted.
            assert!(run.allows(first.status, &["rate_limit.admit"]), "{}", first.text);
            if first.status < 300 {
                assert_eq!((first.status, first.text), (202, again.text));
            }
        }
        assert_eq!(customer_orders(&s, CUSTOMER.parse().unwrap()).await, 1);
        assert_eq!(s.stock_of(BOOK).await, (8, 2));
        assert_eq!(s.order(id).await.state, State::Placed);
    })
    .await;
    assert_eq!(points, ["rate_limit.admit", "idempotency.transact"]);
}

#[tokio::test]
async fn twenty_products_from_many_buckets_are_one_order_or_too_scattered() {
    let s = shop().await;
    let customer = CUSTOMER.parse().unwrap();
    for number in 0..20 {
        let sku = format!("p{number}");
        s.sell(&sku, 100).await;
        // 55 buckets in total.
        let buckets = if number < 15 { 3 } else { 2 };
        s.stock(&sku, buckets.into(), buckets).await;
        s.put_in_cart(customer, &sku, buckets).await;
    }
    // 1 answer, 3 items of the order, the cart, 20 products, 20 reservations, and 55 buckets: 100.
    assert_eq!(place("k").of(&s).await.status, 202);
    for number in 0..20 {
        let sku = format!("p{number}");
        s.stock(&sku, 4, 4).await;
        s.put_in_cart(customer, &sku, 4).await;
    }
    let answer = place("l").of(&s).await;
    assert_eq!(answer.problem(), (409, "stock-scattered"));
    assert_eq!(in_cart(&s).await.len(), 20);
    for number in 0..5 {
        ask("remove-from-cart").about(BOOK, &format!("p{number}")).of(&s).await.ok(200);
    }
    assert_eq!(place("l").of(&s).await.status, 202, "with fewer products");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_waits_for_the_end_as_long_as_requested() {
    let s = ready().await;
    let waiting = |key: &str, wait: &str| place(key).header("prefer", wait);
    let answer = waiting("k", "wait=0").of(&s).await;
    let id = answer.order();
    assert_eq!(answer.header("preference-applied"), Some("wait"));
    assert_eq!(answer.body["status"], "processing");
    assert_eq!(answer.header("location"), Some(&*format!("/v1/orders/{id}")));
    let unasked = waiting("k", "respond-async").of(&s).await;
    assert_eq!((unasked.status, unasked.header("preference-applied")), (202, None));

    s.work(id).await;
    let answer = waiting("k", "wait=5").of(&s).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("confirmed")));
    assert!(answer.is_replayed());
    let plain = place("k").of(&s).await;
    assert_eq!(
        (plain.status, &plain.body["status"]),
        (202, &json!("processing")),
        "the saved response"
    );

    s.put_in_cart(CUSTOMER.parse().unwrap(), BOOK, 1).await;
    let placing = async { waiting("l", "wait=20").of(&s).await };
    let working = async {
        let id = eventually("the order", Duration::from_secs(10), async || {
            let (ids, _) = s
                .store
                .customer_orders((CUSTOMER.parse().unwrap(), TENANT.parse().unwrap()), None, 10)
                .await
                .unwrap();
            ids.into_iter().find(|other| *other != id)
        });
        s.work(id.await).await;
    };
    let (answer, ()) = tokio::join!(placing, working);
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("confirmed")));
    assert_eq!(answer.body["expires_at"], Value::Null, "absent after the payment");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_does_not_wait_for_the_customer() {
    let s = ready().await;
    let means = json!({"payment_method": s.provider.needs_action().await});
    let id = place("k").body(&means).of(&s).await.order();
    s.work(id).await;
    let answer = place("k").body(&means).header("prefer", "wait=20").of(&s).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("action_required")));
    assert_eq!(answer.body["expires_at"], "2026-11-21T10:15:00Z");
}
