//! Valid and invalid events of API Gateway: each has an answer, and no answer is a 5xx.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Router, body};
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::http::page::Page;
use shared::http::{Json, MAX_BODY_BYTES, Path, Query, app, request};
use tower::ServiceExt;

fn event() -> Value {
    json!({
        "version": "2.0", "routeKey": "PUT /v1/products/{sku}",
        "rawPath": "/v1/products/MUG", "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "a.example.org"},
        "requestContext": {
            "http": {"method": "PUT", "path": "/v1/products/MUG", "sourceIp": "203.0.113.7"},
            "stage": "$default", "timeEpoch": 0,
        },
        "pathParameters": {"sku": "MUG"}, "body": "1", "isBase64Encoded": false,
    })
}

fn router() -> Router {
    let path = async |Path(sku): Path<String>, Json(_): Json<u32>| sku;
    let list = async |Query(page): Query<Page>| {
        page.limit()?;
        page.after::<u32>().map(|_| "page")
    };
    let raw = async |body: body::Bytes| body.len().to_string();
    app(Router::new()
        .route("/v1/products/{sku}", put(path).get(async |Path(sku): Path<String>| sku))
        .route("/v1/documents", get(list))
        .route("/v1/payments/webhook", put(raw)))
}

async fn call(event: Value) -> (u16, String, String) {
    let response: Response = match request(event) {
        Ok(request) => router().oneshot(request).await.unwrap(),
        Err(problem) => problem.into_response(),
    };
    let kind = response.headers().get("content-type");
    let kind = kind.map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    let status = response.status().as_u16();
    let body = body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, kind, String::from_utf8(body.to_vec()).unwrap())
}

const PROBLEM: &str = "application/problem+json";

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
        let mut event = event();
        event["headers"][name] = json!(value);
        assert_eq!(call(event).await, (200, "text/plain; charset=utf-8".into(), "MUG".into()));
    }
    for (name, value) in [("x y", "1"), ("x-note", "a\nb"), ("", "")] {
        let mut event = event();
        event["headers"][name] = json!(value);
        let (status, kind, _) = call(event).await;
        assert_eq!((status, kind.as_str()), (400, PROBLEM), "{name}: {value}");
    }
}

#[tokio::test]
async fn a_parameter_keeps_its_exact_value() {
    for sku in ["MUG#1", "MUG?a=b", "MUG/1", "MUG\0", "a b", "é", "e\u{301}", "..", "{sku}"] {
        let mut event = event();
        event["pathParameters"]["sku"] = json!(sku);
        event["rawPath"] = json!(format!("/v1/products/{sku}"));
        let (status, _, body) = call(event).await;
        assert_eq!((status, body.as_str()), (200, sku));
    }
    let mut event = event();
    event["pathParameters"]["sku"] = json!("MUG%231");
    let (status, _, body) = call(event).await;
    assert_eq!(status, 400);
    assert!(body.contains(r#""field":"sku""#), "{body}");
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
        let mut event = event();
        event["routeKey"] = json!(route);
        event["rawPath"] = json!(path);
        event["requestContext"]["stage"] = json!(stage);
        assert_eq!(call(event).await.0, 200, "{route} {stage} {path}");
    }
    for parameters in [json!(null), json!({}), json!({"sku": "MUG"})] {
        let mut event = event();
        event["pathParameters"] = parameters;
        assert_eq!(call(event).await.2, "MUG");
    }
}

#[tokio::test]
async fn an_invalid_request_gets_a_problem() {
    let mut odd = event();
    odd["isBase64Encoded"] = json!(true);
    odd["body"] = json!("!!!");
    assert_eq!(call(odd).await.0, 400);
    let mut odd = event();
    odd["requestContext"]["http"]["method"] = json!("GE T");
    assert_eq!(call(odd).await.0, 400);
    for (query, status) in [("cursor=a b", 400), ("limit=x", 400), ("limit=\"'<`", 400), ("", 200)]
    {
        let mut list = event();
        list["routeKey"] = json!("GET /v1/documents");
        list["requestContext"]["http"]["method"] = json!("GET");
        list["rawQueryString"] = json!(query);
        let (answered, _, body) = call(list).await;
        assert_eq!(answered, status, "{query}: {body}");
        assert!(!body.contains("invalid digit"), "{body}");
    }
    for odd in [json!(null), json!(1), json!({}), json!({"requestContext": {}})] {
        assert_eq!(call(odd).await.0, 400);
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_gets_a_problem_on_every_route() {
    for route in ["PUT /v1/products/{sku}", "PUT /v1/payments/webhook", "PUT /v1/nothing"] {
        let mut event = event();
        event["routeKey"] = json!(route);
        event["body"] = json!("a".repeat(MAX_BODY_BYTES + 1));
        let (status, kind, body) = call(event).await;
        assert_eq!((status, kind.as_str()), (413, PROBLEM), "{route}");
        assert!(body.contains("body-too-large"), "{body}");
    }
}

fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".*",
        "[ -~]{0,40}",
        r#"[%/?#"'<>{}\[\]\\ a:@&=+;\x00-\x1f\x7f]{0,40}"#,
        Just("https".to_owned()),
        Just("$default".to_owned()),
    ]
}

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => odd_text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => prop::collection::hash_map(odd_text(), odd_text(), 0..4)
            .prop_map(|map| map.into_iter().map(|(k, v)| (k, Value::from(v))).collect()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_event_panics_or_gets_a_5xx(
        at in prop::sample::subsequence(vec![
            "/routeKey", "/rawPath", "/rawQueryString", "/pathParameters", "/body",
            "/pathParameters/sku", "/isBase64Encoded", "/headers", "/headers/host",
            "/headers/content-type", "/requestContext/stage", "/requestContext/http/method",
            "/requestContext/http", "/requestContext",
        ], 1..5),
        odd in prop::collection::vec(odd_value(), 5),
        header in (odd_text(), odd_text()),
        cookies in prop::option::of(prop::collection::vec(odd_text(), 0..3)),
        is_list in any::<bool>(),
    ) {
        let mut event = event();
        if is_list {
            event["routeKey"] = json!("GET /v1/documents");
            event["requestContext"]["http"]["method"] = json!("GET");
        }
        event["headers"][header.0] = json!(header.1);
        event["cookies"] = json!(cookies);
        for (pointer, value) in at.iter().zip(odd) {
            if let Some(place) = event.pointer_mut(pointer) {
                *place = value;
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (status, kind, body) = runtime.block_on(call(event));
        prop_assert!(status < 500, "{status} {body}");
        prop_assert!(status < 400 || kind == PROBLEM, "{status} {kind} {body}");
    }
}
