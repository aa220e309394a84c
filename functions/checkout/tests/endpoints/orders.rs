//! The endpoints of orders, and the list of stuck orders.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use checkout::api::{get_order, get_receipt};
use checkout::order::{OrderId, State};
use checkout::payments::Stripe;
use futures::future::join_all;
use serde_json::{Value, json};
use shared::fault::{Run, walk};
use shared::http::app;
use testing::provider::DECLINED;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{Ask, BOOK, CUSTOMER, ORDER, PRICE, Shop, TENANT, ask, euro, shop};

const ELSEWHERE: &str = "ten_01M7YRRT80000000000000000Z";

fn events(order: &Value) -> Vec<&str> {
    let history = order["history"].as_array().unwrap();
    history.iter().map(|happened| happened["event"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_order_is_visible_to_its_customer_and_to_the_shop() {
    let s = shop().await;
    let (customer, id) = s.confirmed().await;
    let mine = ask("get-order").order(id).by(customer).of(&s).await.ok(200);
    let expected = ["id", "status", "customer", "total", "refunded", "reason", "expires_at"]
        .map(|field| mine[field].clone());
    assert_eq!(
        expected,
        [
            json!(id),
            json!("confirmed"),
            json!(customer),
            euro(2 * PRICE),
            euro(0),
            Value::Null,
            Value::Null
        ]
    );
    assert_eq!(mine["lines"][0]["sku"], BOOK);
    assert_eq!(
        events(&mine),
        [
            "placed",
            "payment_created",
            "payment_authorised",
            "capture_started",
            "payment_captured",
            "confirmed"
        ]
    );
    let first = json!({"version": 1, "at": "2026-11-21T10:00:00Z", "event": "placed"});
    assert_eq!(mine["history"][0], first);
    assert!(!mine.to_string().contains("pm_card"), "the payment method is not in the response");

    let admin = ask("get-order").order(id).scope("orders:read admin").of(&s).await;
    assert_eq!(admin.ok(200), mine);
    let stranger = ask("get-order").order(id).by(s.customer()).of(&s).await;
    assert_eq!(stranger.problem(), (404, "not-found"));
    let none = ask("get-order").by(customer).of(&s).await;
    assert_eq!(
        (none.problem(), none.body["detail"].clone()),
        ((404, "not-found"), stranger.body["detail"].clone())
    );
    for bad in ["ord_1", "doc_01M7YRRT800000000000000002"] {
        let answer = ask("get-order").about(ORDER, bad).of(&s).await;
        assert_eq!((answer.problem(), answer.field().0), ((400, "invalid-parameter"), "order_id"));
    }
}

/// The customer acts for another tenant now, or has left that of the order.
#[tokio::test]
async fn an_order_stays_in_its_tenant() {
    let s = shop().await;
    let (customer, id) = s.confirmed().await;
    let elsewhere = |name| ask(name).order(id).by(customer).about(TENANT, ELSEWHERE);
    for name in ["get-order", "cancel-order", "pay-order"] {
        assert_eq!(elsewhere(name).of(&s).await.problem(), (404, "not-found"), "{name}");
    }
    let listed = async |request: Ask| request.of(&s).await.ok(200)["orders"].clone();
    assert_eq!(listed(elsewhere("list-orders")).await, json!([]));
    let mine = listed(ask("list-orders").by(customer)).await;
    assert_eq!((mine.as_array().unwrap().len(), &mine[0]["id"]), (1, &json!(id)));
    elsewhere("get-order").scope("orders:read admin").of(&s).await.ok(200);
    s.put_in_cart(customer, BOOK, 2).await;
    let cart = ask("get-cart").by(customer).about(TENANT, ELSEWHERE).of(&s).await.ok(200);
    assert_eq!(cart["lines"], json!([]));
    // The same key and body, in another tenant, is another request.
    let place = || ask("place-order").by(customer);
    place().of(&s).await.ok(202);
    assert_eq!(place().about(TENANT, ELSEWHERE).of(&s).await.problem(), (422, "cart-empty"));
}

#[tokio::test]
async fn a_declined_payment_has_its_code() {
    let s = shop().await;
    let (customer, id) = s.ordered_with(s.customer(), DECLINED).await;
    s.work(id).await;
    let order = ask("get-order").order(id).by(customer).of(&s).await.ok(200);
    let shown = ["status", "decline_code", "tries_left", "reason", "expires_at"];
    let shown = shown.map(|field| order[field].clone());
    let expected = json!(["payment_required", "card_declined", 4, null, "2026-11-21T10:15:00Z"]);
    assert_eq!(json!(shown), expected);
    assert_eq!(events(&order), ["placed", "payment_created", "means_declined"]);
    assert_eq!(order["history"][2]["code"], "card_declined");
    assert_eq!(s.stock_of(BOOK).await, (10, 2), "the stock stays held");

    let pay = ask("pay-order").order(id).by(customer);
    let bad = pay.clone().body(&json!({"payment_method": "pm card"})).of(&s).await;
    assert_eq!((bad.problem(), bad.field().0), ((422, "invalid-payment-method"), "payment_method"));
    let stranger = ask("pay-order").order(id).scope("orders:write admin").of(&s).await;
    assert_eq!(stranger.problem(), (404, "not-found"), "the shop cannot pay for its customer");
    let good = json!({"payment_method": "pm_card_visa"});
    let paying = pay.body(&good).key("another").of(&s).await;
    assert_eq!(paying.header("location"), Some(&*format!("/v1/orders/{id}")));
    assert_eq!(paying.ok(202)["status"], "processing");
    s.work(id).await;
    let order = ask("get-order").order(id).by(customer).of(&s).await.ok(200);
    assert_eq!((&order["status"], &order["decline_code"]), (&json!("confirmed"), &Value::Null));
    let waited = ask("pay-order").order(id).by(customer).body(&good).key("another");
    let waited = waited.header("prefer", "wait=5").of(&s).await;
    assert!(waited.is_replayed());
    assert_eq!(waited.ok(200)["status"], "confirmed");
    let late = ask("pay-order").order(id).by(customer).key("late").of(&s).await;
    assert_eq!(late.problem(), (409, "order-not-payable"));
}

#[tokio::test]
async fn payment_methods_are_rate_limited() {
    let s = shop().await;
    let pay = |n: u32| ask("pay-order").key(&n.to_string());
    for n in 0..10 {
        assert_eq!(pay(n).of(&s).await.problem(), (404, "not-found"));
    }
    assert_eq!(pay(10).of(&s).await.problem(), (429, "too-many-requests"));
    s.advance(Duration::from_mins(1));
    assert_eq!(pay(10).of(&s).await.problem(), (404, "not-found"));
}

/// If the provider refuses the payment for every payment method, the order ends at once, and not as declined.
#[tokio::test]
async fn a_payment_that_the_provider_refuses_ends_as_refused() {
    let mut s = shop().await;
    for (status, error, ends) in [
        (
            400,
            json!({"type": "invalid_request_error", "code": "amount_too_small", "param": "amount"}),
            true,
        ),
        (
            400,
            json!({"type": "invalid_request_error", "code": "invalid_currency", "param": "currency"}),
            true,
        ),
        (401, json!({"type": "invalid_request_error", "message": "Invalid API Key"}), false),
        (403, json!({"type": "invalid_request_error", "code": "testmode_charges_only"}), false),
        (429, json!({"type": "rate_limit_error", "code": "rate_limit"}), false),
        (400, json!({"type": "idempotency_error"}), false),
    ] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_json(json!({ "error": error }));
        Mock::given(any()).respond_with(answer).mount(&server).await;
        s.saga.payments = Stripe::new(server.uri(), "sk_test".into()).unwrap();
        let (customer, id) = s.ordered().await;
        let until = s.now() + 2 * checkout::saga::STEP_TIME;
        let worked = s.saga.advance(id, until).await;
        let order = ask("get-order").order(id).by(customer).of(&s).await.ok(200);
        if ends {
            assert_eq!(
                (&order["status"], &order["reason"]),
                (&json!("cancelled"), &json!("refused"))
            );
            assert_eq!(events(&order)[1], "payment_refused");
            assert_eq!(order["history"][1]["code"], error["code"]);
            assert_eq!(order["decline_code"], Value::Null);
            assert_eq!(s.cart_of(customer).await, [(BOOK.to_owned(), 2)]);
        } else {
            worked.unwrap_err();
            assert_eq!(order["status"], "processing", "it is retried: {error}");
        }
    }
}

#[tokio::test]
async fn only_the_customer_gets_the_client_secret() {
    let s = shop().await;
    let means = s.provider.needs_action().await;
    let (customer, id) = s.ordered_with(s.customer(), &means).await;
    s.work(id).await;
    let order = ask("get-order").order(id).by(customer).of(&s).await.ok(200);
    assert_eq!(order["status"], "action_required");
    let payment = s.order(id).await.payment.unwrap().0;
    assert!(order["payment_client_secret"].as_str().unwrap().starts_with(&payment));
    let admin = ask("get-order").order(id).scope("orders:read admin").of(&s).await.ok(200);
    assert_eq!(admin["payment_client_secret"], Value::Null);

    // The order is readable while the provider does not respond.
    let payments = Stripe::new("http://127.0.0.1:1".into(), "sk_test".into()).unwrap();
    let down = app(get_order::router(s.system.clone(), payments));
    let order = ask("get-order").order(id).by(customer).of_router(&down).await.ok(200);
    assert_eq!(order["status"], "action_required");
    assert_eq!(order["payment_client_secret"], Value::Null);

    s.provider.authenticate(&payment).await;
    s.work(id).await;
    let order = ask("get-order").order(id).by(customer).of(&s).await.ok(200);
    assert_eq!(order["status"], "confirmed");
    assert_eq!(order["payment_client_secret"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_can_wait_for_the_order() {
    let s = shop().await;
    let (customer, id) = s.ordered().await;
    let get = ask("get-order").order(id).by(customer);
    let answer = get.clone().header("prefer", "wait=0").of(&s).await;
    assert_eq!(answer.header("preference-applied"), Some("wait"));
    assert_eq!(answer.ok(200)["status"], "processing");
    assert_eq!(get.of(&s).await.header("preference-applied"), None);
    let get = get.header("prefer", "wait=20");
    let (answer, ()) = tokio::join!(get.of(&s), s.work(id));
    assert_eq!(answer.ok(200)["status"], "confirmed");
}

#[tokio::test]
async fn orders_are_listed_newest_first_in_pages() {
    let s = shop().await;
    let customer = CUSTOMER.parse().unwrap();
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(s.ordered_by(customer).await.1);
        s.advance(Duration::from_secs(1));
    }
    s.ordered().await;
    let none = ask("list-orders").by(s.customer()).of(&s).await.ok(200);
    assert_eq!(none, json!({"orders": []}));

    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = ask("list-orders").query(&format!("limit=2{cursor}")).of(&s).await.ok(200);
        pages += 1;
        let orders = page["orders"].as_array().unwrap();
        seen.extend(orders.iter().map(|o| o["id"].as_str().unwrap().parse::<OrderId>().unwrap()));
        assert!(orders.iter().all(|order| order["customer"] == CUSTOMER));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    placed.reverse();
    assert_eq!(seen, placed);
    assert_eq!(pages, 3);
    // The full page is the last.
    let full = ask("list-orders").query("limit=5").of(&s).await.ok(200);
    assert_eq!((full["orders"].as_array().unwrap().len(), &full["next_cursor"]), (5, &Value::Null));
    for query in ["limit=0", "cursor=x", "status=confirmed"] {
        let answer = ask("list-orders").query(query).of(&s).await;
        assert_eq!(answer.problem(), (400, "invalid-parameter"), "{query}");
    }
}

#[tokio::test]
async fn an_order_is_cancelled_once() {
    let s = shop().await;
    let (customer, id) = s.ordered().await;
    let cancel = ask("cancel-order").order(id).by(customer);
    assert_eq!(ask("cancel-order").order(id).of(&s).await.problem(), (404, "not-found"));
    s.advance(Duration::from_secs(1));
    let first = cancel.of(&s).await.ok(200);
    assert_eq!((&first["status"], &first["reason"]), (&json!("cancelling"), &json!("customer")));
    assert_eq!(first["changed_at"], "2026-11-21T10:00:01Z");
    assert_eq!(first["expires_at"], Value::Null);
    s.advance(Duration::from_secs(1));
    assert_eq!(cancel.of(&s).await.ok(200), first, "idempotent");
    assert_eq!(s.store.history(id).await.unwrap().len(), 2);

    s.work(id).await;
    let ended = cancel.of(&s).await.ok(200);
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("cancelled"), &json!("customer")));
    assert_eq!(s.stock_of(BOOK).await, (12, 0));
    assert!(s.provider.charges_of(&id.to_string()).await.is_empty());

    let (customer, id) = s.confirmed().await;
    let answer = ask("cancel-order").order(id).by(customer).of(&s).await;
    assert_eq!(answer.problem(), (409, "order-not-cancellable"));
    assert_eq!(s.order(id).await.state, State::Confirmed);

    let (_, id) = s.ordered().await;
    let admin = ask("cancel-order").order(id).scope("orders:write admin").of(&s).await;
    let admin = admin.ok(200);
    assert_eq!((&admin["status"], &admin["reason"]), (&json!("cancelling"), &json!("shop")));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_cancellations_cancel_once() {
    let s = shop().await;
    let (customer, id) = s.ordered().await;
    let cancel = ask("cancel-order").order(id).by(customer);
    for answer in join_all((0..10).map(|_| cancel.of(&s))).await {
        assert_eq!(answer.ok(200)["status"], "cancelling");
    }
    assert_eq!(s.store.history(id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_cancellation_is_retried_after_a_crash() {
    let points = walk(async |run: Run| {
        let s = shop().await;
        let (customer, id) = s.ordered().await;
        let cancel = ask("cancel-order").order(id).by(customer);
        let first = run.attempt(cancel.of(&s)).await;
        assert_eq!(cancel.of(&s).await.ok(200)["status"], "cancelling");
        if let Some(first) = first.resume().await {
            assert!(run.allows(first.status, &[]), "{}", first.text);
        }
        assert_eq!(s.store.history(id).await.unwrap().len(), 2);
    })
    .await;
    assert_eq!(points, ["orders.request"]);
}

async fn stuck(s: &Shop) -> Vec<Value> {
    let list = ask("list-stuck").of(s).await.ok(200);
    list["orders"].as_array().unwrap().clone()
}

#[tokio::test]
async fn stuck_orders_are_listed_oldest_first() {
    let s = shop().await;
    let mut placed = Vec::new();
    for _ in 0..3 {
        placed.push(s.ordered().await.1);
        s.advance(Duration::from_secs(1));
    }
    let (_, ended) = s.confirmed().await;
    s.advance(Duration::from_secs(117));
    // The next check of the first order is later than the others'.
    assert_eq!(s.sweep.handle(s.now() + Duration::from_mins(1)).await.unwrap(), 1);
    s.advance(Duration::from_secs(177));
    assert!(stuck(&s).await.is_empty(), "not stuck for five minutes yet");
    s.advance(Duration::from_secs(5));
    s.provider
        .fault(json!({"method": "POST", "path": "payment_intents$", "fault": "status_500_before"}))
        .await;
    let until = s.now() + 2 * checkout::saga::STEP_TIME;
    s.saga.advance(placed[1], until).await.unwrap_err();

    let listed = stuck(&s).await;
    let ids: Vec<_> = listed.iter().map(|order| order["id"].as_str().unwrap()).collect();
    assert_eq!(ids, placed.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert!(!ids.contains(&&*ended.to_string()));
    assert_eq!(
        (&listed[0]["status"], &listed[0]["state"]),
        (&json!("processing"), &json!("placed"))
    );
    assert_eq!(listed[0]["attempts"], 0);
    assert_eq!(listed[0]["trouble"], Value::Null);
    assert_eq!(listed[0]["looked_after_at"], "2026-11-21T10:04:00Z");
    assert_eq!(listed[1]["attempts"], 1);
    let trouble = listed[1]["trouble"].as_str().unwrap();
    assert!(trouble.contains("500"), "{trouble}");
    assert!(!trouble.contains(s.provider.key()), "{trouble}");

    s.provider.clear().await;
    for id in placed {
        s.work(id).await;
    }
    assert!(stuck(&s).await.is_empty());
}

/// The old orders are checked again and again, so they come after the many new orders in the index.
#[tokio::test]
async fn many_new_orders_do_not_hide_an_old_one() {
    let s = shop().await;
    let mut old = Vec::new();
    for _ in 0..3 {
        old.push(s.ordered().await.1);
    }
    old.sort();
    s.advance(Duration::from_mins(6));
    let client = aws_sdk_dynamodb::Client::new(&s.aws);
    let number = |millis: i64| AttributeValue::N(millis.to_string());
    let sample = client.get_item().table_name("checkout");
    let sample = sample.key("pk", AttributeValue::S(format!("ORDER#{}", old[0])));
    let sample = sample.key("sk", AttributeValue::S("STATE".into())).send().await.unwrap();
    let sample = sample.item.unwrap();
    // All new orders of a shard come before the old ones in the index.
    for shard in 0..8 {
        let writes = (0..110).map(|_| {
            let id: OrderId = s.ids.next();
            let mut item = sample.clone();
            item.insert("pk".into(), AttributeValue::S(format!("ORDER#{id}")));
            item.insert("due_shard".into(), AttributeValue::S(format!("DUE#{shard}")));
            item.insert("due_at".into(), number(1_000));
            client.put_item().table_name("checkout").set_item(Some(item)).send()
        });
        for write in join_all(writes).await {
            write.unwrap();
        }
    }
    let first = ask("list-stuck").query("limit=2").of(&s).await.ok(200);
    let ids = |page: &Value| {
        let orders = page["orders"].as_array().unwrap().iter();
        orders.map(|order| order["id"].as_str().unwrap().parse().unwrap()).collect::<Vec<OrderId>>()
    };
    assert_eq!(ids(&first), old[..2]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let last = ask("list-stuck").query(&format!("limit=1&cursor={cursor}")).of(&s).await.ok(200);
    assert_eq!((ids(&last), &last["next_cursor"]), (old[2..].to_vec(), &Value::Null));
}

#[tokio::test]
async fn a_receipt_says_what_was_paid_when_and_what_went_back() {
    let s = shop().await;
    let router = app(get_receipt::router(s.system.clone()));
    let (customer, id) = s.ordered().await;
    let receipt = ask("get-receipt").order(id).by(customer);
    assert_eq!(receipt.of_router(&router).await.problem(), (409, "order-not-paid"));
    s.advance(Duration::from_secs(5));
    s.work(id).await;
    let refund = ask("refund-order").order(id);
    refund.of(&s).await.ok(202);

    let mut expected = json!({
        "order": id,
        "lines": [{
            "sku": BOOK, "name": format!("One {BOOK}"), "quantity": 2,
            "unit_price": euro(PRICE), "total": euro(2 * PRICE),
        }],
        "total": euro(2 * PRICE),
        "paid_at": "2026-11-21T10:00:05Z",
        "refunded": euro(0),
    });
    assert_eq!(receipt.of_router(&router).await.ok(200), expected, "the refund is under way");
    s.advance(Duration::from_secs(5));
    s.work(id).await;
    expected["refunded"] = euro(500);
    assert_eq!(receipt.of_router(&router).await.ok(200), expected);

    let stranger = receipt.clone().by(s.customer()).of_router(&router).await;
    assert_eq!(stranger.problem(), (404, "not-found"));
    let shop = receipt.clone().by(s.customer()).scope("orders:read admin").of_router(&router).await;
    assert_eq!(shop.ok(200), expected);
    let unscoped = receipt.scope("documents:read").of_router(&router).await;
    assert_eq!(unscoped.status, 403);
}

#[tokio::test]
async fn an_order_that_ended_unpaid_has_no_receipt() {
    let s = shop().await;
    let router = app(get_receipt::router(s.system.clone()));
    let (customer, id) = s.ordered().await;
    ask("cancel-order").order(id).by(customer).of(&s).await.ok(200);
    s.work(id).await;
    let receipt = ask("get-receipt").order(id).by(customer).of_router(&router).await;
    assert_eq!(receipt.problem(), (409, "order-not-paid"));
}
