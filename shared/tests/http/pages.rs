//! Endpoints whose answers are pages: no problem is JSON.

use arbitrary::{Arbitrary as _, Unstructured};
use axum::body::Body;
use axum::http::HeaderValue;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use proptest::prelude::*;
use serde_json::json;
use shared::http::{StatusCode, page_app};
use shared::problem::{FORBIDDEN, Problem};

use super::support::odd::OddEvent;
use super::support::{Answer, PROBLEM, REQUEST_ID, call_on, event, routes};

/// A page with a rule of its own for caches.
fn page_of(problem: &Problem) -> Response {
    let text = problem.explanation().unwrap_or_default();
    let page = Html(format!("<h1>{}</h1>{text}", problem.title()));
    ([("cache-control", "no-cache")], page).into_response()
}

fn app() -> Router {
    let busy = || {
        let problem = Problem::of(FORBIDDEN).detail("Wait.");
        problem.header("retry-after".parse().unwrap(), HeaderValue::from_static("7"))
    };
    let failing = async || {
        let lost = [Err::<&str, _>(std::io::Error::other("lost"))];
        Body::from_stream(futures::stream::iter(lost))
    };
    let routes = routes()
        .route("/v1/busy", get(async move || busy()))
        .route("/v1/failing", get(failing))
        .route("/v1/echo", post(async || Html("sent")));
    page_app(routes, page_of)
}

fn is_page(answer: &Answer) -> bool {
    answer.header("content-type") == "text/html; charset=utf-8" && answer.body().contains("<h1>")
}

#[tokio::test]
async fn a_page_has_the_status_and_the_headers_of_its_problem() {
    let answer = call_on(app(), event("GET /v1/busy")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (403, "7"));
    assert_eq!(answer.body(), "<h1>You may not do this</h1>Wait.");
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert_eq!(answer.header("x-request-id"), REQUEST_ID);
    assert!(is_page(&answer));
    let answer = call_on(app(), event("DELETE /v1/orders")).await;
    assert_eq!((answer.status, answer.header("allow"), is_page(&answer)), (405, "POST", true));
}

/// Also those that are refused before a handler runs, and those whose answer fails after it.
#[tokio::test]
async fn each_problem_is_a_page() {
    let mut large = event("POST /v1/echo");
    large["body"] = json!("a".repeat(64 * 1024 + 1));
    let mut invalid = event("POST /v1/echo");
    invalid["headers"]["x y"] = json!("1");
    let mut unknown = event("POST /v1/echo");
    unknown["headers"]["arsenal-version"] = json!("1");
    let mut html = event("GET /v1/products");
    html["headers"]["accept"] = json!("text/html");
    for (event, status) in [
        (event("GET /v1/nothing"), 404),
        (event("GET /v1/failing"), 500),
        (large, 413),
        (invalid, 400),
        (unknown, 400),
        (html, 406),
    ] {
        let answer = call_on(app(), event).await;
        assert_eq!((answer.status, is_page(&answer)), (status, true), "{}", answer.body());
    }
}

#[tokio::test]
async fn a_form_may_ask_for_html_only() {
    let mut event = event("POST /v1/echo");
    event["headers"]["accept"] = json!("text/html");
    let answer = call_on(app(), event).await;
    assert_eq!((answer.status, answer.body()), (200, "sent".into()));
}

/// An answer of axum's own that only looks like a problem is left alone.
#[tokio::test]
async fn an_answer_that_is_no_problem_is_not_changed() {
    let teapot = async || (StatusCode::IM_A_TEAPOT, Json(json!({"title": "short and stout"})));
    let routes = Router::new().route("/v1/tea", get(teapot));
    let answer = call_on(page_app(routes, page_of), event("GET /v1/tea")).await;
    assert_eq!((answer.status, answer.json()["title"].as_str()), (418, Some("short and stout")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_event_gets_a_problem_document_from_an_endpoint_of_pages(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let Ok(odd) = OddEvent::arbitrary(&mut Unstructured::new(&bytes)) else { return Ok(()) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(call_on(app(), odd.event()));
        prop_assert_ne!(answer.header("content-type"), PROBLEM);
    }
}
