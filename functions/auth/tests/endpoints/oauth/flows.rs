//! A user signs in to an application.

use std::time::Duration;

use auth::oauth::code::LIFETIME;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use super::{App, HOST, asks, claims, cookie, sent_back, with_app, with_cookie};
use crate::factor_support::with_factor;
use crate::pages::{Page, opened, sent};
use crate::sessions::{ADA, advance, before, change};
use crate::support::{Auth, ISSUER, PASSWORD, auth, sample};

/// The claims of an ID token, checked as a library does: with the keys that the configuration names.
async fn checked(auth: &Auth, app: &App, id_token: &str) -> Value {
    let keys = auth.call(&sample("get-keys")).await.ok(200);
    let keys: JwkSet = serde_json::from_value(keys).unwrap();
    let key = keys.find(&decode_header(id_token).unwrap().kid.unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[&app.id]);
    validation.set_issuer(&[ISSUER]);
    // The test has a clock of its own.
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(key).unwrap();
    decode::<Value>(id_token, &key, &validation).unwrap().claims
}

#[tokio::test]
async fn a_user_signs_in_and_allows_an_application_which_calls_the_api() {
    let auth = auth().await;
    let ada = auth.register(ADA).await;
    let app = auth.application(&json!({})).await;
    let query = asks(&app, &[("login_hint", ADA)]);

    // Nobody is signed in: the page asks for the password, with the address that the application knows.
    let page = auth.open(&query, "").await.says(200, "<h1>Sign in</h1>");
    let page = page.says(200, "to go on to Example").says(200, "value=\"ada@example.org\"");
    let request = page.values_of("value")[0].replace("&#38;", "&");
    let wrong =
        [("request", request.as_str()), ("email", ADA), ("password", "wrong horse battery")];
    let page = auth.browse_toward(sent("sign-in", &wrong), HOST).await;
    let page = page.says(422, "The address or the password is wrong").says(422, "go on to Example");
    assert!(page.cookies.is_empty() && !page.body.contains("wrong horse"));
    let right = [("request", request.as_str()), ("email", ADA), ("password", PASSWORD)];
    let page = auth.browse_toward(sent("sign-in", &right), HOST).await;
    assert_eq!(page.status, 303);
    let next = page.headers["location"].to_str().unwrap().strip_prefix("authorize?").unwrap();
    let browser = cookie(&page);

    // The page asks the user. It does not speak of what the user cannot give.
    let page = auth.open(next, &browser).await.says(200, "<h1>Allow Example?</h1>");
    let page = page.says(200, ADA).says(200, "see your cart and your orders");
    assert!(!page.body.contains("administrator"), "{}", page.body);
    let back = sent_back(&auth.decide(&page, "allow", &browser).await);
    assert_eq!(back.keys().collect::<Vec<_>>(), ["code", "iss", "state"]);
    assert_eq!((back["iss"].as_str(), back["state"].as_str()), (ISSUER, "af0ifjsldkj&=é"));

    let answer = auth.post("token", &app, &super::exchange(&back["code"])).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let tokens = answer.ok(200);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(tokens["scope"], "email openid orders:read");
    let identity = checked(&auth, &app, tokens["id_token"].as_str().unwrap()).await;
    let now = auth.clock.now().as_second();
    let expected = json!({
        "iss": ISSUER, "sub": ada["id"], "aud": app.id, "nonce": "n-0S6_WzA2Mj",
        "iat": now, "exp": now + 900, "auth_time": now, "email": ADA, "email_verified": true,
    });
    assert_eq!(identity, expected);

    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(claims(access)["client_id"], app.id.as_str());
    let context = auth.authorized(access).await.unwrap();
    assert_eq!((&context["sub"], &context["scope"]), (&ada["id"], &tokens["scope"]));
    let known = auth.as_user(access, sample("get-userinfo")).await.ok(200);
    assert_eq!(known, json!({"sub": ada["id"], "email": ADA, "email_verified": true}));
    // The scope that nobody has allowed opens nothing.
    assert_eq!(auth.as_user(access, sample("get-me")).await.problem(), (403, "forbidden"));
}

#[tokio::test]
async fn the_user_sees_the_application_among_the_sessions_and_ends_it() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let tokens = auth.tokens(&app, &auth.code(&asks(&app, &[]), &browser).await).await;
    let ada = auth.signed_in(ADA).await;
    let listed = auth.as_user(&ada.access, sample("list-sessions")).await.ok(200);
    let sessions = listed["sessions"].as_array().unwrap();
    let applications: Vec<_> = sessions.iter().map(|it| &it["application"]).collect();
    let shown = json!({"id": app.id, "scopes": ["email", "openid", "orders:read"]});
    assert_eq!(applications, [&Value::Null, &shown, &Value::Null], "itself, Example, the browser");
    let event = sample("end-session").to_string();
    let id = sessions[1]["id"].as_str().unwrap();
    let event = serde_json::from_str(&event.replace("ses_01M7YRRT800000000000000002", id)).unwrap();
    auth.as_user(&ada.access, event).await.ok(204);
    assert_eq!(auth.authorized(tokens["access_token"].as_str().unwrap()).await, None);
}

#[tokio::test]
async fn an_application_of_ours_is_not_asked_about() {
    let (auth, browser, app) = with_app(&json!({"is_first_party": true})).await;
    let page = auth.open(&asks(&app, &[]), &browser).await;
    auth.tokens(&app, &sent_back(&page)["code"]).await;
    // Unless it wants to, or any program on the user's machine could have asked.
    for address in ["http://127.0.0.1:51004/callback", "http://localhost:51004/", "org.example:/"] {
        let local = json!({"is_first_party": true, "kind": "public", "redirect_uris": [address]});
        let local = auth.application(&local).await;
        let query = |prompt| asks(&local, &[("redirect_uri", address), ("prompt", prompt)]);
        let target = address.strip_suffix('/').unwrap_or(address).trim_end_matches("/callback");
        let event = with_cookie(opened("authorize", &query("")), &browser);
        auth.browse_toward(event, target).await.says(200, "Allow Example?");
        let event = with_cookie(opened("authorize", &query("none")), &browser);
        let back = auth.browse(event).await;
        assert!(back.headers["location"].to_str().unwrap().contains("error=consent_required"));
    }
    auth.open(&asks(&app, &[("prompt", "consent")]), &browser).await.says(200, "Allow Example?");
}

#[tokio::test]
async fn a_public_application_needs_no_secret_and_has_none() {
    let (auth, browser, app) = with_app(&json!({"kind": "public"})).await;
    assert_eq!(app.secret, None);
    let code = auth.code(&asks(&app, &[("scope", "orders:read")]), &browser).await;
    let with_secret = App { secret: Some("a".into()), ..app.clone() };
    let refused = auth.post("token", &with_secret, &super::exchange(&code)).await;
    assert_eq!(refused.error(), (401, "invalid_client"));
    let tokens = auth.tokens(&app, &code).await;
    assert_eq!(tokens.get("id_token"), None, "it has not asked who the user is");
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(auth.as_user(access, sample("get-userinfo")).await.problem(), (403, "forbidden"));
}

#[tokio::test]
async fn a_user_says_no() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let page = auth.open(&asks(&app, &[]), &browser).await;
    let back = sent_back(&auth.decide(&page, "deny", &browser).await);
    assert_eq!(back["error"], "access_denied");
    assert_eq!((back["iss"].as_str(), back["state"].as_str()), (ISSUER, "af0ifjsldkj&=é"));
    assert!(!back.contains_key("code"));
    auth.decide(&page, "switch", &browser).await.says(200, "<h1>Sign in</h1>");
    auth.decide(&page, "", &browser).await.says(422, "Allow Example?");
}

#[tokio::test]
async fn a_page_that_showed_another_user_is_shown_again() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let page = auth.open(&asks(&app, &[]), &browser).await.says(200, ADA);
    auth.register("bob@example.org").await;
    let bob = auth.browser("bob@example.org").await;
    let again = auth.decide(&page, "allow", &bob).await.says(422, "bob@example.org");
    let code = sent_back(&auth.decide(&again, "allow", &bob).await)["code"].clone();
    let tokens = auth.tokens(&app, &code).await;
    let identity = checked(&auth, &app, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(identity["email"], "bob@example.org");
}

#[tokio::test]
async fn a_page_that_showed_other_scopes_is_shown_again() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let query = asks(&app, &[]);
    let user = auth.open(&query, &browser).await.values_of("value")[1].to_owned();
    for scopes in ["", "openid", "email openid orders:read orders:write"] {
        let fields = [
            ("request", query.as_str()),
            ("user", &user),
            ("scopes", scopes),
            ("decision", "allow"),
        ];
        let form = with_cookie(sent("authorize", &fields), &browser);
        auth.browse_toward(form, HOST).await.says(422, "Allow Example?");
    }
}

#[tokio::test]
async fn the_user_is_asked_as_the_application_wants() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let error = async |changes: &[(&str, &str)], browser: &str| {
        sent_back(&auth.open(&asks(&app, changes), browser).await).remove("error").unwrap()
    };
    assert_eq!(error(&[("prompt", "none")], "").await, "login_required");
    assert_eq!(error(&[("prompt", "none")], &browser).await, "consent_required");
    let ours = auth.application(&json!({"is_first_party": true})).await;
    let silent = auth.open(&asks(&ours, &[("prompt", "none")]), &browser).await;
    assert!(sent_back(&silent).contains_key("code"));

    for prompt in ["login", "select_account", "login consent"] {
        let page = auth.open(&asks(&app, &[("prompt", prompt)]), &browser).await;
        let page = page.says(200, "<h1>Sign in</h1>");
        // After it, the user is not asked for the password once more.
        let request = page.values_of("value")[0].replace("&#38;", "&");
        let form =
            sent("sign-in", &[("request", &request), ("email", ADA), ("password", PASSWORD)]);
        let page = auth.browse_toward(form, HOST).await;
        let next = page.headers["location"].to_str().unwrap().strip_prefix("authorize?").unwrap();
        auth.open(next, &cookie(&page)).await.says(200, "Allow Example?");
    }

    let old = [("max_age", "60")];
    advance(&auth, Duration::from_mins(1));
    auth.open(&asks(&app, &old), &browser).await.says(200, "Allow Example?");
    advance(&auth, Duration::from_secs(1));
    auth.open(&asks(&app, &old), &browser).await.says(200, "<h1>Sign in</h1>");
    assert_eq!(error(&[("max_age", "60"), ("prompt", "none")], &browser).await, "login_required");
    // The time passes while the page is open, too.
    let late = sent("authorize", &[("request", &asks(&app, &old)), ("decision", "allow")]);
    let late = auth.browse_toward(with_cookie(late, &browser), HOST).await;
    late.says(200, "<h1>Sign in</h1>");
    let page = auth.open(&asks(&app, &old), &browser).await;
    let request = page.values_of("value")[0].replace("&#38;", "&");
    let form = sent("sign-in", &[("request", &request), ("email", ADA), ("password", PASSWORD)]);
    let page = auth.browse_toward(form, HOST).await;
    assert!(!page.headers["location"].to_str().unwrap().contains("max_age"));
}

#[tokio::test]
async fn a_browser_is_signed_in_until_its_session_ends() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let is_in = async |browser: &str| {
        let page = auth.open(&asks(&app, &[]), browser).await;
        let is_in = page.body.contains("Allow Example?");
        assert_eq!(page.body.contains("<h1>Sign in</h1>"), !is_in);
        is_in
    };
    assert!(is_in(&browser).await);
    // Nothing else is a cookie of ours.
    let ada = auth.signed_in(ADA).await;
    for other in [
        browser.replace("__Host-arsenal", "arsenal"),
        format!("{browser}A"),
        format!("__Host-arsenal={}", ada.refresh),
        format!("__Host-arsenal={}", ada.access),
        format!("{browser}; {browser}"),
        "__Host-arsenal=".to_owned(),
    ] {
        assert!(!is_in(&other).await, "{other}");
    }
    // And the cookie is nothing else.
    let text = browser.split_once('=').unwrap().1;
    assert_eq!(auth.refresh(text).await.status, 401);
    assert_eq!(auth.authorized(text).await, None);

    let form = with_cookie(sent("sign-out", &[]), &browser);
    let page = auth.browse(form).await.says(200, "You are signed out");
    let gone = "__Host-arsenal=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax";
    assert_eq!(page.cookies, [gone]);
    assert!(!is_in(&browser).await);

    let second = auth.browser(ADA).await;
    auth.as_user(&ada.access, change(PASSWORD, "correct horse battery staple")).await.ok(204);
    assert!(!is_in(&second).await, "the password has changed");
    let form = [("email", ADA), ("password", "correct horse battery staple")];
    let third = cookie(&auth.browse(sent("sign-in", &form)).await);
    let fourth = cookie(&auth.browse(with_cookie(sent("sign-in", &form), &third)).await);
    assert!(!is_in(&third).await, "the browser has another session");
    advance(&auth, before(auth::session::IDLE));
    assert!(is_in(&fourth).await);
    advance(&auth, Duration::from_secs(1));
    assert!(!is_in(&fourth).await, "after 14 days");
}

/// The form of the page with the code, with this code.
fn code_form(page: &Page, code: &str) -> Value {
    let [request, challenge, ..] = &page.values_of("value")[..] else { panic!("{}", page.body) };
    let request = request.replace("&#38;", "&");
    sent("sign-in-code", &[("request", &request), ("challenge", challenge), ("code", code)])
}

#[tokio::test]
async fn a_user_with_a_second_factor_gives_a_code_too() {
    let (auth, _, phone) = with_factor().await;
    let app = auth.application(&json!({})).await;
    let page = auth.open(&asks(&app, &[]), "").await;
    let request = page.values_of("value")[0].replace("&#38;", "&");
    let form = sent("sign-in", &[("request", &request), ("email", ADA), ("password", PASSWORD)]);
    let page = auth.browse_toward(form, HOST).await.says(200, "<h1>Enter a code</h1>");
    assert!(page.cookies.is_empty(), "the password alone signs nobody in");
    for wrong in ["", "abc", &phone.wrong(&auth)] {
        let page = auth.browse_toward(code_form(&page, wrong), HOST).await;
        assert!(page.says(422, "This code is wrong").cookies.is_empty());
    }
    let code = phone.code(&auth, 0);
    let signed_in = auth.browse_toward(code_form(&page, &code), HOST).await;
    assert_eq!(signed_in.status, 303, "{}", signed_in.body);
    let next = signed_in.headers["location"].to_str().unwrap();
    let next = next.strip_prefix("authorize?").unwrap();
    auth.open(next, &cookie(&signed_in)).await.says(200, "Allow Example?");
    let again = auth.browse_toward(code_form(&page, &code), HOST).await;
    assert!(again.says(422, "This code is wrong").cookies.is_empty());
    let recovery = code_form(&page, &phone.recovery[0].to_lowercase());
    cookie(&auth.browse_toward(recovery, HOST).await);

    auth.seconds(300);
    let late = auth.browse(code_form(&page, &phone.code(&auth, 0))).await;
    assert!(late.says(401, "The sign-in has expired").cookies.is_empty());
    let forged = sent("sign-in-code", &[("challenge", "\"><script>"), ("code", "123456")]);
    auth.browse(forged).await.says(401, "The sign-in has expired");
    let wrong = sent("sign-in-code", &[("challenge", "\"><script>"), ("code", "x")]);
    let page = auth.browse(wrong).await.says(422, "This code is wrong");
    assert!(!page.body.contains("<script"), "{}", page.body);
}

#[tokio::test]
async fn the_pages_are_opened_without_an_application_too() {
    let auth = auth().await;
    auth.browse(opened("sign-in", "")).await.says(200, "<h1>Sign in</h1>");
    auth.browse(opened("sign-out", "")).await.says(200, "<h1>Sign out</h1>");
    auth.browse(sent("sign-out", &[])).await.says(200, "You are signed out");
    auth.browse(sent("sign-in", &[("email", "ada")])).await.says(422, "Check the address");
}

#[tokio::test]
async fn libraries_are_told_all_that_they_need() {
    let auth = auth().await;
    let answer = auth.call(&sample("get-configuration")).await;
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    let configuration = answer.ok(200);
    assert_eq!(configuration["issuer"], ISSUER);
    for (name, path) in [
        ("authorization_endpoint", "/auth/authorize"),
        ("token_endpoint", "/v1/oauth/token"),
        ("userinfo_endpoint", "/v1/oauth/userinfo"),
        ("jwks_uri", "/v1/oauth/keys"),
        ("revocation_endpoint", "/v1/oauth/revoke"),
        ("introspection_endpoint", "/v1/oauth/introspect"),
        ("device_authorization_endpoint", "/v1/oauth/device"),
    ] {
        assert_eq!(configuration[name], format!("{ISSUER}{path}"), "{name}");
    }
    let keys = auth.call(&sample("get-keys")).await;
    assert_eq!(keys.headers["cache-control"], "public, max-age=300");
    let keys = keys.ok(200);
    let kinds: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| &key["alg"]).collect();
    assert_eq!(kinds, ["EdDSA", "RS256"]);
    assert!(!keys.to_string().contains("\"d\""), "no private key");
}

#[tokio::test]
async fn a_code_that_nobody_fetches_is_good_for_a_minute() {
    let (auth, browser, app) = with_app(&json!({})).await;
    let [first, second] =
        [auth.code(&asks(&app, &[]), &browser).await, auth.code(&asks(&app, &[]), &browser).await];
    advance(&auth, before(LIFETIME));
    auth.tokens(&app, &first).await;
    advance(&auth, Duration::from_secs(1));
    let refused = auth.post("token", &app, &super::exchange(&second)).await;
    assert_eq!(refused.error(), (400, "invalid_grant"));
}
