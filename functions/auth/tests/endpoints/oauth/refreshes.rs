//! Sessions of applications: refreshed, revoked, asked about.

use std::collections::BTreeSet;
use std::time::Duration;

use auth::session::GRACE;
use futures::future::join_all;
use serde_json::{Value, json};

use super::{App, asks, with_app};
use crate::sessions::{ADA, advance};
use crate::support::{Auth, Tokens, sample};

fn refresh<'a>(tokens: &'a Value, scope: &'a str) -> Vec<(&'a str, &'a str)> {
    let token = tokens["refresh_token"].as_str().unwrap();
    vec![("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)]
}

async fn begun(auth: &Auth, app: &App, browser: &str) -> Value {
    auth.tokens(app, &auth.code(&asks(app, &[]), browser).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshes_at_once_get_one_successor_and_a_later_reuse_ends_the_session() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let first = begun(&auth, &app, &browser).await;
    let parameters = refresh(&first, "");
    let answers = join_all((0..50).map(|_| auth.post("token", &app, &parameters))).await;
    let bodies: Vec<_> = answers.into_iter().map(|answer| answer.ok(200)).collect();
    let successors: BTreeSet<_> = bodies.iter().map(|it| it["refresh_token"].as_str()).collect();
    assert_eq!(successors.len(), 1);
    let next = auth.post("token", &app, &refresh(&bodies[0], "")).await.ok(200);
    advance(&auth, GRACE);
    for tokens in [&first, &next] {
        let refused = auth.post("token", &app, &refresh(tokens, "")).await;
        assert_eq!(refused.error(), (400, "invalid_grant"));
    }
}

#[tokio::test]
async fn a_refresh_gives_no_scope_that_was_not_allowed() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let code = auth.code(&asks(&app, &[("scope", "openid orders:read")]), &browser).await;
    let tokens = auth.tokens(&app, &code).await;
    let less = auth.post("token", &app, &refresh(&tokens, "orders:read account")).await.ok(200);
    assert_eq!((&less["scope"], less.get("id_token")), (&json!("orders:read"), None));
    let all = auth.post("token", &app, &refresh(&less, "")).await.ok(200);
    assert_eq!(all["scope"], "openid orders:read", "fewer is for one token");
    let none = auth.post("token", &app, &refresh(&all, "email")).await;
    assert_eq!(none.error(), (400, "invalid_scope"));
    advance(&auth, GRACE);
    auth.post("token", &app, &refresh(&all, "")).await.ok(200);
}

#[tokio::test]
async fn only_the_application_refreshes_its_session() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let other = auth.application(&json!({"name": "Other"})).await;
    let tokens = begun(&auth, &app, &browser).await;
    let ada = auth.signed_in(ADA).await;
    let text = tokens["refresh_token"].as_str().unwrap();
    // Another application, and the API itself, which asks for no secret.
    assert_eq!(
        auth.post("token", &other, &refresh(&tokens, "")).await.error(),
        (400, "invalid_grant")
    );
    assert_eq!(auth.refresh(text).await.problem(), (401, "invalid-refresh-token"));
    // And an application with a session that is none of its own.
    let own = json!({"refresh_token": ada.refresh});
    assert_eq!(auth.post("token", &app, &refresh(&own, "")).await.error(), (400, "invalid_grant"));
    // None of these has ended a session, and neither does an old token in wrong hands.
    let next = auth.post("token", &app, &refresh(&tokens, "")).await.ok(200);
    advance(&auth, GRACE);
    assert_eq!(
        auth.post("token", &other, &refresh(&tokens, "")).await.error(),
        (400, "invalid_grant")
    );
    assert_eq!(auth.refresh(text).await.problem(), (401, "invalid-refresh-token"));
    auth.post("token", &app, &refresh(&next, "")).await.ok(200);
    Tokens::of(&auth.refresh(&ada.refresh).await.ok(200));
}

#[tokio::test]
async fn an_application_ends_its_own_session_and_no_other() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let other = auth.application(&json!({"name": "Other"})).await;
    let ada = auth.signed_in(ADA).await;
    for name in ["refresh_token", "access_token"] {
        let tokens = begun(&auth, &app, &browser).await;
        let token = [("token", tokens[name].as_str().unwrap())];
        auth.post("revoke", &other, &token).await.ok(200);
        let access = tokens["access_token"].as_str().unwrap();
        assert!(auth.authorized(access).await.is_some(), "{name} of another application");
        for _ in 0..2 {
            auth.post("revoke", &app, &token).await.ok(200);
            assert_eq!(auth.authorized(access).await, None, "{name}");
        }
        assert_eq!(
            auth.post("token", &app, &refresh(&tokens, "")).await.error(),
            (400, "invalid_grant")
        );
    }
    for token in [ada.refresh.as_str(), &ada.access, "", "x"] {
        let answer = auth.post("revoke", &app, &[("token", token)]).await;
        let expected = if token.is_empty() { (400, "invalid_request") } else { (200, "") };
        assert_eq!(answer.error(), expected);
    }
    assert!(auth.authorized(&ada.access).await.is_some());
    auth.refresh(&ada.refresh).await.ok(200);
}

#[tokio::test]
async fn a_server_asks_whether_a_token_is_good() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let server = auth.application(&json!({"name": "A server"})).await;
    let tokens = begun(&auth, &app, &browser).await;
    let access = tokens["access_token"].as_str().unwrap();
    let ask =
        async |token: &str| auth.post("introspect", &server, &[("token", token)]).await.ok(200);
    let told = ask(access).await;
    assert_eq!((&told["active"], &told["client_id"]), (&json!(true), &json!(app.id)));
    assert_eq!((&told["scope"], &told["sub"]), (&tokens["scope"], &super::claims(access)["sub"]));
    let nothing = json!({"active": false});
    for token in
        [tokens["refresh_token"].as_str().unwrap(), tokens["id_token"].as_str().unwrap(), "x"]
    {
        assert_eq!(ask(token).await, nothing);
    }
    auth.post("revoke", &app, &[("token", access)]).await.ok(200);
    assert_eq!(ask(access).await, nothing);
    let later = begun(&auth, &app, &browser).await;
    advance(&auth, Duration::from_mins(15));
    assert_eq!(ask(later["access_token"].as_str().unwrap()).await, nothing);

    let public = auth.application(&json!({"kind": "public"})).await;
    let refused = auth.post("introspect", &public, &[("token", access)]).await;
    assert_eq!(refused.error(), (401, "invalid_client"));
    assert_eq!(auth.post("introspect", &server, &[]).await.error(), (400, "invalid_request"));
}

#[tokio::test]
async fn the_sessions_of_a_deleted_application_end() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let tokens = begun(&auth, &app, &browser).await;
    let event = sample("delete-application").to_string();
    let event =
        serde_json::from_str(&event.replace("app_01M7YRRT800000000000000009", &app.id)).unwrap();
    let deletion: Value = event;
    auth.call(&deletion).await.ok(204);
    assert_eq!(auth.authorized(tokens["access_token"].as_str().unwrap()).await, None);
    assert_eq!(
        auth.post("token", &app, &refresh(&tokens, "")).await.error(),
        (401, "invalid_client")
    );
    assert_eq!(auth.call(&deletion).await.problem(), (404, "not-found"));
    let page = auth.browse(crate::pages::opened("authorize", &asks(&app, &[]))).await;
    page.says(400, "No application has this client_id");
}

/// An application with the scope `account` makes no API key with scopes that the user has not allowed.
#[tokio::test]
async fn an_application_makes_no_key_that_may_do_more_than_itself() {
    let change = json!({"is_first_party": true, "scopes": ["account", "orders:read"]});
    let (auth, browser, app) = with_app(&change).await;
    let page = auth.open(&asks(&app, &[("scope", "account orders:read")]), &browser).await;
    let tokens = auth.tokens(&app, &super::sent_back(&page)["code"]).await;
    let access = tokens["access_token"].as_str().unwrap();
    let mut event = sample("create-api-key");
    for (scopes, expected) in [(json!(["orders:write"]), 422), (json!(["orders:read"]), 201)] {
        let body = json!({"name": "A program", "scopes": scopes});
        event["body"] = json!(body.to_string());
        assert_eq!(auth.as_user(access, event.clone()).await.status, expected, "{scopes}");
    }
}
