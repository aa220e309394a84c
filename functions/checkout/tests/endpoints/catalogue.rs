//! The catalogue, and the scopes of all endpoints.

use serde_json::{Value, json};
use shared::http::StatusCode;

use crate::support::{Answer, Ask, BOOK, PRICE, Shop, ask, euro, replace_product, shop};

fn put(body: &Value) -> Ask {
    replace_product().body(body)
}

/// Every endpoint with a user, and the scope that it requires.
const ENDPOINTS: [(&str, &str); 20] = [
    ("put-product", "admin"),
    ("patch-product", "admin"),
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
    ask("put-product").of(&s).await.ok(201);
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

/// The tag of the book, as a client reads it before an edit.
async fn tag(s: &Shop) -> String {
    let answer = ask("get-product").of(s).await;
    answer.header("etag").unwrap().to_owned()
}

fn patch(body: &Value, tag: &str) -> Ask {
    ask("patch-product").body(body).header("if-match", tag)
}

#[tokio::test]
async fn an_edit_names_what_it_replaces() {
    let s = shop().await;
    let create = || ask("put-product").header("if-none-match", "*");
    create().of(&s).await.ok(201);
    assert_eq!(create().of(&s).await.problem(), (412, "precondition-failed"));
    assert_eq!(ask("put-product").of(&s).await.ok(200)["price"], euro(PRICE), "it changes nothing");

    let blind = ask("patch-product").without_header("if-match");
    let other = blind.of(&s).await;
    assert_eq!((other.problem(), other.field().0), ((428, "precondition-required"), "If-Match"));
    let other = ask("put-product").body(&json!({"name": "B", "price": euro(1)})).of(&s).await;
    assert_eq!((other.problem(), other.field().0), ((428, "precondition-required"), "If-Match"));

    let first = tag(&s).await;
    s.stock(BOOK, 7, 2).await;
    assert_ne!(tag(&s).await, first, "the stock is a part of the representation");
    let edited = patch(&json!({"price": {"amount": 1}}), &first).of(&s).await;
    let next = edited.header("etag").unwrap().to_owned();
    assert_eq!(edited.ok(200)["price"], euro(1), "the stock is no edit");

    let stale = patch(&json!({"price": {"amount": 2}}), &first).of(&s).await;
    assert_eq!((stale.problem(), stale.field().0), ((412, "precondition-failed"), "If-Match"));
    let again = patch(&json!({"price": {"amount": 1}}), &first).of(&s).await;
    assert_eq!(again.ok(200)["price"], euro(1), "the retry of an edit whose answer was lost");
    patch(&json!({"active": false}), &next).of(&s).await.ok(200);
    let shown = ask("get-product").of(&s).await.ok(200);
    assert_eq!((&shown["active"], &shown["price"]), (&json!(false), &euro(1)));

    let known = ask("get-product").header("if-none-match", &tag(&s).await).of(&s).await;
    assert_eq!((known.status, known.text.as_str()), (304, ""));
}

#[tokio::test]
async fn a_patch_is_as_valid_as_a_whole_product() {
    let s = shop().await;
    let change = json!({"name": "B"});
    assert_eq!(patch(&change, "*").of(&s).await.problem(), (404, "not-found"));
    ask("put-product").of(&s).await.ok(201);
    for (body, slug, field) in [
        (json!({"name": ""}), "invalid-product", "name"),
        (json!({"name": null}), "invalid-body", "name"),
        (json!({"price": {"amount": 0}}), "invalid-product", "price.amount"),
        (json!({"price": {"currency": "XTS"}}), "invalid-product", "price.currency"),
        (json!({"price": {"currency": null}}), "invalid-body", "price.currency"),
        (json!({"stock": 5}), "invalid-body", "stock"),
    ] {
        let answer = patch(&body, "*").of(&s).await;
        assert_eq!(answer.problem(), (422, slug), "{body}: {}", answer.text);
        assert_eq!(answer.field().0, field, "{body}: {}", answer.text);
    }
    let typed = patch(&change, "*").header("content-type", "application/json").of(&s).await;
    assert_eq!(typed.problem(), (415, "unsupported-media-type"));
    assert_eq!(typed.header("accept-patch"), Some("application/merge-patch+json"));
    let unquoted = patch(&change, "4f1c").of(&s).await;
    assert_eq!((unquoted.problem(), unquoted.field().0), ((400, "invalid-parameter"), "If-Match"));
    assert_eq!(ask("get-product").of(&s).await.ok(200)["price"], euro(PRICE));
}

#[tokio::test]
async fn of_many_edits_of_the_same_product_one_is_made() {
    let s = shop().await;
    ask("put-product").of(&s).await.ok(201);
    let tag = tag(&s).await;
    let edits = (1..=20).map(|amount| {
        let edit = patch(&json!({"price": {"amount": amount}}), &tag);
        let s = &s;
        async move { (amount, edit.of(s).await) }
    });
    let answers: Vec<(u64, Answer)> = futures::future::join_all(edits).await;
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|(_, answer)| answer.status == 200);
    assert_eq!(made.len(), 1, "{made:?}");
    for (amount, answer) in refused {
        assert_eq!(answer.problem(), (412, "precondition-failed"), "{amount}");
    }
    assert_eq!(ask("get-product").of(&s).await.ok(200)["price"], euro(made[0].0));
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
        let page = ask("list-products").query(&format!("limit=2{cursor}")).of(&s).await;
        let link = page.header("link").map(str::to_owned);
        let page = page.ok(200);
        let products = page["products"].as_array().unwrap();
        let is_last = page["next_cursor"].is_null();
        assert!(products.len() == 2 || is_last && products.len() == 1, "{page}");
        seen.extend(products.clone());
        if let Some(next) = page["next_cursor"].as_str() {
            assert_eq!(link, Some(format!("<?limit=2&cursor={next}>; rel=\"next\"")));
            cursor = format!("&cursor={next}");
        } else {
            assert_eq!(link, None);
            break;
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
