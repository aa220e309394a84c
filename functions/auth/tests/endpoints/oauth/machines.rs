//! Applications that act for themselves.

use std::time::Duration;

use auth::token::{Issuers, Subject};
use serde_json::{Value, json};

use super::{App, asks, claims, with_app};
use crate::sessions::advance;
use crate::support::{Auth, ISSUER, auth, sample};

const ITSELF: [(&str, &str); 1] = [("grant_type", "client_credentials")];

async fn machine() -> (Auth, App) {
    let auth = auth().await;
    let change = json!({
        "grants": ["client_credentials"], "redirect_uris": [], "is_first_party": true,
        "scopes": ["openid", "account", "admin", "orders:read"],
    });
    let app = auth.application(&change).await;
    (auth, app)
}

#[tokio::test]
async fn an_application_acts_for_itself() {
    let (auth, app) = machine().await;
    let tokens = auth.post("token", &app, &ITSELF).await.ok(200);
    assert_eq!(tokens["scope"], "admin orders:read", "but for those of a person");
    assert_eq!((tokens.get("refresh_token"), tokens.get("id_token")), (None, None));
    let access = tokens["access_token"].as_str().unwrap();
    let context = auth.authorized(access).await.unwrap();
    assert_eq!((&context["sub"], &context["tenant"]), (&app.user, &app.tenant));
    assert_eq!((&context["scope"], context.get("sid")), (&tokens["scope"], None));
    assert_eq!(claims(access)["client_id"], app.id.as_str());
    assert_eq!(auth.as_user(access, sample("get-me")).await.problem(), (403, "forbidden"));

    let less = [ITSELF[0], ("scope", "orders:read openid account")];
    assert_eq!(auth.post("token", &app, &less).await.ok(200)["scope"], "orders:read");
    let none = [ITSELF[0], ("scope", "account")];
    assert_eq!(auth.post("token", &app, &none).await.error(), (400, "invalid_scope"));

    advance(&auth, Duration::from_mins(15));
    assert_eq!(auth.authorized(access).await, None);
}

#[tokio::test]
async fn its_token_ends_with_the_application_and_is_not_revoked() {
    let (auth, app) = machine().await;
    let tokens = auth.post("token", &app, &ITSELF).await.ok(200);
    let access = tokens["access_token"].as_str().unwrap();
    let told = auth.post("introspect", &app, &[("token", access)]).await.ok(200);
    assert_eq!((&told["active"], &told["sub"]), (&json!(true), &app.user));
    let revoked = auth.post("revoke", &app, &[("token", access)]).await;
    assert_eq!(revoked.error(), (400, "unsupported_token_type"));
    let event = sample("delete-application").to_string();
    let event: Value =
        serde_json::from_str(&event.replace("app_01M7YRRT800000000000000009", &app.id)).unwrap();
    auth.call(&event).await.ok(204);
    assert_eq!(auth.authorized(access).await, None);
}

#[tokio::test]
async fn an_application_gets_tokens_only_in_its_own_ways() {
    let (auth, machine) = machine().await;
    let back = auth.browse(crate::pages::opened("authorize", &asks(&machine, &[]))).await;
    back.says(400, "has not registered this redirect_uri");
    let code = auth.post("token", &machine, &super::exchange("arsenal_ac_x")).await;
    assert_eq!(code.error(), (400, "unauthorized_client"));
    let (auth, _, app) = with_app(&json!({})).await;
    assert_eq!(auth.post("token", &app, &ITSELF).await.error(), (400, "unauthorized_client"));
}

/// Whatever we might sign by mistake: a token stands for a session that is alive, or for an application that exists.
#[tokio::test]
async fn a_token_that_stands_for_nothing_is_refused() {
    let (auth, app) = machine().await;
    let issuer = Issuers::new(ISSUER.into(), auth.private.clone(), auth.clock.clone());
    let issuer = issuer.current().await.unwrap();
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    let own = Subject {
        user: id(&app.user).parse().unwrap(),
        tenant: id(&app.tenant).parse().unwrap(),
        role: None,
        session: None,
        application: Some(app.id.parse().unwrap()),
        scope: "orders:read".into(),
    };
    let is_good = async |subject: Subject| {
        let token = issuer.issue(subject, &auth.ids, auth.clock.now()).unwrap();
        auth.authorized(&token).await.is_some()
    };
    assert!(is_good(own.clone()).await);
    assert!(!is_good(Subject { application: None, ..own.clone() }).await);
    assert!(!is_good(Subject { user: auth.ids.next(), ..own.clone() }).await);
    assert!(!is_good(Subject { application: Some(auth.ids.next()), ..own.clone() }).await);
    assert!(!is_good(Subject { session: Some(auth.ids.next()), ..own }).await);
}
