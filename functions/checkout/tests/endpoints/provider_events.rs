//! The payment provider's webhooks.

use std::time::Duration;

use aws_lc_rs::hmac;
use checkout::order::OrderId;
use checkout::store::OVERDUE_AFTER;
use serde_json::{Value, json};
use shared::fault::{Run, walk};
use testing::event;

use crate::support::{Answer, Ask, HOOK_SECRET, ORDER, Shop, ask, shop};

/// `Stripe-Signature`, as Stripe makes it.
fn signature(seconds: i64, body: &str, secret: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    let tag = tag.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("t={seconds},v1={tag}")
}

fn sample_body() -> String {
    let sample: Value = serde_json::from_str(&event("checkout-on-provider-event")).unwrap();
    sample["body"].as_str().unwrap().to_owned()
}

/// The sample event with this body, signed `seconds_ago`.
fn signed(s: &Shop, body: &Value, seconds_ago: i64) -> Ask {
    let seconds = s.now().as_second() - seconds_ago;
    let signature = signature(seconds, &body.to_string(), HOOK_SECRET);
    ask("on-provider-event").body(body).header("stripe-signature", &signature)
}

fn is_refused(answer: &Answer) -> bool {
    answer.problem() == (400, "invalid-signature")
}

#[tokio::test]
async fn a_webhook_queues_its_order() {
    let s = shop().await;
    let id: OrderId = s.ids.next();
    let body = serde_json::from_str(&sample_body().replace(ORDER, &id.to_string())).unwrap();
    for seconds_ago in [0, 299, -299] {
        let answer = signed(&s, &body, seconds_ago).of(&s).await;
        assert_eq!((answer.status, &*answer.text), (200, ""));
        assert_eq!(s.queued().await, [id]);
    }
    // During a rotation of the secret, the provider signs with both.
    let (now, text) = (s.now().as_second(), body.to_string());
    let (old, new) = (signature(now, &text, "whsec_old"), signature(now, &text, HOOK_SECRET));
    let both = format!("{old},{}", new.split_once(',').unwrap().1);
    let asked = ask("on-provider-event").body(&body).header("stripe-signature", &both);
    assert_eq!(asked.of(&s).await.status, 200);
    assert_eq!(s.queued().await, [id]);
}

/// Refunds that somebody made at the provider name no order. The worker finds it.
#[tokio::test]
async fn a_webhook_about_a_refund_or_a_dispute_queues_its_payment() {
    let s = shop().await;
    let payment = json!("pi_1");
    for kind in [
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.refund.updated",
        "charge.dispute.created",
        "charge.dispute.closed",
        "charge.dispute.funds_withdrawn",
    ] {
        let object = json!({"id": "re_1", "payment_intent": payment, "metadata": {}});
        let body = json!({"type": kind, "data": {"object": object}});
        assert_eq!(signed(&s, &body, 0).of(&s).await.status, 200, "{kind}");
        let job = s.jobs().await;
        assert_eq!(job, [json!({"version": "2", "payment": payment})], "{kind}");
    }
    let body = json!({"type": "refund.failed", "data": {"object": {"payment_intent": null}}});
    assert_eq!(signed(&s, &body, 0).of(&s).await.status, 200);
    assert!(s.jobs().await.is_empty());
}

#[tokio::test]
async fn a_wrong_signature_is_refused_and_queues_nothing() {
    let s = shop().await;
    assert!(
        is_refused(&ask("on-provider-event").of(&s).await),
        "the sample's signature is not valid"
    );
    let without = ask("on-provider-event").without_header("stripe-signature").of(&s).await;
    assert!(is_refused(&without), "{}", without.text);
    assert_eq!(without.body["detail"], Value::Null);

    let body: Value = serde_json::from_str(&sample_body()).unwrap();
    let (now, text) = (s.now().as_second(), body.to_string());
    for header in [
        signature(now, &text, "whsec_other"),
        signature(now, &format!("{text} "), HOOK_SECRET),
        signature(now, &text, HOOK_SECRET).replace("v1", "v0"),
        "nonsense".into(),
    ] {
        let answer = ask("on-provider-event").body(&body).header("stripe-signature", &header);
        assert!(is_refused(&answer.of(&s).await), "{header}");
    }
    for seconds_ago in [301, -301] {
        assert!(is_refused(&signed(&s, &body, seconds_ago).of(&s).await), "{seconds_ago}");
    }
    assert!(s.queued().await.is_empty());
}

#[tokio::test]
async fn a_webhook_about_no_order_is_accepted_and_queues_nothing() {
    let s = shop().await;
    for body in [
        json!({"type": "customer.created", "data": {"object": {"id": "cus_1"}}}),
        json!({"type": "payment_intent.created", "data": {"object": {"metadata": {}}}}),
        json!({"data": {"object": {"metadata": {"order_id": "4711"}}}}),
        json!({"data": {"object": {"metadata": null}}}),
        json!([]),
    ] {
        assert_eq!(signed(&s, &body, 0).of(&s).await.status, 200, "{body}");
    }
    assert!(s.queued().await.is_empty());
}

#[tokio::test]
async fn an_order_is_advanced_even_if_its_webhook_fails() {
    walk(async |run: Run| {
        let s = shop().await;
        let (_, id) = s.ordered().await;
        let metadata = json!({"order_id": id.to_string()});
        let body = json!({"data": {"object": {"metadata": metadata}}});
        let message = signed(&s, &body, 0);
        let attempt = run.attempt(message.of(&s)).await;
        // The webhook may never come again. Then the sweeper queues the order.
        s.advance(OVERDUE_AFTER);
        s.sweep.handle(s.now() + Duration::from_mins(1)).await.unwrap();
        drop(attempt.resume().await);
        assert!(s.queued().await.contains(&id));
    })
    .await;
}

#[tokio::test]
async fn a_late_webhook_does_not_keep_the_lease() {
    let s = shop().await;
    let (_, id) = s.confirmed().await;
    // The provider sends a webhook for the known payment, and a worker reads the order.
    s.work(id).await;
    ask("refund-order").order(id).of(&s).await.ok(202);
    s.work(id).await;
    assert_eq!(s.order(id).await.refundable(), s.order(id).await.placed.total.amount - 500);
}
