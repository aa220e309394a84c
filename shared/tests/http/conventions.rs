//! What developers of clients expect of every endpoint.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, header};
use axum::routing::get;
use serde_json::{Value, json};
use shared::http::{Json, StatusCode, app};

use super::call;
use super::support::{Answer, REQUEST_ID, call_on, event, router};

const LIST: &str = "GET /v1/products";
const SETTINGS: &str = "GET /v1/settings";

async fn with(route: &str, headers: &[(&str, &str)]) -> Answer {
    let mut event = event(route);
    for (name, value) in headers {
        event["headers"][name] = json!(value);
    }
    call(event).await
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_gets_405_with_allow() {
    let answer = with("DELETE /v1/products/{sku}", &[]).await;
    assert_eq!(answer.problem().1, "method-not-allowed");
    assert_eq!((answer.status, answer.header("allow")), (405, "PUT,GET,HEAD"));
    let answer = with("HEAD /v1/orders", &[]).await;
    assert_eq!((answer.status, answer.header("allow"), answer.sent.len()), (405, "POST", 0));
    let answer = with("OPTIONS /v1/orders", &[]).await;
    assert_eq!((answer.status, answer.header("allow"), answer.sent.len()), (204, "POST", 0));
    assert_eq!(with("OPTIONS /v1/nothing", &[]).await.status, 404);
}

#[tokio::test]
async fn head_is_a_get_without_a_body() {
    let gzip = ("accept-encoding", "gzip");
    for (path, headers) in [("products", &[][..]), ("products", &[gzip]), ("settings", &[gzip])] {
        let get = with(&format!("GET /v1/{path}"), headers).await;
        let head = with(&format!("HEAD /v1/{path}"), headers).await;
        assert_eq!((head.status, head.sent.len()), (200, 0));
        assert_eq!(head.headers, get.headers);
        let not_modified = ("if-none-match", get.header("etag"));
        assert_eq!(with(&format!("HEAD /v1/{path}"), &[not_modified]).await.status, 304);
    }
}

#[tokio::test]
async fn a_request_that_accepts_no_json_changes_nothing() {
    for accept in ["text/html", "application/xml;q=0.9", "application/json;q=0"] {
        let answer = with("PUT /v1/products/{sku}", &[("accept", accept)]).await;
        assert_eq!(answer.problem(), (406, "not-acceptable".into(), "Accept".into()), "{accept}");
    }
    let answer = with(LIST, &[("accept", "text/html")]).await;
    assert_eq!(answer.problem(), (406, "not-acceptable".into(), "Accept".into()));
    assert_eq!(with(LIST, &[("accept", "text/html, */*;q=0.1")]).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_not_json_gets_415() {
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let answer = with("PUT /v1/products/{sku}", &[("content-type", kind)]).await;
        let (status, slug, field) = answer.problem();
        assert_eq!((status, slug.as_str()), (415, "unsupported-media-type"), "{kind}");
        assert_eq!(field, "Content-Type");
    }
    let utf8 = ("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(with("PUT /v1/products/{sku}", &[utf8]).await.status, 200);
}

#[tokio::test]
async fn every_answer_has_the_id_of_its_request() {
    let odd = json!({"requestContext": {"requestId": REQUEST_ID}});
    for event in [event(LIST), event("GET /v1/nothing"), event("POST /v1/orders"), odd] {
        let answer = call(event).await;
        assert_eq!(answer.header("x-request-id"), REQUEST_ID);
        assert!(answer.status < 400 || answer.json()["request_id"] == REQUEST_ID);
    }
    // An id that no header can have is in the body only.
    let mut event = event("GET /v1/nothing");
    event["requestContext"]["requestId"] = json!("a\nb");
    let answer = call(event).await;
    assert_eq!(answer.header("x-request-id"), "");
    assert_eq!(answer.json()["request_id"], "a\nb");
}

#[tokio::test]
async fn a_get_is_tagged_and_not_sent_again() {
    let first = with(LIST, &[]).await;
    let tag = first.header("etag");
    assert_eq!((tag.len(), first.header("vary")), (34, "accept-encoding"));
    for known in [tag.to_owned(), format!("W/{tag}"), format!("\"a\",{tag}"), "*".into()] {
        let again = with(LIST, &[("if-none-match", &known)]).await;
        assert_eq!((again.status, again.sent.len()), (304, 0), "{known}");
        assert_eq!((again.header("etag"), again.header("vary")), (tag, "accept-encoding"));
        assert_eq!(again.header("content-type"), "");
    }
    assert_eq!(with(LIST, &[("if-none-match", "\"a\"")]).await.status, 200);

    // Another body has another tag.
    let mut other = event(LIST);
    other["rawQueryString"] = json!("limit=19");
    assert_ne!(call(other).await.header("etag"), tag);
    // What is no representation of the resource has no tag.
    for route in ["POST /v1/orders", "GET /v1/nothing", "PUT /v1/settings"] {
        let answer = with(route, &[("if-none-match", "*")]).await;
        assert_ne!(answer.status, 304, "{route}");
        assert_eq!(answer.header("etag"), "", "{route}");
    }
}

#[tokio::test]
async fn a_handler_keeps_its_own_tag_and_its_own_rule_for_caches() {
    let answer = with(SETTINGS, &[("accept-encoding", "gzip")]).await;
    assert_eq!((answer.header("etag"), answer.header("content-encoding")), ("\"v7\"", ""));
    assert_eq!(answer.header("cache-control"), "public, max-age=60");
    let known = with(SETTINGS, &[("if-none-match", "\"v7\"")]).await;
    assert_eq!((known.status, known.header("cache-control")), (304, "public, max-age=60"));
    assert_eq!(with(LIST, &[]).await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_large_answer_is_compressed_for_those_who_ask() {
    let plain = with(LIST, &[]).await;
    assert_eq!(plain.header("content-encoding"), "");
    assert_eq!(with(LIST, &[("accept-encoding", "br, identity")]).await.sent, plain.sent);

    let small = with(LIST, &[("accept-encoding", "br, gzip")]).await;
    assert_eq!(
        (small.header("content-encoding"), small.header("vary")),
        ("gzip", "accept-encoding")
    );
    assert_eq!(small.body(), plain.body());
    assert!(small.sent.len() * 2 < plain.sent.len());
    assert_ne!(small.header("etag"), plain.header("etag"));
    // A client may revalidate what it has in either form.
    for tag in [small.header("etag"), plain.header("etag")] {
        let again = with(LIST, &[("accept-encoding", "gzip"), ("if-none-match", tag)]).await;
        assert_eq!((again.status, again.header("content-encoding")), (304, ""));
    }
}

#[tokio::test]
async fn answers_up_to_1_kb_are_not_compressed() {
    // Two bytes more are the quotes.
    for (length, coding) in [(1_022, ""), (1_023, "gzip")] {
        let router =
            axum::Router::new().route("/v1/x", get(async move || Json("x".repeat(length))));
        let mut event = event("GET /v1/x");
        event["headers"]["accept-encoding"] = json!("gzip");
        let answer = call_on(app(router), event).await;
        assert_eq!(answer.header("content-encoding"), coding, "{length}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_text_is_encoded_whole() {
    let bytes: Vec<u8> = (0..=255).collect();
    let body = Bytes::from(bytes.clone());
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    let router = axum::Router::new().route("/v1/x", get(async move || (kind, body)));
    let answer = call_on(app(router), event("GET /v1/x")).await;
    assert_eq!((answer.broken_rule(), answer.sent), (None, bytes));
}

#[tokio::test]
async fn a_body_that_fails_becomes_a_500() {
    async fn broken() -> Body {
        let chunks = [Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("lost"))];
        Body::from_stream(futures::stream::iter(chunks))
    }
    let router = axum::Router::new().route("/v1/x", get(broken));
    let answer = call_on(app(router), event("GET /v1/x")).await;
    assert_eq!(answer.problem(), (500, "internal".into(), String::new()));
    assert!(!answer.body().contains("lost"));
}

#[tokio::test]
async fn several_headers_of_one_name_and_cookies_reach_the_client() {
    let mut headers = HeaderMap::new();
    for value in ["a=1", "b=2"] {
        headers.append("set-cookie", value.parse().unwrap());
        headers.append("link", value.parse().unwrap());
    }
    let router = axum::Router::new().route("/v1/x", get(async move || (headers, Json(1))));
    let context = lambda_runtime::Context::default();
    let answer = shared::http::answer(app(router), event("GET /v1/x"), &context).await;
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(answer["cookies"], json!(["a=1", "b=2"]));
    assert_eq!(answer["headers"]["link"], "a=1, b=2");
    assert_eq!(answer["headers"].get("set-cookie"), None);
    assert_eq!(answer["statusCode"], 200);
}

#[tokio::test]
async fn without_an_invocation_an_answer_has_no_id() {
    use tower::ServiceExt as _;
    let request = axum::http::Request::get("/v1/nothing").body(Body::empty()).unwrap();
    let answer = router().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(!answer.headers().contains_key("x-request-id"));
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap().get("request_id"), None);
}

#[tokio::test]
async fn every_answer_names_its_version_and_an_unknown_version_is_refused_before_a_handler_runs() {
    for route in [LIST, "GET /v1/nothing", "PUT /v1/settings", "DELETE /v1/products/{sku}"] {
        assert_eq!(with(route, &[]).await.header("arsenal-version"), "2026-11-30", "{route}");
        let newest = with(route, &[("arsenal-version", "2026-12-01")]).await;
        assert_eq!(newest.header("arsenal-version"), "2026-12-01", "{route}");
        let answer = with(route, &[("arsenal-version", "2026-12-01,2026-12-01")]).await;
        let expected = (400, "unknown-version".into(), "Arsenal-Version".into());
        assert_eq!((answer.problem(), answer.header("arsenal-version")), (expected, ""), "{route}");
    }
}
