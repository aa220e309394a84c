//! API keys: made, used, rotated, revoked, and misused.

mod audited;
mod life;
mod races;
mod refusals;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::support::{Answer, Auth, Tokens, sample};

/// A key as its user has it.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Key {
    fn of(body: &Value) -> Self {
        let text = |place: &str| body.pointer(place).unwrap().as_str().unwrap().to_owned();
        Self { id: text("/api_key/id"), secret: text("/secret") }
    }
}

fn creation(body: &Value) -> Value {
    let mut event = sample("create-api-key");
    event["body"] = json!(body.to_string());
    event
}

fn wanted(scopes: &[&str], days: Option<u16>) -> Value {
    creation(&json!({"name": "nightly export", "scopes": scopes, "expires_in_days": days}))
}

/// An event for one key.
fn on(name: &str, id: &str) -> Value {
    let event = sample(name).to_string().replace("key_01M7YRRT800000000000000002", id);
    serde_json::from_str(&event).unwrap()
}

fn rotation(id: &str, emergency: bool) -> Value {
    let mut event = on("rotate-api-key", id);
    event["body"] = json!(json!({"emergency": emergency}).to_string());
    event
}

impl Auth {
    /// Makes a key.
    pub(crate) async fn key(&self, tokens: &Tokens, scopes: &[&str], days: Option<u16>) -> Key {
        Key::of(&self.as_user(&tokens.access, wanted(scopes, days)).await.ok(201))
    }

    async fn rotate(&self, tokens: &Tokens, id: &str, emergency: bool) -> Answer {
        self.as_user(&tokens.access, rotation(id, emergency)).await
    }

    async fn revoke(&self, tokens: &Tokens, id: &str) -> Answer {
        self.as_user(&tokens.access, on("revoke-api-key", id)).await
    }

    /// The user's keys, newest first.
    pub(crate) async fn keys(&self, tokens: &Tokens) -> Vec<Value> {
        let mut event = sample("list-api-keys");
        event["rawQueryString"] = json!("limit=100");
        let listed = self.as_user(&tokens.access, event).await.ok(200);
        assert!(listed.get("next_cursor").is_none());
        listed["api_keys"].as_array().unwrap().clone()
    }

    async fn is_good(&self, secret: &str) -> bool {
        self.authorized(secret).await.is_some()
    }

    /// Sets an attribute of an item of a user, as somebody does who has access to the table.
    async fn by_hand(&self, user: &Value, sk: &str, name: &str, value: AttributeValue) {
        let user = user.as_str().unwrap();
        aws_sdk_dynamodb::Client::new(&self.aws)
            .update_item()
            .table_name("auth")
            .key("pk", AttributeValue::S(format!("USER#{user}")))
            .key("sk", AttributeValue::S(sk.to_owned()))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value)
            .send()
            .await
            .unwrap();
    }
}

fn texts(texts: &[&str]) -> AttributeValue {
    AttributeValue::L(texts.iter().map(|text| AttributeValue::S((*text).into())).collect())
}
