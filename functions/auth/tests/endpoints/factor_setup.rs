//! A second factor is set up and removed, and its recovery codes are replaced.

use std::collections::BTreeSet;

use auth::second_factor::totp::STEP;
use serde_json::{Value, json};

use crate::factor_support::{Phone, recovery_codes, request, with_factor};
use crate::sessions::{ADA, change, with_ada};
use crate::support::{Answer, PASSWORD, Tokens, sample};

const NEW: &str = "correct horse battery staple";

fn refusal(answer: &Answer) -> (u16, &str, &Value) {
    let (status, slug) = answer.problem();
    (status, slug, &answer.body["errors"][0]["field"])
}

#[tokio::test]
async fn a_second_factor_is_set_up_and_asked_for() {
    let (auth, tokens) = with_ada().await;
    let answer = auth.as_user(&tokens.access, sample("enrol-totp")).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let enrolment = answer.ok(201);
    let uri = enrolment["uri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/auth.example.org:ada%40example.org?secret="), "{uri}");
    assert_eq!(enrolment["expires_in"], 3_600);
    auth.sign_in(ADA, PASSWORD).await.ok(200);
    let off = json!({"is_on": false, "recovery_codes_left": 0});
    assert_eq!(auth.factor(&tokens).await, off, "it is not in force yet");

    let phone = Phone::of(&enrolment);
    let confirmed = auth.confirm(&tokens, &phone.code(&auth, 0)).await;
    assert_eq!(confirmed.headers["cache-control"], "no-store");
    let codes = recovery_codes(&confirmed.ok(200));
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 10);
    let on = json!({"is_on": true, "since": "2026-11-21T10:00:00Z", "recovery_codes_left": 10});
    assert_eq!(auth.factor(&tokens).await, on);

    let needed = auth.sign_in(ADA, PASSWORD).await;
    assert_eq!(needed.headers["cache-control"], "no-store");
    let needed = needed.ok(202);
    assert_eq!(needed["expires_in"], 300);
    let challenge = needed["challenge"].as_str().unwrap();
    assert!(challenge.starts_with("arsenal_ch_"));
    let used = auth.answer(challenge, &phone.code(&auth, 0)).await;
    assert_eq!(refusal(&used), (422, "wrong-code", &json!("code")), "the confirmation used it");
    auth.seconds(STEP);
    let signed_in = auth.answer(challenge, &phone.code(&auth, 0)).await;
    assert_eq!(signed_in.headers["cache-control"], "no-store");
    let new = Tokens::of(&signed_in.ok(200));
    for tokens in [&tokens, &new] {
        assert!(auth.authorized(&tokens.access).await.is_some(), "sessions go on");
    }
    auth.refresh(&new.refresh).await.ok(200);
}

#[tokio::test]
async fn a_second_enrolment_replaces_the_first() {
    let (auth, tokens) = with_ada().await;
    let [first, second] = [auth.enrol(&tokens).await, auth.enrol(&tokens).await];
    assert_ne!(first.secret, second.secret);
    let old = auth.confirm(&tokens, &first.code(&auth, 0)).await;
    assert_eq!(refusal(&old), (422, "wrong-code", &json!("code")));
    auth.confirm(&tokens, &second.code(&auth, 0)).await.ok(200);
}

#[tokio::test]
async fn an_enrolment_needs_the_password_and_no_second_factor() {
    let (auth, tokens) = with_ada().await;
    let none = auth.confirm(&tokens, "492039").await;
    assert_eq!(none.problem(), (409, "second-factor-off"));
    let wrong = request("enrol-totp", &json!({"current_password": NEW}));
    let refused = auth.as_user(&tokens.access, wrong.clone()).await;
    assert_eq!(refusal(&refused), (422, "wrong-password", &json!("current_password")));
    for name in ["remove-totp", "renew-recovery-codes"] {
        let off = auth.with_code(name, &tokens, "492039").await;
        assert_eq!(off.problem(), (409, "second-factor-off"), "{name}");
    }
    let (auth, _, phone) = with_factor().await;
    let tokens = Tokens::of(&auth.sign_in_with(&phone.code(&auth, 0)).await.ok(200));
    for event in [sample("enrol-totp"), request("confirm-totp", &json!({"code": "492039"}))] {
        assert_eq!(auth.as_user(&tokens.access, event).await.problem(), (409, "second-factor-on"));
    }
}

#[tokio::test]
async fn an_enrolment_expires_to_the_second() {
    let (auth, mut tokens) = with_ada().await;
    for (wait, status) in [(3_600, 409), (3_599, 200)] {
        let phone = auth.enrol(&tokens).await;
        auth.seconds(wait);
        tokens = auth.refreshed(&tokens).await;
        let answer = auth.confirm(&tokens, &phone.code(&auth, 0)).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}

/// Somebody who knew the former password cannot put a secret in force.
#[tokio::test]
async fn an_enrolment_ends_with_the_password_and_with_all_sessions() {
    let (auth, tokens) = with_ada().await;
    let phone = auth.enrol(&tokens).await;
    auth.as_user(&tokens.access, change(PASSWORD, NEW)).await.ok(204);
    let late = auth.confirm(&tokens, &phone.code(&auth, 0)).await;
    assert_eq!(late.problem(), (409, "second-factor-off"));
    auth.sign_in(ADA, NEW).await.ok(200);

    let (auth, tokens) = with_ada().await;
    let phone = auth.enrol(&tokens).await;
    auth.as_user(&tokens.access, sample("end-sessions")).await.ok(204);
    let tokens = auth.signed_in(ADA).await;
    let late = auth.confirm(&tokens, &phone.code(&auth, 0)).await;
    assert_eq!(late.problem(), (409, "second-factor-off"));
}

#[tokio::test]
async fn a_removal_needs_the_password_and_a_code() {
    let (auth, tokens, phone) = with_factor().await;
    let challenge = auth.challenge().await;
    let body = json!({"current_password": NEW, "code": phone.code(&auth, 0)});
    let wrong = auth.as_user(&tokens.access, request("remove-totp", &body)).await;
    assert_eq!(refusal(&wrong), (422, "wrong-password", &json!("current_password")));
    for code in [phone.wrong(&auth), "0000-0000-0000".into()] {
        let wrong = auth.with_code("remove-totp", &tokens, &code).await;
        assert_eq!(refusal(&wrong), (422, "wrong-code", &json!("code")));
    }
    assert_eq!(auth.factor(&tokens).await["is_on"], true);
    auth.with_code("remove-totp", &tokens, &phone.code(&auth, 0)).await.ok(204);
    let off = json!({"is_on": false, "recovery_codes_left": 0});
    assert_eq!(auth.factor(&tokens).await, off);
    auth.sign_in(ADA, PASSWORD).await.ok(200);
    let late = auth.answer(&challenge, &phone.code(&auth, 1)).await;
    assert_eq!(late.problem(), (401, "invalid-challenge"));

    // Another one can be set up, and its removal by a recovery code is as good.
    let mut phone = auth.enrol(&tokens).await;
    let old = auth.answer(&challenge, &phone.code(&auth, 0)).await;
    assert_eq!(old.problem(), (401, "invalid-challenge"), "an enrolment is not in force");
    let confirmed = auth.confirm(&tokens, &phone.code(&auth, 0)).await.ok(200);
    phone.recovery = recovery_codes(&confirmed);
    auth.with_code("remove-totp", &tokens, &phone.recovery[3]).await.ok(204);
    auth.sign_in(ADA, PASSWORD).await.ok(200);
}

#[tokio::test]
async fn new_recovery_codes_replace_all_old_ones() {
    let (auth, tokens, phone) = with_factor().await;
    auth.sign_in_with(&phone.recovery[0]).await.ok(200);
    assert_eq!(auth.factor(&tokens).await["recovery_codes_left"], 9);
    let renewed = auth.with_code("renew-recovery-codes", &tokens, &phone.recovery[1]).await;
    assert_eq!(renewed.headers["cache-control"], "no-store");
    let new = recovery_codes(&renewed.ok(200));
    assert_eq!(auth.factor(&tokens).await["recovery_codes_left"], 10);
    for old in &phone.recovery[..4] {
        assert_eq!(auth.sign_in_with(old).await.problem(), (422, "wrong-code"));
    }
    auth.clear_tries().await;
    auth.sign_in_with(&new[0].to_lowercase().replace('-', " ")).await.ok(200);
    assert_eq!(auth.sign_in_with(&new[0]).await.problem(), (422, "wrong-code"), "good once");
    auth.with_code("renew-recovery-codes", &tokens, &phone.code(&auth, 0)).await.ok(200);
}

#[tokio::test]
async fn a_reset_of_the_password_does_not_switch_it_off() {
    let (auth, _, phone) = with_factor().await;
    let token = auth.asked("forgot-password", ADA).await;
    let chosen = json!({"token": token, "password": NEW});
    auth.call_with("reset-password", &chosen).await.ok(204);
    let needed = auth.sign_in(ADA, NEW).await.ok(202);
    let challenge = needed["challenge"].as_str().unwrap();
    auth.answer(challenge, &phone.code(&auth, 0)).await.ok(200);
}

/// Also an emergency, which ends the challenges: without its key, nobody could sign in.
#[tokio::test]
async fn a_second_factor_stays_when_the_keys_rotate() {
    let (auth, _, phone) = with_factor().await;
    for emergency in [false, true] {
        let challenge = auth.challenge().await;
        auth.rotation().handle(&json!({"emergency": emergency})).await.unwrap();
        auth.seconds(60);
        let answer = auth.answer(&challenge, &phone.code(&auth, 0)).await;
        if emergency {
            assert_eq!(answer.problem(), (401, "invalid-challenge"));
        } else {
            answer.ok(200);
        }
    }
    auth.sign_in_with(&phone.code(&auth, 0)).await.ok(200);
    auth.sign_in_with(&phone.recovery[0]).await.ok(200);
}
