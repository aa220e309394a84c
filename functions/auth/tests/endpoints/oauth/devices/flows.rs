//! A user signs in on a device.

use std::time::Duration;

use auth::oauth::device::{Decision, Device, DeviceCode, LIFETIME, Permission};
use auth::oauth::scope::Scopes;
use auth::oauth::user_code::UserCode;
use auth::session::{Client, Session};
use auth::store::Exchanged;
use serde_json::json;

use super::super::{claims, cookie, with_cookie};
use super::{on_a_device, seconds, with_device};
use crate::factor_support::with_factor;
use crate::pages::{opened, sent};
use crate::sessions::{ADA, advance, before};
use crate::support::{ISSUER, PASSWORD, auth};

#[tokio::test]
async fn a_user_types_the_code_of_a_device_signs_in_and_allows_it() {
    let auth = auth().await;
    let user = auth.register(ADA).await;
    let app = auth.application(&on_a_device()).await;
    let body = auth.post("authorize-device", &app, &[("scope", "openid email admin orders:read")]);
    let body = body.await.ok(200);
    let code = body["user_code"].as_str().unwrap();
    let page = format!("{ISSUER}/auth/device");
    assert_eq!(body["verification_uri"], page);
    assert_eq!(body["verification_uri_complete"], format!("{page}?user_code={code}"));
    assert_eq!((&body["expires_in"], &body["interval"]), (&json!(600), &json!(5)));
    let codes = super::Codes {
        device: body["device_code"].as_str().unwrap().to_owned(),
        user: code.to_owned(),
    };
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "authorization_pending"));

    // Nobody is signed in: the page asks for the password, and comes back with the code.
    auth.browse(opened("device", "")).await.says(200, "<h1>Connect a device</h1>");
    let page = auth.enter(&code.to_lowercase().replace('-', " "), "").await;
    let page = page.says(200, "<h1>Sign in</h1>").says(200, "to go on to your device");
    let device = page.values_of("value")[1];
    let wrong = [("device", device), ("email", ADA), ("password", "wrong horse battery")];
    let page = auth.browse(sent("sign-in", &wrong)).await.says(422, "go on to your device");
    let device = page.values_of("value")[1];
    let right = [("device", device), ("email", ADA), ("password", PASSWORD)];
    let page = auth.browse(sent("sign-in", &right)).await;
    assert_eq!(page.status, 303);
    assert_eq!(page.headers["location"], format!("device?user_code={code}"));
    let browser = cookie(&page);
    let page = auth.open_device(code, &browser).await.says(200, "<h1>Connect a device</h1>");
    assert_eq!(page.values_of("value"), [code]);

    let page = auth.enter(code, &browser).await.says(200, "<h1>Allow Example on a device?</h1>");
    let page =
        page.says(200, ADA).says(200, "see your cart").says(200, &format!("code {code} now"));
    assert!(!page.body.contains("administrator"), "{}", page.body);
    seconds(&auth, 5);
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "authorization_pending"));
    auth.decide_on(&page, "allow", &browser).await.says(200, "You have allowed it");

    // The next poll needs not wait.
    let answer = auth.poll(&app, &codes).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let tokens = answer.ok(200);
    assert_eq!(tokens["scope"], "email openid orders:read");
    let access = tokens["access_token"].as_str().unwrap();
    let context = auth.authorized(access).await.unwrap();
    assert_eq!(context["sub"], user["id"]);
    assert_eq!(claims(access)["client_id"], app.id.as_str());
    let identity = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!((&identity["sub"], &identity["aud"]), (&user["id"], &json!(app.id)));
    assert_eq!((&identity["email"], &identity["nonce"]), (&json!(ADA), &json!(null)));
    assert_eq!(identity["auth_time"].as_i64(), Some(auth.clock.now().as_second() - 5));

    // The code is good once, and the session goes on.
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "invalid_grant"));
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let again = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    auth.post("token", &app, &again).await.ok(200);
    let ada = auth.signed_in(ADA).await;
    let [session] = &auth.on_devices(&ada.access).await[..] else { panic!("one session") };
    assert_eq!(session["application"]["id"], app.id.as_str());
    assert_eq!(session["client"]["user_agent"], "curl/8.5.0", "it is the device's");
}

#[tokio::test]
async fn an_application_of_ours_is_asked_about_too() {
    let (auth, browser, _) = with_device().await;
    let mut ours = on_a_device();
    ours["is_first_party"] = json!(true);
    let ours = auth.application(&ours).await;
    let codes = auth.begun(&ours).await;
    auth.open_device(&codes.user, &browser).await.says(200, "<h1>Connect a device</h1>");
    auth.enter(&codes.user, &browser).await.says(200, "Allow Example on a device?");
    assert_eq!(auth.poll(&ours, &codes).await.error(), (400, "authorization_pending"));
}

#[tokio::test]
async fn an_application_with_a_secret_and_addresses_may_be_on_a_device_too() {
    let (auth, browser, _) = with_device().await;
    let both = json!({"grants": ["authorization_code", "device_code"]});
    let app = auth.application(&both).await;
    let codes = auth.begun(&app).await;
    auth.allow(&codes, &browser).await;
    auth.poll(&app, &codes).await.ok(200);
}

#[tokio::test]
async fn a_user_with_a_second_factor_comes_back_to_the_device() {
    let (auth, _, phone) = with_factor().await;
    let app = auth.application(&on_a_device()).await;
    let codes = auth.begun(&app).await;
    let form = [("device", codes.user.as_str()), ("email", ADA), ("password", PASSWORD)];
    let page = auth.browse(sent("sign-in", &form)).await.says(200, "<h1>Enter a code</h1>");
    let [_, device, challenge] = page.values_of("value")[..] else { panic!("{}", page.body) };
    let (wrong, right) = (phone.wrong(&auth), phone.code(&auth, 0));
    let form = [("device", device), ("challenge", challenge), ("code", &wrong)];
    let page = auth.browse(sent("sign-in-code", &form)).await.says(422, "This code is wrong");
    let [_, device, challenge] = page.values_of("value")[..] else { panic!("{}", page.body) };
    let form = [("device", device), ("challenge", challenge), ("code", &right)];
    let page = auth.browse(sent("sign-in-code", &form)).await;
    assert_eq!(page.headers["location"], format!("device?user_code={}", codes.user));
    auth.allow(&codes, &cookie(&page)).await;
    auth.poll(&app, &codes).await.ok(200);
}

#[tokio::test]
async fn a_page_that_showed_another_user_is_shown_again() {
    let (auth, browser, app) = with_device().await;
    let user = auth.register("bob@example.org").await;
    let bob = auth.browser("bob@example.org").await;
    let codes = auth.begun(&app).await;
    let page = auth.enter(&codes.user, &browser).await.says(200, ADA);
    let again = auth.decide_on(&page, "allow", &bob).await.says(422, "bob@example.org");
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "authorization_pending"));
    auth.decide_on(&again, "allow", &bob).await.says(200, "You have allowed it");
    let tokens = auth.poll(&app, &codes).await.ok(200);
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["sub"], user["id"]);
}

#[tokio::test]
async fn a_user_changes_to_another_account() {
    let (auth, browser, app) = with_device().await;
    let codes = auth.begun(&app).await;
    let page = auth.enter(&codes.user, &browser).await;
    let page = auth.decide_on(&page, "switch", &browser).await.says(200, "<h1>Sign in</h1>");
    assert_eq!(page.values_of("value")[1], codes.user);
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "authorization_pending"));
}

/// The codes end to the second: for the page, for the decision, and for the poll.
#[tokio::test]
async fn both_codes_are_good_for_ten_minutes() {
    let (auth, browser, app) = with_device().await;
    let [first, second, third] =
        [auth.begun(&app).await, auth.begun(&app).await, auth.begun(&app).await];
    let silent = auth.begun(&app).await;
    let page = auth.enter(&second.user, &browser).await;
    advance(&auth, before(LIFETIME));
    auth.allow(&first, &browser).await;
    auth.allow(&third, &browser).await;
    auth.poll(&app, &first).await.ok(200);
    assert_eq!(auth.poll(&app, &second).await.error(), (400, "authorization_pending"));
    seconds(&auth, 1);
    auth.enter(&second.user, &browser).await.says(422, "has expired");
    auth.decide_on(&page, "allow", &browser).await.says(422, "has expired");
    // Also one whose poll would be the first, and in time.
    for codes in [&second, &third, &silent] {
        assert_eq!(auth.poll(&app, codes).await.error(), (400, "expired_token"));
    }
    assert_eq!(auth.poll(&app, &first).await.error(), (400, "invalid_grant"));
}

/// The store itself, whose caller has looked before.
#[tokio::test]
async fn the_conditions_of_the_table_end_to_the_second() {
    let (auth, _, _) = with_device().await;
    let (code, user_code) = (DeviceCode::generate().unwrap(), UserCode::generate().unwrap());
    let now = auth.clock.now();
    let device = Device::asking(auth.ids.next(), Scopes::asked("openid"), now);
    let add = async |code: &DeviceCode, at| {
        let attempt = auth.ids.next();
        auth.users.add_device((code, &user_code), &device, at, attempt).await.unwrap()
    };
    assert!(add(&code, now).await);
    let other = DeviceCode::generate().unwrap();
    assert!(!add(&other, now + before(LIFETIME)).await, "another device shows this code");
    let found = auth.users.device(&user_code).await.unwrap().unwrap();
    let denied = Decision::Denied;
    let end = now + LIFETIME;
    assert!(!auth.users.decide(&found, &denied, end).await.unwrap());
    assert!(auth.users.decide(&found, &denied, end - Duration::from_secs(1)).await.unwrap());
    assert!(add(&other, end).await, "a code that has ended is free");
}

/// The store itself: the session and the mark on the device are written together, or not.
#[tokio::test]
async fn a_session_begins_only_on_a_device_that_is_allowed_and_has_not_ended() {
    let (auth, _, _) = with_device().await;
    let (ada, now) = (auth.ada().await, auth.clock.now());
    let permission = Permission {
        user: ada.user.id,
        epoch: ada.epoch,
        scopes: Scopes::asked("openid"),
        signed_in_at: now,
    };
    let (end, last) = (now + LIFETIME, now + before(LIFETIME));
    for (decision, tries) in [
        (None, [(now, Exchanged::Refused), (last, Exchanged::Refused)]),
        (Some(Decision::Denied), [(now, Exchanged::Refused), (last, Exchanged::Refused)]),
        (
            Some(Decision::Allowed(permission.clone())),
            [(end, Exchanged::Refused), (last, Exchanged::Made)],
        ),
        (
            Some(Decision::Allowed(permission)),
            [(last, Exchanged::Made), (last, Exchanged::Refused)],
        ),
    ] {
        let (code, user_code) = (DeviceCode::generate().unwrap(), UserCode::generate().unwrap());
        let device = Device::asking(auth.ids.next(), Scopes::asked("openid"), now);
        let (users, attempt) = (&auth.users, auth.ids.next());
        users.add_device((&code, &user_code), &device, now, attempt).await.unwrap();
        if let Some(decision) = &decision {
            let found = users.device(&user_code).await.unwrap().unwrap();
            assert!(users.decide(&found, decision, now).await.unwrap());
        }
        for (at, expected) in tries {
            let client = Client::default();
            let session = Session::begun(auth.ids.next(), &ada.user, ada.epoch, client, at);
            let begun = users.begin_on_device(&code, &session, at).await.unwrap();
            assert_eq!(begun, expected, "{decision:?}");
            let kept = users.session(session.user, session.id).await.unwrap();
            assert_eq!(kept.is_some(), begun == Exchanged::Made);
        }
    }
}

#[tokio::test]
async fn the_table_has_no_device_code_and_the_page_needs_a_session_of_the_browser() {
    let (auth, browser, app) = with_device().await;
    let codes = auth.begun(&app).await;
    let scan = aws_sdk_dynamodb::Client::new(&auth.aws).scan().table_name("auth").send();
    let table = format!("{:?}", scan.await.unwrap().items);
    assert!(table.contains(&codes.user.replace('-', "")), "the scan works");
    assert!(!table.contains(codes.device.strip_prefix("arsenal_dc_").unwrap()));
    auth.browse(with_cookie(sent("sign-out", &[]), &browser)).await;
    auth.enter(&codes.user, &browser).await.says(200, "<h1>Sign in</h1>");
}
