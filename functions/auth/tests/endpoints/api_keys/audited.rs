//! What the audit log tells of keys.

use serde_json::{Value, json};

use crate::audit::{kinds, tenant_of};
use crate::sessions::with_ada;
use crate::stream::{Table, record};
use crate::support::sample;

#[tokio::test]
async fn the_life_of_a_key_is_in_the_log() {
    let (auth, tokens) = with_ada().await;
    let chain = tenant_of(&auth, &tokens.access).await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let key = auth.key(&tokens, &["orders:read", "audit:read"], None).await;
    table.streamed().await;
    assert!(auth.authorized(&key.secret).await.is_some());
    table.streamed().await;
    auth.rotate(&tokens, &key.id, true).await.ok(200);
    table.streamed().await;
    auth.revoke(&tokens, &key.id).await.ok(204);
    table.streamed().await;

    let entries = &table.chain(chain).await[2..];
    let expected = ["api_key.created", "api_key.rotated", "api_key.revoked"];
    assert_eq!(kinds(entries), expected, "a use is no fact");
    let details = json!({
        "api_key": key.id, "scopes": "audit:read orders:read", "emergency": "true",
        "ip": "203.0.113.7", "user_agent": "curl/8.5.0",
    });
    assert_eq!(json!(entries[1].fact.details), details);
    let log = serde_json::to_string(entries).unwrap();
    assert!(!log.contains(&key.secret) && !log.contains("nightly"), "{log}");
}

/// What somebody would change to use a key, or to hide one.
#[tokio::test]
async fn a_key_that_is_changed_by_hand_is_in_the_log() {
    let (auth, tokens) = with_ada().await;
    let chain = tenant_of(&auth, &tokens.access).await;
    auth.key(&tokens, &["orders:read"], Some(7)).await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let key = table.before.iter().find(|(key, _)| key.contains("APIKEY#")).unwrap().1.clone();
    let with = |name: &str, value: Value| {
        let mut changed = key.clone();
        changed[name] = value;
        changed
    };
    let mut lasting = key.clone();
    lasting.as_object_mut().unwrap().remove("expires_in_days");
    let mut rotated = with("scopes", json!({"L": [{"S": "admin"}]}));
    rotated["secret_set"]["M"]["at"] = json!({"S": "2026-11-21T10:00:01Z"});
    let olds = json!({"L": [{"M": {"hash": {"S": "x"}, "until": {"S": "2099-01-01T00:00:00Z"}}}]});
    let changes = [
        with("scopes", json!({"L": [{"S": "admin"}]})),
        with("secret_hash", json!({"S": "another"})),
        with("old_secrets", olds),
        with("user", json!({"S": "usr_01M7YRRT800000000000000009"})),
        lasting,
        with("used_at", json!({"N": "1"})),
        rotated,
    ];
    let mut number = 1_000;
    for changed in &changes {
        number += 1;
        table.handle(&[record(number, Some(&key), Some(changed))]).await.unwrap();
    }
    // A key that a hand adds is one that was created.
    table
        .handle(&[record(2_000, None, Some(&key)), record(2_001, Some(&key), None)])
        .await
        .unwrap();
    let entries = table.chain(chain).await;
    let mut expected = vec!["api_key.changed"; 5];
    expected.extend(["api_key.rotated", "api_key.changed", "api_key.created", "api_key.revoked"]);
    assert_eq!(kinds(&entries)[3..], expected, "but not a use");
}

/// When others are told, the keys are deleted, and the log says so.
#[tokio::test]
async fn the_keys_of_a_deleted_user_are_forgotten() {
    let (auth, tokens) = with_ada().await;
    let chain = tenant_of(&auth, &tokens.access).await;
    let mut table = Table::of(&auth).await;
    auth.key(&tokens, &["orders:read"], None).await;
    auth.key(&tokens, &["orders:read"], None).await;
    table.streamed().await;
    auth.as_user(&tokens.access, sample("delete-me")).await.ok(204);
    table.streamed().await;
    table.streamed().await;
    assert!(table.before.keys().all(|key| !key.contains("USER#")), "{:?}", table.before);
    let entries = table.chain(chain).await;
    let last = kinds(&entries).split_off(4);
    assert_eq!(last, ["account.deleted", "api_key.revoked", "api_key.revoked"]);
}
