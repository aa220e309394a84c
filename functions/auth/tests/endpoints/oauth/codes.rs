//! Codes: each is good once, for the right application only.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};
use shared::fault;

use super::{App, CALLBACK, VERIFIER, asks, exchange, sent_back, with_app};
use crate::sessions::{ADA, change};
use crate::support::{Auth, PASSWORD, sample};

async fn is_good(auth: &Auth, tokens: &Value) -> bool {
    auth.authorized(tokens["access_token"].as_str().unwrap()).await.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_exchanges_of_a_code_at_once_one_gets_tokens_and_these_end() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let code = auth.code(&asks(&app, &[]), &browser).await;
    let parameters = exchange(&code);
    let answers = join_all((0..16).map(|_| auth.post("token", &app, &parameters))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 200);
    assert_eq!((made.len(), refused.len()), (1, 15));
    let errors: BTreeSet<_> = refused.iter().map(|answer| answer.error()).collect();
    assert_eq!(errors, BTreeSet::from([(400, "invalid_grant")]));
    // Two have the code: one of them may be a thief.
    assert!(!is_good(&auth, &made[0].body).await);
}

#[tokio::test]
async fn a_code_that_comes_again_ends_what_it_began() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let code = auth.code(&asks(&app, &[]), &browser).await;
    let tokens = auth.tokens(&app, &code).await;
    let other = auth.tokens(&app, &auth.code(&asks(&app, &[]), &browser).await).await;
    // Nobody without the secret of PKCE can end it.
    for (name, value) in
        [("code_verifier", "a".repeat(43)), ("redirect_uri", format!("{CALLBACK}/"))]
    {
        let mut parameters = exchange(&code);
        parameters.retain(|(known, _)| *known != name);
        parameters.push((name, &value));
        assert_eq!(auth.post("token", &app, &parameters).await.error(), (400, "invalid_grant"));
        assert!(is_good(&auth, &tokens).await, "{name}");
    }
    assert_eq!(auth.post("token", &app, &exchange(&code)).await.error(), (400, "invalid_grant"));
    assert!(!is_good(&auth, &tokens).await);
    assert!(is_good(&auth, &other).await, "another session goes on");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let again = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(auth.post("token", &app, &again).await.error(), (400, "invalid_grant"));
}

#[tokio::test]
async fn a_code_in_wrong_hands_is_good_for_nothing_and_stays_good_for_its_owner() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let other = auth.application(&json!({"name": "Other"})).await;
    let code = auth.code(&asks(&app, &[]), &browser).await;
    assert_eq!(auth.post("token", &other, &exchange(&code)).await.error(), (400, "invalid_grant"));
    let forged = App { secret: other.secret.clone(), ..app.clone() };
    assert_eq!(
        auth.post("token", &forged, &exchange(&code)).await.error(),
        (401, "invalid_client")
    );
    let unproved = App { secret: None, ..app.clone() };
    assert_eq!(
        auth.post("token", &unproved, &exchange(&code)).await.error(),
        (401, "invalid_client")
    );
    for (name, value, error) in [
        ("code_verifier", String::new(), "invalid_request"),
        ("code_verifier", VERIFIER.to_lowercase(), "invalid_grant"),
        ("redirect_uri", String::new(), "invalid_request"),
        ("redirect_uri", "https://evil.example/".into(), "invalid_grant"),
        ("code", String::new(), "invalid_request"),
        ("code", format!("{code}A"), "invalid_grant"),
        ("code", format!("arsenal_ac_{}", "A".repeat(43)), "invalid_grant"),
        ("code", code.replace("_ac_", "_cs_"), "invalid_grant"),
    ] {
        let mut parameters = exchange(&code);
        parameters.retain(|(known, _)| *known != name);
        parameters.push((name, &value));
        assert_eq!(
            auth.post("token", &app, &parameters).await.error(),
            (400, error),
            "{name} {value}"
        );
    }
    auth.tokens(&app, &code).await;
}

#[tokio::test]
async fn what_was_allowed_ends_with_the_password_and_with_the_account() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let new = "correct horse battery staple";
    let code = auth.code(&asks(&app, &[]), &browser).await;
    let before = auth.tokens(&app, &auth.code(&asks(&app, &[]), &browser).await).await;
    let ada = auth.signed_in(ADA).await;
    auth.as_user(&ada.access, change(PASSWORD, new)).await.ok(204);
    assert_eq!(auth.post("token", &app, &exchange(&code)).await.error(), (400, "invalid_grant"));
    assert!(!is_good(&auth, &before).await);

    let page =
        auth.browse(crate::pages::sent("sign-in", &[("email", ADA), ("password", new)])).await;
    let browser = super::cookie(&page);
    let code = auth.code(&asks(&app, &[]), &browser).await;
    let mut deletion = sample("delete-me");
    deletion["body"] = json!(json!({"current_password": new}).to_string());
    auth.as_user(&ada.access, deletion).await.ok(204);
    assert_eq!(auth.post("token", &app, &exchange(&code)).await.error(), (400, "invalid_grant"));
}

/// A crash, a stall, a lost answer or a conflict at each request of an exchange: there is one session or none, and an
/// application that repeats the exchange has tokens, or must send the user again.
#[tokio::test]
async fn an_exchange_that_fails_anywhere_begins_one_session_or_none() {
    fault::walk(async |run: fault::Run| {
        let (auth, browser, app) = with_app(&json!({})).await;
        let code = auth.code(&asks(&app, &[]), &browser).await;
        let parameters = exchange(&code);
        let first = run.attempt(auth.post("token", &app, &parameters)).await;
        let again = auth.post("token", &app, &parameters).await;
        first.resume().await;
        let is_repeated = again.status == 200;
        assert!(is_repeated || again.error() == (400, "invalid_grant"), "{}", again.body);
        let ada = auth.signed_in(ADA).await;
        let listed = auth.as_user(&ada.access, sample("list-sessions")).await.ok(200);
        let listed = listed["sessions"].as_array().unwrap();
        let alive = listed.iter().filter(|it| it.get("application").is_some()).count();
        assert!(alive <= usize::from(is_repeated), "{listed:?}");
        // The user can always begin again.
        auth.tokens(&app, &auth.code(&asks(&app, &[]), &browser).await).await;
    })
    .await;
}

/// The same for a user who allows an application: the page can be sent again.
#[tokio::test]
async fn a_permission_that_fails_anywhere_can_be_given_again() {
    fault::walk(async |run: fault::Run| {
        let (auth, browser, app) = with_app(&json!({})).await;
        let page = auth.open(&asks(&app, &[]), &browser).await;
        run.attempt(auth.decide(&page, "allow", &browser)).await.resume().await;
        let page = auth.decide(&page, "allow", &browser).await;
        auth.tokens(&app, &sent_back(&page)["code"]).await;
    })
    .await;
}

#[tokio::test]
async fn the_table_has_no_code_no_cookie_and_no_secret() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let used = auth.code(&asks(&app, &[]), &browser).await;
    let open = auth.code(&asks(&app, &[]), &browser).await;
    let tokens = auth.tokens(&app, &used).await;
    let scan = aws_sdk_dynamodb::Client::new(&auth.aws).scan().table_name("auth").send();
    let table = format!("{:?}", scan.await.unwrap().items);
    let cookie = browser.split_once('=').unwrap().1;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    for secret in [&used, &open, app.secret.as_ref().unwrap(), cookie, refresh, VERIFIER] {
        let secret = secret
            .strip_prefix("arsenal_")
            .and_then(|it| it.split_once('_'))
            .map_or(secret, |it| it.1);
        assert!(!table.contains(secret));
    }
    assert!(table.contains("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), "the scan works");
}
