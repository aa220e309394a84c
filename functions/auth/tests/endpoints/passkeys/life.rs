//! Passkeys as they are used.

use std::collections::BTreeSet;

use serde_json::json;

use super::authenticator::{Algorithm, BACKED_UP, Device, HAS_EXTENSIONS};
use super::{refused, with_passkey};
use crate::factor_support::request;
use crate::sessions::{ADA, change, with_ada};
use crate::support::{ISSUER, PASSWORD, Tokens, sample};

const NEW: &str = "correct horse battery staple";

#[tokio::test]
async fn a_passkey_of_each_algorithm_is_a_whole_sign_in() {
    let (auth, mut tokens) = with_ada().await;
    for (number, algorithm) in
        [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256].into_iter().enumerate()
    {
        let mut device = Device::new(algorithm);
        let added = auth.add_passkey(&tokens, &mut device).await.ok(201);
        let codes = added["recovery_codes"].as_array();
        assert_eq!(codes.map(Vec::len), (number == 0).then_some(10), "{algorithm:?}");
        let answer = auth.sign_in_by(&mut device).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        tokens = Tokens::of(&answer.ok(200));
        assert!(auth.authorized(&tokens.access).await.is_some());
    }
    assert_eq!(auth.passkeys(&tokens).await.len(), 3);
}

#[tokio::test]
async fn the_options_say_what_an_authenticator_must_do() {
    let (auth, tokens, device, _) = with_passkey().await;
    let options = auth.passkey_options(&tokens).await;
    let user = auth.ada().await.user.id.to_bytes();
    assert_eq!(options["rp"]["id"], "auth.example.org");
    assert_eq!(options["user"]["id"], super::authenticator::encoded(&user));
    let known = json!([{"type": "public-key", "id": super::authenticator::encoded(&device.id)}]);
    assert_eq!(options["excludeCredentials"], known);
    let algorithms: Vec<_> =
        (0..3).map(|at| options["pubKeyCredParams"][at]["alg"].clone()).collect();
    assert_eq!(algorithms, [-8, -7, -257]);
    let wanted = &options["authenticatorSelection"];
    assert_eq!(
        (&wanted["residentKey"], &wanted["userVerification"]),
        (&json!("required"), &json!("required"))
    );
    assert_eq!(options["attestation"], "none");
    let (one, other) = (auth.sign_in_options().await, auth.sign_in_options().await);
    assert_eq!(
        (&one["rpId"], &one["userVerification"]),
        (&json!("auth.example.org"), &json!("required"))
    );
    assert_ne!(one["challenge"], other["challenge"]);
    assert!(one.get("allowCredentials").is_none());
}

#[tokio::test]
async fn a_user_sees_passkeys_with_their_last_use_and_their_copies() {
    let (auth, tokens) = with_ada().await;
    let mut device = Device::new(Algorithm::Es256);
    auth.add_passkey(&tokens, &mut device).await.ok(201);
    let shown = auth.passkeys(&tokens).await.remove(0);
    assert_eq!((&shown["name"], &shown["is_backed_up"]), (&json!("Ada's phone"), &json!(true)));
    assert_eq!(shown["client"]["ip"], "203.0.113.7");
    assert_eq!(shown.get("used_at"), None);
    auth.seconds(60);
    device.flags &= !BACKED_UP;
    auth.sign_in_by(&mut device).await.ok(200);
    let shown = auth.passkeys(&tokens).await.remove(0);
    assert_eq!(
        (&shown["used_at"], &shown["is_backed_up"]),
        (&json!("2026-11-21T10:01:00Z"), &json!(false))
    );
    let text = shown.to_string();
    assert!(!text.contains("\"key\"") && !text.contains("credential"), "{text}");
}

#[tokio::test]
async fn a_password_alone_is_not_enough_with_a_passkey() {
    let (auth, _, mut device, codes) = with_passkey().await;
    let answer = auth.sign_in(ADA, PASSWORD).await.ok(202);
    let used = device.get(&answer["passkey"]);
    auth.present(&used).await.ok(200);
    auth.answer(answer["challenge"].as_str().unwrap(), &codes[0]).await.ok(200);
    // Nobody has an app.
    let wrong = auth.sign_in_with("123456").await;
    assert_eq!(wrong.problem(), (422, "wrong-code"));
}

/// Ten tries are free. A passkey after the password clears them, and one alone does not.
#[tokio::test]
async fn only_a_passkey_after_the_password_clears_the_tries() {
    let (auth, _, mut device, _) = with_passkey().await;
    for _ in 0..9 {
        auth.sign_in(ADA, PASSWORD).await.ok(202);
    }
    let options = auth.second_step_options().await;
    auth.sign_in_by(&mut device).await.ok(200);
    assert_eq!(auth.sign_in(ADA, PASSWORD).await.status, 429);
    auth.present(&device.get(&options)).await.ok(200);
    auth.sign_in(ADA, PASSWORD).await.ok(202);
}

#[tokio::test]
async fn a_passkey_survives_a_change_of_the_password_and_ends_no_session() {
    let (auth, tokens, mut device, _) = with_passkey().await;
    let before = auth.second_step_options().await;
    auth.as_user(&tokens.access, change(PASSWORD, NEW)).await.ok(204);
    assert_eq!(auth.present(&device.get(&before)).await.problem(), refused(), "another epoch");
    auth.sign_in_by(&mut device).await.ok(200);
    let options = auth.sign_in(ADA, NEW).await.ok(202)["passkey"].clone();
    auth.present(&device.get(&options)).await.ok(200);
}

#[tokio::test]
async fn a_removed_passkey_is_refused_and_the_last_takes_the_second_factor_with_it() {
    let (auth, tokens, mut device, codes) = with_passkey().await;
    let mut second = Device::new(Algorithm::EdDsa);
    auth.add_passkey(&tokens, &mut second).await.ok(201);
    let listed = auth.passkeys(&tokens).await;
    let ids: BTreeSet<_> = listed.iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    // The newest is the first.
    auth.remove_passkey(&tokens, &listed[0]["id"]).await.ok(204);
    assert_eq!(auth.sign_in_by(&mut second).await.problem(), refused());
    auth.sign_in_by(&mut device).await.ok(200);
    auth.sign_in_with(&codes[0]).await.ok(200);
    let again = auth.remove_passkey(&tokens, &listed[0]["id"]).await;
    assert_eq!(again.problem(), (404, "not-found"));
    let challenge = auth.challenge().await;
    auth.remove_passkey(&tokens, &listed[1]["id"]).await.ok(204);
    assert_eq!(auth.answer(&challenge, &codes[1]).await.problem(), (401, "invalid-challenge"));
    auth.sign_in(ADA, PASSWORD).await.ok(200);
    // The removed passkey may be added again, and brings new codes.
    let added = auth.add_passkey(&tokens, &mut device).await.ok(201);
    assert_eq!(added["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(auth.sign_in_with(&codes[1]).await.problem(), (422, "wrong-code"));
}

/// The first second factor needs the password alone; what comes after it, a sign-in of the last ten minutes.
#[tokio::test]
async fn a_sign_in_is_recent_for_ten_minutes_to_the_second() {
    let (auth, tokens) = with_ada().await;
    auth.seconds(700);
    let mut device = Device::new(Algorithm::Es256);
    auth.add_passkey(&tokens, &mut device).await.ok(201);
    let id = auth.passkeys(&tokens).await[0]["id"].clone();
    let too_old = (403, "sign-in-too-old");
    for name in ["begin-passkey", "enrol-totp"] {
        let answer = auth.as_user(&tokens.access, sample(name)).await;
        assert_eq!(answer.problem(), too_old, "{name}");
    }
    assert_eq!(auth.remove_passkey(&tokens, &id).await.problem(), too_old);
    let tokens = Tokens::of(&auth.sign_in_by(&mut device).await.ok(200));
    auth.seconds(599);
    auth.passkey_options(&tokens).await;
    auth.seconds(1);
    assert_eq!(auth.remove_passkey(&tokens, &id).await.problem(), too_old);
    let wrong = request("begin-passkey", &json!({"current_password": NEW}));
    assert_eq!(auth.as_user(&tokens.access, wrong).await.problem(), (422, "wrong-password"));
}

#[tokio::test]
async fn an_application_changes_no_passkeys() {
    let (auth, tokens, _, _) = with_passkey().await;
    let context = auth.authorized(&tokens.access).await.unwrap();
    for name in ["begin-passkey", "add-passkey", "remove-passkey"] {
        let mut event = sample(name);
        event["requestContext"]["authorizer"]["lambda"] = context.clone();
        event["requestContext"]["authorizer"]["lambda"]["application"] = json!("app_1");
        assert_eq!(auth.call(&event).await.problem(), (403, "forbidden"), "{name}");
    }
}

#[tokio::test]
async fn a_user_has_at_most_20_passkeys() {
    let (auth, tokens, _, _) = with_passkey().await;
    for _ in 1..20 {
        let mut device = Device::new(Algorithm::EdDsa);
        auth.add_passkey(&tokens, &mut device).await.ok(201);
    }
    let answer = auth.as_user(&tokens.access, sample("begin-passkey")).await;
    assert_eq!(answer.problem(), (409, "too-many-passkeys"));
    assert_eq!(auth.passkeys(&tokens).await.len(), 20);
    auth.removed_all(&tokens).await;
    auth.sign_in(ADA, PASSWORD).await.ok(200);
}

#[tokio::test]
async fn extensions_and_unknown_members_are_ignored() {
    let (auth, tokens) = with_ada().await;
    let mut device = Device::new(Algorithm::Es256);
    device.flags |= HAS_EXTENSIONS;
    device.extensions = vec![0xa1, 0x61, b'a', 0xf5];
    auth.add_passkey(&tokens, &mut device).await.ok(201);
    auth.sign_in_by(&mut device).await.ok(200);
    assert!(ISSUER.ends_with(&device.rp_id));
}
