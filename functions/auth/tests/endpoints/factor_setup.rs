//! A second factor is set up and removed, and its recovery codes are replaced.

use std::collections::BTreeSet;

use auth::second_factor::totp::STEP;
use futures::future::join_all;
use serde_json::{Value, json};
use shared::fault;

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
    assert!(uri.starts_with("otpauth://totp/arsenal:ada%40example.org?secret="), "{uri}");
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
    let (auth, tokens, phone) = with_factor().await;
    for event in [sample("enrol-totp"), request("confirm-totp", &json!({"code": "492039"}))] {
        assert_eq!(auth.as_user(&tokens.access, event).await.problem(), (409, "second-factor-on"));
    }
    auth.sign_in_with(&phone.code(&auth, 0)).await.ok(200);
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

/// The transaction says it too, for a change after the enrolment is read.
#[tokio::test]
async fn a_confirmation_during_a_change_of_the_password_is_not_made() {
    for _ in 0..8 {
        let (auth, tokens) = with_ada().await;
        let phone = auth.enrol(&tokens).await;
        let code = phone.code(&auth, 0);
        let (changed, confirmed) = tokio::join!(
            auth.as_user(&tokens.access, change(PASSWORD, NEW)),
            auth.confirm(&tokens, &code)
        );
        changed.ok(204);
        assert!([200, 409].contains(&confirmed.status), "{}", confirmed.body);
        let expected = if confirmed.status == 200 { 202 } else { 200 };
        auth.sign_in(ADA, NEW).await.ok(expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_confirmations_at_once_one_is_made() {
    let (auth, tokens) = with_ada().await;
    let phone = auth.enrol(&tokens).await;
    let code = phone.code(&auth, 0);
    let answers = join_all((0..16).map(|_| auth.confirm(&tokens, &code))).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(made.len(), 1);
    assert!(answers.iter().all(|answer| [200, 409, 429, 503].contains(&answer.status)));
    for code in recovery_codes(&made[0].body) {
        auth.clear_tries().await;
        auth.sign_in_with(&code).await.ok(200);
    }
}

/// A crash, a stall, a lost answer or a conflict at each request of a confirmation: the second factor is on or not. If the
/// answer with the recovery codes was lost, the user makes new ones.
#[tokio::test]
async fn a_confirmation_that_fails_anywhere_is_made_or_not() {
    let points = fault::walk(async |run: fault::Run| {
        let (auth, tokens) = with_ada().await;
        let phone = auth.enrol(&tokens).await;
        let code = phone.code(&auth, 0);
        let first = run.attempt(auth.confirm(&tokens, &code)).await;
        let is_on = auth.factor(&tokens).await["is_on"] == true;
        let again = auth.confirm(&tokens, &code).await;
        assert_eq!(again.status, if is_on { 409 } else { 200 }, "{}", again.body);
        let is_stalled = !first.is_done();
        if let Some(answer) = first.resume().await {
            let is_late = is_stalled && answer.status == 409;
            let is_limited = answer.status == 503;
            assert!(run.allows(answer.status, &[]) || is_late || is_limited, "{}", answer.body);
        }
        assert_eq!(auth.factor(&tokens).await["recovery_codes_left"], 10);
        auth.clear_tries().await;
        auth.seconds(STEP);
        let renewed = auth.with_code("renew-recovery-codes", &tokens, &phone.code(&auth, 0)).await;
        auth.sign_in_with(&recovery_codes(&renewed.ok(200))[0]).await.ok(200);
    })
    .await;
    assert!(points.contains(&"totp.confirm"), "{points:?}");
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

/// A code that a sign-in has used removes nothing, and the other way round.
#[tokio::test]
async fn a_code_is_good_for_one_purpose() {
    for _ in 0..4 {
        let (auth, tokens, phone) = with_factor().await;
        let (code, challenge) = (phone.code(&auth, 0), auth.challenge().await);
        let (signed_in, removed, renewed) = tokio::join!(
            auth.answer(&challenge, &code),
            auth.with_code("remove-totp", &tokens, &code),
            auth.with_code("renew-recovery-codes", &tokens, &code),
        );
        let answers = [signed_in.status, removed.status, renewed.status];
        let made = answers.iter().filter(|status| (200..300).contains(*status)).count();
        assert_eq!(made, 1, "{answers:?}");
    }
}

#[tokio::test]
async fn a_removal_that_fails_anywhere_is_made_or_not() {
    let points = fault::walk(async |run: fault::Run| {
        let (auth, tokens, phone) = with_factor().await;
        let code = phone.code(&auth, 0);
        let first = run.attempt(auth.with_code("remove-totp", &tokens, &code)).await;
        let is_on = auth.factor(&tokens).await["is_on"] == true;
        assert_eq!(auth.sign_in(ADA, PASSWORD).await.status, if is_on { 202 } else { 200 });
        if is_on {
            auth.with_code("remove-totp", &tokens, &code).await.ok(204);
        }
        let is_stalled = !first.is_done();
        if let Some(answer) = first.resume().await {
            let is_late = is_stalled && [409, 422].contains(&answer.status);
            let is_limited = answer.status == 503;
            let allowed = run.allows(answer.status, &["tries.clear"]);
            assert!(allowed || is_late || is_limited, "{}", answer.body);
        }
        auth.sign_in(ADA, PASSWORD).await.ok(200);
        assert!(auth.users.totp(auth.ada().await.user.id).await.unwrap().is_none());
    })
    .await;
    assert!(points.contains(&"totp.remove") && points.contains(&"totp.try"), "{points:?}");
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

#[tokio::test(flavor = "multi_thread")]
async fn of_16_renewals_at_once_with_one_code_one_is_made() {
    for by_app in [true, false] {
        let (auth, tokens, phone) = with_factor().await;
        let code = if by_app { phone.code(&auth, 0) } else { phone.recovery[0].clone() };
        let renewals = (0..16).map(|_| auth.with_code("renew-recovery-codes", &tokens, &code));
        let answers = join_all(renewals).await;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(made.len(), 1);
        assert!(answers.iter().all(|answer| [200, 422, 429].contains(&answer.status)));
        auth.clear_tries().await;
        auth.sign_in_with(&recovery_codes(&made[0].body)[9]).await.ok(200);
    }
}

#[tokio::test]
async fn a_renewal_that_fails_anywhere_is_made_or_not() {
    let points = fault::walk(async |run: fault::Run| {
        let (auth, tokens, phone) = with_factor().await;
        let code = phone.code(&auth, 0);
        let first = run.attempt(auth.with_code("renew-recovery-codes", &tokens, &code)).await;
        auth.clear_tries().await;
        let old = auth.sign_in_with(&phone.recovery[0]).await.status;
        assert!([200, 422].contains(&old));
        let answer = first.resume().await;
        if let Some(answer) = answer {
            let is_limited = answer.status == 503;
            let allowed = run.allows(answer.status, &["tries.clear"]);
            assert!(allowed || is_limited, "{}", answer.body);
            if answer.status == 200 {
                auth.sign_in_with(&recovery_codes(&answer.body)[0]).await.ok(200);
            }
        }
        auth.seconds(STEP);
        auth.clear_tries().await;
        let again = auth.with_code("renew-recovery-codes", &tokens, &phone.code(&auth, 0)).await;
        auth.sign_in_with(&recovery_codes(&again.ok(200))[0]).await.ok(200);
        assert_eq!(auth.sign_in_with(&phone.recovery[1]).await.problem(), (422, "wrong-code"));
    })
    .await;
    assert!(points.contains(&"totp.renew_codes"), "{points:?}");
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
