use auth::api_key::Secret;
use serde_json::{Value, json};

use super::{creation, on, rotation, texts, wanted};
use crate::sessions::with_ada;
use crate::support::sample;

#[tokio::test]
async fn a_bad_request_for_a_key_names_the_field() {
    let (auth, tokens) = with_ada().await;
    let good = json!({"name": "a", "scopes": ["orders:read"], "expires_in_days": 1});
    auth.as_user(&tokens.access, creation(&good)).await.ok(201);
    for (field, value, named) in [
        ("name", json!(""), "name"),
        ("name", json!("a\nb"), "name"),
        ("name", json!("a".repeat(101)), "name"),
        ("name", Value::Null, "name"),
        ("scopes", json!([]), "scopes"),
        ("scopes", json!("orders:read"), "scopes"),
        ("scopes", json!(["orders:read", "orders"]), "scopes[1]"),
        ("scopes", json!(["orders:read", "account"]), "scopes[1]"),
        ("scopes", json!(["orders:read", "admin"]), "scopes"),
        ("scopes", json!(["orders:read account"]), "scopes[0]"),
        ("expires_in_days", json!(0), "expires_in_days"),
        ("expires_in_days", json!(366), "expires_in_days"),
        ("expires_in_days", json!(-1), "expires_in_days"),
        ("expires_in_days", json!(1.5), "expires_in_days"),
        ("secret", json!("arsenal_key_x"), "secret"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = auth.as_user(&tokens.access, creation(&body)).await;
        assert_eq!(answer.problem(), (422, "invalid-body"), "{body}");
        assert_eq!(answer.body["errors"][0]["field"], named, "{body}: {}", answer.body);
    }
    let mut event = rotation("key_01M7YRRT800000000000000002", false);
    event["body"] = json!(r#"{"emergency": "yes"}"#);
    let answer = auth.as_user(&tokens.access, event).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (422, &json!("emergency")));
    for name in ["rotate-api-key", "revoke-api-key"] {
        let answer = auth.as_user(&tokens.access, on(name, "ses_01M7YRRT800000000000000002")).await;
        assert_eq!(answer.problem(), (400, "invalid-parameter"));
        assert_eq!(answer.body["errors"][0]["field"], "api_key_id");
    }
    assert_eq!(auth.keys(&tokens).await.len(), 1);
}

/// No key reaches an endpoint of the account, also if somebody writes the scope into the table.
#[tokio::test]
async fn a_key_cannot_change_keys_sessions_or_the_account() {
    let (auth, tokens) = with_ada().await;
    let all = ["audit:read", "documents:read", "documents:write", "orders:read", "orders:write"];
    let key = auth.key(&tokens, &all, None).await;
    let user = auth.authorized(&tokens.access).await.unwrap()["sub"].clone();
    let own = format!("APIKEY#{}", key.id);
    auth.by_hand(&user, &own, "scopes", texts(&["account", "admin", "orders:read"])).await;
    assert_eq!(auth.authorized(&key.secret).await.unwrap()["scope"], "orders:read");
    let events = [
        wanted(&["orders:read"], None),
        sample("list-api-keys"),
        rotation(&key.id, true),
        on("revoke-api-key", &key.id),
        sample("list-sessions"),
        sample("end-session"),
        sample("end-sessions"),
        sample("logout"),
        sample("get-me"),
        sample("export-me"),
        sample("change-password"),
        sample("delete-me"),
    ];
    for event in events {
        let answer = auth.as_user(&key.secret, event.clone()).await;
        assert_eq!(answer.problem(), (403, "forbidden"), "{}", event["routeKey"]);
    }
    assert_eq!(auth.keys(&tokens).await.len(), 1);
}

/// A token that belongs to no session makes and changes no keys, whatever its scopes.
#[tokio::test]
async fn keys_need_a_session() {
    let (auth, tokens) = with_ada().await;
    let key = auth.key(&tokens, &["orders:read"], None).await;
    let mut context = auth.authorized(&tokens.access).await.unwrap();
    context.as_object_mut().unwrap().remove("sid");
    for mut event in [
        wanted(&["orders:read"], None),
        sample("list-api-keys"),
        rotation(&key.id, true),
        on("revoke-api-key", &key.id),
    ] {
        event["requestContext"]["authorizer"]["lambda"] = context.clone();
        assert_eq!(auth.call(&event).await.problem(), (403, "forbidden"));
    }
    assert!(auth.is_good(&key.secret).await);
}

#[tokio::test]
async fn a_text_with_a_wrong_checksum_costs_no_request() {
    let (auth, tokens) = with_ada().await;
    let key = auth.key(&tokens, &["orders:read"], None).await;
    let mut altered = key.secret.clone();
    altered.replace_range(60..61, if &altered[60..61] == "A" { "B" } else { "A" });
    let texts = ["arsenal_key_", &altered, &key.secret[..102], &key.secret.to_uppercase()];
    let more = [format!("{}A", key.secret), format!("arsenal_key_{}", "A".repeat(8_000))];
    for text in texts.into_iter().chain(more.iter().map(String::as_str)) {
        let (context, requests) = auth.requests.during(auth.authorized(text)).await;
        assert_eq!((context, requests), (None, Vec::<String>::new()), "{text}");
    }
    // The scheme is case-insensitive; two keys in one header are none.
    for (header, is_good) in [
        (format!("bearer  {}", key.secret), true),
        (format!("Bearer {} {}", key.secret, key.secret), false),
        (key.secret.clone(), false),
        (format!("Basic {}", key.secret), false),
    ] {
        let mut request = sample("authorize");
        request["headers"]["authorization"] = json!(header);
        let answer = auth.authorizer.answer(&request).await.unwrap();
        assert_eq!(answer.is_authorized, is_good, "{header}");
    }
}

/// With a right checksum, and with the ids of a real key or of none.
#[tokio::test]
async fn a_secret_that_somebody_made_up_is_refused() {
    let (auth, tokens) = with_ada().await;
    let key = auth.key(&tokens, &["orders:read"], None).await;
    let Secret { user, key: id, .. } = Secret::read(&key.secret).unwrap();
    for made_up in [
        Secret::generate(user, id).unwrap(),
        Secret::generate(user, auth.ids.next()).unwrap(),
        Secret::generate(auth.ids.next(), id).unwrap(),
    ] {
        let (context, requests) = auth.requests.during(auth.authorized(made_up.expose())).await;
        assert_eq!((context, requests.concat()), (None, "BatchGetItem".to_owned()));
    }
    assert!(auth.keys(&tokens).await[0].get("used_at").is_none(), "a refused text is no use");
    assert!(auth.is_good(&key.secret).await);
}
