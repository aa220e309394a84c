//! Responses that localstripe does not give.

use checkout::order::PaymentId;
use checkout::payments::PaymentError;
use serde_json::{Value, json};
use testing::provider::GOOD;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::{error, eur, id, stripe_at};

/// The outcome of a response.
#[derive(Debug, PartialEq)]
enum Outcome {
    Known,
    Declined(String),
    Refused(u16, String),
    Unknown,
}

fn outcome<T>(result: Result<T, PaymentError>) -> Outcome {
    match result {
        Ok(_) => Outcome::Known,
        Err(PaymentError::Declined(code)) => Outcome::Declined(code),
        Err(PaymentError::Refused { status, code, .. }) => Outcome::Refused(status, code),
        Err(PaymentError::Unknown(_)) => Outcome::Unknown,
    }
}

/// The adapter's outcome for a response to a confirmation.
async fn answered(answer: ResponseTemplate) -> Outcome {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let stripe = stripe_at(&server.uri(), "sk_test_secret");
    outcome(stripe.confirm(&PaymentId("pi_1".into()), None, "confirm").await)
}

fn intent() -> Value {
    json!({
        "id": "pi_1", "status": "succeeded", "amount": 5, "currency": "eur",
        "a_new_field": {"of": ["Stripe's"]}, "last_payment_error": null,
    })
}

#[tokio::test]
async fn only_the_provider_s_own_error_is_a_refusal() {
    let declined =
        json!({"type": "card_error", "code": "card_declined", "decline_code": "lost_card"});
    let state = json!({"code": "payment_intent_unexpected_state", "message": "It is canceled."});
    let message = json!({"message": "No such payment_intent: 'pi_1'"});
    for (status, body, expected) in [
        (200, intent(), Outcome::Known),
        (402, error(&declined), Outcome::Declined("lost_card".into())),
        (402, error(&json!({})), Outcome::Declined("unknown".into())),
        (400, error(&state), Outcome::Refused(400, "payment_intent_unexpected_state".into())),
        (404, error(&message), Outcome::Refused(404, "No such payment_intent: 'pi_1'".into())),
        (400, json!({"message": "a gateway's"}), Outcome::Unknown),
        (402, json!([]), Outcome::Unknown),
        (401, error(&message), Outcome::Unknown),
        (403, error(&message), Outcome::Unknown),
        (408, error(&message), Outcome::Unknown),
        (409, error(&json!({"code": "idempotency_key_in_use"})), Outcome::Unknown),
        (424, error(&message), Outcome::Unknown),
        (429, error(&json!({"code": "rate_limit"})), Outcome::Unknown),
        (500, error(&json!({"type": "api_error"})), Outcome::Unknown),
        (503, json!({}), Outcome::Unknown),
    ] {
        let answer = ResponseTemplate::new(status).set_body_json(&body);
        assert_eq!(answered(answer).await, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn an_unreadable_response_is_unknown() {
    let wrong = |field: &str, value: Value| {
        let mut body = intent();
        body[field] = value;
        body.to_string()
    };
    for body in [
        String::new(),
        "<html>".into(),
        "null".into(),
        "{}".into(),
        intent().to_string().replace('}', ""),
        wrong("status", json!("requires_a_new_thing")),
        wrong("status", json!(null)),
        wrong("currency", json!("euro")),
        wrong("currency", json!("é")),
        wrong("amount", json!(-5)),
        wrong("amount", json!("5")),
        wrong("id", json!(null)),
        "[".repeat(100_000),
    ] {
        for status in [200, 402, 400] {
            let answer = ResponseTemplate::new(status).set_body_string(body.as_str());
            let shown: String = body.chars().take(80).collect();
            assert_eq!(answered(answer).await, Outcome::Unknown, "{status} {shown}");
        }
    }
}

#[tokio::test]
async fn a_response_is_read_up_to_a_limit() {
    let padded = |bytes: usize| {
        let mut body = intent();
        body["padding"] = json!("x".repeat(bytes));
        ResponseTemplate::new(200).set_body_json(body)
    };
    assert_eq!(answered(padded(500_000)).await, Outcome::Known);
    assert_eq!(answered(padded(5_000_000)).await, Outcome::Unknown);
}

/// A code is stored with the order, so its length is limited.
#[tokio::test]
async fn a_code_is_short() {
    for field in ["code", "decline_code", "message"] {
        let long = json!({field: "é".repeat(100_000)});
        let answer = ResponseTemplate::new(402).set_body_json(error(&long));
        assert_eq!(answered(answer).await, Outcome::Declined("é".repeat(200)), "{field}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let (server, elsewhere) = (MockServer::start().await, MockServer::start().await);
        let answer = ResponseTemplate::new(status).insert_header("location", elsewhere.uri());
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let stripe = stripe_at(&server.uri(), "sk_test_secret");
        let payment = PaymentId("pi_1".into());
        assert_eq!(outcome(stripe.confirm(&payment, None, "confirm").await), Outcome::Unknown);
        assert_eq!(outcome(stripe.retrieve(&payment).await), Outcome::Unknown);
        assert!(elsewhere.received_requests().await.unwrap().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn each_request_has_the_key_and_the_api_version() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(intent());
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let stripe = stripe_at(&server.uri(), "sk_test_secret");
    let payment = PaymentId("pi_1".into());
    stripe.cancel(&payment, "a key").await.unwrap();
    stripe.retrieve(&payment).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    for request in &requests {
        assert_eq!(request.headers["authorization"], "Bearer sk_test_secret");
        assert_eq!(request.headers["stripe-version"], "2025-09-30.clover");
    }
    assert_eq!(requests[0].headers["idempotency-key"], "a key");
    // According to Stripe, keys have no effect on GET.
    assert!(!requests[1].headers.contains_key("idempotency-key"));
}

/// Whether the payment method is the cause of a refusal. The types are from <https://docs.stripe.com/api/errors>,
/// the codes from <https://docs.stripe.com/error-codes>.
#[tokio::test]
async fn a_refusal_shows_whether_the_payment_method_is_the_cause() {
    let invalid = |code: &str, param: &str| json!({"type": "invalid_request_error", "code": code, "param": param});
    let card = |code: &str| json!({"type": "card_error", "code": code});
    for (status, body, payment_method_code) in [
        (402, card("card_declined"), Some("card_declined")),
        (402, card("expired_card"), Some("expired_card")),
        (400, card("incorrect_number"), Some("incorrect_number")),
        (400, invalid("resource_missing", "payment_method"), Some("resource_missing")),
        (400, invalid("payment_method_unactivated", "type"), Some("payment_method_unactivated")),
        (400, invalid("amount_too_small", "amount"), None),
        (400, invalid("invalid_currency", "currency"), None),
        (400, invalid("parameter_invalid", "payment_method_types"), None),
        (404, invalid("resource_missing", "intent"), None),
        (400, json!({"type": "idempotency_error"}), None),
        (401, invalid("api_key_expired", ""), None),
        (403, json!({"type": "invalid_request_error"}), None),
        (429, json!({"type": "rate_limit_error", "code": "rate_limit"}), None),
        (500, json!({"type": "api_error"}), None),
    ] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_json(error(&body));
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let stripe = stripe_at(&server.uri(), "sk_test_secret");
        let refused = stripe.create(id(), eur(1000), GOOD, "create").await.unwrap_err();
        assert_eq!(refused.payment_method_code(), payment_method_code, "{status} {body}");
    }
}
