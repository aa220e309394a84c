//! Guesses of passwords: how many an attacker gets, at once and in a row.

use std::collections::BTreeMap;
use std::time::Duration;

use auth::email::Email;
use auth::throttle::{LONGEST, MEMORY, MOST, Refused, Tries, wait};
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::fault;

use crate::sessions::{ADA, with_ada};
use crate::support::{Answer, Auth, PASSWORD, auth, sample};

const WRONG: &str = "wrong horse battery";
const NEW: &str = "correct horse battery staple";

fn advance(auth: &Auth, seconds: u64) {
    auth.clock.advance(SignedDuration::from_secs(seconds.try_into().unwrap()));
}

fn email(text: &str) -> Email {
    text.to_owned().try_into().unwrap()
}

fn change(current: &str) -> Value {
    let mut event = sample("change-password");
    event["body"] = json!(json!({"current_password": current, "new_password": NEW}).to_string());
    event
}

/// Counts failures of each address, with the waits between them. Stops at the time of the last one.
pub(crate) async fn fail(auth: &Auth, addresses: &[&str], times: u32) {
    for failures in 0..times {
        auth.clock.advance(SignedDuration::try_from(wait(failures).unwrap()).unwrap());
        for address in addresses {
            let taken = auth.users.take_try(&email(address), auth.clock.now()).await.unwrap();
            assert_eq!(taken, Ok(()), "{address} after {failures}");
        }
    }
}

/// Fails as often as is free.
async fn fail_ten_times(auth: &Auth, address: &str) {
    for _ in 0..10 {
        assert_eq!(auth.sign_in(address, WRONG).await.status, 401);
    }
}

/// How many answers have each status.
fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_guesses_at_once_ten_are_tried() {
    let (auth, _) = with_ada().await;
    for address in [ADA, "nobody@example.org"] {
        let guesses = join_all((0..200).map(|_| auth.sign_in(address, WRONG))).await;
        assert_eq!(statuses(&guesses), BTreeMap::from([(401, 10), (429, 190)]), "{address}");
    }
    // Then one each time the wait is over, however many ask.
    for expected in [1, 2, 4] {
        advance(&auth, expected);
        let guesses = join_all((0..50).map(|_| auth.sign_in(ADA, WRONG))).await;
        assert_eq!(statuses(&guesses), BTreeMap::from([(401, 1), (429, 49)]));
    }
}

#[tokio::test]
async fn the_wait_doubles_and_the_answer_names_it() {
    let (auth, _) = with_ada().await;
    fail_ten_times(&auth, ADA).await;
    for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        let refused = auth.sign_in(ADA, PASSWORD).await;
        assert_eq!(refused.problem(), (429, "too-many-requests"));
        assert_eq!(refused.retry_after(), expected);
        auth.clock
            .advance(SignedDuration::from_millis(i64::try_from(expected).unwrap() * 1_000 - 1));
        assert_eq!(auth.sign_in(ADA, PASSWORD).await.retry_after(), 1, "a millisecond early");
        auth.clock.advance(SignedDuration::from_millis(1));
        assert_eq!(auth.sign_in(ADA, WRONG).await.status, 401, "after {expected} s");
    }
    advance(&auth, 900);
    auth.sign_in(ADA, PASSWORD).await.ok(200);
    fail_ten_times(&auth, ADA).await;
}

#[tokio::test]
async fn after_a_hundred_failures_the_password_must_be_reset() {
    for address in [ADA, "nobody@example.org"] {
        let (auth, tokens) = with_ada().await;
        fail(&auth, &[address], MOST - 1).await;
        assert_eq!(auth.sign_in(address, WRONG).await.status, 429);
        advance(&auth, 900);
        assert_eq!(auth.sign_in(address, WRONG).await.status, 401, "the hundredth");
        for password in [WRONG, PASSWORD] {
            let locked = auth.sign_in(address, password).await;
            assert_eq!(locked.problem(), (403, "password-locked"));
            assert!(locked.body["detail"].as_str().unwrap().contains("by mail"));
        }
        advance(&auth, 24 * 3_600);
        assert_eq!(auth.sign_in(address, PASSWORD).await.status, 403);
        // Other addresses are free, and sessions go on.
        assert_eq!(auth.sign_in("bob@example.org", WRONG).await.status, 401);
        auth.refresh(&tokens.refresh).await.ok(200);

        if address == ADA {
            let token = auth.asked("forgot-password", ADA).await;
            let chosen = json!({"token": token, "password": PASSWORD});
            auth.call_with("reset-password", &chosen).await.ok(204);
        } else {
            auth.users.clear_tries(&email(address)).await.unwrap();
        }
        let after_reset = auth.sign_in(address, PASSWORD).await.status;
        assert_eq!(after_reset, if address == ADA { 200 } else { 401 });
    }
}

#[tokio::test]
async fn a_right_password_clears_the_count() {
    let (auth, _) = with_ada().await;
    for _ in 0..5 {
        for _ in 0..9 {
            assert_eq!(auth.sign_in(ADA, WRONG).await.status, 401);
        }
        auth.sign_in(ADA, PASSWORD).await.ok(200);
    }
    // Clearing what was never counted leaves nothing that TTL would not delete.
    let bob = email("bob@example.org");
    auth.users.clear_tries(&bob).await.unwrap();
    let (taken, requests) = auth.requests.during(auth.users.take_try(&bob, auth.clock.now())).await;
    assert_eq!((taken.unwrap(), requests), (Ok(()), vec!["UpdateItem TRIES".to_owned()]));
}

/// Tries at an address without an account count as well. Its owner has not made them.
#[tokio::test]
async fn a_new_account_is_not_locked() {
    let auth = auth().await;
    fail(&auth, &["bob@example.org"], MOST).await;
    assert_eq!(auth.sign_in("bob@example.org", PASSWORD).await.status, 403);
    auth.register("bob@example.org").await;
    auth.signed_in("bob@example.org").await;
}

/// A link that another one has made useless gives nobody more guesses.
#[tokio::test]
async fn only_a_reset_that_is_made_ends_the_count() {
    let (auth, _) = with_ada().await;
    let [spent, good] =
        [auth.asked("forgot-password", ADA).await, auth.asked("forgot-password", ADA).await];
    let reset = async |token: &str| {
        let chosen = json!({"token": token, "password": PASSWORD});
        auth.call_with("reset-password", &chosen).await.status
    };
    assert_eq!(reset(&good).await, 204);
    fail(&auth, &[ADA], MOST).await;
    assert_eq!(reset(&spent).await, 422);
    assert_eq!(auth.sign_in(ADA, PASSWORD).await.status, 403);
}

#[tokio::test]
async fn every_spelling_of_an_address_is_counted_together() {
    let auth = auth().await;
    auth.register("ada@bu\u{308}cher.example").await;
    let spellings =
        ["ADA@Bücher.example", "ada@xn--bcher-kva.example", " ada@bu\u{308}cher.example"];
    for spelling in spellings {
        auth.sign_in(spelling, PASSWORD).await.ok(200);
    }
    for spelling in spellings.iter().cycle().take(10) {
        assert_eq!(auth.sign_in(spelling, WRONG).await.status, 401);
    }
    for spelling in spellings {
        assert_eq!(auth.sign_in(spelling, PASSWORD).await.status, 429);
    }
}

#[tokio::test]
async fn tries_of_the_current_password_count_as_sign_ins() {
    let (auth, tokens) = with_ada().await;
    for _ in 0..5 {
        let guess = auth.as_user(&tokens.access, change(WRONG)).await;
        assert_eq!(guess.problem(), (422, "wrong-password"));
        assert_eq!(auth.sign_in(ADA, WRONG).await.status, 401);
    }
    for _ in 0..2 {
        let refused = auth.as_user(&tokens.access, change(PASSWORD)).await;
        assert_eq!((refused.problem(), refused.retry_after()), ((429, "too-many-requests"), 1));
        assert_eq!(auth.sign_in(ADA, PASSWORD).await.status, 429);
    }
    advance(&auth, 1);
    auth.as_user(&tokens.access, change(PASSWORD)).await.ok(204);
    fail_ten_times(&auth, ADA).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_guesses_of_the_current_password_at_once_ten_are_tried() {
    let (auth, tokens) = with_ada().await;
    let guesses = join_all((0..200).map(|_| auth.as_user(&tokens.access, change(WRONG)))).await;
    assert_eq!(statuses(&guesses), BTreeMap::from([(422, 10), (429, 190)]));
}

/// The condition of the write says the same as the rule, for each number of failures, to the millisecond.
#[tokio::test]
async fn the_table_decides_as_the_rule() {
    let auth = auth().await;
    let ada = email(ADA);
    for failures in 0..MOST {
        let tried_at = auth.clock.now();
        assert_eq!(auth.users.take_try(&ada, tried_at).await.unwrap(), Ok(()), "{failures}");
        let tries = Tries { failures: failures + 1, tried_at, expires: tried_at + MEMORY };
        let wait = wait(failures + 1).unwrap_or(LONGEST);
        let millisecond = Duration::from_millis(1);
        if let Some(early) = wait.checked_sub(millisecond) {
            let early = tried_at + early;
            let taken = auth.users.take_try(&ada, early).await.unwrap();
            assert_eq!(taken, tries.admit(early), "{failures}");
            let is_locked = failures + 1 == MOST;
            let expected = if is_locked { Refused::Locked } else { Refused::Wait(millisecond) };
            assert_eq!(taken, Err(expected));
        }
        auth.clock.advance(wait.try_into().unwrap());
    }
}

/// TTL deletes late, so the write checks the expiry. Of many tries after it, ten are made.
#[tokio::test(flavor = "multi_thread")]
async fn forgotten_failures_do_not_count() {
    let (auth, _) = with_ada().await;
    let ada = email(ADA);
    for _ in 0..2 {
        fail_ten_times(&auth, ADA).await;
        assert_eq!(auth.sign_in(ADA, WRONG).await.status, 429);
        auth.clock.advance(SignedDuration::try_from(MEMORY).unwrap());
        let now = auth.clock.now();
        let tries = join_all((0..100).map(|_| auth.users.take_try(&ada, now))).await;
        let made = tries.into_iter().filter(|taken| taken.as_ref().unwrap().is_ok()).count();
        assert_eq!(made, 10);
        auth.clock.advance(SignedDuration::try_from(MEMORY).unwrap());
    }
}

/// A crash, a stall, a lost answer or a conflict at each request of a sign-in: a password that was tried is counted,
/// and the user can sign in.
#[tokio::test]
async fn a_sign_in_that_fails_anywhere_is_counted_and_can_be_repeated() {
    let points = fault::walk(async |run: fault::Run| {
        let (auth, _) = with_ada().await;
        let wrong = run.attempt(auth.sign_in(ADA, WRONG)).await.resume().await;
        // At most nine are left, if the password was tried.
        let guesses = join_all((0..20).map(|_| auth.sign_in(ADA, WRONG))).await;
        let tried = statuses(&guesses)[&401];
        let was_tried = wrong.is_some_and(|answer| answer.status == 401);
        assert!(tried <= 10 - usize::from(was_tried) && tried >= 8, "{tried}");
        advance(&auth, 1);
        auth.sign_in(ADA, PASSWORD).await.ok(200);
    })
    .await;
    assert!(points.contains(&"tries.take"), "{points:?}");

    let points = fault::walk(async |run: fault::Run| {
        let (auth, _) = with_ada().await;
        let first = run.attempt(auth.sign_in(ADA, PASSWORD)).await;
        auth.sign_in(ADA, PASSWORD).await.ok(200);
        // A stalled request goes on now.
        if let Some(answer) = first.resume().await {
            // The limiter does not answer.
            let is_unavailable = answer.status == 503;
            assert!(run.allows(answer.status, &[]) || is_unavailable, "{}", answer.body);
        }
        fail_ten_times(&auth, ADA).await;
    })
    .await;
    assert!(points.contains(&"tries.clear") && points.contains(&"sessions.begin"), "{points:?}");
}
