//! A provider that is down, slow or mad.

use std::time::Duration;

use serde_json::json;
use wiremock::ResponseTemplate;

use super::fake::Key;
use super::{ONE, ada, with_provider};
use crate::pages::sent;
use crate::sessions::advance;

const CONFIGURATION: &str = "/.well-known/openid-configuration";

fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

/// The page says so, and another attempt succeeds as soon as the provider answers again.
#[tokio::test]
async fn a_provider_that_does_not_answer_well_signs_nobody_in() {
    let (auth, fake) = with_provider().await;
    let long = "a".repeat(300 << 10);
    let cases = [
        ("/token", status(500), 503),
        ("/token", status(429), 503),
        ("/token", status(404).set_body_json(json!({})), 502),
        ("/token", status(200).set_body_string("<html>"), 502),
        ("/token", status(200).set_body_json(json!({"access_token": "x"})), 502),
        ("/token", status(200).set_body_json(json!({"access_token": "x", "id_token": "x"})), 502),
        ("/token", status(200).set_body_string(long.clone()), 502),
        ("/token", status(400).set_body_json(json!({"error": "invalid_client"})), 502),
        ("/token", status(400).set_body_json(json!({"error": "invalid_grant"})), 422),
        ("/keys", status(503), 503),
        ("/keys", status(200).set_body_string("[]"), 502),
        ("/keys", status(200).set_body_json(json!({"keys": []})), 502),
        ("/keys", status(302).insert_header("location", "https://example.org/keys"), 502),
    ];
    for (path, broken, expected) in cases {
        fake.state().broken = [(path, broken)].into();
        let page = auth.signs_in(&fake, ONE, &ada()).await;
        assert_eq!(page.status, expected, "{path}: {}", page.body);
        page.says(expected, "action=\"../sign-in\"");
        // What was read of the keys is too old, so that they are read again.
        advance(&auth, Duration::from_hours(3));
    }
    assert_eq!(auth.counted().await, [0, 0, 0]);
    fake.state().broken.clear();
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
}

#[tokio::test]
async fn a_configuration_that_is_not_as_it_should_be_leads_nowhere() {
    let (auth, fake) = with_provider().await;
    let begins = async || auth.browse(sent("sign-in-with", &[("provider", ONE)])).await;
    for (broken, expected) in [(status(500), 503), (status(200), 502), (status(404), 502)] {
        fake.state().broken = [(CONFIGURATION, broken)].into();
        let page = begins().await.says(expected, "action=\"sign-in\"");
        assert!(page.cookies.is_empty());
    }
    fake.state().broken.clear();
    for odd in [
        json!({"issuer": "https://accounts.example.org"}),
        json!({"issuer": format!("{}/", fake.issuer())}),
        json!({"authorization_endpoint": "http://accounts.example.org/authorize"}),
        json!({"authorization_endpoint": "javascript:alert(1)"}),
        json!({"jwks_uri": 7}),
    ] {
        fake.state().metadata = odd;
        begins().await.says(502, "do not understand");
        advance(&auth, Duration::from_hours(3));
    }
    fake.state().metadata = json!({});
    begins().await.says(200, "Go on to Provider one");
}

#[tokio::test]
async fn what_the_provider_says_to_the_browser_is_told() {
    let (auth, fake) = with_provider().await;
    for (error, status, text) in [
        ("access_denied", 422, "You have not signed in with Provider one"),
        ("temporarily_unavailable", 503, "does not answer"),
        ("server_error", 503, "does not answer"),
        ("<script>alert(1)</script>", 502, "do not understand"),
        ("", 502, "do not understand"),
    ] {
        let browser = auth.goes(ONE, &[]).await;
        let mut answer = fake.sign_in(&browser.url, &ada());
        answer.remove("code");
        answer.insert("error".into(), error.into());
        let page = auth.comes_back(&browser, &answer).await.says(status, text);
        assert!(!page.body.contains("script"));
    }
    assert_eq!(fake.asked("/token"), 0);
}

/// A provider replaces its keys without telling. Tokens with unknown keys do not make us ask more often than each 30 s.
#[tokio::test]
async fn an_unknown_key_is_looked_for_at_a_bounded_rate() {
    let (auth, fake) = with_provider().await;
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
    fake.state().keys.push(Key::ec("key 2"));
    fake.state().signs = 1;
    advance(&auth, Duration::from_secs(30));
    for _ in 0..5 {
        auth.signs_in(&fake, ONE, &ada()).await.says(502, "");
    }
    assert_eq!(fake.asked("/keys"), 2);
    fake.state().published = 2;
    advance(&auth, Duration::from_secs(29));
    auth.signs_in(&fake, ONE, &ada()).await.says(502, "");
    advance(&auth, Duration::from_secs(1));
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
    assert_eq!(fake.asked("/keys"), 3);
}

/// The configuration and the keys that were read are used while the provider does not tell them.
#[tokio::test]
async fn a_provider_whose_configuration_is_down_for_an_hour_signs_in() {
    let (auth, fake) = with_provider().await;
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
    fake.state().broken = [(CONFIGURATION, status(500)), ("/keys", status(500))].into();
    advance(&auth, Duration::from_mins(119));
    auth.signs_in(&fake, ONE, &ada()).await.says(200, "signed in as");
    advance(&auth, Duration::from_mins(1));
    auth.browse(sent("sign-in-with", &[("provider", ONE)])).await.says(503, "does not answer");
}
