//! What is refused: odd codes, markup, other sites, guesses, and requests of applications.

use serde_json::json;

use super::super::{App, with_cookie};
use super::{Codes, GRANT, on_a_device, with_device};
use crate::pages::{opened, sent};
use crate::sessions::ADA;
use crate::support::auth_with;

const NO_DEVICE: &str = "BCDF-GHJK";

#[tokio::test]
async fn an_application_is_told_what_is_wrong() {
    let (auth, _, app) = with_device().await;
    let web = auth.application(&json!({})).await;
    let secret = App { secret: Some("arsenal_cs_x".into()), ..app.clone() };
    for (app, fields, expected) in [
        (&app, vec![("scope", "everything")], (400, "invalid_scope")),
        (&app, vec![("scope", "documents:read")], (400, "invalid_scope")),
        (&app, vec![("scope", "openid"), ("scope", "email")], (400, "invalid_request")),
        (&web, vec![], (400, "unauthorized_client")),
        (&secret, vec![], (401, "invalid_client")),
    ] {
        let answer = auth.post("authorize-device", app, &fields).await;
        assert_eq!(answer.error(), expected, "{fields:?}");
    }
    let codes = auth.begun(&app).await;
    for (app, code, expected) in [
        (&app, "", (400, "invalid_request")),
        (&app, codes.user.as_str(), (400, "invalid_grant")),
        (&app, &format!("{}A", codes.device), (400, "invalid_grant")),
        (&app, &codes.device.replace("_dc_", "_ac_"), (400, "invalid_grant")),
        (&app, &format!("arsenal_dc_{}", "A".repeat(43)), (400, "invalid_grant")),
        (&web, &codes.device, (400, "unauthorized_client")),
        (&secret, &codes.device, (401, "invalid_client")),
    ] {
        let answer = auth.poll(app, &Codes { device: code.into(), user: String::new() }).await;
        assert_eq!(answer.error(), expected, "{code}");
    }
    // A device code is no code of a browser.
    let fields = [("grant_type", "authorization_code"), ("code", codes.device.as_str())];
    assert_eq!(auth.post("token", &app, &fields).await.error(), (400, "unauthorized_client"));
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "authorization_pending"));
}

#[tokio::test]
async fn a_user_gives_only_what_the_user_has() {
    let (auth, browser, _) = with_device().await;
    let mut ours = on_a_device();
    (ours["is_first_party"], ours["scopes"]) = (json!(true), json!(["admin"]));
    let app = auth.application(&ours).await;
    let fields = [("scope", "admin")];
    let body = auth.post("authorize-device", &app, &fields).await.ok(200);
    let codes = Codes {
        device: body["device_code"].as_str().unwrap().into(),
        user: body["user_code"].as_str().unwrap().into(),
    };
    auth.enter(&codes.user, &browser).await.says(422, "Your account cannot be used for this");
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "authorization_pending"));
}

#[tokio::test]
async fn what_is_no_code_is_text_and_asks_nobody() {
    let (auth, browser, _) = with_device().await;
    for typed in ["", "WDJB", "WDJB-MJHTB", "12345678", "<b>\"'&", "\"><script>alert(1)</script>"] {
        let asking = auth.enter(typed, &browser);
        let (page, requests) = auth.requests.during(asking).await;
        let page = page.says(422, "A code has 8 letters");
        assert!(!page.body.contains("<script") && !page.body.contains("<b>"), "{}", page.body);
        assert_eq!(requests, ["UpdateItem rate"], "only the limit is asked");
        let page = auth
            .browse(with_cookie(opened("device", &format!("user_code={typed}")), &browser))
            .await;
        assert_eq!(page.values_of("value"), [""]);
    }
    // Only a code of ours is repeated by the forms of a sign-in.
    for device in ["//evil.example", "\"><script>", "device\r\nLocation: https://evil.example"] {
        let form = [("device", device), ("email", ADA), ("password", crate::support::PASSWORD)];
        auth.browse(sent("sign-in", &form)).await.says(200, "You are signed in");
    }
    for query in ["user_code=%FF", "user_code=BCDFGHJK&user_code=BCDFGHJK", "a&a", "%"] {
        let page = auth.browse(opened("device", query)).await.says(200, "Connect a device");
        assert_eq!(page.values_of("value"), [""], "{query}");
    }
}

#[tokio::test]
async fn markup_in_the_name_of_an_application_is_text() {
    let (auth, browser, _) = with_device().await;
    let mut odd = on_a_device();
    odd["name"] = json!("<b>&\"'");
    let app = auth.application(&odd).await;
    let codes = auth.begun(&app).await;
    let page = auth.enter(&codes.user, &browser).await.says(200, "&#60;b&#62;&#38;&#34;&#39;");
    assert!(!page.body.contains("<b>"), "{}", page.body);
}

#[tokio::test]
async fn another_site_allows_no_device() {
    let (auth, browser, app) = with_device().await;
    let codes = auth.begun(&app).await;
    let page = auth.enter(&codes.user, &browser).await;
    let [_, user, scopes, ..] = page.values_of("value")[..] else { panic!("{}", page.body) };
    for decision in ["", "allow", "deny"] {
        let code = codes.user.as_str();
        let fields =
            [("user_code", code), ("user", user), ("scopes", scopes), ("decision", decision)];
        let mut form = with_cookie(sent("device", &fields), &browser);
        form["headers"]["sec-fetch-site"] = json!("cross-site");
        auth.browse(form).await.says(403, "sent from another site");
    }
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "authorization_pending"));
}

#[tokio::test]
async fn a_guess_costs_one_read_and_only_a_user_may_guess() {
    let (auth, browser, _) = with_device().await;
    let (page, requests) = auth.requests.during(auth.enter(NO_DEVICE, &browser)).await;
    page.says(422, "This code is not the one");
    let reads = ["UpdateItem rate", "GetItem USER", "GetItem USER", "GetItem USERCODE"];
    assert_eq!(requests, reads);
    let (page, requests) = auth.requests.during(auth.enter(NO_DEVICE, "")).await;
    page.says(200, "<h1>Sign in</h1>");
    assert_eq!(requests, ["UpdateItem rate"]);
    let (page, requests) = auth.requests.during(auth.open_device(NO_DEVICE, &browser)).await;
    page.says(200, "Connect a device");
    assert!(requests.is_empty(), "{requests:?}");
}

#[tokio::test]
async fn guesses_from_one_address_are_limited() {
    let auth = auth_with(2).await;
    auth.register(ADA).await;
    let browser = auth.browser(ADA).await;
    for status in [422, 422, 429, 429] {
        assert_eq!(auth.enter(NO_DEVICE, &browser).await.status, status);
    }
    let page = auth.enter(NO_DEVICE, &browser).await.says(429, "Try again in 30 s.");
    assert_eq!(page.headers["retry-after"], "30");
    // The page opens still, and a sign-in has a limit of its own.
    auth.open_device(NO_DEVICE, &browser).await.says(200, "Connect a device");
    auth.browser(ADA).await;
}

#[tokio::test]
async fn a_device_that_polls_in_another_way_is_refused() {
    let (auth, _, app) = with_device().await;
    let codes = auth.begun(&app).await;
    for grant in
        ["device_code", "urn:ietf:params:oauth:grant-type:device_code ", &GRANT.to_uppercase()]
    {
        let fields = [("grant_type", grant), ("device_code", codes.device.as_str())];
        let answer = auth.post("token", &app, &fields).await;
        assert_eq!(answer.error(), (400, "unsupported_grant_type"), "{grant}");
    }
}
