//! The endpoints, called with the sample events.

use axum::Router;
use futures::future::join_all;
use http_body_util::BodyExt;
use inventory::api::{get_stock, list_movements, move_stock};
use inventory::stock::MAX_STOCK;
use lambda_http::request::from_str;
use serde_json::{Value, json};
use shared::http::app;
use shared::idempotency::Records;
use testing::contract::ask;
use testing::{account, event};

use crate::audit::audit;
use crate::support::{System, sku, system};

pub(crate) struct Functions {
    pub(crate) move_stock: Router,
    get_stock: Router,
    list_movements: Router,
}

pub(crate) async fn functions(s: &System) -> Functions {
    let requests = account::table_named(&s.aws, "requests", &["id"]).await;
    let records = Records::new(s.client.clone(), requests, s.clock.clone());
    let (inventory, clock) = (s.inventory.clone(), s.clock.clone());
    let system = inventory::system::System { inventory, records, clock };
    Functions {
        move_stock: app(move_stock::router(system.clone())),
        get_stock: app(get_stock::router(system.clone())),
        list_movements: app(list_movements::router(system)),
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    is_replayed: bool,
    retry_after: Option<String>,
}

impl Answer {
    fn problem(&self) -> (u16, &str) {
        let kind = self.body["type"].as_str().unwrap_or_default();
        (self.status, kind.rsplit('/').next().unwrap())
    }

    /// The invalid field.
    fn field(&self) -> &Value {
        &self.body["errors"][0]["field"]
    }
}

pub(crate) async fn call(router: &Router, event: &str) -> Answer {
    let response = ask(router, from_str(event).unwrap()).await;
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    let is_replayed = parts.headers.contains_key("idempotent-replayed");
    let retry_after = parts.headers.get("retry-after").map(|v| v.to_str().unwrap().to_owned());
    let body = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Answer { status, body, is_replayed, retry_after }
}

/// The sample event with a change.
fn changed(name: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut sample = serde_json::from_str(&event(name)).unwrap();
    change(&mut sample);
    sample.to_string()
}

/// The sample movement with another key and body.
fn movement(key: &str, body: &Value) -> String {
    changed("inventory-move-stock", |sample| {
        sample["headers"]["idempotency-key"] = json!(key);
        sample["body"] = json!(body.to_string());
    })
}

/// The sample movement with another quantity.
pub(crate) fn movement_request(quantity: i64) -> String {
    movement("k", &json!({"quantity": quantity, "reason": "adjustment"}))
}

/// The event for another product.
fn about(sku: &str, event: &str) -> String {
    event.replace("book-rust-2e", sku)
}

#[tokio::test]
async fn movements_are_visible() {
    let s = system().await;
    let f = functions(&s).await;
    let created = call(&f.move_stock, &event("inventory-move-stock")).await;
    assert_eq!(created.status, 201, "{created:?}");
    let expected = json!({
        "sku": "book-rust-2e", "number": 1, "quantity": 50, "reason": "restock",
        "note": "Delivery 2026-118", "by": "usr_01M7YRRT800000000000000000",
        "at": "2026-11-21T10:00:00Z",
    });
    assert_eq!(created.body, expected);
    s.reserve("o", &sku("book-rust-2e"), 3, s.in_seconds(60)).await.unwrap();
    assert_eq!(call(&f.move_stock, &movement_request(-7)).await.status, 201);

    let shown = call(&f.get_stock, &event("inventory-get-stock")).await;
    assert_eq!(shown.status, 200);
    assert_eq!((&shown.body["available"], &shown.body["reserved"]), (&json!(40), &json!(3)));
    let buckets = shown.body["buckets"].as_array().unwrap();
    let sum: u64 = buckets.iter().map(|bucket| bucket["available"].as_u64().unwrap()).sum();
    assert_eq!((buckets.len(), sum), (4, 40));

    let page = call(&f.list_movements, &event("inventory-list-movements")).await;
    assert_eq!(page.status, 200);
    let quantities: Vec<_> =
        page.body["movements"].as_array().unwrap().iter().map(|m| m["quantity"].clone()).collect();
    assert_eq!(quantities, [-7, 50], "newest first");
    assert_eq!(page.body["next_cursor"], Value::Null);
    audit(&s).await;
}

#[tokio::test]
async fn a_repeated_request_is_the_same_movement() {
    let s = system().await;
    let f = functions(&s).await;
    let created = call(&f.move_stock, &event("inventory-move-stock")).await;
    let again = call(&f.move_stock, &event("inventory-move-stock")).await;
    assert_eq!((again.status, again.is_replayed), (201, true));
    assert_eq!(again.body, created.body);
    assert_eq!(audit(&s).await[&sku("book-rust-2e")].moved, 50);

    // The repeated removal gets the saved response, although the stock is now too low.
    let taken = call(&f.move_stock, &movement_request(-40)).await;
    let again = call(&f.move_stock, &movement_request(-40)).await;
    assert_eq!((taken.status, again.status, again.is_replayed), (201, 201, true));
    assert_eq!(again.body, taken.body);

    // A refusal stays a refusal under its key.
    let lacking = movement("l", &json!({"quantity": -11, "reason": "adjustment"}));
    let refused = call(&f.move_stock, &lacking).await;
    assert_eq!(refused.problem(), (409, "not-enough-stock"));
    s.move_stock(&sku("book-rust-2e"), 5, 1).await;
    let again = call(&f.move_stock, &lacking).await;
    assert_eq!((again.problem(), again.is_replayed), ((409, "not-enough-stock"), true));
    let anew = movement("m", &json!({"quantity": -11, "reason": "adjustment"}));
    assert_eq!(call(&f.move_stock, &anew).await.status, 201);

    let other = call(&f.move_stock, &movement_request(-41)).await;
    assert_eq!(other.problem(), (422, "idempotency-key-reused"));
    let other = call(&f.move_stock, &about("other", &movement_request(-40))).await;
    assert_eq!(other.problem(), (422, "idempotency-key-reused"), "the path counts too");
    let without = event("inventory-move-stock").replace("idempotency-key", "x-other");
    let without = call(&f.move_stock, &without).await;
    assert_eq!((without.problem().0, without.field()), (400, &json!("Idempotency-Key")));
    assert_eq!(audit(&s).await[&sku("book-rust-2e")].moved, 50 - 40 + 5 - 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_with_one_key_make_one_movement() {
    let s = system().await;
    let f = functions(&s).await;
    s.move_stock(&sku("book-rust-2e"), 10, 2).await;
    let calls = (0..12).map(|_| {
        let router = f.move_stock.clone();
        tokio::spawn(async move { call(&router, &movement_request(-6)).await })
    });
    for answer in join_all(calls).await {
        let answer = answer.unwrap();
        assert_eq!((answer.status, &answer.body["number"]), (201, &json!(2)), "{answer:?}");
    }
    assert_eq!(audit(&s).await[&sku("book-rust-2e")].moved, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_movements_are_made_or_refused_with_503() {
    let s = system().await;
    let f = functions(&s).await;
    let calls = (0..12).map(|number| {
        let router = f.move_stock.clone();
        let event = movement(&number.to_string(), &json!({"quantity": 1, "reason": "restock"}));
        tokio::spawn(async move {
            loop {
                let answer = call(&router, &event).await;
                if answer.status == 201 {
                    return;
                }
                assert_eq!(answer.problem(), (503, "conflicting-writes"), "{answer:?}");
                assert_eq!(answer.retry_after.as_deref(), Some("1"));
            }
        })
    });
    for call in join_all(calls).await {
        call.unwrap();
    }
    assert_eq!(audit(&s).await[&sku("book-rust-2e")].moved, 12);
}

#[tokio::test]
async fn only_an_admin_reads_and_moves_stock() {
    let s = system().await;
    let f = functions(&s).await;
    for (name, router) in [
        ("inventory-move-stock", &f.move_stock),
        ("inventory-get-stock", &f.get_stock),
        ("inventory-list-movements", &f.list_movements),
    ] {
        let anonymous = changed(name, |sample| {
            sample["requestContext"].as_object_mut().unwrap().remove("authorizer");
        });
        assert_eq!(call(router, &anonymous).await.problem(), (401, "unauthenticated"), "{name}");
        let user = changed(name, |sample| {
            sample["requestContext"]["authorizer"]["lambda"]["scope"] =
                json!("documents:read documents:write administrator");
        });
        assert_eq!(call(router, &user).await.problem(), (403, "forbidden"), "{name}");
        // 65 characters; and an invalid character.
        for bad in ["x".repeat(65), "%C3%A9".into()] {
            let bad = call(router, &about(&bad, &event(name))).await;
            assert_eq!(bad.problem(), (400, "invalid-parameter"), "{name}: {bad:?}");
            assert_eq!(bad.field(), "sku");
        }
    }
    assert!(audit(&s).await.is_empty());
}

#[tokio::test]
async fn validation_errors_name_the_field() {
    let s = system().await;
    let f = functions(&s).await;
    let good = json!({"quantity": 1, "reason": "restock"});
    for (key, (field, value)) in [
        ("quantity", json!(0)),
        ("quantity", json!(1_000_000)),
        ("quantity", json!(-1_000_000)),
        ("quantity", json!(1.5)),
        ("quantity", json!("1")),
        ("reason", json!("theft")),
        ("note", json!("")),
        ("note", json!("é".repeat(201))),
        ("buckets", json!(0)),
        ("buckets", json!(17)),
        ("other", json!(1)),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = good.clone();
        body[field] = value;
        let answer = call(&f.move_stock, &movement(&key.to_string(), &body)).await;
        assert_eq!(answer.problem(), (422, "invalid-body"), "{body}: {answer:?}");
        assert_eq!(answer.field(), field, "{answer:?}");
    }
    for (field, value) in [("limit", "0"), ("limit", "101"), ("cursor", "!")] {
        let asked = changed("inventory-list-movements", |sample| {
            sample["rawQueryString"] = json!(format!("{field}={value}"));
            sample["queryStringParameters"] = json!({field: value});
        });
        let answer = call(&f.list_movements, &asked).await;
        assert_eq!((answer.problem().0, answer.field()), (400, &json!(field)));
    }
    assert!(audit(&s).await.is_empty());
}

#[tokio::test]
async fn stock_stays_between_zero_and_the_limit() {
    let s = system().await;
    let f = functions(&s).await;
    let none = call(&f.move_stock, &movement_request(-1)).await;
    assert_eq!((none.problem(), none.field()), ((409, "not-enough-stock"), &json!("quantity")));
    assert!(audit(&s).await.is_empty());

    let sku = sku("book-rust-2e");
    s.move_stock(&sku, 1, 1).await;
    s.set_available(&sku, MAX_STOCK - 1).await;
    let full = movement("f", &json!({"quantity": 2, "reason": "restock"}));
    assert_eq!(call(&f.move_stock, &full).await.problem(), (409, "too-much-stock"));
    let fits = movement("g", &json!({"quantity": 1, "reason": "restock"}));
    assert_eq!(call(&f.move_stock, &fits).await.status, 201);
}

#[tokio::test]
async fn reserved_stock_is_not_removed() {
    let s = system().await;
    let f = functions(&s).await;
    call(&f.move_stock, &event("inventory-move-stock")).await;
    s.reserve("o", &sku("book-rust-2e"), 45, s.in_seconds(60)).await.unwrap();
    let refused = call(&f.move_stock, &movement_request(-6)).await;
    assert_eq!(refused.problem(), (409, "not-enough-stock"));
    assert_eq!(refused.body["errors"][0]["detail"], "5 are available");
    let all = movement("all", &json!({"quantity": -5, "reason": "adjustment"}));
    assert_eq!(call(&f.move_stock, &all).await.status, 201);
    let counted = &audit(&s).await[&sku("book-rust-2e")];
    assert_eq!((counted.available, counted.reserved), (0, 45));
}

#[tokio::test]
async fn movements_are_paged_and_unknown_stock_is_404() {
    let s = system().await;
    let f = functions(&s).await;
    for (name, router) in
        [("inventory-get-stock", &f.get_stock), ("inventory-list-movements", &f.list_movements)]
    {
        assert_eq!(call(router, &event(name)).await.problem(), (404, "not-found"), "{name}");
    }
    for quantity in 1..=7 {
        s.move_stock(&sku("book-rust-2e"), quantity, 1).await;
        s.move_stock(&sku("book-rust-2f"), 1, 1).await;
    }
    let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, Value::Null);
    loop {
        let asked = changed("inventory-list-movements", |sample| {
            let mut query = "limit=3".to_owned();
            if let Some(cursor) = cursor.as_str() {
                query = format!("{query}&cursor={cursor}");
            }
            sample["rawQueryString"] = json!(query);
        });
        let page = call(&f.list_movements, &asked).await;
        assert_eq!(page.status, 200, "{page:?}");
        let movements = page.body["movements"].as_array().unwrap();
        seen.extend(movements.iter().map(|movement| movement["quantity"].as_u64().unwrap()));
        pages += 1;
        cursor = page.body["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(pages, 3);
}
