//! Orders as their customers see them, and those that stand still.

use std::time::Duration;

use checkout::api::get_order;
use checkout::order::{OrderId, State};
use checkout::payments::Stripe;
use futures::future::join_all;
use serde_json::{Value, json};
use shared::fault::{Run, walk};
use shared::http::app;
use testing::provider::DECLINED;

use crate::support::{BOOK, CUSTOMER, ORDER, PRICE, Shop, ask, euro, shop};

fn events(order: &Value) -> Vec<&str> {
    let history = order["history"].as_array().unwrap();
    history.iter().map(|happened| happened["event"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_order_is_seen_by_its_customer_and_by_the_shop() {
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
    assert!(!mine.to_string().contains("pm_card"), "how it is paid is nobody's business");

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

#[tokio::test]
async fn a_declined_payment_says_why() {
    let s = shop().await;
    let (customer, id) = s.ordered_with(s.customer(), DECLINED).await;
    s.work(id).await;
    let order = ask("get-order").order(id).by(customer).of(&s).await.ok(200);
    assert_eq!((&order["status"], &order["reason"]), (&json!("cancelled"), &json!("declined")));
    assert_eq!(
        events(&order),
        ["placed", "payment_created", "payment_declined", "payment_voided", "cancelled"]
    );
    assert_eq!(order["history"][2]["code"], "card_declined");
    assert_eq!(s.stock_of(BOOK).await, (12, 0));
}

#[tokio::test]
async fn the_customer_alone_is_given_what_the_payment_goes_on_with() {
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

    // While the provider does not answer, the order can be seen.
    let payments = Stripe::new("http://127.0.0.1:1".into(), "sk_test".into()).unwrap();
    let (store, clock) = (s.store.clone(), s.clock.clone());
    let down = app(get_order::router(get_order::GetOrder { store, payments, clock }));
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
async fn an_order_can_be_waited_for() {
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
    assert_eq!(cancel.of(&s).await.ok(200), first, "doing it twice is doing it once");
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
    assert_eq!(admin.ok(200)["status"], "cancelling");
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_at_once_is_cancelling_once() {
    let s = shop().await;
    let (customer, id) = s.ordered().await;
    let cancel = ask("cancel-order").order(id).by(customer);
    for answer in join_all((0..10).map(|_| cancel.of(&s))).await {
        assert_eq!(answer.ok(200)["status"], "cancelling");
    }
    assert_eq!(s.store.history(id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_cancelled_again_after_a_crash_is_cancelled() {
    let points = walk(async |run: Run| {
        let s = shop().await;
        let (customer, id) = s.ordered().await;
        let cancel = ask("cancel-order").order(id).by(customer);
        let first = run.attempt(cancel.of(&s)).await;
        assert_eq!(cancel.of(&s).await.ok(200)["status"], "cancelling");
        if let Some(first) = first.resume().await {
            assert!(matches!(first.status, 200 | 500 | 503), "{}", first.text);
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
async fn orders_that_stand_still_are_listed_the_longest_still_first() {
    let s = shop().await;
    let mut placed = Vec::new();
    for _ in 0..3 {
        placed.push(s.ordered().await.1);
        s.advance(Duration::from_secs(1));
    }
    let (_, ended) = s.confirmed().await;
    s.advance(Duration::from_secs(117));
    // The first is looked after again later than the others.
    assert_eq!(s.sweep.handle(s.now() + Duration::from_mins(1)).await.unwrap(), 1);
    s.advance(Duration::from_secs(177));
    assert!(stuck(&s).await.is_empty(), "not yet for five minutes");
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
