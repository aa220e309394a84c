//! Who may change the factors of a user who has one: a session that has begun with one. Whoever knows the password may have
//! sessions, enrolments and options from before.

use serde_json::json;
use shared::fault::{Fault, Run};

use super::authenticator::{Algorithm, Device};
use crate::factor_support::Phone;
use crate::sessions::{ADA, with_ada};
use crate::support::{Auth, Tokens, sample};

const TOO_OLD: (u16, &str) = (403, "sign-in-too-old");

/// Ada, and a session of somebody who knows her password.
async fn with_thief() -> (Auth, Tokens, Tokens) {
    let (auth, ada) = with_ada().await;
    let thief = auth.signed_in(ADA).await;
    (auth, ada, thief)
}

/// Ada has one passkey, which works, and nothing else.
async fn has_only(auth: &Auth, device: &mut Device) {
    let tokens = Tokens::of(&auth.sign_in_by(device).await.ok(200));
    assert_eq!(auth.passkeys(&tokens).await.len(), 1);
    assert!(!auth.ada().await.has_totp());
}

async fn confirm(auth: &Auth, tokens: &Tokens, phone: &Phone) -> (u16, String) {
    let answer = auth.confirm(tokens, &phone.code(auth, 0)).await;
    let (status, kind) = answer.problem();
    (status, kind.to_owned())
}

#[tokio::test]
async fn a_session_from_before_the_first_factor_changes_none() {
    let (auth, ada, thief) = with_thief().await;
    let phone = auth.enrol(&thief).await;
    let mut own = Device::new(Algorithm::EdDsa);
    let made = own.create(&auth.passkey_options(&thief).await);
    let mut device = Device::new(Algorithm::Es256);
    auth.add_passkey(&ada, &mut device).await.ok(201);

    // What was begun before is not finished, and nothing else begins. Both sign-ins are of this minute.
    let id = auth.passkeys(&ada).await[0]["id"].clone();
    for tokens in [&thief, &ada] {
        assert_eq!(auth.add_credential(&thief, &made).await.problem(), TOO_OLD);
        assert_eq!(confirm(&auth, tokens, &phone).await, (403, "sign-in-too-old".to_owned()));
        for name in ["begin-passkey", "enrol-totp"] {
            let answer = auth.as_user(&tokens.access, sample(name)).await;
            assert_eq!(answer.problem(), TOO_OLD, "{name}");
        }
        assert_eq!(auth.remove_passkey(tokens, &id).await.problem(), TOO_OLD);
    }
    has_only(&auth, &mut device).await;
}

/// The thief has read the account before Ada has a factor, and writes after it.
#[tokio::test]
async fn what_is_finished_while_the_first_factor_comes_is_not_made() {
    let (auth, ada, thief) = with_thief().await;
    let phone = auth.enrol(&thief).await;
    let mut own = Device::new(Algorithm::EdDsa);
    let made = own.create(&auth.passkey_options(&thief).await);
    let mut device = Device::new(Algorithm::Es256);
    let code = phone.code(&auth, 0);
    let late = Run::with("totp.confirm", Fault::StallBefore);
    let confirmed = late.attempt(auth.confirm(&thief, &code)).await;
    let late = Run::with("passkeys.add", Fault::StallBefore);
    let added = late.attempt(auth.add_credential(&thief, &made)).await;
    auth.add_passkey(&ada, &mut device).await.ok(201);
    assert_eq!(confirmed.resume().await.unwrap().problem(), TOO_OLD);
    assert_eq!(added.resume().await.unwrap().problem(), TOO_OLD);
    has_only(&auth, &mut device).await;
}

/// An application may have the scope of the account, and gets fresh sessions without a sign-in.
#[tokio::test]
async fn an_application_changes_no_app() {
    let (auth, ada) = with_ada().await;
    let context = auth.authorized(&ada.access).await.unwrap();
    for name in ["enrol-totp", "confirm-totp"] {
        let mut event = sample(name);
        event["requestContext"]["authorizer"]["lambda"] = context.clone();
        event["requestContext"]["authorizer"]["lambda"]["application"] = json!("app_1");
        assert_eq!(auth.call(&event).await.problem(), (403, "forbidden"), "{name}");
    }
}
