use std::time::Duration;

use auth::api_key::{OVERLAP, Secret, USE_NOTED_EACH};
use serde_json::{Value, json};

use super::{Key, texts, wanted};
use crate::sessions::{ADA, advance, before, change, with_ada};
use crate::support::{PASSWORD, sample};

const DAY: Duration = Duration::from_hours(24);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_key_calls_the_api_as_its_user() {
    let (auth, tokens) = with_ada().await;
    let user = auth.authorized(&tokens.access).await.unwrap();
    let answer =
        auth.as_user(&tokens.access, wanted(&["orders:read", "audit:read"], Some(90))).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let body = answer.ok(201);
    let key = Key::of(&body);
    let mut shown = json!({
        "id": key.id, "tenant": user["tenant"], "name": "nightly export", "scopes": ["audit:read", "orders:read"],
        "created_at": "2026-11-21T10:00:00Z", "secret_set_at": "2026-11-21T10:00:00Z",
        "expires_at": "2027-02-19T10:00:00Z",
        "client": {"user_agent": "curl/8.5.0", "ip": "203.0.113.7"},
    });
    assert_eq!(body["api_key"], shown);
    assert_eq!(auth.keys(&tokens).await, [shown.clone()]);

    advance(&auth, Duration::from_mins(5));
    let context = auth.authorized(&key.secret).await.unwrap();
    let expected = json!({
        "sub": user["sub"], "tenant": user["tenant"], "scope": "audit:read orders:read",
        "expires_at": "2026-11-21T10:20:00Z",
    });
    assert_eq!(context, expected, "and no session");
    auth.as_user(&key.secret, sample("list-audit")).await.ok(200);
    shown["used_at"] = json!("2026-11-21T10:05:00Z");
    assert_eq!(auth.keys(&tokens).await, [shown.clone()]);
    let export = auth.as_user(&tokens.access, sample("export-me")).await.ok(200);
    assert_eq!(export["api_keys"], json!([shown]));
}

#[tokio::test]
async fn keys_are_listed_by_pages_and_each_user_has_the_own_ones() {
    let (auth, tokens) = with_ada().await;
    auth.register("bob@example.org").await;
    let bob = auth.signed_in("bob@example.org").await;
    auth.key(&bob, &["orders:read"], None).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.insert(0, auth.key(&tokens, &["orders:read"], None).await.id);
        advance(&auth, SECOND);
    }
    let (mut page, mut found) = (sample("list-api-keys"), Vec::new());
    page["rawQueryString"] = json!("limit=2");
    let first = auth.as_user(&tokens.access, page.clone()).await.ok(200);
    page["rawQueryString"] =
        json!(format!("limit=2&cursor={}", first["next_cursor"].as_str().unwrap()));
    let last = auth.as_user(&tokens.access, page).await.ok(200);
    assert_eq!(last.get("next_cursor"), None);
    for page in [first, last] {
        found.extend(page["api_keys"].as_array().unwrap().iter().map(|key| key["id"].clone()));
    }
    assert_eq!(found, made);
}

#[tokio::test]
async fn a_secret_expires_and_a_rotation_renews_it() {
    let (auth, tokens) = with_ada().await;
    let key = auth.key(&tokens, &["orders:read"], Some(1)).await;
    advance(&auth, before(DAY));
    let context = auth.authorized(&key.secret).await.unwrap();
    assert_eq!(context["expires_at"], "2026-11-22T10:00:00Z", "functions check it again");
    advance(&auth, SECOND);
    assert!(!auth.is_good(&key.secret).await);

    let tokens = auth.signed_in(ADA).await;
    assert_eq!(auth.keys(&tokens).await[0]["expires_at"], "2026-11-22T10:00:00Z");
    let next = Key::of(&auth.rotate(&tokens, &key.id, false).await.ok(200));
    assert_eq!(auth.keys(&tokens).await[0]["expires_at"], "2026-11-23T10:00:00Z");
    assert!(!auth.is_good(&key.secret).await, "an expired secret is not good again");
    assert!(auth.is_good(&next.secret).await);
}

#[tokio::test]
async fn the_old_secret_is_good_for_a_day_after_a_rotation() {
    let (auth, tokens) = with_ada().await;
    let first = auth.key(&tokens, &["orders:read"], None).await;
    let answer = auth.rotate(&tokens, &first.id, false).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let body = answer.ok(200);
    assert_eq!(body["api_key"]["secret_overlaps_until"], "2026-11-22T10:00:00Z");
    let second = Key::of(&body);
    assert_eq!((first.id.as_str(), first.secret == second.secret), (second.id.as_str(), false));
    advance(&auth, before(OVERLAP));
    assert!(auth.is_good(&first.secret).await && auth.is_good(&second.secret).await);
    advance(&auth, SECOND);
    assert!(!auth.is_good(&first.secret).await && auth.is_good(&second.secret).await);

    let tokens = auth.signed_in(ADA).await;
    let third = Key::of(&auth.rotate(&tokens, &first.id, false).await.ok(200));
    let body = auth.rotate(&tokens, &first.id, true).await.ok(200);
    assert_eq!(body["api_key"].get("secret_overlaps_until"), None);
    for secret in [&second.secret, &third.secret] {
        assert!(!auth.is_good(secret).await, "an emergency ends all old secrets at once");
    }
    assert!(auth.is_good(&Key::of(&body).secret).await);
}

#[tokio::test]
async fn a_revoked_key_is_refused() {
    let (auth, tokens) = with_ada().await;
    let key = auth.key(&tokens, &["orders:read"], None).await;
    let other = auth.key(&tokens, &["orders:read"], None).await;
    let next = Key::of(&auth.rotate(&tokens, &key.id, false).await.ok(200));
    auth.revoke(&tokens, &key.id).await.ok(204);
    for secret in [&key.secret, &next.secret] {
        assert!(!auth.is_good(secret).await);
    }
    assert!(auth.is_good(&other.secret).await);
    assert_eq!(auth.keys(&tokens).await.len(), 1);
    assert_eq!(auth.revoke(&tokens, &key.id).await.problem(), (404, "not-found"));
    assert_eq!(auth.rotate(&tokens, &key.id, false).await.problem(), (404, "not-found"));
}

/// Neither a change of the password nor the end of all sessions ends a key. The end of the account does.
#[tokio::test]
async fn a_key_lasts_as_long_as_the_account() {
    let (auth, tokens) = with_ada().await;
    let key = auth.key(&tokens, &["orders:read"], None).await;
    auth.as_user(&tokens.access, change(PASSWORD, "correct horse battery staple")).await.ok(204);
    auth.as_user(&tokens.access, sample("end-sessions")).await.ok(204);
    assert!(auth.is_good(&key.secret).await);
    let token = auth.asked("forgot-password", ADA).await;
    auth.call_with("reset-password", &json!({"token": token, "password": PASSWORD})).await.ok(204);
    assert!(auth.is_good(&key.secret).await);

    let tokens = auth.signed_in(ADA).await;
    auth.as_user(&tokens.access, sample("delete-me")).await.ok(204);
    assert!(!auth.is_good(&key.secret).await);
    auth.register(ADA).await;
    assert!(!auth.is_good(&key.secret).await, "another account with the same address");
}

/// The roles of the user count at the moment of the request.
#[tokio::test]
async fn a_key_loses_the_scopes_that_its_user_loses() {
    let (auth, tokens) = with_ada().await;
    let user = auth.authorized(&tokens.access).await.unwrap()["sub"].clone();
    auth.by_hand(&user, "ACCOUNT", "roles", texts(&["member", "admin"])).await;
    let tokens = auth.refreshed(&tokens).await;
    let weak = auth.key(&tokens, &["orders:read"], None).await;
    let strong = auth.key(&tokens, &["admin", "orders:read"], None).await;
    let scope = async |key: &Key| auth.authorized(&key.secret).await.unwrap()["scope"].clone();
    assert_eq!(
        scope(&weak).await,
        "orders:read",
        "an admin's key is not one of an admin by itself"
    );
    assert_eq!(scope(&strong).await, "admin orders:read");
    auth.by_hand(&user, "ACCOUNT", "roles", texts(&["member"])).await;
    assert_eq!(scope(&strong).await, "orders:read");
}

/// What a request costs that is not in the cache of API Gateway: two reads in one request, and once an hour a write.
#[tokio::test]
async fn a_use_is_noted_once_an_hour() {
    let (auth, tokens) = with_ada().await;
    let key = auth.key(&tokens, &["orders:read"], None).await;
    let asked = async || {
        let (context, requests) = auth.requests.during(auth.authorized(&key.secret)).await;
        assert!(context.is_some());
        requests
    };
    let noted = ["BatchGetItem", "UpdateItem USER"];
    assert_eq!(asked().await, noted);
    assert_eq!(asked().await, noted[..1]);
    advance(&auth, before(USE_NOTED_EACH));
    assert_eq!(asked().await, noted[..1]);
    advance(&auth, SECOND);
    assert_eq!(asked().await, noted);
    let tokens = auth.signed_in(ADA).await;
    assert_eq!(auth.keys(&tokens).await[0]["used_at"], "2026-11-21T11:00:00Z");
}

#[tokio::test]
async fn the_table_has_no_secret_of_a_key() {
    let (auth, tokens) = with_ada().await;
    let first = auth.key(&tokens, &["orders:read"], None).await;
    let next = Key::of(&auth.rotate(&tokens, &first.id, false).await.ok(200));
    let scan = aws_sdk_dynamodb::Client::new(&auth.aws).scan().table_name("auth").send();
    let items = format!("{:?}", scan.await.unwrap().items.unwrap());
    assert!(items.contains(&first.id));
    for Key { secret, .. } in [first, next] {
        assert!(!items.contains(&secret["arsenal_key_".len() + 43..]), "{items}");
        let hash = Secret::read(&secret).unwrap().hash();
        assert!(items.contains(&hash));
    }
    assert_eq!(
        auth.keys(&tokens).await.iter().find(|key| key.get("secret").is_some()),
        None::<&Value>
    );
}

#[tokio::test]
async fn nobody_else_can_touch_a_key() {
    let (auth, tokens) = with_ada().await;
    let key = auth.key(&tokens, &["orders:read"], None).await;
    auth.register("bob@example.org").await;
    let bob = auth.signed_in("bob@example.org").await;
    assert_eq!(auth.rotate(&bob, &key.id, true).await.problem(), (404, "not-found"));
    assert_eq!(auth.revoke(&bob, &key.id).await.problem(), (404, "not-found"));
    assert!(auth.is_good(&key.secret).await);
}
