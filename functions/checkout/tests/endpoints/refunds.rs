//! Refunds.

use checkout::order::{MAX_REFUNDS, OrderId, RefundStatus, State};
use checkout::payments::Stripe;
use checkout::saga::{STEP_TIME, Saga};
use futures::future::join_all;
use serde_json::{Value, json};
use shared::fault::{Run, walk};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{Ask, PRICE, Shop, ask, euro, shop};

fn refund(id: OrderId, key: &str, amount: impl Into<Option<u64>>) -> Ask {
    let body = amount.into().map_or(json!({}), |amount| json!({ "amount": amount }));
    ask("refund-order").order(id).key(key).body(&body)
}

async fn refunds_of(s: &Shop, id: OrderId) -> Vec<(u64, RefundStatus)> {
    let order = s.order(id).await;
    order.refunds.values().map(|refund| (refund.amount.amount, refund.status)).collect()
}

#[tokio::test]
async fn a_part_is_refunded_and_then_the_rest() {
    let s = shop().await;
    let (customer, id) = s.confirmed().await;
    let answer = ask("refund-order").order(id).of(&s).await;
    assert_eq!(answer.header("location"), Some(&*format!("/v1/orders/{id}")));
    let body = answer.ok(202);
    let refunded = json!({
        "id": body["id"], "order": id, "amount": euro(500), "status": "pending",
    });
    assert_eq!(body, refunded);
    assert!(body["id"].as_str().unwrap().starts_with("rfn_"));

    let get = ask("get-order").order(id).by(customer);
    let order = get.of(&s).await.ok(200);
    assert_eq!(order["refunded"], euro(0), "it is pending");
    let pending = json!([{"id": body["id"], "amount": euro(500), "status": "pending"}]);
    assert_eq!((&order["status"], &order["refunds"]), (&json!("confirmed"), &pending));
    s.work(id).await;
    let order = get.of(&s).await.ok(200);
    assert_eq!(
        (&order["refunded"], &order["refunds"][0]["status"]),
        (&euro(500), &json!("succeeded"))
    );

    s.advance(std::time::Duration::from_secs(1));
    let rest = refund(id, "rest", None).of(&s).await.ok(202);
    assert_eq!(rest["amount"], euro(2 * PRICE - 500));
    s.work(id).await;
    let order = get.of(&s).await.ok(200);
    assert_eq!((&order["refunded"], &order["status"]), (&euro(2 * PRICE), &json!("confirmed")));
    let charged = s.provider.charges_of(&id.to_string()).await;
    assert_eq!((charged.len(), charged[0].refunded()), (1, 2 * PRICE));
}

#[tokio::test]
async fn an_invalid_refund_is_refused_and_changes_nothing() {
    let s = shop().await;
    let (customer, id) = s.confirmed().await;
    let own = refund(id, "k", None).by(customer).scope("orders:read orders:write").of(&s).await;
    assert_eq!(own.problem(), (403, "forbidden"));
    let none = ask("refund-order").of(&s).await;
    assert_eq!(none.problem(), (404, "not-found"));
    for amount in [0, 2 * PRICE + 1, u64::MAX] {
        let answer = refund(id, "k", amount).of(&s).await;
        assert_eq!(answer.problem(), (422, "invalid-refund"), "{amount}");
        assert_eq!(answer.field(), ("amount", "1 to 6998 minor units"));
    }
    for (body, field) in [
        (json!({"amount": -1}), "amount"),
        (json!({"amount": euro(1)}), "amount"),
        (json!({"reason": "broken"}), "reason"),
    ] {
        let answer = refund(id, "k", None).body(&body).of(&s).await;
        assert_eq!((answer.problem(), answer.field().0), ((422, "invalid-body"), field), "{body}");
    }
    let without = ask("refund-order").order(id).without_header("idempotency-key").of(&s).await;
    assert_eq!(without.problem(), (400, "idempotency-key-missing"));

    // A pending refund reduces the refundable amount.
    refund(id, "l", 2 * PRICE - 1).of(&s).await.ok(202);
    let answer = refund(id, "m", 2).of(&s).await;
    assert_eq!(answer.field(), ("amount", "1 to 1 minor units"));
    refund(id, "m", 1).of(&s).await.ok(202);
    for amount in [None, Some(1)] {
        assert_eq!(refund(id, "n", amount).of(&s).await.problem(), (409, "order-refunded"));
    }
    assert_eq!(refunds_of(&s, id).await.len(), 2);

    let (_, unpaid) = s.ordered().await;
    let answer = refund(unpaid, "k", None).of(&s).await;
    assert_eq!(answer.problem(), (409, "order-not-paid"));
    assert_eq!(s.order(unpaid).await.state, State::Placed);
}

/// A worker whose provider refuses every refund.
async fn refused(s: &Shop) -> (MockServer, Saga) {
    let refusing = MockServer::start().await;
    let none = ResponseTemplate::new(200).set_body_json(json!({"data": [], "has_more": false}));
    Mock::given(method("GET")).respond_with(none).mount(&refusing).await;
    let disputed = json!({"error": {"code": "charge_disputed", "message": "No."}});
    let no = ResponseTemplate::new(400).set_body_json(disputed);
    Mock::given(method("POST")).respond_with(no).mount(&refusing).await;
    let payments = Stripe::new(refusing.uri(), "sk_test".into()).unwrap();
    (refusing, Saga { payments, ..s.saga.clone() })
}

#[tokio::test]
async fn failed_refunds_do_not_count() {
    let s = shop().await;
    let (_, id) = s.confirmed().await;
    let (_provider, saga) = refused(&s).await;
    for number in 0..=MAX_REFUNDS {
        refund(id, &number.to_string(), 1).of(&s).await.ok(202);
        saga.advance(id, s.now() + 2 * STEP_TIME).await.unwrap();
    }
    let order = s.order(id).await;
    assert_eq!(
        (order.open_refunds(), order.refunds.len()),
        (0, MAX_REFUNDS),
        "the number of failed refunds is bounded"
    );
    refund(id, "more", None).of(&s).await.ok(202);
    s.work(id).await;
    assert_eq!(s.order(id).await.refunded(), 2 * PRICE);
}

#[tokio::test]
async fn a_refund_that_the_provider_refused_may_be_requested_again() {
    let s = shop().await;
    let (customer, id) = s.confirmed().await;
    let (_provider, saga) = refused(&s).await;
    refund(id, "k", None).of(&s).await.ok(202);
    saga.advance(id, s.now() + 2 * STEP_TIME).await.unwrap();
    let order = ask("get-order").order(id).by(customer).of(&s).await.ok(200);
    assert_eq!(order["refunds"][0]["status"], "failed");
    assert_eq!(order["refunds"][0]["code"], "charge_disputed");
    assert_eq!(order["refunded"], euro(0));
    let last = order["history"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["event"], &last["code"]),
        (&json!("refund_failed"), &json!("charge_disputed"))
    );
    let again = refund(id, "k", None).of(&s).await;
    assert!(again.is_replayed(), "the saved response of the failed refund");
    refund(id, "l", None).of(&s).await.ok(202);
    s.work(id).await;
    assert_eq!(s.order(id).await.refundable(), 0);
}

#[tokio::test]
async fn a_repeated_request_is_the_same_refund() {
    let s = shop().await;
    let (_, id) = s.confirmed().await;
    let first = refund(id, "k", None).of(&s).await;
    s.work(id).await;
    let again = refund(id, "k", None).of(&s).await;
    assert!(again.is_replayed());
    assert_eq!((again.status, &again.text), (202, &first.text));
    assert_eq!(refund(id, "k", 1).of(&s).await.problem(), (422, "idempotency-key-reused"));
    assert_eq!(refunds_of(&s, id).await, [(2 * PRICE, RefundStatus::Succeeded)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_concurrent_full_refunds_one_is_made() {
    let s = shop().await;
    let (_, id) = s.confirmed().await;
    let requests: Vec<_> =
        (0..10).map(|key| refund(id, &key.to_string(), Some(2 * PRICE))).collect();
    let answers = join_all(requests.iter().map(|request| request.of(&s))).await;
    let made = answers.iter().filter(|answer| answer.status == 202).count();
    assert_eq!(made, 1);
    let refused = |answer: &&crate::support::Answer| answer.problem() == (409, "order-refunded");
    assert_eq!(answers.iter().filter(refused).count(), 9);

    let (_, id) = s.confirmed().await;
    let requests = vec![refund(id, "k", Some(100)); 10];
    let answers = join_all(requests.iter().map(|request| request.of(&s))).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (202, &answers[0].text));
    }
    s.work(id).await;
    let charged = s.provider.charges_of(&id.to_string()).await;
    assert_eq!(charged[0].refunds, [100]);
}

#[tokio::test]
async fn a_retry_after_a_crash_makes_one_refund() {
    let points = walk(async |run: Run| {
        let s = shop().await;
        let (_, id) = s.confirmed().await;
        let request = refund(id, "k", None);
        let first = run.attempt(request.of(&s)).await;
        let again = request.of(&s).await;
        assert_eq!(again.status, 202, "{}", again.text);
        if let Some(first) = first.resume().await {
            assert!(run.allows(first.status, &[]), "{}", first.text);
            if first.status < 300 {
                assert_eq!((first.status, first.text), (202, again.text));
            }
        }
        assert_eq!(refunds_of(&s, id).await, [(2 * PRICE, RefundStatus::Pending)]);
    })
    .await;
    assert_eq!(points, ["idempotency.transact"]);
}

#[tokio::test]
async fn an_order_has_a_limited_number_of_refunds() {
    let s = shop().await;
    let (_, id) = s.confirmed().await;
    for number in 0..MAX_REFUNDS {
        refund(id, &number.to_string(), 1).of(&s).await.ok(202);
    }
    let answer = refund(id, "more", 1).of(&s).await;
    assert_eq!(answer.problem(), (409, "too-many-refunds"));
    assert_eq!(answer.body["detail"], Value::from("An order has up to 50 that have not failed."));
}
