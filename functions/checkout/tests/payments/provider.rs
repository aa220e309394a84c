//! The adapter with localstripe and faults.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use checkout::order::{OrderId, PaymentId, RefundId};
use checkout::payments::movements::{Kind, Window};
use checkout::payments::webhook::{job_for, verify};
use checkout::payments::{Payment, PaymentError, RefundState, Status, Stripe};
use checkout::queues::Advance;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use testing::eventually;
use testing::provider::{Charged, DECLINED, GOOD, Provider};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{TOO_LONG, error, eur, id, stripe_at};

const PATIENCE: Duration = Duration::from_secs(20);

/// A provider, an adapter, an adapter with a shorter time limit, and an order of 10 €.
struct Shop {
    provider: Provider,
    stripe: Stripe,
    impatient: Stripe,
    order: OrderId,
}

impl Shop {
    fn new() -> Self {
        let provider = Provider::new();
        let key = SecretString::from(provider.key().to_owned());
        let stripe = Stripe::new(provider.url().to_owned(), key).unwrap();
        let impatient = stripe_at(provider.url(), provider.key());
        Self { provider, stripe, impatient, order: id() }
    }

    async fn create(&self, method: &str) -> Payment {
        self.stripe.create(self.order, eur(1000), method, "create").await.unwrap()
    }

    async fn created(&self) -> PaymentId {
        self.create(GOOD).await.id
    }

    async fn held(&self) -> PaymentId {
        self.stripe.confirm(&self.created().await, None, "confirm").await.unwrap().id
    }

    async fn captured(&self) -> PaymentId {
        self.stripe.capture(&self.held().await, "capture").await.unwrap().id
    }

    async fn status(&self, payment: &PaymentId) -> Status {
        self.stripe.retrieve(payment).await.unwrap().status
    }

    /// The held and the captured amount of the order's only payment, at the provider.
    async fn books(&self) -> (u64, u64) {
        let [Charged { held, captured, .. }] = self.charges().await.try_into().unwrap();
        (held, captured)
    }

    async fn charges(&self) -> Vec<Charged> {
        self.provider.charges_of(&self.order.to_string()).await
    }
}

#[tokio::test]
async fn a_payment_is_created_held_and_captured() {
    let shop = Shop::new();
    let created = shop.create(GOOD).await;
    assert_eq!(created.status, Status::RequiresConfirmation);
    assert_eq!((created.amount, created.currency), (1000, eur(0).currency));
    assert!(created.client_secret.is_some());
    assert_eq!(shop.books().await, (0, 0), "no money has moved");

    let held = shop.stripe.confirm(&created.id, None, "confirm").await.unwrap();
    assert_eq!((&held.id, held.status), (&created.id, Status::RequiresCapture));
    assert_eq!(shop.books().await, (1000, 0));
    assert_eq!(shop.stripe.retrieve(&created.id).await.unwrap(), held);

    let taken = shop.stripe.capture(&created.id, "capture").await.unwrap();
    assert_eq!(taken.status, Status::Succeeded);
    assert_eq!(shop.books().await, (0, 1000));

    // It is captured once, and cannot be cancelled after that.
    for again in [
        shop.stripe.capture(&created.id, "again").await,
        shop.stripe.confirm(&created.id, None, "again").await,
        shop.stripe.cancel(&created.id, "again").await,
    ] {
        assert!(matches!(again, Err(PaymentError::Refused { status: 400, .. })), "{again:?}");
    }
    assert_eq!(shop.books().await, (0, 1000));
}

#[tokio::test]
async fn a_cancelled_payment_holds_nothing_and_stays_so() {
    let shop = Shop::new();
    let payment = shop.held().await;
    assert_eq!(shop.stripe.cancel(&payment, "cancel").await.unwrap().status, Status::Canceled);
    let [charged] = shop.charges().await.try_into().unwrap();
    assert_eq!((charged.held, charged.captured, &*charged.status), (0, 0, "canceled"));
    for again in [
        shop.stripe.confirm(&payment, None, "again").await,
        shop.stripe.cancel(&payment, "again").await,
    ] {
        assert!(matches!(again, Err(PaymentError::Refused { status: 400, .. })), "{again:?}");
    }
    assert_eq!(shop.status(&payment).await, Status::Canceled);
}

#[tokio::test]
async fn a_decline_is_reported_and_stays_visible() {
    let shop = Shop::new();
    let payment = shop.create(DECLINED).await.id;
    let declined = shop.stripe.confirm(&payment, None, "confirm").await;
    assert!(matches!(declined, Err(PaymentError::Declined(code)) if code == "card_declined"));
    let known = shop.stripe.retrieve(&payment).await.unwrap();
    assert_eq!(known.status, Status::RequiresPaymentMethod);
    assert_eq!(known.decline.as_deref(), Some("card_declined"));
    assert_eq!(shop.books().await, (0, 0));
}

#[tokio::test]
async fn a_declined_payment_takes_another_payment_method() {
    let shop = Shop::new();
    let payment = shop.create(DECLINED).await.id;
    shop.stripe.confirm(&payment, None, "confirm").await.unwrap_err();
    let again = shop.stripe.confirm(&payment, Some(DECLINED), "again").await;
    assert_eq!(again.unwrap_err().payment_method_code(), Some("card_declined"));
    let unknown = shop.stripe.confirm(&payment, Some("pm_nobody_has"), "unknown").await;
    assert_eq!(unknown.unwrap_err().payment_method_code(), Some("resource_missing"));
    assert_eq!(shop.status(&payment).await, Status::RequiresPaymentMethod);
    assert_eq!(shop.books().await, (0, 0));

    let held = shop.stripe.confirm(&payment, Some(GOOD), "good").await.unwrap();
    assert_eq!((held.id, held.status), (payment.clone(), Status::RequiresCapture));
    let another = shop.stripe.confirm(&payment, Some(GOOD), "another").await;
    assert!(matches!(another, Err(PaymentError::Refused { status: 400, .. })), "{another:?}");
    assert_eq!(shop.books().await, (1000, 0), "the money is held once");
}

#[tokio::test]
async fn the_customer_completes_3d_secure() {
    let shop = Shop::new();
    let payment = shop.create(&shop.provider.needs_action().await).await.id;
    let asked = shop.stripe.confirm(&payment, None, "confirm").await.unwrap();
    assert_eq!(asked.status, Status::RequiresAction);
    assert!(asked.client_secret.is_some_and(|secret| secret.starts_with(&payment.0)));
    assert_eq!(shop.books().await, (0, 0));
    shop.provider.authenticate(&payment.0).await;
    assert_eq!(shop.status(&payment).await, Status::RequiresCapture);
    assert_eq!(shop.books().await, (1000, 0));
}

#[tokio::test]
async fn the_customer_fails_3d_secure() {
    let shop = Shop::new();
    let payment = shop.create(&shop.provider.needs_action().await).await.id;
    shop.stripe.confirm(&payment, None, "confirm").await.unwrap();
    shop.provider.fail_to_authenticate(&payment.0).await;
    let known = shop.stripe.retrieve(&payment).await.unwrap();
    assert_eq!(known.status, Status::RequiresPaymentMethod);
    assert_eq!(known.decline.as_deref(), Some("payment_intent_authentication_failure"));

    let shop = Shop::new();
    let method = shop.provider.needs_action_and_declines().await;
    let payment = shop.create(&method).await.id;
    shop.stripe.confirm(&payment, None, "confirm").await.unwrap();
    shop.provider.authenticate(&payment.0).await;
    let known = shop.stripe.retrieve(&payment).await.unwrap();
    assert_eq!(known.decline.as_deref(), Some("card_declined"));
    assert_eq!(shop.books().await, (0, 0));
}

#[tokio::test]
async fn refunds_are_found_by_our_id_on_every_page() {
    let shop = Shop::new();
    let payment = shop.captured().await;
    let mut sent = HashSet::new();
    for _ in 0..101 {
        let refund: RefundId = id();
        let key = refund.to_string();
        let made =
            shop.stripe.refund((shop.order, &payment), (refund, eur(2)), &key).await.unwrap();
        assert_eq!((made.refund, made.amount), (Some(refund), 2));
        assert_eq!(made.status, RefundState::Succeeded);
        sent.insert(refund);
    }
    let known = shop.stripe.refunds(&payment).await.unwrap();
    assert_eq!(known.len(), 101);
    assert_eq!(known.iter().map(|known| known.refund.unwrap()).collect::<HashSet<_>>(), sent);
    let [charged] = shop.charges().await.try_into().unwrap();
    assert_eq!((charged.refunds.len(), charged.refunded()), (101, 202));

    // The provider's balance transactions have them and the charge.
    let window = Window { from: Timestamp::UNIX_EPOCH, to: Timestamp::now() };
    let (mut moved, has_more) = shop.stripe.movements(window, None).await.unwrap();
    assert_eq!((moved.len(), has_more), (100, true));
    let (rest, has_more) = shop.stripe.movements(window, Some(&moved[99].id)).await.unwrap();
    assert!(!has_more);
    moved.extend(rest);
    let refunded = moved.iter().filter(|it| it.kind == Kind::Refund);
    assert_eq!(refunded.map(|it| it.refund.unwrap()).collect::<HashSet<_>>(), sent);
    assert!(moved.iter().all(|it| it.payment.as_ref() == Some(&payment)));
    let of_charges: Vec<_> = moved.iter().filter(|it| it.kind == Kind::Charge).collect();
    assert_eq!((moved.len(), of_charges.len(), of_charges[0].money), (102, 1, eur(1000)));
    assert_eq!(of_charges[0].order, Some(shop.order));
}

#[tokio::test]
async fn requests_are_as_stripe_documents_them() {
    let shop = Shop::new();
    let payment = shop.captured().await;
    let refund: RefundId = id();
    shop.stripe.refund((shop.order, &payment), (refund, eur(300)), "refund").await.unwrap();
    let calls = shop.provider.calls().await;
    let sent: Vec<Value> = calls
        .iter()
        .map(|call| json!([call.method, call.path, call.form, call.idempotency_key]))
        .collect();
    let at = format!("/v1/payment_intents/{}", payment.0);
    let create = json!({
        "amount": "1000",
        "currency": "eur",
        "payment_method": GOOD,
        "payment_method_types[]": "card",
        "capture_method": "manual",
        "metadata[order_id]": shop.order,
    });
    let refund = json!({
        "payment_intent": payment, "amount": "300",
        "metadata[refund_id]": refund, "metadata[order_id]": shop.order,
    });
    assert_eq!(
        sent,
        [
            json!(["POST", "/v1/payment_intents", create, "create"]),
            json!(["POST", format!("{at}/confirm"), {}, "confirm"]),
            json!(["POST", format!("{at}/capture"), {}, "capture"]),
            json!(["POST", "/v1/refunds", refund, "refund"]),
        ]
    );
}

/// Each fault of a confirmation: the outcome is unknown, and the fault decides whether the provider
/// executed it.
#[tokio::test]
async fn a_lost_response_is_unknown() {
    for (fault, is_carried_out) in [
        ("refuse_connection", false),
        ("drop_request", false),
        ("status_500_before", false),
        ("rate_limited", false),
        ("drop_answer", true),
        ("status_500_after", true),
        ("answer_late", true),
    ] {
        let shop = Shop::new();
        let payment = shop.created().await;
        let seconds = TOO_LONG.as_secs_f64();
        let rule = json!({"path": "/confirm$", "fault": fault, "seconds": seconds});
        shop.provider.fault(rule).await;
        let start = Instant::now();
        let lost = shop.impatient.confirm(&payment, None, "confirm").await;
        assert!(matches!(lost, Err(PaymentError::Unknown(_))), "{fault}: {lost:?}");
        assert!(start.elapsed() < TOO_LONG, "{fault}");
        assert_eq!(shop.provider.faults().await.len(), 0, "{fault} was not met");
        let held = if is_carried_out { 1000 } else { 0 };
        assert_eq!(shop.books().await, (held, 0), "{fault}");
        let status = shop.status(&payment).await;
        assert_eq!(status == Status::RequiresCapture, is_carried_out, "{fault}: {status:?}");
    }
}

#[tokio::test]
async fn a_request_may_be_executed_after_the_timeout() {
    let shop = Shop::new();
    let payment = shop.created().await;
    let rule = json!({"path": "/confirm$", "fault": "delay", "seconds": TOO_LONG.as_secs_f64()});
    shop.provider.fault(rule).await;
    let lost = shop.impatient.confirm(&payment, None, "confirm").await;
    assert!(matches!(lost, Err(PaymentError::Unknown(_))), "{lost:?}");
    assert_eq!(shop.status(&payment).await, Status::RequiresConfirmation);
    eventually("the money", PATIENCE, async || (shop.books().await == (1000, 0)).then_some(()))
        .await;
}

/// A request that arrives twice holds the money once: the second confirmation is refused.
#[tokio::test]
async fn a_confirmation_that_arrives_twice_holds_once() {
    let shop = Shop::new();
    let payment = shop.created().await;
    shop.provider.fault(json!({"path": "/confirm$", "fault": "repeat"})).await;
    let second = shop.stripe.confirm(&payment, None, "confirm").await;
    assert!(matches!(second, Err(PaymentError::Refused { status: 400, .. })), "{second:?}");
    assert_eq!(shop.provider.posts("/confirm").await, 2);
    let [charged] = shop.charges().await.try_into().unwrap();
    assert_eq!((charged.held, charged.charges), (1000, 1));
}

#[tokio::test]
async fn a_provider_with_idempotency_keys_makes_one_payment() {
    let shop = Shop::new();
    let (one, another) = (shop.create(GOOD).await, shop.create(GOOD).await);
    assert_ne!(one.id, another.id, "this provider ignores keys");

    let shop = Shop::new();
    shop.provider.honour_keys().await;
    shop.provider.fault(json!({"path": "payment_intents$", "fault": "drop_answer"})).await;
    let lost = shop.stripe.create(shop.order, eur(1000), GOOD, "create").await;
    assert!(matches!(lost, Err(PaymentError::Unknown(_))), "{lost:?}");
    let (one, another) = (shop.create(GOOD).await, shop.create(GOOD).await);
    assert_eq!(one.id, another.id);
    assert_eq!(shop.charges().await.len(), 1);
    assert_eq!(shop.provider.posts("/payment_intents").await, 1);

    // The same key with another body.
    let other = shop.stripe.create(shop.order, eur(1), GOOD, "create").await;
    let Err(PaymentError::Unknown(error)) = other else { panic!("{other:?}") };
    assert!(error.trail().contains("idempotency_error"), "the error names the cause");
}

/// Stripe responds with 409 while the first request with a key is in progress.
#[tokio::test]
async fn a_key_in_use_is_not_a_refusal() {
    let shop = Shop::new();
    shop.provider.honour_keys().await;
    let seconds = TOO_LONG.as_secs_f64();
    let slow = json!({"path": "payment_intents$", "fault": "slow", "seconds": seconds});
    shop.provider.fault(slow).await;
    let create = async || shop.impatient.create(shop.order, eur(1000), GOOD, "create").await;
    for why in ["timed out", "409"] {
        let Err(PaymentError::Unknown(error)) = create().await else { panic!("{why}") };
        assert!(error.trail().contains(why), "{}", error.trail());
    }
    let made = eventually("the payment", PATIENCE, async || create().await.ok()).await;
    let [charged] = shop.charges().await.try_into().unwrap();
    assert_eq!(charged.payment, made.id.0);
    assert_eq!(shop.provider.posts("/payment_intents").await, 1);
}

#[tokio::test]
async fn no_text_contains_a_secret() {
    let server = MockServer::start().await;
    let secret = "sk_test_secret";
    let echo = error(&json!({"message": format!("Invalid API Key provided: {secret}")}));
    let stripe = stripe_at(&server.uri(), secret);
    let payment = PaymentId("pi_1".into());
    let mut texts = vec![format!("{stripe:?}")];
    for status in [400, 401, 402, 500] {
        server.reset().await;
        let answer = ResponseTemplate::new(status).set_body_json(&echo);
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let failed = stripe.confirm(&payment, None, "confirm").await.unwrap_err();
        texts.extend([failed.to_string(), format!("{failed:?}")]);
    }
    let nobody = stripe_at("http://127.0.0.1:1", secret);
    let failed = nobody.confirm(&payment, None, "confirm").await.unwrap_err();
    texts.extend([failed.to_string(), format!("{failed:?}")]);
    assert!(texts.iter().all(|text| !text.contains(secret)), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("Invalid API Key")), "{texts:?}");

    let shop = Shop::new();
    let created = shop.create(GOOD).await;
    let shown = format!("{created:?}");
    assert!(!shown.contains(&created.client_secret.unwrap()), "{shown}");
    assert!(shown.contains(&created.id.0), "{shown}");
}

/// localstripe signs its webhooks as Stripe does.
#[tokio::test]
async fn a_webhook_is_signed_and_names_the_order() {
    let shop = Shop::new();
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    shop.provider.send_webhooks_to(&server.uri()).await;
    shop.provider.fault(json!({"hook": "succeeded", "fault": "repeat", "count": 2})).await;
    shop.captured().await;
    eventually("both webhooks", PATIENCE, async || {
        (shop.provider.webhooks().await.len() == 2).then_some(())
    })
    .await;
    let secret = Provider::webhook_secret();
    for request in server.received_requests().await.unwrap() {
        let header = request.headers["stripe-signature"].to_str().unwrap();
        let check = |secret: &str| verify(header, &request.body, &secret.into(), Timestamp::now());
        assert_eq!(check(&secret), Ok(()));
        assert!(check("whsec_another").is_err());
        assert_eq!(job_for(&request.body), Some(Advance::V1 { order: shop.order }));
    }
}
