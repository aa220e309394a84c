//! Sessions and API keys that act for a tenant.

use std::time::Duration;

use serde_json::{Value, json};

use super::with_bob;
use crate::sessions::advance;
use crate::support::{Tokens, sample};

const VIEWER: &str = "account documents:read orders:read";
const EDITOR: &str = "account documents:read documents:write orders:read orders:write";
const OWNER: &str = "account audit:read documents:read documents:write orders:read orders:write";

fn rights(tenant: &str, scope: &str) -> (String, String) {
    (tenant.to_owned(), scope.to_owned())
}

#[tokio::test]
async fn a_session_acts_for_one_tenant_at_a_time() {
    let (auth, _, bob, tenant) = with_bob("editor").await;
    let here = auth.acting(&bob, &tenant).await;
    assert_eq!(auth.rights(&here.tokens.access).await, Some(rights(&tenant, EDITOR)));
    assert_eq!(auth.rights(&bob.tokens.access).await, None, "the token from before");
    let current = auth.tenants(&here).await;
    assert_eq!(
        (&current[0]["is_current"], &current[1]["is_current"]),
        (&json!(false), &json!(true))
    );
    // The next refresh stays there, and a retry gets the same.
    let again = Tokens::of(&auth.refresh(&here.tokens.refresh).await.ok(200));
    let retried = Tokens::of(&auth.refresh(&here.tokens.refresh).await.ok(200));
    assert_eq!(again.refresh, retried.refresh);
    assert_eq!(auth.rights(&again.access).await, Some(rights(&tenant, EDITOR)));
    // Another session of the user is in the own tenant.
    let other = auth.signed_in(super::BOB).await;
    assert_eq!(auth.rights(&other.access).await, Some(rights(&bob.own, OWNER)));
    let back = auth.acting(&super::Person { tokens: again, ..bob.clone() }, &bob.own).await;
    assert_eq!(auth.rights(&back.tokens.access).await, Some(rights(&bob.own, OWNER)));
}

#[tokio::test]
async fn a_new_role_counts_from_the_next_token() {
    let (auth, ada, bob, tenant) = with_bob("editor").await;
    let mut bob = auth.acting(&bob, &tenant).await;
    for (role, scope) in [("viewer", VIEWER), ("manager", OWNER), ("editor", EDITOR)] {
        auth.give(&ada, &tenant, &bob, role).await.ok(204);
        assert_eq!(auth.rights(&bob.tokens.access).await, None, "the role of the token is old");
        bob.tokens = Tokens::of(&auth.refresh(&bob.tokens.refresh).await.ok(200));
        assert_eq!(auth.rights(&bob.tokens.access).await, Some(rights(&tenant, scope)));
    }
}

#[tokio::test]
async fn who_is_removed_acts_for_the_own_tenant_again() {
    let (auth, ada, bob, tenant) = with_bob("editor").await;
    let here = auth.acting(&bob, &tenant).await;
    let key = auth.key(&here.tokens, &["orders:read", "orders:write"], None).await;
    assert_eq!(auth.rights(&key.secret).await, Some(rights(&tenant, "orders:read orders:write")));
    auth.give(&ada, &tenant, &bob, "viewer").await.ok(204);
    assert_eq!(auth.rights(&key.secret).await, Some(rights(&tenant, "orders:read")));

    auth.remove(&ada, &tenant, &bob).await.ok(204);
    assert_eq!(auth.rights(&here.tokens.access).await, None);
    assert_eq!(auth.rights(&key.secret).await, None);
    let tokens = Tokens::of(&auth.refresh(&here.tokens.refresh).await.ok(200));
    assert_eq!(auth.rights(&tokens.access).await, Some(rights(&bob.own, OWNER)));
    // Who comes back comes back neither into the old session nor with the old key.
    advance(&auth, Duration::from_secs(1));
    let token = auth.invited(&ada, &tenant, super::BOB, "viewer").await;
    auth.accept(&super::Person { tokens: tokens.clone(), ..bob.clone() }, &token).await.ok(200);
    let tokens = Tokens::of(&auth.refresh(&tokens.refresh).await.ok(200));
    assert_eq!(auth.rights(&tokens.access).await, Some(rights(&bob.own, OWNER)));
    assert_eq!(auth.rights(&key.secret).await, None);
}

/// A key is for the tenant in which it was made, and has no more scopes than its user has there.
#[tokio::test]
async fn a_key_acts_for_the_tenant_in_which_it_was_made() {
    let (auth, ada, bob, tenant) = with_bob("viewer").await;
    let own = auth.key(&bob.tokens, &["orders:write"], None).await;
    let here = auth.acting(&bob, &tenant).await;
    let mut event = sample("create-api-key");
    event["body"] = json!(json!({"name": "x", "scopes": ["orders:write"]}).to_string());
    let answer = auth.as_user(&here.tokens.access, event).await;
    assert_eq!(answer.problem(), (422, "invalid-body"));
    let key = auth.key(&here.tokens, &["orders:read"], None).await;
    assert_eq!(auth.rights(&key.secret).await, Some(rights(&tenant, "orders:read")));
    assert_eq!(auth.rights(&own.secret).await, Some(rights(&bob.own, "orders:write")));
    let listed = auth.keys(&here.tokens).await;
    assert_eq!((&listed[0]["tenant"], &listed[1]["tenant"]), (&json!(tenant), &json!(bob.own)));
    auth.remove(&ada, &tenant, &bob).await.ok(204);
    assert_eq!(auth.rights(&own.secret).await, Some(rights(&bob.own, "orders:write")));
}

#[tokio::test]
async fn the_audit_log_is_that_of_the_tenant_and_for_managers() {
    let (auth, ada, bob, tenant) = with_bob("editor").await;
    let ada = auth.acting(&ada, &tenant).await;
    let bob = auth.acting(&bob, &tenant).await;
    auth.as_user(&ada.tokens.access, sample("list-audit")).await.ok(200);
    let refused = auth.as_user(&bob.tokens.access, sample("list-audit")).await;
    assert_eq!(refused.problem(), (403, "forbidden"));
}

#[tokio::test]
async fn a_session_that_has_ended_does_not_switch() {
    let (auth, _, bob, tenant) = with_bob("editor").await;
    let context = auth.authorized(&bob.tokens.access).await.unwrap();
    let mut event = super::on("switch-tenant", (&tenant, ""), &Value::Null);
    event["requestContext"]["authorizer"]["lambda"] = context;
    auth.as_user(&bob.tokens.access, sample("logout")).await.ok(204);
    // API Gateway may still have the authorizer's answer.
    assert_eq!(auth.call(&event).await.problem(), (404, "not-found"));
    assert_eq!(auth.refresh(&bob.tokens.refresh).await.status, 401);
}

/// A token does not outlive what it is for: neither by its age, nor by another tenant of the same user.
#[tokio::test]
async fn a_token_for_one_tenant_is_none_for_another() {
    let (auth, ada, bob, tenant) = with_bob("editor").await;
    let other = auth.tenant(&ada).await;
    let token = auth.invited(&ada, &other, super::BOB, "viewer").await;
    auth.accept(&bob, &token).await.ok(200);
    let first = auth.acting(&bob, &tenant).await;
    let second = auth.acting(&first, &other).await;
    assert_eq!(auth.rights(&first.tokens.access).await, None);
    assert_eq!(auth.rights(&second.tokens.access).await, Some(rights(&other, VIEWER)));
    advance(&auth, Duration::from_mins(15));
    assert_eq!(auth.rights(&second.tokens.access).await, None);
}
