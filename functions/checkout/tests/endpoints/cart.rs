//! The cart.

use futures::future::join_all;
use serde_json::json;
use shared::fault::{Run, walk};

use crate::support::{Ask, BOOK, CUSTOMER, PRICE, Shop, ask, euro, replace_product, shop};

fn add(sku: &str, quantity: u32, key: &str) -> Ask {
    ask("add-to-cart").key(key).body(&json!({"sku": sku, "quantity": quantity}))
}

fn set(sku: &str, quantity: u32) -> Ask {
    ask("set-in-cart").about(BOOK, sku).body(&json!({ "quantity": quantity }))
}

async fn in_cart(s: &Shop) -> Vec<(String, u32)> {
    s.cart_of(CUSTOMER.parse().unwrap()).await
}

fn lines(lines: &[(&str, u32)]) -> Vec<(String, u32)> {
    lines.iter().map(|(sku, quantity)| ((*sku).to_owned(), *quantity)).collect()
}

#[tokio::test]
async fn products_are_added_set_and_removed() {
    let s = shop().await;
    s.sell(BOOK, PRICE).await;
    s.sell("pen", 150).await;
    assert_eq!(ask("get-cart").of(&s).await.ok(200), json!({"lines": []}));

    let book = |quantity: u32| {
        json!({
            "sku": BOOK, "name": format!("One {BOOK}"), "quantity": quantity,
            "unit_price": euro(PRICE),
        })
    };
    let cart = ask("add-to-cart").of(&s).await.ok(200);
    assert_eq!(cart, json!({"lines": [book(2)], "total": euro(2 * PRICE)}));
    let cart = add(BOOK, 3, "k1").of(&s).await.ok(200);
    assert_eq!(cart, json!({"lines": [book(5)], "total": euro(5 * PRICE)}), "in one line");
    let cart = add("pen", 1, "k2").of(&s).await.ok(200);
    assert_eq!(cart["total"], euro(5 * PRICE + 150));
    assert_eq!(ask("get-cart").of(&s).await.ok(200), cart);

    ask("set-in-cart").of(&s).await.ok(200);
    assert_eq!(in_cart(&s).await, lines(&[(BOOK, 1), ("pen", 1)]));
    for _ in 0..2 {
        let cart = ask("remove-from-cart").of(&s).await.ok(200);
        assert_eq!(cart["total"], euro(150));
        assert_eq!(in_cart(&s).await, lines(&[("pen", 1)]));
    }
    let cart = ask("remove-from-cart").about(BOOK, "pen").of(&s).await.ok(200);
    assert_eq!(cart, json!({"lines": []}));
    let other = ask("get-cart").by(s.customer()).of(&s).await.ok(200);
    assert_eq!(other, json!({"lines": []}), "each customer has an own cart");
}

#[tokio::test]
async fn an_invalid_change_is_refused_and_changes_nothing() {
    let s = shop().await;
    for number in 1..=21 {
        s.sell(&format!("p{number}"), 1).await;
    }
    s.sell("dear", 99_999_999).await;
    let yen = json!({"name": "Yen", "price": {"amount": 5, "currency": "JPY"}});
    ask("put-product").about(BOOK, "yen").body(&yen).of(&s).await.ok(201);
    let gone = json!({"name": "Gone", "price": euro(1), "active": false});
    ask("put-product").about(BOOK, "gone").body(&gone).of(&s).await.ok(201);
    set("p1", 999).of(&s).await.ok(200);
    let before = in_cart(&s).await;

    for (sku, quantity, slug, field) in [
        ("p2", 0, "invalid-cart", "quantity"),
        ("p1", 0, "invalid-cart", "quantity"),
        ("p2", 1000, "invalid-cart", "quantity"),
        ("dear", 2, "invalid-cart", "quantity"),
        ("yen", 1, "invalid-cart", "sku"),
        ("gone", 1, "unknown-product", "sku"),
        ("none", 1, "unknown-product", "sku"),
    ] {
        let key = format!("{sku}-{quantity}");
        for answer in [add(sku, quantity, &key).of(&s).await, set(sku, quantity).of(&s).await] {
            assert_eq!(answer.problem(), (422, slug), "{sku}, {quantity}: {}", answer.text);
            assert_eq!(answer.field().0, field, "{sku}, {quantity}: {}", answer.text);
        }
    }
    assert_eq!(add("p1", 1, "one-more").of(&s).await.field().0, "quantity", "999 + 1");
    for (number, (body, field)) in [
        (json!({"sku": "p2"}), "quantity"),
        (json!({"sku": "p2", "quantity": -1}), "quantity"),
        (json!({"sku": "p2", "quantity": 1.5}), "quantity"),
        (json!({"sku": "p 2", "quantity": 1}), "sku"),
        (json!({"sku": "p2", "quantity": 1, "price": 1}), "price"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = ask("add-to-cart").key(&number.to_string()).body(&body).of(&s).await;
        assert_eq!(answer.problem(), (422, "invalid-body"), "{body}");
        assert_eq!(answer.field().0, field, "{body}: {}", answer.text);
    }
    assert_eq!(in_cart(&s).await, before);

    for number in 2..=20 {
        set(&format!("p{number}"), 1).of(&s).await.ok(200);
    }
    let refused = set("p21", 1).of(&s).await;
    assert_eq!((refused.problem(), refused.field().0), ((422, "invalid-cart"), "sku"));
    assert_eq!(in_cart(&s).await.len(), 20);
}

#[tokio::test]
async fn a_line_keeps_its_price_until_it_is_set_again() {
    let s = shop().await;
    s.sell(BOOK, 100).await;
    s.sell("pen", 10).await;
    set(BOOK, 2).of(&s).await.ok(200);
    s.sell(BOOK, 90).await;
    assert_eq!(ask("get-cart").of(&s).await.ok(200)["total"], euro(200));
    assert_eq!(set("pen", 1).of(&s).await.ok(200)["total"], euro(210), "the other line too");
    assert_eq!(add(BOOK, 1, "k").of(&s).await.ok(200)["total"], euro(3 * 90 + 10));
}

#[tokio::test]
async fn a_repeated_request_adds_once() {
    let s = shop().await;
    s.sell(BOOK, PRICE).await;
    let first = add(BOOK, 500, "k").of(&s).await;
    // By now the quantity would be too large, and the product is not on sale.
    let gone = json!({"name": "Gone", "price": euro(1), "active": false});
    replace_product().body(&gone).of(&s).await.ok(200);
    for _ in 0..2 {
        let again = add(BOOK, 500, "k").of(&s).await;
        assert!(again.is_replayed());
        assert_eq!((again.status, &again.text), (200, &first.text));
    }
    assert_eq!(in_cart(&s).await, lines(&[(BOOK, 500)]));
    assert_eq!(add(BOOK, 1, "k").of(&s).await.problem(), (422, "idempotency-key-reused"));
    let without = ask("add-to-cart").without_header("idempotency-key").of(&s).await;
    assert_eq!(without.problem(), (400, "idempotency-key-missing"));

    // A refusal is not saved under its key.
    assert_eq!(add(BOOK, 1, "l").of(&s).await.problem(), (422, "unknown-product"));
    s.sell(BOOK, PRICE).await;
    assert_eq!(add(BOOK, 1, "l").of(&s).await.status, 200);
}

#[tokio::test]
async fn a_retry_after_a_crash_adds_once() {
    let points = walk(async |run: Run| {
        let s = shop().await;
        s.sell(BOOK, PRICE).await;
        let first = add(BOOK, 2, "k");
        let first = run.attempt(first.of(&s)).await;
        let again = add(BOOK, 2, "k").of(&s).await;
        assert_eq!(again.status, 200, "{}", again.text);
        if let Some(first) = first.resume().await {
            assert!(run.allows(first.status, &[]), "{}", first.text);
        }
        assert_eq!(in_cart(&s).await, lines(&[(BOOK, 2)]));
    })
    .await;
    assert_eq!(points, ["idempotency.transact"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_changes_are_all_made() {
    let s = shop().await;
    for number in 0..6 {
        s.sell(&format!("p{number}"), 10).await;
    }
    set("p5", 1).of(&s).await.ok(200);
    let changes: Vec<_> = (0..4)
        .map(|number| add(&format!("p{number}"), 2, &number.to_string()))
        .chain([set("p4", 4), ask("remove-from-cart").about(BOOK, "p5")])
        .chain([add("p0", 3, "more")])
        .collect();
    let answers = join_all(changes.iter().map(|change| change.of(&s))).await;
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let expected = [("p0", 5), ("p1", 2), ("p2", 2), ("p3", 2), ("p4", 4)];
    assert_eq!(in_cart(&s).await, lines(&expected));
}
