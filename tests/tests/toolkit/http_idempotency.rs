//! `Idempotency-Key` on an endpoint.

use std::collections::HashSet;
use std::sync::atomic::Ordering::SeqCst;

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use futures::future::join_all;
use http_body_util::BodyExt;
use jiff::SignedDuration;
use lambda_http::http::StatusCode;
use serde_json::json;
use shared::http::idempotency::{Saved, Transaction};
use shared::http::version::{ApiVersion, Change};
use shared::http::{app, idempotency};
use shared::idempotency::{Commit, Outcome};
use tower::ServiceExt;

use crate::support::{Answer, System, call, counting, request};

const KEY: Option<&str> = Some("8e03978e-40d5-43dd-bc93-6894a57f9324");

#[tokio::test(flavor = "multi_thread")]
async fn of_500_identical_requests_at_once_one_does_the_work() {
    let s = System::new().await;
    let (router, ran) = counting(StatusCode::CREATED);
    let router = app(idempotency::wrapped(router, s.records));
    let event = request(KEY, "{}");

    let calls = (0..500).map(|_| {
        let (router, event) = (router.clone(), event.clone());
        tokio::spawn(async move { call(&router, &event).await })
    });
    let answers: Vec<Answer> = join_all(calls).await.into_iter().map(Result::unwrap).collect();

    assert_eq!(ran.load(SeqCst), 1);
    let (done, in_progress): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 201);
    let bodies: HashSet<_> = done.iter().map(|answer| (&answer.body, &answer.location)).collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(done.iter().filter(|answer| !answer.replayed).count(), 1);
    for answer in in_progress {
        assert_eq!((answer.status, answer.problem()), (409, "request-in-progress".into()));
        assert!(answer.retry_after.as_ref().unwrap().parse::<u32>().unwrap() > 0);
    }
    // A retry gets the saved answer.
    let again = call(&router, &event).await;
    assert!(again.replayed);
    assert_eq!((&again.body, &again.location), *bodies.iter().next().unwrap());
    assert_eq!(ran.load(SeqCst), 1);
}

#[tokio::test]
async fn a_new_request_costs_two_calls_to_dynamodb_and_a_replay_one() {
    let s = System::new().await;
    let (router, _) = counting(StatusCode::CREATED);
    let router = app(idempotency::wrapped(router, s.records.clone()));
    let (first, sent) = s.sent.during(call(&router, &request(KEY, "{}"))).await;
    assert_eq!((first.status, first.replayed, sent), (201, false, 2));
    let (replay, sent) = s.sent.during(call(&router, &request(KEY, "{}"))).await;
    assert_eq!((replay.status, replay.replayed, sent), (201, true, 1));
    let (_, sent) = s.sent.during(call(&router, &request(None, "{}"))).await;
    assert_eq!(sent, 0);
}

#[tokio::test]
async fn the_first_answer_keeps_the_headers_that_are_not_saved() {
    let s = System::new().await;
    let (router, _) = counting(StatusCode::CREATED);
    let router =
        router.layer(axum::middleware::map_response(async |response: axum::response::Response| {
            ([("set-cookie", "seen=1")], response)
        }));
    let router = app(idempotency::wrapped(router, s.records.clone()));
    for is_first in [true, false] {
        let event = request(KEY, "{}").to_string();
        let request = lambda_http::request::from_str(&event).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers().contains_key("set-cookie"), is_first);
        assert!(response.headers().contains_key("location"));
    }
}

#[tokio::test]
async fn a_key_belongs_to_a_payload_a_user_and_a_route() {
    let s = System::new().await;
    let (router, ran) = counting(StatusCode::CREATED);
    let others = router.clone();
    let router = app(idempotency::wrapped(router, s.records.clone()));
    let first = call(&router, &request(KEY, r#"{"a":1,"b":2}"#)).await;

    // The same key and body in another form.
    let quoted = Some("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"");
    for (key, body) in [(KEY, r#"{ "b": 2, "a": 1 }"#), (quoted, r#"{"a":1,"b":2}"#)] {
        let same = call(&router, &request(key, body)).await;
        assert_eq!((same.as_first(), same.replayed), (first.clone(), true));
    }
    // Another payload.
    let mut query = request(KEY, r#"{"a":1,"b":2}"#);
    query["rawQueryString"] = json!("dry_run=true");
    for other in [request(KEY, r#"{"a":1,"b":3}"#), request(KEY, "not json"), query] {
        let refused = call(&router, &other).await;
        assert_eq!((refused.status, refused.problem()), (422, "idempotency-key-reused".into()));
    }
    assert_eq!(ran.load(SeqCst), 1);

    // Another user, another route, another key.
    let mut user = request(KEY, r#"{"a":1,"b":2}"#);
    user["requestContext"]["authorizer"]["lambda"]["sub"] = json!("usr_01M7YRRT8000000000000000ZZ");
    assert_eq!(call(&router, &user).await.status, 201);
    let nested = app(axum::Router::new().nest("/x", idempotency::wrapped(others, s.records)));
    let mut route = request(KEY, r#"{"a":1,"b":2}"#);
    route["rawPath"] = json!("/x/v1/documents");
    route["requestContext"]["http"]["path"] = json!("/x/v1/documents");
    assert_eq!(call(&nested, &route).await.status, 201);
    assert_eq!(call(&router, &request(Some("k"), r#"{"a":1,"b":2}"#)).await.status, 201);
    assert_eq!(ran.load(SeqCst), 4);
}

#[tokio::test]
async fn bad_requests_leave_no_record() {
    let s = System::new().await;
    let (router, ran) = counting(StatusCode::CREATED);
    let router = app(idempotency::wrapped(router, s.records.clone()));
    let missing = call(&router, &request(None, "{}")).await;
    assert_eq!((missing.status, missing.problem()), (400, "idempotency-key-missing".into()));
    let invalid = call(&router, &request(Some(&"k".repeat(256)), "{}")).await;
    assert_eq!((invalid.status, invalid.problem()), (400, "idempotency-key-invalid".into()));
    let large = call(&router, &request(KEY, &"x".repeat(70_000))).await;
    assert_eq!((large.status, large.problem()), (413, "body-too-large".into()));
    let mut anonymous = request(KEY, "{}");
    anonymous["requestContext"].as_object_mut().unwrap().remove("authorizer");
    assert_eq!(call(&router, &anonymous).await.status, 401);
    assert_eq!(ran.load(SeqCst), 0);
    assert!(s.items().await.is_empty());
}

#[tokio::test]
async fn only_answers_that_a_retry_would_repeat_are_saved() {
    for (status, runs) in [
        (200, 1),
        (303, 1),
        (400, 1),
        (404, 1),
        (409, 1),
        (422, 1),
        (401, 2),
        (403, 2),
        (429, 2),
        (500, 2),
        (503, 2),
    ] {
        let s = System::new().await;
        let (router, ran) = counting(StatusCode::from_u16(status).unwrap());
        let router = app(idempotency::wrapped(router, s.records.clone()));
        let first = call(&router, &request(KEY, "{}")).await;
        let second = call(&router, &request(KEY, "{}")).await;
        assert_eq!(ran.load(SeqCst), runs, "{status}");
        assert_eq!((first.status, second.status), (status, status));
        assert_eq!(second.replayed, runs == 1);
        assert_eq!(s.items().await.len(), usize::from(runs == 1), "{status}");
    }
}

#[tokio::test]
async fn a_5xx_with_effects_is_saved() {
    let s = System::new().await;
    let (router, ran) = counting(StatusCode::BAD_GATEWAY);
    let router = router.layer(axum::middleware::map_response(
        async |mut response: axum::response::Response| {
            response.extensions_mut().insert(idempotency::HadEffects);
            response
        },
    ));
    let router = app(idempotency::wrapped(router, s.records.clone()));
    let first = call(&router, &request(KEY, "{}")).await;
    let second = call(&router, &request(KEY, "{}")).await;
    assert_eq!((ran.load(SeqCst), second.replayed), (1, true));
    assert_eq!(first, second.as_first());
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day_whether_or_not_ttl_has_deleted_it() {
    let s = System::new().await;
    let (router, ran) = counting(StatusCode::CREATED);
    let router = app(idempotency::wrapped(router, s.records.clone()));
    let first = call(&router, &request(KEY, "{}")).await;
    s.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(call(&router, &request(KEY, "{}")).await.as_first(), first);
    s.clock.advance(SignedDuration::from_secs(1));
    // The key is free for another payload now.
    let second = call(&router, &request(KEY, r#"{"b":2}"#)).await;
    assert_eq!((second.status, second.replayed, ran.load(SeqCst)), (201, false, 2));
    let records = s.items().await;
    assert_eq!(records.len(), 1);
    assert!(records[0]["data"].as_str().unwrap().contains("/v1/things/2"));
}

const RENAMED: Change = Change::new(ApiVersion::V2026_12_01, "`text` is called `greeting`.");

fn greeted(version: ApiVersion) -> Response {
    RENAMED.answer(version, json!({"greeting": "hello"}), |_| json!({"text": "hello"}))
}

async fn greet(transaction: Transaction, version: ApiVersion) -> shared::Result<Outcome<Saved>> {
    let commit = Commit::new(Saved::of(greeted(version)).await?);
    Ok(transaction.commit(commit).await?)
}

#[tokio::test]
async fn a_replay_has_the_form_of_the_first_requests_version_and_names_it() {
    let s = System::new().await;
    let (wrapped, transactional) = (post(async |version| greeted(version)), post(greet));
    let route = |method| Router::new().route("/v1/documents", method);
    let routers = [
        idempotency::wrapped(route(wrapped), s.records.clone()),
        idempotency::transactional(route(transactional), s.records.clone()),
    ];
    let sunset = "Wed, 01 Dec 2027 00:00:00 GMT";
    let (former, newest) =
        (("2026-11-30", r#"{"text":"hello"}"#), ("2026-12-01", r#"{"greeting":"hello"}"#));
    for (number, router) in routers.into_iter().map(app).enumerate() {
        for (first, retry, ends) in [(former, newest, Some(sunset)), (newest, former, None)] {
            let key = format!("{number}-{}", first.0);
            for (version, is_replay) in [(first.0, false), (first.0, true), (retry.0, true)] {
                let mut event = request(Some(&key), "{}");
                event["headers"]["arsenal-version"] = json!(version);
                let request = lambda_http::request::from_str(&event.to_string()).unwrap();
                let answer = router.clone().oneshot(request).await.unwrap();
                let (parts, body) = answer.into_parts();
                let header = |name: &str| parts.headers.get(name).map(|it| it.to_str().unwrap());
                assert_eq!(header("idempotent-replayed").is_some(), is_replay);
                assert_eq!((header("arsenal-version"), header("sunset")), (Some(first.0), ends));
                assert_eq!(body.collect().await.unwrap().to_bytes(), first.1);
            }
        }
    }
}
