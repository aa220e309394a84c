//! The functions, called with the sample events.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use auth::api::{login, register};
use auth::authorize::authorize;
use auth::keys::SigningKey;
use auth::store::Users;
use auth::system::System;
use auth::token::{Issuer, LIFETIME, Verifier};
use axum::Router;
use http_body_util::BodyExt;
use jiff::Timestamp;
use lambda_http::request::from_str;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::http::app;
use shared::id::Ids;
use shared::rate_limit::RateLimiter;
use testing::contract::ask;
use testing::{account, event};

const NOW: &str = "2026-11-21T10:00:00Z";

struct Functions {
    register: Router,
    login: Router,
    verifier: Verifier,
    clock: Clock,
}

async fn functions() -> Functions {
    functions_with(6_000).await
}

/// The functions, with this many sign-ins per minute from one source IP address.
async fn functions_with(per_minute: u32) -> Functions {
    let aws = account::empty().await;
    let client = aws_sdk_dynamodb::Client::new(&aws);
    let users = Users::new(client.clone(), account::table_named(&aws, "auth", &["pk"]).await);
    let requests = account::table_named(&aws, "requests", &["id"]).await;
    let clock = Clock::manual(NOW.parse().unwrap());
    let ids = Ids::sequential(clock.clone());
    let key = SigningKey::generate().unwrap();
    let issuer = Issuer::new("arsenal".into(), &key).unwrap();
    let verifier = Verifier::new("arsenal", key.public().unwrap());
    let limiter = RateLimiter::new(client, requests, clock.clone());
    let system = System { users, limiter, per_minute, clock: clock.clone(), ids };
    Functions {
        register: app(register::router(system.clone())),
        login: app(login::router(system, issuer)),
        verifier,
        clock,
    }
}

async fn call(router: &Router, event: &str) -> (u16, Value) {
    let response = ask(router, from_str(event).unwrap()).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

fn request_with(authorization: &str) -> Value {
    let mut request: Value = serde_json::from_str(&event("auth-authorize")).unwrap();
    request["headers"]["authorization"] = json!(authorization);
    request
}

#[tokio::test]
async fn sign_ins_from_one_address_are_limited() {
    let f = functions_with(3).await;
    let login = f.login;
    for expected in [401, 401, 401, 429, 429] {
        assert_eq!(call(&login, &event("auth-login")).await.0, expected);
    }
    let other = event("auth-login").replace("203.0.113.7", "203.0.113.8");
    assert_eq!(call(&login, &other).await.0, 401);
    f.clock.advance(jiff::SignedDuration::from_secs(20));
    assert_eq!(call(&login, &event("auth-login")).await.0, 401);
    assert_eq!(call(&login, &event("auth-login")).await.0, 429);
}

#[tokio::test]
async fn a_registered_user_can_sign_in_and_is_authorized() {
    let f = functions().await;
    let (status, user) = call(&f.register, &event("auth-register")).await;
    assert_eq!(status, 201, "{user}");
    assert_eq!(
        user,
        json!({
            "id": "usr_01M7YRRT800000000000000000",
            "email": "ada@example.org",
            "tenant": "ten_01M7YRRT800000000000000001",
            "roles": ["member"],
            "created_at": NOW,
        })
    );
    let (status, problem) = call(&f.register, &event("auth-register")).await;
    assert_eq!((status, &problem["type"]), (409, &json!("/docs/problems/email-taken")));

    let (status, token) = call(&f.login, &event("auth-login")).await;
    assert_eq!(status, 200, "{token}");
    assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("Bearer"), &json!(900)));

    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let answer = authorize(&request_with(&bearer), &f.verifier, f.clock.now());
    assert_eq!(
        serde_json::to_value(answer).unwrap(),
        json!({
            "isAuthorized": true,
            "context": {
                "sub": user["id"],
                "tenant": user["tenant"],
                "scope": "documents:read documents:write orders:read orders:write",
                "expires_at": "2026-11-21T10:15:00Z",
            },
        })
    );
    let later = f.clock.now() + LIFETIME;
    assert!(!authorize(&request_with(&bearer), &f.verifier, later).is_authorized);

    // API Gateway joins two headers with a comma. One in another spelling comes from elsewhere.
    let is_authorized =
        |request: &Value| authorize(request, &f.verifier, f.clock.now()).is_authorized;
    for twice in [format!("{bearer},{bearer}"), format!("{bearer}, Bearer a"), bearer[1..].into()] {
        assert!(!is_authorized(&request_with(&twice)), "{twice}");
    }
    let mut twice = request_with(&bearer);
    assert!(is_authorized(&twice));
    twice["headers"]["Authorization"] = json!("Bearer a");
    assert!(!is_authorized(&twice));
}

#[tokio::test]
async fn a_refusal_has_no_context() {
    let f = functions().await;
    let sample = serde_json::from_str(&event("auth-authorize")).unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    for request in [
        sample,
        request_with(""),
        request_with("Bearer"),
        request_with("Basic YTpi"),
        request_with("Bearer a.b.c"),
    ] {
        let answer = serde_json::to_value(authorize(&request, &f.verifier, now)).unwrap();
        assert_eq!(answer, json!({"isAuthorized": false, "context": null}));
    }
}

#[tokio::test]
async fn no_answer_contains_a_password() {
    let f = functions().await;
    let (_, user) = call(&f.register, &event("auth-register")).await;
    assert!(!user.to_string().contains("horse") && !user.to_string().contains("argon2"));

    let short = event("auth-register").replace("correct horse battery", "hunter2hunter2");
    let (status, problem) = call(&f.register, &short).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("password")));
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
}
