//! Codes of a second factor: each is good once, in time, and guesses are bounded.

use auth::second_factor::MOST_WRONG;
use auth::second_factor::totp::STEP;
use auth::store::Tried;
use auth::throttle::{MOST, wait};
use futures::future::join_all;
use serde_json::json;

use crate::factor_support::{Phone, with_factor};
use crate::sessions::{ADA, change, with_ada};
use crate::support::{Auth, PASSWORD, Tokens, sample};

const NEW: &str = "correct horse battery staple";

impl Auth {
    /// Forgets the tries, so that a test may make more than are free.
    pub(crate) async fn clear_tries(&self) {
        self.users.clear_tries(&ADA.to_owned().try_into().unwrap()).await.unwrap();
    }

    async fn wrong_codes(&self) -> u32 {
        self.users.totp(self.ada().await.user.id).await.unwrap().unwrap().wrong
    }
}

fn wrong() -> (u16, &'static str) {
    (422, "wrong-code")
}

fn over() -> (u16, &'static str) {
    (401, "invalid-challenge")
}

#[tokio::test]
async fn a_code_is_not_good_again_in_its_step_or_in_the_next() {
    let (auth, _, phone) = with_factor().await;
    let (code, challenge) = (phone.code(&auth, 0), auth.challenge().await);
    auth.answer(&challenge, &code).await.ok(200);
    assert_eq!(auth.answer(&challenge, &code).await.problem(), wrong());
    auth.seconds(STEP);
    assert_eq!(auth.answer(&challenge, &code).await.problem(), wrong());
    assert_eq!(auth.sign_in_with(&code).await.problem(), wrong());
    auth.answer(&challenge, &phone.code(&auth, 0)).await.ok(200);
    auth.answer(&challenge, &phone.recovery[0]).await.ok(200);
    assert_eq!(auth.answer(&challenge, &phone.recovery[0]).await.problem(), wrong());
}

/// The clock of the phone is a step behind or ahead, and not more.
#[tokio::test]
async fn a_code_of_the_previous_and_of_the_next_step_is_good() {
    for (steps, is_good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
        let (auth, _, phone) = with_factor().await;
        auth.seconds(STEP);
        let answer = auth.sign_in_with(&phone.code(&auth, steps)).await;
        assert_eq!(answer.status, if is_good { 200 } else { 422 }, "{steps}");
    }
    // After a code of the next step, that of the current one is not later than the last.
    let (auth, _, phone) = with_factor().await;
    auth.sign_in_with(&phone.code(&auth, 1)).await.ok(200);
    for steps in [-1, 0, 1] {
        assert_eq!(auth.sign_in_with(&phone.code(&auth, steps)).await.problem(), wrong());
    }
}

/// A code is shown at a border of steps and sent from 30 s before to 60 s after.
#[tokio::test]
async fn a_code_is_good_to_the_second() {
    let (auth, _, phone) = with_factor().await;
    for (ahead, after, is_good) in
        [(2, STEP - 1, false), (2, STEP, true), (0, 2 * STEP - 1, true), (0, 2 * STEP, false)]
    {
        auth.seconds(10 * STEP);
        let (code, challenge) = (phone.code(&auth, ahead), auth.challenge().await);
        auth.seconds(after);
        let answer = auth.answer(&challenge, &code).await;
        assert_eq!(answer.status, if is_good { 200 } else { 422 }, "{ahead} {after}");
        // Back at a border.
        auth.seconds(2 * STEP - after);
    }
}

#[tokio::test]
async fn a_challenge_expires_to_the_second() {
    let (auth, _, phone) = with_factor().await;
    let challenge = auth.challenge().await;
    auth.seconds(299);
    auth.answer(&challenge, &phone.code(&auth, 0)).await.ok(200);
    auth.seconds(1);
    let answer = auth.answer(&challenge, &phone.code(&auth, 0)).await;
    assert_eq!(answer.problem(), over());
}

#[tokio::test]
async fn a_challenge_ends_with_the_password_and_with_all_sessions() {
    let (auth, tokens, phone) = with_factor().await;
    let challenge = auth.challenge().await;
    auth.as_user(&tokens.access, sample("end-sessions")).await.ok(204);
    assert_eq!(auth.answer(&challenge, &phone.code(&auth, 0)).await.problem(), over());
    let tokens = Tokens::of(&auth.sign_in_with(&phone.code(&auth, 0)).await.ok(200));
    auth.seconds(STEP);
    let challenge = auth.challenge().await;
    auth.as_user(&tokens.access, change(PASSWORD, NEW)).await.ok(204);
    for code in [phone.code(&auth, 0), phone.recovery[0].clone()] {
        assert_eq!(auth.answer(&challenge, &code).await.problem(), over());
    }
    assert_eq!(auth.wrong_codes().await, 0, "no code was looked at");
}

#[tokio::test]
async fn a_text_that_is_not_our_challenge_is_refused() {
    let (auth, tokens, phone) = with_factor().await;
    let challenge = auth.challenge().await;
    let code = phone.code(&auth, 0);
    let mut texts: Vec<_> = (0..challenge.len())
        .map(|at| {
            let other = if &challenge[at..=at] == "A" { "B" } else { "A" };
            format!("{}{other}{}", &challenge[..at], &challenge[at + 1..])
        })
        .collect();
    texts.extend(["", "x", "arsenal_ch_", &challenge[..40], &tokens.refresh].map(str::to_owned));
    texts.extend([tokens.refresh.replace("_rt_", "_ch_"), "a".repeat(8_000), "\u{0}".into()]);
    for text in texts {
        assert_eq!(auth.answer(&text, &code).await.problem(), over(), "{text}");
    }
    let as_token = challenge.replace("_ch_", "_rt_");
    for token in [&challenge, &as_token] {
        assert_eq!(auth.refresh(token).await.problem(), (401, "invalid-refresh-token"));
    }
    auth.answer(&challenge, &code).await.ok(200);
}

#[tokio::test]
async fn a_text_that_is_no_code_is_refused_and_not_counted() {
    let (auth, tokens, _) = with_factor().await;
    let challenge = auth.challenge().await;
    for code in
        ["", "49203", "4920399", "４９２０３９", "49203a", "AAAA-BBBB-UUUU", "\u{0}", "' OR 1=1"]
    {
        let answers = [
            auth.answer(&challenge, code).await,
            auth.confirm(&tokens, code).await,
            auth.with_code("remove-totp", &tokens, code).await,
            auth.with_code("renew-recovery-codes", &tokens, code).await,
        ];
        for answer in answers {
            assert_eq!(answer.problem(), (422, "invalid-body"), "{code:?}");
            assert_eq!(answer.body["errors"][0]["field"], "code");
        }
    }
    assert_eq!(auth.wrong_codes().await, 0);
}

/// Whoever knows the password gets no more guesses by it: it clears no count before the code is right too.
#[tokio::test]
async fn a_right_password_does_not_clear_the_count_without_a_right_code() {
    let (auth, tokens, phone) = with_factor().await;
    for _ in 0..5 {
        assert_eq!(auth.sign_in_with(&phone.wrong(&auth)).await.problem(), wrong());
    }
    assert_eq!(auth.sign_in(ADA, PASSWORD).await.problem(), (429, "too-many-requests"));
    // Nor does a right current password, with a stolen session.
    auth.seconds(1);
    auth.as_user(&tokens.access, change(PASSWORD, NEW)).await.ok(204);
    assert_eq!(auth.sign_in(ADA, NEW).await.retry_after(), 2);
    auth.seconds(2);
    let challenge = auth.sign_in(ADA, NEW).await.ok(202)["challenge"].as_str().unwrap().to_owned();
    // Nor does a code that was right once.
    assert_eq!(auth.answer(&challenge, &phone.code(&auth, 0)).await.retry_after(), 4);
    auth.seconds(4);
    auth.answer(&challenge, &phone.code(&auth, 0)).await.ok(200);
    for _ in 0..9 {
        assert_eq!(auth.answer(&challenge, &phone.code(&auth, 0)).await.problem(), wrong());
    }
    assert_eq!(auth.sign_in(ADA, NEW).await.status, 202);
    assert_eq!(auth.sign_in(ADA, NEW).await.status, 429, "a used code has not cleared it");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_guesses_of_a_code_at_once_nine_are_tried() {
    let (auth, _, phone) = with_factor().await;
    let challenge = auth.challenge().await;
    let code = phone.wrong(&auth);
    let answers = join_all((0..200).map(|_| auth.answer(&challenge, &code))).await;
    let of = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((of(422), of(429)), (9, 191), "the password was the tenth try");
    assert_eq!(auth.wrong_codes().await, 9);
}

/// A hundred failures, of which each second one is a guess of a code, at the pace that is allowed.
#[tokio::test]
async fn after_a_hundred_failures_no_code_is_tried() {
    let (auth, _, phone) = with_factor().await;
    for failures in (0..MOST).step_by(2) {
        auth.clock.advance(wait(failures).unwrap().try_into().unwrap());
        let challenge = auth.challenge().await;
        auth.clock.advance(wait(failures + 1).unwrap().try_into().unwrap());
        let answer = auth.answer(&challenge, &phone.wrong(&auth)).await;
        // The wait may be longer than a challenge lasts.
        assert!([wrong(), over()].contains(&answer.problem()), "{}", answer.body);
        if answer.problem() == over() {
            let email = ADA.to_owned().try_into().unwrap();
            auth.users.take_try(&email, auth.clock.now()).await.unwrap().unwrap();
        }
    }
    assert_eq!(auth.sign_in(ADA, PASSWORD).await.problem(), (403, "password-locked"));
}

/// Whoever reads the mails of the user, and resets the password again and again, gets no more guesses.
#[tokio::test]
async fn a_hundred_wrong_codes_leave_the_recovery_codes_only_after_a_reset_too() {
    let (auth, tokens, phone) = with_factor().await;
    let ada = auth.ada().await;
    for _ in 1..MOST_WRONG {
        assert!(matches!(auth.users.try_code(&ada).await.unwrap(), Tried::Counted(_)));
    }
    let token = auth.asked("forgot-password", ADA).await;
    let chosen = json!({"token": token, "password": PASSWORD});
    auth.call_with("reset-password", &chosen).await.ok(204);
    assert_eq!(auth.sign_in_with(&phone.wrong(&auth)).await.problem(), wrong(), "the hundredth");
    let challenge = auth.challenge().await;
    for code in [phone.code(&auth, 0), phone.wrong(&auth)] {
        let locked = auth.answer(&challenge, &code).await;
        assert_eq!(locked.problem(), (403, "second-factor-locked"));
    }
    assert_eq!(auth.wrong_codes().await, MOST_WRONG);
    assert_eq!(auth.authorized(&tokens.access).await, None, "the reset has ended it");
    assert_eq!(auth.answer(&challenge, "0000-0000-0000").await.problem(), wrong());
    auth.answer(&challenge, &phone.recovery[0]).await.ok(200);
    auth.answer(&challenge, &phone.code(&auth, 0)).await.ok(200);
}

#[tokio::test]
async fn a_right_code_clears_the_count_of_wrong_ones() {
    let (auth, tokens, phone) = with_factor().await;
    for number in 0..4 {
        auth.seconds(STEP);
        let wrong_code = auth.sign_in_with(&phone.wrong(&auth)).await;
        assert_eq!((wrong_code.problem(), auth.wrong_codes().await), (wrong(), 1), "{number}");
        match number {
            0 => auth.sign_in_with(&phone.code(&auth, 0)).await.ok(200),
            1 => auth.sign_in_with(&phone.recovery[0]).await.ok(200),
            2 => auth.with_code("renew-recovery-codes", &tokens, &phone.recovery[1]).await.ok(200),
            _ => {
                auth.with_code("renew-recovery-codes", &tokens, &phone.code(&auth, 0)).await.ok(200)
            }
        };
        assert_eq!(auth.wrong_codes().await, 0, "{number}");
    }
}

/// The count of wrong codes is bounded for tries at once too.
#[tokio::test(flavor = "multi_thread")]
async fn of_300_tries_of_codes_at_once_a_hundred_are_counted() {
    let (auth, _, _) = with_factor().await;
    let ada = auth.ada().await;
    let tries = join_all((0..300).map(|_| auth.users.try_code(&ada))).await;
    let counted =
        tries.iter().filter(|tried| matches!(tried.as_ref().unwrap(), Tried::Counted(_))).count();
    assert_eq!(counted, 100);
}

/// A sign-in by code costs these requests.
#[tokio::test]
async fn a_sign_in_by_code_costs_seven_requests() {
    let (auth, _, phone) = with_factor().await;
    auth.sign_in_with(&phone.code(&auth, 0)).await.ok(200);
    auth.seconds(STEP);
    let (challenge, code) = (auth.challenge().await, phone.code(&auth, 0));
    let (answer, requests) = auth.requests.during(auth.answer(&challenge, &code)).await;
    answer.ok(200);
    let expected = [
        "UpdateItem rate",
        "GetItem USER",
        "UpdateItem TRIES",
        "UpdateItem USER",
        "UpdateItem USER",
        "UpdateItem TRIES",
        "PutItem USER",
    ];
    assert_eq!(requests, expected);
}

/// What is Ada's is of no use for Bob.
#[tokio::test]
async fn a_second_factor_of_another_user_is_of_no_use() {
    let (auth, _, ada) = with_factor().await;
    auth.register("bob@example.org").await;
    let bob = auth.signed_in("bob@example.org").await;
    let phone: Phone = auth.enrol(&bob).await;
    auth.confirm(&bob, &phone.code(&auth, 0)).await.ok(200);
    let needed = auth.sign_in("bob@example.org", PASSWORD).await.ok(202);
    let challenge = needed["challenge"].as_str().unwrap();
    for code in [ada.code(&auth, 0), ada.recovery[0].clone()] {
        assert_eq!(auth.answer(challenge, &code).await.problem(), wrong());
    }
    let (without, _) = with_ada().await;
    assert_eq!(without.answer(challenge, &phone.code(&auth, 1)).await.problem(), over());
}
