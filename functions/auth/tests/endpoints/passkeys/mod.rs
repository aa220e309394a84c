//! Passkeys, with an authenticator in software that shares no code with what checks it.

mod answers;
mod audited;
mod authenticator;
mod beside_codes;
mod bytes;
mod life;
mod pages;
mod races;
mod strength;

use serde_json::{Value, json};

use self::authenticator::{Algorithm, Device};
use crate::factor_support::request;
use crate::sessions::{ADA, with_ada};
use crate::support::{Answer, Auth, PASSWORD, Tokens, sample};

/// Ada, who has a passkey on this device and has signed in with it, and her recovery codes.
async fn with_passkey() -> (Auth, Tokens, Device, Vec<String>) {
    let (auth, tokens) = Box::pin(with_ada()).await;
    let mut device = Device::new(Algorithm::Es256);
    let added = auth.add_passkey(&tokens, &mut device).await.ok(201);
    let codes = serde_json::from_value(added["recovery_codes"].clone()).unwrap();
    let tokens = Tokens::of(&auth.sign_in_by(&mut device).await.ok(200));
    (auth, tokens, device, codes)
}

/// The members that the contract has. A browser gives more, which the pages get.
fn documented(credential: &Value) -> Value {
    let mut credential = credential.clone();
    if let Some(members) = credential.as_object_mut() {
        members.retain(|name, _| ["id", "type", "response"].contains(&name.as_str()));
    }
    if let Some(response) = credential.get_mut("response").and_then(Value::as_object_mut) {
        response.remove("transports");
    }
    credential
}

fn refused() -> (u16, &'static str) {
    (401, "passkey-refused")
}

impl Auth {
    /// The options for a new passkey.
    async fn passkey_options(&self, tokens: &Tokens) -> Value {
        let answer = self.as_user(&tokens.access, sample("begin-passkey")).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        answer.ok(200)["options"].clone()
    }

    /// Adds what a device has made.
    async fn add_credential(&self, tokens: &Tokens, credential: &Value) -> Answer {
        let body = json!({"name": "Ada's phone", "credential": documented(credential)});
        self.as_user(&tokens.access, request("add-passkey", &body)).await
    }

    async fn add_passkey(&self, tokens: &Tokens, device: &mut Device) -> Answer {
        let made = device.create(&self.passkey_options(tokens).await);
        self.add_credential(tokens, &made).await
    }

    /// The options of a sign-in by a passkey alone.
    async fn sign_in_options(&self) -> Value {
        let answer = self.call(&sample("begin-passkey-sign-in")).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        answer.ok(200)["options"].clone()
    }

    /// The options of the second step of a sign-in of Ada.
    async fn second_step_options(&self) -> Value {
        self.sign_in(ADA, PASSWORD).await.ok(202)["passkey"].clone()
    }

    async fn present(&self, credential: &Value) -> Answer {
        self.call_with("login-passkey", &json!({"credential": documented(credential)})).await
    }

    async fn sign_in_by(&self, device: &mut Device) -> Answer {
        let used = device.get(&self.sign_in_options().await);
        self.present(&used).await
    }

    async fn passkeys(&self, tokens: &Tokens) -> Vec<Value> {
        let listed = self.as_user(&tokens.access, sample("list-passkeys")).await.ok(200);
        listed["passkeys"].as_array().unwrap().clone()
    }

    async fn remove_passkey(&self, tokens: &Tokens, id: &Value) -> Answer {
        let mut event = sample("remove-passkey");
        event["pathParameters"]["passkey_id"] = id.clone();
        let path = format!("/v1/me/passkeys/{}/removal", id.as_str().unwrap());
        event["rawPath"] = json!(path);
        event["requestContext"]["http"]["path"] = json!(path);
        self.as_user(&tokens.access, event).await
    }

    async fn removed_all(&self, tokens: &Tokens) {
        for passkey in self.passkeys(tokens).await {
            self.remove_passkey(tokens, &passkey["id"]).await.ok(204);
        }
    }
}
