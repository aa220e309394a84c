//! The conversion of an event: no event panics, none gets a 5xx.

use arbitrary::{Arbitrary as _, Unstructured};
use proptest::prelude::*;
use serde_json::json;

use super::call;
use super::support::odd::OddEvent;
use super::support::{call_on, event, router};

const PUT: &str = "PUT /v1/products/{sku}";

#[tokio::test]
async fn no_header_changes_the_path_or_fails_the_function() {
    for (name, value) in [
        ("x-forwarded-proto", "a b"),
        ("x-forwarded-proto", ";sleep 5;"),
        ("x-forwarded-proto", "http, https"),
        ("x-forwarded-proto", ""),
        ("host", "a b"),
        ("host", "[::1"),
        ("host", "x:99999"),
        ("host", "example.org/v1/products/CUP?"),
    ] {
        let mut event = event(PUT);
        event["headers"][name] = json!(value);
        let answer = call(event).await;
        assert_eq!((answer.status, answer.body().as_str()), (200, "MUG"), "{name}: {value}");
    }
    for (name, value) in [("x y", "1"), ("x-note", "a\nb"), ("", "")] {
        let mut event = event(PUT);
        event["headers"][name] = json!(value);
        assert_eq!(call(event).await.problem(), (400, "invalid-request".into(), name.into()));
    }
}

#[tokio::test]
async fn a_parameter_keeps_its_exact_value() {
    for sku in ["MUG#1", "MUG?a=b", "MUG/1", "MUG\0", "a b", "é", "e\u{301}", "..", "{sku}"] {
        let mut event = event(PUT);
        event["pathParameters"]["sku"] = json!(sku);
        event["rawPath"] = json!(format!("/v1/products/{sku}"));
        let answer = call(event).await;
        assert_eq!((answer.status, answer.body().as_str()), (200, sku));
    }
    let mut event = event(PUT);
    event["pathParameters"]["sku"] = json!("MUG%231");
    assert_eq!(call(event).await.problem(), (400, "invalid-parameter".into(), "sku".into()));
}

#[tokio::test]
async fn a_stage_and_a_route_without_a_template_are_handled() {
    for (route, stage, path) in [
        ("PUT /v1/products/{sku}", "prod", "/prod/v1/products/MUG"),
        ("PUT /v1/products/{sku}", "prod", "/v1/products/MUG"),
        ("PUT /v1/products/{sku}", "$default", "/shop/v1/products/MUG"),
        ("$default", "$default", "/v1/products/MUG"),
        ("$default", "prod", "/prod/v1/products/MUG"),
    ] {
        let mut event = event(PUT);
        event["routeKey"] = json!(route);
        event["rawPath"] = json!(path);
        event["requestContext"]["stage"] = json!(stage);
        assert_eq!(call(event).await.status, 200, "{route} {stage} {path}");
    }
    for parameters in [json!(null), json!({}), json!({"sku": "MUG"})] {
        let mut event = event(PUT);
        event["pathParameters"] = parameters;
        assert_eq!(call(event).await.body(), "MUG");
    }
}

#[tokio::test]
async fn an_invalid_request_gets_a_problem() {
    let mut odd = event(PUT);
    odd["isBase64Encoded"] = json!(true);
    odd["body"] = json!("!!!");
    assert_eq!(call(odd).await.status, 400);
    let mut odd = event(PUT);
    odd["requestContext"]["http"]["method"] = json!("GE T");
    assert_eq!(call(odd).await.status, 400);
    for (query, status) in [("cursor=a b", 400), ("limit=x", 400), ("limit=\"'<`", 400), ("", 200)]
    {
        let mut list = event("GET /v1/products");
        list["rawQueryString"] = json!(query);
        let answer = call(list).await;
        assert_eq!(answer.status, status, "{query}");
        assert!(!answer.body().contains("invalid digit"), "{}", answer.body());
    }
    for odd in [json!(null), json!(1), json!({}), json!({"requestContext": {}})] {
        assert_eq!(call(odd).await.status, 400);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The fuzz target `edge` searches the same events for longer.
    #[test]
    fn every_event_has_an_answer_that_keeps_the_rules(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        // A few bytes make no event.
        let Ok(odd) = OddEvent::arbitrary(&mut Unstructured::new(&bytes)) else { return Ok(()) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(call_on(router(), odd.event()));
        prop_assert_eq!(answer.broken_rule(), None);
    }
}
