//! Passkeys, an authenticator app and recovery codes beside each other.

use shared::fault::{Fault, Run};

use super::authenticator::{Algorithm, Device};
use super::with_passkey;
use crate::factor_support::{Phone, recovery_codes, with_factor};
use crate::sessions::ADA;
use crate::support::{Auth, PASSWORD, Tokens, sample};
use auth::second_factor::totp::STEP;

/// How many recovery codes are left, and whether there is an app.
async fn left(auth: &Auth, tokens: &Tokens) -> (u64, bool) {
    let shown = auth.factor(tokens).await;
    (shown["recovery_codes_left"].as_u64().unwrap(), shown["is_on"] == true)
}

/// Ada with a passkey, and then an app. The new codes of the app replace those of the passkey.
async fn with_both() -> (Auth, Tokens, Device, Phone, Vec<String>) {
    let (auth, tokens, device, old) = Box::pin(with_passkey()).await;
    let mut phone = auth.enrol(&tokens).await;
    let confirmed = auth.confirm(&tokens, &phone.code(&auth, 0)).await.ok(200);
    phone.recovery = recovery_codes(&confirmed);
    auth.seconds(STEP);
    (auth, tokens, device, phone, old)
}

#[tokio::test]
async fn an_app_beside_a_passkey_replaces_the_codes() {
    let (auth, tokens, mut device, phone, old) = with_both().await;
    assert_eq!(auth.sign_in_with(&old[0]).await.problem(), (422, "wrong-code"));
    auth.sign_in_with(&phone.recovery[0]).await.ok(200);
    auth.sign_in_with(&phone.code(&auth, 0)).await.ok(200);
    auth.sign_in_by(&mut device).await.ok(200);
    let options = auth.second_step_options().await;
    auth.present(&device.get(&options)).await.ok(200);
    assert_eq!(left(&auth, &tokens).await, (9, true));
}

#[tokio::test]
async fn a_passkey_beside_an_app_brings_no_codes() {
    let (auth, _, phone) = with_factor().await;
    let tokens = Tokens::of(&auth.sign_in_with(&phone.code(&auth, 0)).await.ok(200));
    let mut device = Device::new(Algorithm::Es256);
    let added = auth.add_passkey(&tokens, &mut device).await.ok(201);
    assert!(added.get("recovery_codes").is_none());
    auth.sign_in_with(&phone.recovery[0]).await.ok(200);
    // The last passkey goes; the app and the codes stay.
    auth.removed_all(&tokens).await;
    auth.sign_in_with(&phone.recovery[1]).await.ok(200);
    assert_eq!(left(&auth, &tokens).await, (8, true));
}

/// The app goes; the codes that are left stay, because there is a passkey.
#[tokio::test]
async fn a_removal_of_the_app_leaves_the_codes_beside_a_passkey() {
    for by_app in [true, false] {
        let (auth, tokens, mut device, phone, _) = with_both().await;
        auth.sign_in_with(&phone.recovery[0]).await.ok(200);
        let code = if by_app { phone.code(&auth, 0) } else { phone.recovery[1].clone() };
        auth.with_code("remove-totp", &tokens, &code).await.ok(204);
        assert_eq!(left(&auth, &tokens).await, (if by_app { 9 } else { 8 }, false));
        for used in [&phone.recovery[0], &code] {
            assert_eq!(auth.sign_in_with(used).await.problem(), (422, "wrong-code"));
        }
        auth.sign_in_with(&phone.recovery[2]).await.ok(200);
        auth.seconds(STEP);
        assert_eq!(auth.sign_in_with(&phone.code(&auth, 0)).await.problem(), (422, "wrong-code"));
        let again = auth.with_code("remove-totp", &tokens, &phone.recovery[3]).await;
        assert_eq!(again.problem(), (409, "second-factor-off"));
        auth.sign_in_by(&mut device).await.ok(200);
        // And at last the passkey.
        auth.removed_all(&tokens).await;
        auth.sign_in(ADA, PASSWORD).await.ok(200);
        assert_eq!(left(&auth, &tokens).await, (0, false));
    }
}

/// A code that is used between the reading of the codes and their move does not come back.
#[tokio::test]
async fn a_code_that_is_used_while_a_removal_of_the_app_stalls_does_not_come_back() {
    let (auth, tokens, _, phone, _) = with_both().await;
    let stall = Run::with("totp.remove", Fault::StallBefore);
    let code = phone.recovery[0].clone();
    let first = stall.attempt(auth.with_code("remove-totp", &tokens, &code)).await;
    auth.sign_in_with(&phone.recovery[1]).await.ok(200);
    assert_eq!(first.resume().await.unwrap().problem(), (422, "wrong-code"));
    auth.with_code("remove-totp", &tokens, &code).await.ok(204);
    for used in [&phone.recovery[1], &code] {
        assert_eq!(auth.sign_in_with(used).await.problem(), (422, "wrong-code"));
    }
}

/// The last passkey goes between the reading of the account and the removal of the app.
#[tokio::test]
async fn a_removal_of_the_app_that_stalls_sees_that_the_last_passkey_went() {
    let (auth, tokens, _, phone, _) = with_both().await;
    let stall = Run::with("totp.remove", Fault::StallBefore);
    let code = phone.code(&auth, 0);
    let first = stall.attempt(auth.with_code("remove-totp", &tokens, &code)).await;
    auth.removed_all(&tokens).await;
    first.resume().await.unwrap().ok(204);
    auth.sign_in(ADA, PASSWORD).await.ok(200);
    let ada = auth.ada().await;
    assert!(auth.users.codes(&ada).await.unwrap().is_none());
}

/// The app goes between the reading of the account and the removal of the last passkey.
#[tokio::test]
async fn a_removal_of_the_last_passkey_that_stalls_sees_that_the_app_went() {
    let (auth, tokens, _, phone, _) = with_both().await;
    let id = auth.passkeys(&tokens).await[0]["id"].clone();
    let stall = Run::with("passkeys.remove", Fault::StallBefore);
    let first = stall.attempt(auth.remove_passkey(&tokens, &id)).await;
    auth.with_code("remove-totp", &tokens, &phone.recovery[0]).await.ok(204);
    first.resume().await.unwrap().ok(204);
    auth.sign_in(ADA, PASSWORD).await.ok(200);
    let shown = auth.factor(&tokens).await;
    assert_eq!(shown["recovery_codes_left"], 0);
    let recovery = auth.users.codes(&auth.ada().await).await.unwrap();
    assert!(recovery.is_none(), "{recovery:?}");
}

#[tokio::test]
async fn codes_of_a_passkey_are_renewed_and_good_once() {
    let (auth, tokens, _, codes) = with_passkey().await;
    let renewed = auth.with_code("renew-recovery-codes", &tokens, &codes[0]).await.ok(200);
    let renewed = recovery_codes(&renewed);
    for used in &codes[..2] {
        assert_eq!(auth.sign_in_with(used).await.problem(), (422, "wrong-code"));
    }
    auth.sign_in_with(&renewed[0]).await.ok(200);
    assert_eq!(auth.sign_in_with(&renewed[0]).await.problem(), (422, "wrong-code"));
    assert_eq!(left(&auth, &tokens).await, (9, false));
    let shown = auth.as_user(&tokens.access, sample("confirm-totp")).await;
    assert_eq!(shown.problem(), (409, "second-factor-off"), "no enrolment");
}
