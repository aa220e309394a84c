//! The catalogue, and the scopes of all endpoints.

use serde_json::{Value, json};
use shared::http::StatusCode;

use crate::support::{Ask, BOOK, PRICE, ask, euro, shop};

fn put(body: &Value) -> Ask {
    ask("put-product").body(body)
}

/// Every endpoint with a user, and the scope that it requires.
const ENDPOINTS: [(&str, &str); 19] = [
    ("put-product", "admin"),
    ("get-product", "orders:read"),
    ("list-products", "orders:read"),
    ("get-cart", "orders:read"),
    ("add-to-cart", "orders:write"),
    ("set-in-cart", "orders:write"),
    ("remove-from-cart", "orders:write"),
    ("place-order", "orders:write"),
    ("get-order", "orders:read"),
    ("list-orders", "orders:read"),
    ("pay-order", "orders:write"),
    ("cancel-order", "orders:write"),
    ("refund-order", "admin"),
    ("list-stuck", "admin"),
    ("get-ledger", "admin"),
    ("get-order-ledger", "admin"),
    ("put-endpoint", "admin"),
    ("list-endpoints", "admin"),
    ("delete-endpoint", "admin"),
];

#[tokio::test]
async fn the_authorizer_names_the_user_and_scopes_are_required() {
    let s = shop().await;
    for (name, scope) in ENDPOINTS {
        let anonymous = ask(name).anonymous().of(&s).await;
        assert_eq!(anonymous.problem(), (401, "unauthenticated"), "{name}");
        // API Gateway may still use a cached response of the authorizer from before the token expired.
        let expired = ask(name).expired().of(&s).await;
        assert_eq!(expired.problem(), (401, "unauthenticated"), "{name}");
        let others: Vec<_> = ["orders:read", "orders:write", "admin", "documents:write"]
            .into_iter()
            .filter(|other| *other != scope)
            .collect();
        let powerless = ask(name).scope(&others.join(" ")).of(&s).await;
        assert_eq!(powerless.problem(), (403, "forbidden"), "{name}");
        let detail = powerless.body["detail"].as_str().unwrap();
        assert!(detail.contains(scope), "{name}: {detail}");
        let able = ask(name).scope(scope).of(&s).await;
        assert!(!matches!(able.status, 401 | 403 | 500), "{name}: {}", able.text);
    }
}

#[tokio::test]
async fn unknown_paths_return_problems() {
    let s = shop().await;
    let answer = ask("get-cart").about("/v1/cart", "/v1/nothing").of(&s).await;
    assert_eq!(answer.problem(), (404, "not-found"));
    let answer = ask("get-cart").about("\"GET\"", "\"PATCH\"").of(&s).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
}

#[tokio::test]
async fn a_product_can_be_created_read_and_replaced() {
    let s = shop().await;
    let book = json!({
        "sku": BOOK, "name": "The Rust Book, 2nd edition", "price": euro(PRICE), "active": true,
    });
    assert_eq!(ask("get-product").of(&s).await.problem(), (404, "not-found"));
    assert_eq!(ask("put-product").of(&s).await.ok(201), book);
    assert_eq!(ask("put-product").of(&s).await.ok(200), book, "replaced by the same product");

    s.stock(BOOK, 7, 2).await;
    let mut shown = book.clone();
    shown["available"] = json!(7);
    assert_eq!(ask("get-product").of(&s).await.ok(200), shown);

    let other = json!({"name": "Another", "price": {"amount": 1, "currency": "JPY"}});
    assert_eq!(put(&other).of(&s).await.ok(200)["price"], other["price"]);
    let shown = ask("get-product").of(&s).await.ok(200);
    assert_eq!((&shown["name"], &shown["price"]), (&other["name"], &other["price"]));
    assert_eq!(shown["available"], 7);
}

#[tokio::test]
async fn validation_errors_name_the_field() {
    let s = shop().await;
    let good = json!({"name": "A book", "price": euro(1)});
    for (change, slug, field) in [
        (json!({"name": ""}), "invalid-product", "name"),
        (json!({"name": "   "}), "invalid-product", "name"),
        (json!({"name": "n".repeat(201)}), "invalid-product", "name"),
        (json!({"name": format!("n{}", " ".repeat(200))}), "invalid-product", "name"),
        (json!({"name": "two\nlines"}), "invalid-product", "name"),
        (json!({"name": 7}), "invalid-body", "name"),
        (json!({"price": euro(0)}), "invalid-product", "price.amount"),
        (json!({"price": euro(100_000_000)}), "invalid-product", "price.amount"),
        (json!({"price": {"amount": -1, "currency": "EUR"}}), "invalid-body", "price.amount"),
        (json!({"price": {"amount": 9.99, "currency": "EUR"}}), "invalid-body", "price.amount"),
        (json!({"price": {"amount": 1, "currency": "eur"}}), "invalid-body", "price.currency"),
        (json!({"price": {"amount": 1, "currency": "€"}}), "invalid-body", "price.currency"),
        (json!({"price": {"amount": 1}}), "invalid-body", "price.currency"),
        (
            json!({"price": {"amount": 1, "currency": "EUR", "vat": 19}}),
            "invalid-body",
            "price.vat",
        ),
        (json!({"price": {"amount": 1, "currency": "ABC"}}), "invalid-product", "price.currency"),
        (json!({"price": {"amount": 1, "currency": "XTS"}}), "invalid-product", "price.currency"),
        (json!({"price": {"amount": 1, "currency": "HRK"}}), "invalid-product", "price.currency"),
        (json!({"price": {"amount": 150, "currency": "ISK"}}), "invalid-product", "price.amount"),
        (json!({"price": {"amount": 99, "currency": "UGX"}}), "invalid-product", "price.amount"),
        (json!({"price": {"amount": 5_124, "currency": "KWD"}}), "invalid-product", "price.amount"),
        (json!({"stock": 5}), "invalid-body", "stock"),
        (json!({"active": "yes"}), "invalid-body", "active"),
    ] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = put(&body).of(&s).await;
        assert_eq!(answer.problem(), (422, slug), "{change}: {}", answer.text);
        assert_eq!(answer.field().0, field, "{change}: {}", answer.text);
        assert!(!answer.field().1.is_empty(), "{change}");
    }
    for good in [
        json!({"name": "é".repeat(200), "price": euro(99_999_999)}),
        json!({"name": "b", "price": euro(1), "active": false}),
    ] {
        assert!(put(&good).of(&s).await.status < 300, "{good}");
    }
    for (sku, is_one) in [("a_b-c.9", true), (&"a".repeat(64), true), (&"a".repeat(65), false)] {
        let answer = ask("put-product").about(BOOK, sku).of(&s).await;
        if is_one {
            assert_eq!(answer.status, 201, "{}", answer.text);
        } else {
            assert_eq!(answer.problem(), (400, "invalid-parameter"));
            assert_eq!(answer.field().0, "sku", "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn products_on_sale_are_listed_in_pages_with_their_stock() {
    let s = shop().await;
    for number in 1..=7 {
        s.sell(&format!("p{number}"), number).await;
    }
    s.stock("p3", 30, 4).await;
    let inactive = json!({"name": "Gone", "price": euro(1), "active": false});
    for sku in ["p2", "p7"] {
        put(&inactive).about(BOOK, sku).of(&s).await.ok(200);
    }

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ask("list-products").query(&format!("limit=2{cursor}")).of(&s).await.ok(200);
        let products = page["products"].as_array().unwrap();
        let is_last = page["next_cursor"].is_null();
        assert!(products.len() == 2 || is_last && products.len() == 1, "{page}");
        seen.extend(products.clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    // The rest of the list is not on sale, so the full page is the last.
    let full = ask("list-products").query("limit=5").of(&s).await.ok(200);
    assert_eq!(
        (full["products"].as_array().unwrap().len(), &full["next_cursor"]),
        (5, &Value::Null)
    );
    let skus: Vec<_> = seen.iter().map(|product| product["sku"].as_str().unwrap()).collect();
    assert_eq!(skus, ["p1", "p3", "p4", "p5", "p6"]);
    let third =
        json!({"sku": "p3", "name": "One p3", "price": euro(3), "active": true, "available": 30});
    assert_eq!(seen[1], third);
    assert_eq!(seen[0]["available"], 0, "it never had stock");

    let shown = ask("get-product").about(BOOK, "p2").of(&s).await.ok(200);
    assert_eq!(shown["active"], false, "it is still readable");
    for query in ["limit=0", "limit=101", "limit=many", "cursor=x", "page=2"] {
        let answer = ask("list-products").query(query).of(&s).await;
        assert_eq!(answer.problem(), (400, "invalid-parameter"), "{query}");
    }
}
