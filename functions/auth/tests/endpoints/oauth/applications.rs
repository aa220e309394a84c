//! Applications are registered by administrators.

use std::collections::BTreeSet;
use std::time::Duration;

use auth::oauth::application::OVERLAP;
use futures::future::join_all;
use serde_json::{Value, json};
use shared::fault;

use super::App;
use crate::sessions::{advance, before, with_ada};
use crate::support::{Answer, Auth, auth, sample};

const ITSELF: [(&str, &str); 1] = [("grant_type", "client_credentials")];

async fn machine(auth: &Auth) -> App {
    auth.application(&json!({"grants": ["client_credentials"], "redirect_uris": []})).await
}

async fn renew(auth: &Auth, app: &App) -> Answer {
    renew_with(auth, app, &json!({})).await
}

async fn renew_with(auth: &Auth, app: &App, body: &Value) -> Answer {
    let event = sample("renew-secret").to_string();
    let mut event: Value =
        serde_json::from_str(&event.replace("app_01M7YRRT800000000000000009", &app.id)).unwrap();
    event["body"] = json!(body.to_string());
    auth.call(&event).await
}

fn with_secret(app: &App, body: &Value) -> App {
    App { secret: body["client_secret"].as_str().map(str::to_owned), ..app.clone() }
}

#[tokio::test]
async fn applications_are_listed_without_secrets() {
    let auth = auth().await;
    let [first, second] = [machine(&auth).await, machine(&auth).await];
    let mut event = sample("list-applications");
    let listed = auth.call(&event).await.ok(200);
    let ids: Vec<_> =
        listed["applications"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, [second.id.as_str(), &first.id]);
    assert!(!listed.to_string().contains("secret"));
    event["rawQueryString"] = json!("limit=1");
    let page = auth.call(&event).await.ok(200);
    event["rawQueryString"] =
        json!(format!("limit=1&cursor={}", page["next_cursor"].as_str().unwrap()));
    let page = auth.call(&event).await.ok(200);
    assert_eq!((&page["applications"][0]["id"], page.get("next_cursor")), (&json!(first.id), None));
}

#[tokio::test]
async fn only_administrators_see_and_change_applications() {
    let (auth, ada) = with_ada().await;
    for name in ["create-application", "list-applications", "renew-secret", "delete-application"] {
        assert_eq!(auth.as_user(&ada.access, sample(name)).await.problem(), (403, "forbidden"));
    }
}

/// What an administrator allows an application, and what a program does with an API key, ends. An application that they
/// registered would not.
#[tokio::test]
async fn no_application_and_no_api_key_registers_applications() {
    let auth = auth().await;
    for name in ["create-application", "renew-secret", "delete-application"] {
        let of_application = ("application", json!("app_01M7YRRT800000000000000009"));
        for (field, value) in [of_application, ("sid", Value::Null)] {
            let mut event = sample(name);
            event["requestContext"]["authorizer"]["lambda"][field] = value;
            assert_eq!(auth.call(&event).await.problem(), (403, "forbidden"), "{name} {field}");
        }
    }
}

#[tokio::test]
async fn of_many_new_secrets_none_that_is_good_ends_early() {
    let auth = auth().await;
    let app = machine(&auth).await;
    for _ in 0..3 {
        renew(&auth, &app).await.ok(201);
    }
    assert_eq!(renew(&auth, &app).await.problem(), (409, "too-many-secrets"));
    auth.post("token", &app, &ITSELF).await.ok(200);
    let answer = renew_with(&auth, &app, &json!({"emergency": true})).await.ok(201);
    auth.post("token", &with_secret(&app, &answer), &ITSELF).await.ok(200);
    assert_eq!(auth.post("token", &app, &ITSELF).await.status, 401);
}

#[tokio::test]
async fn a_registration_that_cannot_work_is_refused_by_its_field() {
    let auth = auth().await;
    for (field, value) in [
        ("name", json!("")),
        ("redirect_uris", json!(["http://app.example.org/"])),
        ("redirect_uris", json!(["https://app.example.org"])),
        ("redirect_uris", json!([])),
        ("grants", json!([])),
        ("grants", json!(["password"])),
        ("kind", json!("secret")),
        ("scopes", json!(["everything"])),
        ("scopes", json!(["admin"])),
        ("id", json!("app_01M7YRRT800000000000000009")),
    ] {
        let mut event = sample("create-application");
        let mut body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
        body[field] = value.clone();
        event["body"] = json!(body.to_string());
        let answer = auth.call(&event).await;
        assert_eq!(answer.problem(), (422, "invalid-body"), "{field}: {value}");
        let named = answer.body["errors"][0]["field"].as_str().unwrap();
        assert!(named.starts_with(field), "{field}: {value}: {named}");
    }
}

#[tokio::test]
async fn a_new_secret_replaces_the_former_one_after_a_day() {
    let auth = auth().await;
    let app = machine(&auth).await;
    let answer = renew(&auth, &app).await.ok(201);
    let new = with_secret(&app, &answer);
    let is_good = async |app: &App| auth.post("token", app, &ITSELF).await.status == 200;
    advance(&auth, before(OVERLAP));
    assert!(is_good(&app).await && is_good(&new).await);
    advance(&auth, Duration::from_secs(1));
    assert!(!is_good(&app).await && is_good(&new).await);
    assert_eq!(answer["former_until"], auth.clock.now().to_string());

    // A secret that others may know ends at once, and so do former ones.
    let last = renew(&auth, &app).await.ok(201);
    let answer = renew_with(&auth, &app, &json!({"emergency": true})).await.ok(201);
    assert!(!is_good(&new).await && !is_good(&with_secret(&app, &last)).await);
    assert!(is_good(&with_secret(&app, &answer)).await && answer.get("former_until").is_none());
    let misspelt = renew_with(&auth, &app, &json!({"emergncy": true})).await;
    assert_eq!(misspelt.problem(), (422, "invalid-body"));

    let public = auth.application(&json!({"kind": "public"})).await;
    assert_eq!(renew(&auth, &public).await.problem(), (409, "no-secret"));
    let nobody = App { id: "app_01M7YRRT800000000000000009".into(), ..app };
    assert_eq!(renew(&auth, &nobody).await.problem(), (404, "not-found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_new_secrets_at_once_each_is_good() {
    let auth = auth().await;
    let app = machine(&auth).await;
    let answers = join_all((0..3).map(|_| renew(&auth, &app))).await;
    let mut secrets = BTreeSet::new();
    for answer in answers {
        let new = with_secret(&app, &answer.ok(201));
        auth.post("token", &new, &ITSELF).await.ok(200);
        assert!(secrets.insert(new.secret));
    }
    auth.post("token", &app, &ITSELF).await.ok(200);
}

/// A crash, a stall, a lost answer or a conflict at each request: the secret that runs stays good, and a repeated request
/// gives one that is.
#[tokio::test]
async fn a_new_secret_that_fails_anywhere_ends_none() {
    fault::walk(async |run: fault::Run| {
        let auth = auth().await;
        let app = machine(&auth).await;
        run.attempt(renew(&auth, &app)).await.resume().await;
        let new = with_secret(&app, &renew(&auth, &app).await.ok(201));
        for app in [&app, &new] {
            auth.post("token", app, &ITSELF).await.ok(200);
        }
    })
    .await;
}

/// The same for a registration and a deletion: all of it or nothing.
#[tokio::test]
async fn a_registration_that_fails_anywhere_is_made_or_not() {
    fault::walk(async |run: fault::Run| {
        let auth = auth().await;
        run.attempt(auth.call(&sample("create-application"))).await.resume().await;
        let listed = auth.call(&sample("list-applications")).await.ok(200);
        let listed = listed["applications"].as_array().unwrap().clone();
        assert!(listed.len() <= 1);
        for application in listed {
            let event = sample("delete-application").to_string();
            let id = application["id"].as_str().unwrap();
            let event = event.replace("app_01M7YRRT800000000000000009", id);
            auth.call(&serde_json::from_str(&event).unwrap()).await.ok(204);
        }
        let listed = auth.call(&sample("list-applications")).await.ok(200);
        assert_eq!(listed["applications"], json!([]));
    })
    .await;
}
