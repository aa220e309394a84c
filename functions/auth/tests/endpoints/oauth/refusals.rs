//! Requests that are refused: the browser goes nowhere else, and no request fails.

use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;
use tokio::runtime::Runtime;

use super::{App, CALLBACK, HOST, asks, sent_back, with_app, with_cookie};
use crate::pages::{opened, sent};
use crate::support::{Auth, ISSUER, sample};

#[tokio::test]
async fn a_browser_is_sent_nowhere_but_to_the_registered_address() {
    let (auth, browser, app) = with_app(&json!({"is_first_party": true})).await;
    for (name, value, reason) in [
        ("client_id", "", "No application has this client_id"),
        ("client_id", "app_01M7YRRT800000000000000009", "No application has this client_id"),
        ("client_id", "usr_01M7YRRT800000000000000009", "No application has this client_id"),
        ("redirect_uri", "", "has not registered this redirect_uri"),
        ("redirect_uri", "https://evil.example/callback", "has not registered this redirect_uri"),
        ("redirect_uri", &format!("{CALLBACK}/"), "has not registered this redirect_uri"),
        ("redirect_uri", &format!("{CALLBACK}?a=b"), "has not registered this redirect_uri"),
        ("redirect_uri", "https://app.example.org@evil.example/", "has not registered this"),
        ("redirect_uri", "javascript:alert(1)", "has not registered this redirect_uri"),
    ] {
        let query = asks(&app, &[(name, value)]);
        for event in [
            with_cookie(opened("authorize", &query), &browser),
            with_cookie(sent("authorize", &[("request", &query), ("decision", "allow")]), &browser),
            sent("sign-in", &[("request", &query), ("email", "ada@example.org")]),
        ] {
            let page = auth.browse(event).await.says(400, reason);
            assert!(!page.headers.contains_key("location"), "{name}: {value}");
        }
    }
    let twice = format!("{}&redirect_uri={CALLBACK}", asks(&app, &[]));
    auth.browse(opened("authorize", &twice)).await.says(400, "a parameter twice");
    auth.browse(opened("authorize", "")).await.says(400, "No application");
}

#[tokio::test]
async fn an_application_is_told_what_is_wrong() {
    let (auth, browser, app) = with_app(&json!({})).await;
    for (name, value, error) in [
        ("response_type", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "code id_token", "unsupported_response_type"),
        ("response_mode", "fragment", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "dBjftJeZ4CVP", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("scope", "", "invalid_scope"),
        ("scope", "everything", "invalid_scope"),
        ("scope", "documents:read", "invalid_scope"),
        ("scope", "account", "invalid_scope"),
        ("prompt", "none login", "invalid_request"),
        ("max_age", "-1", "invalid_request"),
        ("max_age", "soon", "invalid_request"),
        ("nonce", &"n".repeat(513), "invalid_request"),
        ("id_token_hint", "eyJ", "invalid_request"),
        ("request", "eyJ", "request_not_supported"),
        ("request_uri", "https://app.example.org/request", "request_uri_not_supported"),
    ] {
        let back = sent_back(&auth.open(&asks(&app, &[(name, value)]), &browser).await);
        assert_eq!(back["error"], error, "{name}: {value}");
        assert_eq!((back["iss"].as_str(), back["state"].as_str()), (ISSUER, "af0ifjsldkj&=é"));
        assert!(!back["error_description"].is_empty() && !back.contains_key("code"));
    }
    let ours = json!({"is_first_party": true, "scopes": ["admin", "openid"]});
    let ours = auth.application(&ours).await;
    let back = auth.open(&asks(&ours, &[("scope", "admin")]), &browser).await;
    assert_eq!(sent_back(&back)["error"], "invalid_scope", "Ada is no administrator");
    let back = auth.open(&asks(&app, &[("state", ""), ("response_type", "x")]), &browser).await;
    assert!(!sent_back(&back).contains_key("state"));
    // What is not known is ignored.
    let odd = [("ui_locales", "de"), ("unknown", "x"), ("scope", "openid everything")];
    auth.open(&asks(&app, &odd), &browser).await.says(200, "Allow Example?");
}

#[tokio::test]
async fn markup_in_a_request_and_in_a_name_is_text() {
    let name = "<b>&\"'";
    let (auth, browser, app) = with_app(&json!({"name": name})).await;
    let odd =
        [("state", "\"><script>alert(1)</script>"), ("login_hint", "\"><script>alert(2)</script>")];
    for browser in ["", browser.as_str()] {
        let page =
            auth.open(&asks(&app, &odd), browser).await.says(200, "&#60;b&#62;&#38;&#34;&#39;");
        assert!(!page.body.contains("<script") && !page.body.contains("<b>"), "{}", page.body);
    }
}

#[tokio::test]
async fn another_site_allows_no_application() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let page = auth.open(&asks(&app, &[]), &browser).await;
    let [request, user, scopes, ..] = &page.values_of("value")[..] else { panic!("{}", page.body) };
    let request = request.replace("&#38;", "&");
    let fields =
        [("request", request.as_str()), ("user", user), ("scopes", scopes), ("decision", "allow")];
    for name in ["authorize", "sign-in", "sign-in-code", "sign-out"] {
        let mut form = with_cookie(sent(name, &fields), &browser);
        form["headers"]["sec-fetch-site"] = json!("cross-site");
        let page = auth.browse(form).await.says(403, "sent from another site");
        assert!(page.cookies.is_empty());
    }
    assert_eq!(auth.open(&asks(&app, &[]), &browser).await.status, 200, "it is still signed in");
}

#[tokio::test]
async fn the_token_endpoint_refuses_in_the_words_of_the_standard() {
    let (auth, _, app) = with_app(&json!({})).await;
    for (fields, expected) in [
        (vec![], (400, "invalid_request")),
        (vec![("grant_type", "")], (400, "invalid_request")),
        (vec![("grant_type", "password"), ("username", "ada")], (400, "unsupported_grant_type")),
        (vec![("grant_type", "refresh_token")], (400, "invalid_request")),
        (vec![("grant_type", "refresh_token"), ("refresh_token", "x")], (400, "invalid_grant")),
        (vec![("grant_type", "a"), ("grant_type", "b")], (400, "invalid_request")),
        (vec![("client_secret", "x"), ("grant_type", "a")], (400, "invalid_request")),
        (vec![("client_id", "x"), ("grant_type", "a")], (400, "invalid_request")),
        (vec![("client_id", &app.id), ("grant_type", "a")], (400, "unsupported_grant_type")),
    ] {
        let answer = auth.post("token", &app, &fields).await;
        assert_eq!(answer.error(), expected, "{fields:?}");
        assert_eq!(answer.headers["content-type"], "application/json");
    }
    let secret = app.secret.clone().unwrap();
    let posted = App { secret: None, ..app.clone() };
    for (secret, expected) in [
        (secret.as_str(), (400, "unsupported_grant_type")),
        ("", (401, "invalid_client")),
        (&secret[..53], (401, "invalid_client")),
        (&format!("arsenal_cs_{}", "A".repeat(43)), (401, "invalid_client")),
    ] {
        let fields = [("client_secret", secret), ("grant_type", "a")];
        let answer = auth.post("token", &posted, &fields).await;
        assert_eq!(answer.error(), expected);
        let challenge = answer.headers.get("www-authenticate").map(|it| it.to_str().unwrap());
        assert_eq!(challenge, (expected.0 == 401).then_some("Basic realm=\"arsenal\""));
    }
    let mut event = sample("token");
    event["headers"]["content-type"] = json!("application/json");
    assert_eq!(auth.call(&event).await.problem(), (415, "unsupported-media-type"));
}

static AUTH: LazyLock<(Runtime, Auth, String, App)> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let (auth, browser, app) = runtime.block_on(with_app(&json!({"is_first_party": true})));
    (runtime, auth, browser, app)
});

fn odd_form() -> impl Strategy<Value = Vec<u8>> {
    let names = "(client_id|redirect_uri|scope|state|nonce|prompt|max_age|request|grant_type|code|refresh_token|token|client_secret|user|decision|email|password|device|device_code|user_code)";
    let pair = (names, "[ -~]{0,30}|%[0-9A-F]{2}|.{0,8}")
        .prop_map(|(name, value)| format!("{name}={value}"));
    prop_oneof![
        3 => prop::collection::vec(pair, 0..8).prop_map(|pairs| pairs.join("&").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_odd_request_fails_or_sends_a_browser_elsewhere(odd in odd_form(), appended: bool) {
        let (runtime, auth, browser, app) = &*AUTH;
        let text = String::from_utf8_lossy(&odd).into_owned();
        let query = if appended { format!("{}&{text}", asks(app, &[])) } else { text };
        runtime.block_on(async {
            let typed = with_cookie(sent("device", &[("user_code", &query), ("decision", "allow")]), browser);
            let opened = with_cookie(opened("authorize", &query), browser);
            let allowed = with_cookie(sent("authorize", &[("request", &query), ("decision", "allow")]), browser);
            let signed = sent("sign-in", &[("request", &query)]);
            let device = with_cookie(crate::pages::opened("device", &query), browser);
            for event in [opened, allowed, signed, device, typed] {
                let context = lambda_http::Context::default();
                let answer = shared::http::answer(auth.pages.clone(), event, &context).await;
                assert!(answer.status_code < 500, "{query}");
                if let Some(location) = answer.headers.get("location") {
                    assert!(location.to_str().unwrap().starts_with(&format!("{HOST}/callback?")));
                }
            }
            for name in ["token", "revoke", "introspect", "authorize-device"] {
                let mut event = sample(name);
                event["body"] = json!(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &odd));
                let context = lambda_http::Context::default();
                let answer = shared::http::answer(auth.endpoints(), event, &context).await;
                let body = serde_json::to_value(answer.body).unwrap();
                let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
                assert!(matches!(answer.status_code, 400 | 401), "{body}");
                assert!(body["error"].is_string(), "{body}");
            }
        });
    }
}
