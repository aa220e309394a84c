//! The settings of a tenant.

use documents::settings::Settings;
use lambda_http::request::from_str;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::webhook::{Webhook, new_secret};
use testing::contract::ask;
use testing::event;

use crate::{call, functions, with_body};

#[tokio::test]
async fn settings_are_replaced_and_a_secret_is_shown_once() {
    let f = functions(Clock::System).await;
    let (status, before) = call(&f.get_settings, &event("documents-get-settings")).await;
    assert_eq!((status, &before["require_pdfa"]), (200, &json!(false)));
    let (status, set) = call(&f.put_settings, &event("documents-put-settings")).await;
    assert_eq!(status, 200, "{set}");
    let secret = set["webhook"]["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    let (_, again) = call(&f.put_settings, &event("documents-put-settings")).await;
    assert_eq!(again["webhook"]["secret"], Value::Null);
    let (_, shown) = call(&f.get_settings, &event("documents-get-settings")).await;
    assert_eq!(shown["webhook"], json!({"url": set["webhook"]["url"]}));

    for (body, field) in [
        (json!({"webhook": {"url": "http://1.1.1.1/"}}), "webhook.url"),
        (json!({"webhook": {"url": "https://169.254.169.254/latest/meta-data"}}), "webhook.url"),
        (json!({"policy": {"max_pages": "many"}}), "policy.max_pages"),
        (json!({"policy": {"max_pages": 1_u64 << 53}}), "policy.max_pages"),
        (json!({"policy": {"max_bytes": 1_u64 << 53}}), "policy.max_bytes"),
        (json!({"policy": {"max_inflated_bytes": 8_589_934_593_u64}}), "policy.max_inflated_bytes"),
    ] {
        let (status, problem) =
            call(&f.put_settings, &with_body("documents-put-settings", &body)).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{problem}");
    }
}

/// The sample event with another body and another precondition.
fn edit(name: &str, body: &Value, if_match: Option<&str>) -> String {
    let mut request: Value = serde_json::from_str(&with_body(name, body)).unwrap();
    let headers = request["headers"].as_object_mut().unwrap();
    headers.remove("if-match");
    headers.extend(if_match.map(|tag| ("if-match".to_owned(), json!(tag))));
    request.to_string()
}

#[tokio::test]
async fn settings_are_changed_one_after_another() {
    let f = functions(Clock::System).await;
    let read = ask(&f.get_settings, from_str(&event("documents-get-settings")).unwrap()).await;
    let tag = read.headers()["etag"].to_str().unwrap().to_owned();
    let change = json!({"policy": {"max_pages": 5, "features": {"java_script": "allow"}}});
    let patch = |body: &Value, tag| edit("documents-patch-settings", body, tag);

    let (status, problem) = call(&f.patch_settings, &patch(&change, None)).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (428, &json!("If-Match")), "{problem}");
    let both = json!({"require_pdfa": true});
    let put = edit("documents-put-settings", &both, None);
    assert_eq!(call(&f.put_settings, &put).await.0, 428);

    let (first, second) = (patch(&change, Some(&tag)), patch(&both, Some(&tag)));
    let answers = tokio::join!(call(&f.patch_settings, &first), call(&f.patch_settings, &second));
    let mut statuses = [answers.0.0, answers.1.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412], "{answers:?}");

    assert_eq!(call(&f.patch_settings, &patch(&change, Some("*"))).await.0, 200);
    let (_, all) = call(&f.patch_settings, &patch(&both, Some("*"))).await;
    assert_eq!((&all["require_pdfa"], &all["policy"]["max_pages"]), (&json!(true), &json!(5)));
    let less = json!({"policy": {"max_pages": null, "features": {"java_script": null}}});
    let (_, less) = call(&f.patch_settings, &patch(&less, Some("*"))).await;
    let defaults = ["max_pages", "max_bytes", "max_inflated_bytes"]
        .map(|limit| (limit.to_owned(), Value::Null));
    let defaults = defaults.into_iter().chain([("features".to_owned(), json!({}))]).collect();
    assert_eq!(less["policy"], Value::Object(defaults));

    let misspelt = json!({"polcy": null});
    let (status, problem) = call(&f.patch_settings, &patch(&misspelt, Some("*"))).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("polcy")), "{problem}");
    let (status, _) = call(&f.patch_settings, &patch(&json!([]), Some("*"))).await;
    assert_eq!(status, 422);
    let wrong = json!({"policy": {"max_inflated_bytes": 8_589_934_593_u64}});
    let (status, problem) = call(&f.patch_settings, &patch(&wrong, Some("*"))).await;
    let field = json!("policy.max_inflated_bytes");
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &field), "{problem}");
}

/// A patch that does not name the webhook leaves it as it is: disabled, and with its secret.
#[tokio::test]
async fn a_patch_leaves_what_it_does_not_name() {
    let f = functions(Clock::System).await;
    let tenant = "ten_01M7YRRT800000000000000001".parse().unwrap();
    let secret = new_secret([7; 32]);
    let webhook = Webhook::signed_by("https://no-such-host.invalid/".into(), secret.into());
    let mut webhook = serde_json::to_value(webhook).unwrap();
    webhook["gone_at"] = json!("2026-11-21T10:00:00Z");
    let webhook: Webhook = serde_json::from_value(webhook).unwrap();
    let (before, mut settings) = (Settings::default(), Settings::default());
    settings.webhook = Some(webhook.clone());
    assert!(f.documents.set_settings(tenant, &before, &settings).await.unwrap());

    let patch = edit("documents-patch-settings", &json!({"require_pdfa": true}), Some("*"));
    let (status, shown) = call(&f.patch_settings, &patch).await;
    assert_eq!((status, &shown["require_pdfa"]), (200, &json!(true)), "{shown}");
    assert_eq!(shown["webhook"]["secret"], Value::Null);
    assert_eq!(f.documents.settings(tenant).await.unwrap().webhook, Some(webhook));

    let named = json!({"webhook": {"url": "https://1.1.1.1/"}});
    let patch = edit("documents-patch-settings", &named, Some("*"));
    let (status, shown) = call(&f.patch_settings, &patch).await;
    assert_eq!(status, 200, "{shown}");
    assert!(shown["webhook"]["secret"].is_string(), "it is another webhook now");
}
