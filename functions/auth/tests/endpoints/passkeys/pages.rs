//! Passkeys on the pages.

use serde_json::{Value, json};

use super::authenticator::{Algorithm, Device};
use super::with_passkey;
use crate::pages::{Page, opened, sent};
use crate::sessions::{ADA, with_ada};
use crate::support::{Auth, PASSWORD};

/// The options that the script of a page reads.
fn options(page: &Page) -> Value {
    let text = page.values_of("data-options")[0].replace("&#34;", "\"").replace("&quot;", "\"");
    serde_json::from_str(&text).unwrap()
}

fn with_cookie(mut event: Value, page: &Page) -> Value {
    let cookie = page.cookies[0].split(';').next().unwrap();
    event["headers"]["cookie"] = json!(cookie);
    event["cookies"] = json!([cookie]);
    event
}

async fn signed_in(auth: &Auth) -> Page {
    let fields = [("email", ADA), ("password", PASSWORD), ("page", "passkeys")];
    let page = auth.browse(sent("sign-in", &fields)).await;
    assert_eq!((page.status, page.headers["location"].to_str().unwrap()), (303, "passkeys"));
    page
}

#[tokio::test]
async fn a_user_adds_uses_and_removes_a_passkey_on_the_pages() {
    let (auth, _) = with_ada().await;
    auth.browse(opened("passkeys", "")).await.says(200, "to go on to your passkeys");
    let cookie = signed_in(&auth).await;
    let list = auth.browse(with_cookie(opened("passkeys", ""), &cookie)).await;
    list.says(200, "You are signed in as ada@example.org");
    let send = |fields: &[(&str, &str)]| with_cookie(sent("passkeys", fields), &cookie);
    let begin = |password| [("action", "begin"), ("name", "<Phone>"), ("password", password)];
    auth.browse(send(&begin("wrong"))).await.says(422, "The password is another one.");
    let nameless = [("action", "begin"), ("name", " "), ("password", PASSWORD)];
    auth.browse(send(&nameless)).await.says(422, "Choose another name");
    let asks = auth.browse(send(&begin(PASSWORD))).await.says(200, "Add a passkey");
    let mut device = Device::new(Algorithm::Es256);
    let made = device.create(&options(&asks)).to_string();
    let add = [("action", "add"), ("name", "<Phone>"), ("credential", made.as_str())];
    let codes = auth.browse(send(&add)).await.says(200, "Keep your recovery codes");
    assert_eq!(codes.body.matches("<li>").count(), 10);
    // Whoever knows the password alone changes nothing more.
    auth.browse(send(&add)).await.says(200, "to go on to your passkeys");
    let list = auth.browse(with_cookie(opened("passkeys", ""), &cookie)).await;
    let list = list.says(200, "&#60;Phone&#62;, added on 2026-11-21, with copies");

    // By the passkey alone.
    let asks = auth.browse(sent("sign-in-passkey", &[])).await.says(200, "Sign in with a passkey");
    let used = device.get(&options(&asks)).to_string();
    let signed_in = auth.browse(sent("sign-in-passkey", &[("credential", &used)])).await;
    assert_eq!(signed_in.cookies.len(), 1);
    signed_in.says(200, "You are signed in as ada@example.org");
    auth.browse(sent("sign-in-passkey", &[("credential", &used)])).await.says(422, "not accepted");
    auth.browse(sent("sign-in-passkey", &[("credential", "{}")])).await.says(422, "not accepted");

    // After the password.
    let fields = [("email", ADA), ("password", PASSWORD)];
    let code = auth.browse(sent("sign-in", &fields)).await.says(200, "Use a passkey");
    let challenge = code.values_of("value").into_iter().find(|it| it.starts_with("arsenal_ch_"));
    let challenge = challenge.unwrap().to_owned();
    let fields = [("challenge", challenge.as_str())];
    let asks = auth.browse(sent("sign-in-passkey", &fields)).await.says(200, "Go on");
    let used = device.get(&options(&asks)).to_string();
    let fields = [("challenge", challenge.as_str()), ("credential", &used)];
    auth.browse(sent("sign-in-passkey", &fields)).await.says(200, "You are signed in");
    auth.seconds(300);
    let late = auth.browse(sent("sign-in-passkey", &fields[..1])).await;
    late.says(401, "The sign-in has expired");

    let asks = auth.browse(sent("sign-in-passkey", &[("page", "passkeys")])).await;
    let used = device.get(&options(&asks)).to_string();
    let fields = [("page", "passkeys"), ("credential", used.as_str())];
    let cookie = auth.browse(sent("sign-in-passkey", &fields)).await;
    let send = |fields: &[(&str, &str)]| with_cookie(sent("passkeys", fields), &cookie);
    let id = list.values_of("value").into_iter().find(|it| it.starts_with("pky_")).unwrap();
    let choose = [("action", "choose"), ("passkey", id)];
    auth.browse(send(&choose)).await.says(200, "Remove &#60;Phone&#62;?");
    let remove = |password| [("action", "remove"), ("passkey", id), ("password", password)];
    auth.browse(send(&remove("wrong"))).await.says(422, "The password is another one.");
    assert_eq!(auth.browse(send(&remove(PASSWORD))).await.status, 303);
    auth.sign_in(ADA, PASSWORD).await.ok(200);
}

#[tokio::test]
async fn an_old_sign_in_is_asked_for_again_on_the_page() {
    let (auth, _, mut device, _) = with_passkey().await;
    let asks = auth.browse(sent("sign-in-passkey", &[("page", "passkeys")])).await;
    let used = device.get(&options(&asks)).to_string();
    let fields = [("page", "passkeys"), ("credential", used.as_str())];
    let cookie = auth.browse(sent("sign-in-passkey", &fields)).await;
    assert_eq!(cookie.headers["location"], "passkeys");
    auth.seconds(600);
    let begin = [("action", "begin"), ("name", "Phone"), ("password", PASSWORD)];
    let page = auth.browse(with_cookie(sent("passkeys", &begin), &cookie)).await;
    page.says(200, "to go on to your passkeys");
}

/// The script is one file of ours, and the pages that everybody uses have none.
#[tokio::test]
async fn only_a_page_that_asks_for_a_passkey_has_a_script() {
    let (auth, _, _, _) = with_passkey().await;
    let page = auth.browse(opened("sign-in", "")).await.says(200, "Sign in with a passkey");
    assert!(!page.body.contains("<script"));
    let fields = [("email", ADA), ("password", PASSWORD)];
    let page = auth.browse(sent("sign-in", &fields)).await.says(200, "Use a passkey");
    assert!(!page.body.contains("<script"));
    let page = auth.browse(sent("sign-in-passkey", &[])).await;
    assert!(page.body.contains("<script src=\"passkeys.js\" defer></script>"));
    let event = opened("passkeys.js", "");
    let answer =
        shared::http::answer(auth.pages.clone(), event, &lambda_http::Context::default()).await;
    assert_eq!(answer.status_code, 200);
    assert_eq!(answer.headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn a_form_of_another_site_changes_no_passkeys() {
    let (auth, _) = with_ada().await;
    let cookie = signed_in(&auth).await;
    for page in ["passkeys", "sign-in-passkey"] {
        let mut event = with_cookie(sent(page, &[("action", "begin")]), &cookie);
        event["headers"]["sec-fetch-site"] = json!("cross-site");
        auth.browse(event).await.says(403, "sent from another site");
    }
}
