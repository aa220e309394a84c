//! The rate limiter, on a real DynamoDB API.

use std::time::Duration;

use axum::Router;
use axum::routing::post;
use futures::future::join_all;
use http_body_util::BodyExt;
use jiff::SignedDuration;
use lambda_http::http::HeaderMap;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::http::app;
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::rate_limit::{Quota, RateLimiter};
use tower::ServiceExt;

use crate::support::{System, request};

const HUNDRED: Quota = Quota::new("calls", 100, Duration::from_mins(1));
const THREE: Quota = Quota::new("calls", 3, Duration::from_secs(30));

/// A new limiter, as in a new environment: it remembers no subjects.
fn limiter(s: &System) -> RateLimiter {
    RateLimiter::new(s.client.clone(), s.table.clone(), s.clock.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_2000_calls_at_once_exactly_100_are_admitted() {
    let s = System::new().await;
    // Each limiter stands for one environment.
    let limiters: Vec<_> = (0..20).map(|_| limiter(&s)).collect();
    let calls = (0..2000).map(|call: usize| {
        let limiter = limiters[call % limiters.len()].clone();
        tokio::spawn(async move { limiter.admit(&HUNDRED, "ada").await.unwrap().is_admitted })
    });
    let admitted = join_all(calls).await.into_iter().filter(|call| *call.as_ref().unwrap()).count();
    assert_eq!(admitted, 100);
    // Another subject has its own limit.
    assert!(limiter(&s).admit(&HUNDRED, "bob").await.unwrap().is_admitted);
}

#[tokio::test]
async fn a_used_limit_becomes_available_evenly() {
    let s = System::new().await;
    let limiter = limiter(&s);
    for remaining in [2, 1, 0] {
        let decision = limiter.admit(&THREE, "ada").await.unwrap();
        assert_eq!((decision.is_admitted, decision.remaining), (true, remaining));
    }
    let refused = limiter.admit(&THREE, "ada").await.unwrap();
    assert_eq!((refused.is_admitted, refused.retry_after.as_secs()), (false, 10));
    assert_eq!(refused.reset.as_secs(), 30);
    s.clock.advance(SignedDuration::from_millis(9_999));
    assert!(!limiter.admit(&THREE, "ada").await.unwrap().is_admitted);
    s.clock.advance(SignedDuration::from_millis(1));
    assert!(limiter.admit(&THREE, "ada").await.unwrap().is_admitted);
    assert!(!limiter.admit(&THREE, "ada").await.unwrap().is_admitted);
    // After a long pause, the whole limit is available, and no more.
    s.clock.advance(SignedDuration::from_hours(10));
    let mut admitted = 0;
    while limiter.admit(&THREE, "ada").await.unwrap().is_admitted {
        admitted += 1;
    }
    assert_eq!(admitted, 3);
}

#[tokio::test]
async fn a_decision_is_one_request_if_the_subject_is_known() {
    let s = System::new().await;
    let limiter = limiter(&s);
    for _ in 0..5 {
        let (_, sent) = s.sent.during(limiter.admit(&THREE, "ada")).await;
        assert_eq!(sent, 1, "admitted or refused");
    }
    s.clock.advance(SignedDuration::from_hours(1));
    let (_, sent) = s.sent.during(limiter.admit(&THREE, "ada")).await;
    assert_eq!(sent, 1, "idle for long");
    // Another environment does not know that the subject is busy.
    let (decision, sent) = s.sent.during(self::limiter(&s).admit(&THREE, "ada")).await;
    assert_eq!((decision.unwrap().is_admitted, sent), (true, 2));
}

#[tokio::test]
async fn the_item_expires_when_the_whole_limit_is_available() {
    let s = System::new().await;
    limiter(&s).admit(&THREE, "ada").await.unwrap();
    let items = s.items().await;
    assert_eq!(items[0]["id"], "rate#calls#ada");
    let expiration = items[0]["expiration"].as_i64().unwrap();
    assert!(expiration >= s.clock.now().as_second() + 30);
    assert!(expiration <= s.clock.now().as_second() + 32);
}

async fn call(router: &Router, event: &Value) -> (u16, HeaderMap, Value) {
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    (parts.status.as_u16(), parts.headers, body)
}

fn endpoint(limiter: RateLimiter, subject: Subject, unavailable: Unavailable) -> Router {
    let router = Router::new().route("/v1/documents", post(async || "done"));
    app(limited(router, Limit { limiter, quota: THREE, subject, unavailable }))
}

#[tokio::test]
async fn a_response_has_the_limit_and_the_remaining_requests() {
    let s = System::new().await;
    for (subject, other) in [
        (Subject::User, "/requestContext/authorizer/lambda/sub"),
        (Subject::SourceIp, "/requestContext/http/sourceIp"),
    ] {
        let router = endpoint(limiter(&s), subject, Unavailable::Refuse);
        let event = request(None, "{}");
        for remaining in [2, 1, 0] {
            let (status, headers, _) = call(&router, &event).await;
            assert_eq!(status, 200);
            assert_eq!(headers["ratelimit-policy"], "\"calls\";q=3;w=30");
            let reset = (3 - remaining) * 10;
            assert_eq!(headers["ratelimit"], format!("\"calls\";r={remaining};t={reset}"));
        }
        let (status, headers, problem) = call(&router, &event).await;
        assert_eq!((status, headers["retry-after"].to_str().unwrap()), (429, "10"));
        assert_eq!(headers["ratelimit"], "\"calls\";r=0;t=30");
        assert_eq!(problem["type"], "/docs/problems/too-many-requests");

        let mut others = event.clone();
        *others.pointer_mut(other).unwrap() = json!(match subject {
            Subject::User => "usr_01M7YRRT8000000000000000ZZ",
            Subject::SourceIp => "203.0.113.9",
        });
        assert_eq!(call(&router, &others).await.0, 200, "{subject:?}");
    }
}

#[tokio::test]
async fn a_route_chooses_what_happens_if_the_limiter_is_unavailable() {
    let s = System::new().await;
    let nowhere = RateLimiter::new(s.client.clone(), "no-such-table".into(), Clock::System);
    for (unavailable, expected) in [(Unavailable::Admit, 200), (Unavailable::Refuse, 503)] {
        let router = endpoint(nowhere.clone(), Subject::User, unavailable);
        let (status, headers, _) = call(&router, &request(None, "{}")).await;
        assert_eq!((status, headers.contains_key("retry-after")), (expected, expected == 503));
    }
}
