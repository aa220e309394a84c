//! Second factors under races and faults: a code is used once, and a change is made or not.

use auth::second_factor::Proof;
use auth::second_factor::totp::STEP;
use auth::store::Tried;
use futures::future::join_all;
use shared::fault::{self, Fault, Run};

use crate::factor_support::{recovery_codes, with_factor};
use crate::sessions::{ADA, change, with_ada};
use crate::support::{PASSWORD, Tokens};

const NEW: &str = "correct horse battery staple";

fn wrong() -> (u16, &'static str) {
    (422, "wrong-code")
}

/// The code is used between the check of it and what it allows.
#[tokio::test]
async fn a_code_that_is_used_while_a_change_stalls_changes_nothing() {
    for (name, point) in
        [("remove-totp", "totp.remove"), ("renew-recovery-codes", "totp.renew_codes")]
    {
        for by_app in [true, false] {
            let (auth, tokens, phone) = with_factor().await;
            let code = if by_app { phone.code(&auth, 0) } else { phone.recovery[0].clone() };
            let stall = Run::with(point, Fault::StallBefore);
            let first = stall.attempt(auth.with_code(name, &tokens, &code)).await;
            assert!(!first.is_done());
            auth.sign_in_with(&code).await.ok(200);
            assert_eq!(first.resume().await.unwrap().problem(), wrong(), "{name}");
            auth.sign_in_with(&phone.recovery[1]).await.ok(200);
        }
    }
}

/// The account changes between the check of the code and the confirmation, or the removal.
#[tokio::test]
async fn a_password_that_is_changed_while_a_change_stalls_is_asked_for() {
    let (auth, tokens) = with_ada().await;
    let phone = auth.enrol(&tokens).await;
    let code = phone.code(&auth, 0);
    let stall = Run::with("totp.confirm", Fault::StallBefore);
    let first = stall.attempt(auth.confirm(&tokens, &code)).await;
    auth.as_user(&tokens.access, change(PASSWORD, NEW)).await.ok(204);
    assert_eq!(first.resume().await.unwrap().problem(), (409, "second-factor-off"));
    auth.sign_in(ADA, NEW).await.ok(200);

    let (auth, tokens, phone) = with_factor().await;
    let code = phone.code(&auth, 0);
    let stall = Run::with("totp.remove", Fault::StallBefore);
    let first = stall.attempt(auth.with_code("remove-totp", &tokens, &code)).await;
    auth.as_user(&tokens.access, change(PASSWORD, NEW)).await.ok(204);
    assert_eq!(first.resume().await.unwrap().problem(), (422, "wrong-password"));
    auth.sign_in(ADA, NEW).await.ok(202);
}

/// A second enrolment comes between the check of a code of the first and its confirmation.
#[tokio::test]
async fn a_secret_that_is_replaced_while_its_confirmation_stalls_is_not_confirmed() {
    let (auth, tokens) = with_ada().await;
    let phone = auth.enrol(&tokens).await;
    let code = phone.code(&auth, 0);
    let stall = Run::with("totp.confirm", Fault::StallBefore);
    let first = stall.attempt(auth.confirm(&tokens, &code)).await;
    let second = auth.enrol(&tokens).await;
    assert_eq!(first.resume().await.unwrap().problem(), wrong());
    auth.confirm(&tokens, &second.code(&auth, 0)).await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_sign_ins_at_once_with_one_code_one_succeeds() {
    for by_app in [true, false] {
        let (auth, _, phone) = with_factor().await;
        let code = if by_app { phone.code(&auth, 0) } else { phone.recovery[0].clone() };
        let challenge = auth.challenge().await;
        auth.clear_tries().await;
        let answers = join_all((0..16).map(|_| auth.answer(&challenge, &code))).await;
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        let of = |status| statuses.iter().filter(|found| **found == status).count();
        assert_eq!(of(200), 1, "{statuses:?}");
        assert_eq!(of(422) + of(429), 15, "{statuses:?}");
        assert!(of(422) >= 9, "{statuses:?}");
    }
}

/// The same without the limit of tries: all reach the write.
#[tokio::test(flavor = "multi_thread")]
async fn of_64_uses_of_a_proof_at_once_one_is_made() {
    let (auth, _, phone) = with_factor().await;
    let ada = auth.ada().await;
    let user = ada.user.id;
    for round in 0..4 {
        let Tried::Counted(totp) = auth.users.try_code(&ada).await.unwrap() else { panic!() };
        let step = Proof::Step(totp.last_step + 1);
        let recovery = Proof::Recovery(totp.codes.first().unwrap().clone());
        for proof in [step, recovery] {
            let attempts = (0..64).map(|_| auth.users.use_code(&totp, &proof, auth.ids.next()));
            let made =
                join_all(attempts).await.into_iter().filter(|used| *used.as_ref().unwrap()).count();
            assert_eq!(made, 1, "round {round}");
        }
    }
    assert_eq!(auth.users.totp(user).await.unwrap().unwrap().codes.len(), phone.recovery.len() - 4);
}

/// Both have found the code right before one of them uses it.
#[tokio::test]
async fn a_code_that_is_used_while_a_sign_in_stalls_is_not_good_for_it() {
    for by_app in [true, false] {
        let (auth, _, phone) = with_factor().await;
        let code = if by_app { phone.code(&auth, 0) } else { phone.recovery[0].clone() };
        let challenge = auth.challenge().await;
        let stall = Run::with("totp.use", Fault::StallBefore);
        let first = stall.attempt(auth.answer(&challenge, &code)).await;
        assert!(!first.is_done());
        auth.answer(&challenge, &code).await.ok(200);
        assert_eq!(first.resume().await.unwrap().problem(), wrong());
    }
}

/// The SDK sends a request again whose answer is lost. It is not taken for another sign-in.
#[tokio::test]
async fn a_use_that_is_sent_twice_is_one_use() {
    for by_app in [true, false] {
        let (auth, tokens, phone) = with_factor().await;
        let code = if by_app { phone.code(&auth, 0) } else { phone.recovery[0].clone() };
        let challenge = auth.challenge().await;
        let twice = Run::with("totp.use", Fault::Repeat);
        let answer = twice.attempt(auth.answer(&challenge, &code)).await.resume().await;
        answer.unwrap().ok(200);
        assert_eq!(auth.answer(&challenge, &code).await.problem(), wrong());
        auth.seconds(STEP);
        let code = if by_app { phone.code(&auth, 0) } else { phone.recovery[1].clone() };
        let twice = Run::with("totp.renew_codes", Fault::Repeat);
        let renewal = auth.with_code("renew-recovery-codes", &tokens, &code);
        let renewed = twice.attempt(renewal).await.resume().await.unwrap().ok(200);
        auth.sign_in_with(&recovery_codes(&renewed)[0]).await.ok(200);
    }
}

/// The sign-in has read the account before the change.
#[tokio::test]
async fn a_sign_in_by_code_during_a_change_of_the_password_is_no_session() {
    for _ in 0..8 {
        let (auth, tokens, phone) = with_factor().await;
        let (challenge, code) = (auth.challenge().await, phone.code(&auth, 0));
        let (changed, signed_in) = tokio::join!(
            auth.as_user(&tokens.access, change(PASSWORD, NEW)),
            auth.answer(&challenge, &code)
        );
        changed.ok(204);
        if signed_in.status == 200 {
            let late = Tokens::of(&signed_in.body);
            assert_eq!(auth.authorized(&late.access).await, None);
        }
    }
}

/// A crash, a stall, a lost answer or a conflict at each request of a sign-in by code: the code is used at most once, and
/// the next one is good.
#[tokio::test]
async fn a_sign_in_by_code_that_fails_anywhere_uses_the_code_at_most_once() {
    for by_app in [true, false] {
        let points = fault::walk(async |run: fault::Run| {
            let (auth, _, phone) = with_factor().await;
            let code = if by_app { phone.code(&auth, 0) } else { phone.recovery[0].clone() };
            let challenge = auth.challenge().await;
            let first = run.attempt(auth.answer(&challenge, &code)).await;
            let is_stalled = !first.is_done();
            let second = auth.answer(&challenge, &code).await;
            let mut made = usize::from(second.status == 200);
            assert!([200, 422].contains(&second.status), "{}", second.body);
            if let Some(answer) = first.resume().await {
                let is_late = is_stalled && answer.status == 422;
                let is_limited = answer.status == 503;
                let allowed = run.allows(answer.status, &["tries.clear"]);
                assert!(allowed || is_late || is_limited, "{}", answer.body);
                made += usize::from(answer.status == 200);
            }
            assert!(made <= 1, "{made}");
            assert_eq!(auth.answer(&challenge, &code).await.problem(), wrong());
            auth.seconds(STEP);
            auth.answer(&challenge, &phone.code(&auth, 0)).await.ok(200);
        })
        .await;
        let all = ["tries.take", "totp.try", "totp.use", "tries.clear", "sessions.begin"];
        assert!(all.iter().all(|point| points.contains(point)), "{points:?}");
    }
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
