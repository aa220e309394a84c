//! Headers that a request has twice, and headers that disagree with the body. API Gateway joins the values
//! of one name with a comma, and gives the body with its true length: no header has a say in it.

use serde_json::json;

use super::call;
use super::support::event;

#[tokio::test]
async fn two_idempotency_keys_are_no_key() {
    for (key, slug) in [
        ("8e03978e", "invalid-body"),
        ("\"a,b\"", "invalid-body"),
        ("8e03978e,8e03978e", "idempotency-key-invalid"),
        ("8e03978e, 5a1b", "idempotency-key-invalid"),
        ("\"a\",\"b\"", "idempotency-key-invalid"),
    ] {
        let mut event = event("POST /v1/orders");
        event["headers"]["idempotency-key"] = json!(key);
        assert_eq!(call(event).await.problem().1, slug, "{key}");
    }
}

#[tokio::test]
async fn two_content_types_are_none() {
    for kind in [
        "application/json,application/json",
        "application/json, text/plain",
        "text/plain,application/json",
        "application/json; charset=utf-8,text/plain",
    ] {
        let mut event = event("PUT /v1/settings");
        event["headers"]["content-type"] = json!(kind);
        assert_eq!(call(event).await.problem().1, "unsupported-media-type", "{kind}");
    }
}

#[tokio::test]
async fn no_header_changes_the_length_of_a_body() {
    for (name, value) in [
        ("content-length", "1"),
        ("content-length", "0"),
        ("content-length", "4,40"),
        ("content-length", "99999999999999999999"),
        ("content-length", "-1"),
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "chunked,identity"),
        ("transfer-encoding", "\u{b}chunked"),
        ("expect", "100-continue"),
    ] {
        let mut event = event("PUT /v1/payments/webhook");
        event["headers"][name] = json!(value);
        event["body"] = json!("0\r\n\r\nGET /v1/orders HTTP/1.1\r\n\r\n");
        let answer = call(event).await;
        let expected = if value.starts_with('\u{b}') { (400, None) } else { (200, Some("32")) };
        let body = answer.body();
        let length = (answer.status == 200).then_some(body.as_str());
        assert_eq!((answer.status, length), expected, "{name}: {value}");
    }
}

#[tokio::test]
async fn the_user_is_the_one_of_the_authorizer() {
    for (name, value) in [
        ("authorization", "Bearer a,Bearer b"),
        ("sub", "usr_01M7YRRT800000000000000009"),
        ("x-amzn-oidc-identity", "usr_01M7YRRT800000000000000009"),
    ] {
        for is_signed_in in [true, false] {
            let mut event = event("POST /v1/orders");
            event["headers"][name] = json!(value);
            event["headers"]["idempotency-key"] = json!("k");
            event["body"] = json!(r#"{"items":[]}"#);
            if !is_signed_in {
                event["requestContext"]["authorizer"] = json!(null);
            }
            let status = if is_signed_in { 201 } else { 401 };
            assert_eq!(call(event).await.status, status, "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn a_name_in_two_spellings_is_refused() {
    // API Gateway writes names in lower case, so it sends no such event.
    for (name, value) in [("Content-Type", "text/plain"), ("IDEMPOTENCY-KEY", "b")] {
        let mut event = event("POST /v1/orders");
        event["headers"]["idempotency-key"] = json!("a");
        event["headers"][name] = json!(value);
        let (status, slug, field) = call(event).await.problem();
        assert_eq!((status, slug.as_str()), (400, "invalid-request"));
        assert!(field.eq_ignore_ascii_case(name), "{field}");
    }
}

#[tokio::test]
async fn lists_that_were_sent_in_two_headers_are_one_list() {
    for (name, value, status) in [
        ("accept", "text/html,application/json", 200),
        ("accept", "text/html,text/plain", 406),
        ("if-none-match", "\"a\",*", 304),
        ("prefer", "return=minimal,wait=1", 200),
        ("traceparent", "00-a-b-01,00-a-b-01", 200),
        ("host", "a.example.org,b.example.org", 200),
    ] {
        let mut event = event("GET /v1/products");
        event["headers"][name] = json!(value);
        assert_eq!(call(event).await.status, status, "{name}: {value}");
    }
}
