//! Registration, sign-in, and the authorizer.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Auth, NOW, auth, auth_with, sample};

fn request_with(authorization: &str) -> Value {
    let mut request = sample("authorize");
    request["headers"]["authorization"] = json!(authorization);
    request
}

#[tokio::test]
async fn sign_ins_from_one_address_are_limited() {
    let auth = auth_with(3).await;
    for expected in [401, 401, 401, 429, 429] {
        assert_eq!(auth.call(&sample("login")).await.status, expected);
    }
    let other = sample("login").to_string().replace("203.0.113.7", "203.0.113.8");
    assert_eq!(auth.call(&serde_json::from_str(&other).unwrap()).await.status, 401);
    auth.clock.advance(SignedDuration::from_secs(20));
    assert_eq!(auth.call(&sample("login")).await.status, 401);
    assert_eq!(auth.call(&sample("login")).await.status, 429);
}

/// A sign-in from this IP address, as API Gateway writes it.
fn login_from(address: &str) -> Value {
    let mut event = sample("login");
    event["requestContext"]["http"]["sourceIp"] = json!(address);
    event
}

/// An attacker has 2^64 addresses, and each address has several spellings.
#[tokio::test]
async fn the_addresses_of_a_network_have_one_limit() {
    let networks = [
        ["2001:db8::1", "2001:DB8:0:0:ffff::7", "2001:0db8:0000:0000:0000:0000:0000:0009"],
        ["203.0.113.7", "::ffff:203.0.113.7", "::ffff:cb00:7107"],
    ];
    let auth = auth_with(3).await;
    for addresses in networks {
        for (address, expected) in addresses.iter().cycle().zip([401, 401, 401, 429, 429, 429]) {
            assert_eq!(auth.call(&login_from(address)).await.status, expected, "{address}");
        }
    }
    for other in ["2001:db8:0:1::1", "203.0.113.8"] {
        assert_eq!(auth.call(&login_from(other)).await.status, 401, "{other}");
    }
    assert_eq!(auth.call(&login_from("elsewhere")).await.status, 500, "it is not admitted");
}

#[tokio::test]
async fn a_registered_user_can_sign_in_and_is_authorized() {
    let auth = auth().await;
    let user = auth.register("ada@example.org").await;
    let expected = json!({
        "id": "usr_01M7YRRT800000000000000000",
        "email": "ada@example.org",
        "tenant": "ten_01M7YRRT800000000000000001",
        "roles": ["member"],
        "created_at": NOW,
    });
    assert_eq!(user, expected);

    let token = auth.call(&sample("login")).await.ok(200);
    assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(token["refresh_expires_in"], 14 * 24 * 3_600);
    let access = token["access_token"].as_str().unwrap();
    let context = auth.authorized(access).await.unwrap();
    let expected = json!({
        "sub": user["id"],
        "tenant": user["tenant"],
        "scope": "account audit:read documents:read documents:write orders:read orders:write",
        "expires_at": "2026-11-21T10:15:00Z",
        "sid": context["sid"],
    });
    assert_eq!(context, expected);
    assert_eq!(auth.as_user(access, sample("get-me")).await.ok(200), user);
    let weak = auth.call(&without_scope(sample("get-me"))).await;
    assert_eq!(weak.problem(), (403, "forbidden"));
    auth.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(auth.authorized(access).await, None);
}

/// The request with a token of other scopes.
fn without_scope(mut event: Value) -> Value {
    event["requestContext"]["authorizer"]["lambda"]["scope"] = json!("orders:read");
    event
}

/// API Gateway joins two headers with a comma. One in another spelling comes from elsewhere.
#[tokio::test]
async fn two_tokens_are_refused() {
    let auth = auth().await;
    auth.register("ada@example.org").await;
    let bearer = format!("Bearer {}", auth.signed_in("ada@example.org").await.access);
    for twice in [format!("{bearer},{bearer}"), format!("{bearer}, Bearer a"), bearer[1..].into()] {
        assert!(!passes(&auth, &request_with(&twice)).await, "{twice}");
    }
    let mut twice = request_with(&bearer);
    assert!(passes(&auth, &twice).await);
    twice["headers"]["Authorization"] = json!("Bearer a");
    assert!(!passes(&auth, &twice).await);
}

async fn passes(auth: &Auth, request: &Value) -> bool {
    auth.authorizer.answer(request).await.unwrap().is_authorized
}

#[tokio::test]
async fn a_refusal_has_no_context() {
    let auth = auth().await;
    for request in [
        sample("authorize"),
        request_with(""),
        request_with("Bearer"),
        request_with("Basic YTpi"),
        request_with("Bearer a.b.c"),
    ] {
        let answer = auth.authorizer.answer(&request).await.unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        assert_eq!(answer, json!({"isAuthorized": false, "context": null}));
    }
}

#[tokio::test]
async fn no_answer_contains_a_password() {
    let auth = auth().await;
    let user = auth.register("ada@example.org").await;
    assert!(!user.to_string().contains("horse") && !user.to_string().contains("argon2"));

    let token = format!("arsenal_ml_{}", "A".repeat(43));
    let short = json!({"token": token, "password": "hunter2hunter2"});
    let problem = auth.call_with("confirm", &short).await;
    assert_eq!((problem.status, &problem.body["errors"][0]["field"]), (422, &json!("password")));
    assert!(!problem.body.to_string().contains("hunter2"), "{}", problem.body);
}
