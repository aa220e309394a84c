//! Sessions: refreshed, listed, ended, and stolen.

use std::collections::BTreeSet;
use std::time::Duration;

use auth::session::{Client, GRACE, IDLE, LIFETIME};
use auth::store::Rotated;
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::fault;

use crate::support::{Auth, PASSWORD, Tokens, auth, sample};

pub(crate) const ADA: &str = "ada@example.org";

const SECOND: Duration = Duration::from_secs(1);

/// A second before this time is over.
pub(crate) fn before(time: Duration) -> Duration {
    time.checked_sub(SECOND).unwrap()
}

pub(crate) fn advance(auth: &Auth, by: Duration) {
    auth.clock.advance(SignedDuration::try_from(by).unwrap());
}

pub(crate) async fn with_ada() -> (Auth, Tokens) {
    let auth = auth().await;
    auth.register(ADA).await;
    let tokens = auth.signed_in(ADA).await;
    (auth, tokens)
}

pub(crate) fn wrong() -> (u16, &'static str) {
    (401, "invalid-refresh-token")
}

#[tokio::test]
async fn each_refresh_gives_new_tokens_of_the_same_session() {
    let (auth, mut tokens) = with_ada().await;
    let session = auth.authorized(&tokens.access).await.unwrap()["sid"].clone();
    let mut seen = BTreeSet::from([tokens.refresh.clone()]);
    for _ in 0..3 {
        advance(&auth, Duration::from_mins(15));
        assert_eq!(auth.authorized(&tokens.access).await, None, "the access token has expired");
        let answer = auth.refresh(&tokens.refresh).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        tokens = Tokens::of(&answer.ok(200));
        assert!(seen.insert(tokens.refresh.clone()));
        assert_eq!(auth.authorized(&tokens.access).await.unwrap()["sid"], session);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_refreshes_at_once_each_gets_the_one_successor() {
    let (auth, tokens) = with_ada().await;
    let answers = join_all((0..200).map(|_| auth.refresh(&tokens.refresh))).await;
    let successors: BTreeSet<_> =
        answers.into_iter().map(|answer| Tokens::of(&answer.ok(200)).refresh).collect();
    assert_eq!(successors.len(), 1);
    let successor = successors.first().unwrap();

    // Nobody is signed out, and the chain goes on.
    let next = Tokens::of(&auth.refresh(successor).await.ok(200));
    assert!(auth.authorized(&next.access).await.is_some());

    // A reuse after the grace ends the session, for the thief and for the owner.
    advance(&auth, GRACE);
    assert_eq!(auth.refresh(&tokens.refresh).await.problem(), wrong());
    for token in [successor, &next.refresh, &tokens.refresh] {
        assert_eq!(auth.refresh(token).await.problem(), wrong());
    }
    assert_eq!(auth.authorized(&next.access).await, None);
}

#[tokio::test]
async fn a_client_whose_answer_was_lost_gets_it_again_for_a_while() {
    let (auth, tokens) = with_ada().await;
    let first = Tokens::of(&auth.refresh(&tokens.refresh).await.ok(200)).refresh;
    advance(&auth, before(GRACE));
    let again = Tokens::of(&auth.refresh(&tokens.refresh).await.ok(200)).refresh;
    assert_eq!(first, again);
    advance(&auth, SECOND);
    assert_eq!(auth.refresh(&tokens.refresh).await.problem(), wrong());
    assert_eq!(auth.refresh(&first).await.problem(), wrong(), "the session has ended");
}

#[tokio::test]
async fn a_token_two_steps_back_ends_the_session_at_once() {
    let (auth, tokens) = with_ada().await;
    let second = Tokens::of(&auth.refresh(&tokens.refresh).await.ok(200)).refresh;
    let third = Tokens::of(&auth.refresh(&second).await.ok(200)).refresh;
    assert_eq!(auth.refresh(&tokens.refresh).await.problem(), wrong());
    assert_eq!(auth.refresh(&third).await.problem(), wrong());
}

#[tokio::test]
async fn a_text_that_is_not_our_token_is_refused() {
    let (auth, tokens) = with_ada().await;
    let mut altered = tokens.refresh.clone();
    altered.replace_range(20..21, if &altered[20..21] == "A" { "B" } else { "A" });
    for token in ["", "x", &altered, &tokens.access, &tokens.refresh[..40], &"a".repeat(8_000)] {
        assert_eq!(auth.refresh(token).await.problem(), wrong(), "{token}");
    }
    auth.refresh(&tokens.refresh).await.ok(200);
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_after_its_lifetime() {
    let (auth, tokens) = with_ada().await;
    advance(&auth, before(IDLE));
    let mut tokens = Tokens::of(&auth.refresh(&tokens.refresh).await.ok(200));
    let idle = auth.signed_in(ADA).await;
    advance(&auth, IDLE);
    assert_eq!(auth.refresh(&idle.refresh).await.problem(), wrong());
    assert_eq!(auth.refresh(&tokens.refresh).await.problem(), wrong());

    tokens = auth.signed_in(ADA).await;
    for _ in 0..2 {
        advance(&auth, LIFETIME / 3);
        tokens = Tokens::of(&auth.refresh(&tokens.refresh).await.ok(200));
    }
    advance(&auth, before(LIFETIME / 3));
    let last = auth.refresh(&tokens.refresh).await.ok(200);
    assert_eq!(last["refresh_expires_in"], 1);
    let tokens = Tokens::of(&last);
    advance(&auth, SECOND);
    assert_eq!(auth.refresh(&tokens.refresh).await.problem(), wrong());
    assert_eq!(auth.authorized(&tokens.access).await, None, "it ends with its session");
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let (auth, first) = with_ada().await;
    let second = auth.signed_in(ADA).await;
    auth.register("bob@example.org").await;
    let bob = auth.signed_in("bob@example.org").await;

    let listed = auth.as_user(&second.access, sample("list-sessions")).await.ok(200);
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(
        (&sessions[0]["is_current"], &sessions[1]["is_current"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(sessions[0]["client"], json!({"user_agent": "curl/8.5.0", "ip": "203.0.113.7"}));
    let old = sessions[1]["id"].as_str().unwrap();

    let mut page = sample("list-sessions");
    page["rawQueryString"] = json!("limit=1");
    let newest = auth.as_user(&second.access, page.clone()).await.ok(200);
    page["rawQueryString"] =
        json!(format!("limit=1&cursor={}", newest["next_cursor"].as_str().unwrap()));
    let oldest = auth.as_user(&second.access, page).await.ok(200);
    assert_eq!((&oldest["sessions"][0]["id"], &oldest["next_cursor"]), (&json!(old), &Value::Null));

    let end = |id: &str| {
        let event = sample("end-session").to_string();
        serde_json::from_str(&event.replace("ses_01M7YRRT800000000000000002", id)).unwrap()
    };
    assert_eq!(auth.as_user(&bob.access, end(old)).await.problem(), (404, "not-found"));
    assert!(auth.authorized(&first.access).await.is_some());
    for _ in 0..2 {
        auth.as_user(&second.access, end(old)).await.ok(204);
        assert_eq!(auth.authorized(&first.access).await, None);
        assert_eq!(auth.refresh(&first.refresh).await.problem(), wrong());
    }
    let left = auth.as_user(&second.access, sample("list-sessions")).await.ok(200);
    assert_eq!(left["sessions"].as_array().unwrap().len(), 1);

    auth.as_user(&second.access, sample("logout")).await.ok(204);
    assert_eq!(auth.authorized(&second.access).await, None);
    assert_eq!(auth.refresh(&second.refresh).await.problem(), wrong());
    assert!(auth.authorized(&bob.access).await.is_some());
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_sessions_and_no_later_one() {
    let (auth, first) = with_ada().await;
    let second = auth.signed_in(ADA).await;
    auth.as_user(&second.access, sample("end-sessions")).await.ok(204);
    for tokens in [first, second] {
        assert_eq!(auth.authorized(&tokens.access).await, None);
        assert_eq!(auth.refresh(&tokens.refresh).await.problem(), wrong());
    }
    let later = auth.signed_in(ADA).await;
    assert!(auth.authorized(&later.access).await.is_some());
    auth.refresh(&later.refresh).await.ok(200);
    let listed = auth.as_user(&later.access, sample("list-sessions")).await.ok(200);
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1);
}

pub(crate) fn change(current: &str, new: &str) -> Value {
    let mut event = sample("change-password");
    event["body"] = json!(json!({"current_password": current, "new_password": new}).to_string());
    event
}

#[tokio::test]
async fn a_changed_password_keeps_this_session_and_ends_the_others() {
    let (auth, tokens) = with_ada().await;
    let other = auth.signed_in(ADA).await;
    let new = "correct horse battery staple";
    let refused = auth.as_user(&tokens.access, change("wrong horse battery", new)).await;
    assert_eq!(refused.problem(), (422, "wrong-password"));
    assert_eq!(refused.body["errors"][0]["field"], "current_password");
    let short = auth.as_user(&tokens.access, change(PASSWORD, "short")).await;
    assert_eq!(short.body["errors"][0]["field"], "new_password");
    assert!(auth.authorized(&other.access).await.is_some(), "nothing has changed");

    auth.as_user(&tokens.access, change(PASSWORD, new)).await.ok(204);
    assert_eq!(auth.authorized(&other.access).await, None);
    assert_eq!(auth.refresh(&other.refresh).await.problem(), wrong());
    assert!(auth.authorized(&tokens.access).await.is_some());
    auth.refresh(&tokens.refresh).await.ok(200);
    assert_eq!(auth.sign_in(ADA, PASSWORD).await.problem(), (401, "invalid-credentials"));
    auth.sign_in(ADA, new).await.ok(200);
}

#[tokio::test]
async fn of_two_changes_of_a_password_at_once_one_is_made() {
    let (auth, tokens) = with_ada().await;
    let news = ["the first new password", "the second new password"];
    let answers =
        join_all(news.map(|new| auth.as_user(&tokens.access, change(PASSWORD, new)))).await;
    let statuses: BTreeSet<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, BTreeSet::from([204, 422]), "the other one knows no longer the password");
    let made = answers.iter().position(|answer| answer.status == 204).unwrap();
    auth.sign_in(ADA, news[made]).await.ok(200);
    assert_eq!(auth.sign_in(ADA, news[1 - made]).await.status, 401);
}

/// A refresh that has read the account before the change must not take the kept session for one that has ended.
#[tokio::test]
async fn a_refresh_during_a_change_of_the_password_reads_the_account_again() {
    let (auth, tokens) = with_ada().await;
    let account = auth.users.by_email(&ADA.to_owned().try_into().unwrap()).await.unwrap().unwrap();
    auth.as_user(&tokens.access, change(PASSWORD, "correct horse battery staple")).await.ok(204);
    let ring = auth.private.current().await.unwrap();
    let token = ring.refresh().read(&tokens.refresh).unwrap();
    let now = auth.clock.now();
    let by = (&Client::default(), None);
    let rotated = auth.users.rotate(token, account.epoch, by, now).await.unwrap();
    assert_eq!(rotated, Rotated::AccountChanged);

    for round in 0..8 {
        let (auth, tokens) = with_ada().await;
        let new = change(PASSWORD, "correct horse battery staple");
        let (changed, refreshed) =
            tokio::join!(auth.as_user(&tokens.access, new), auth.refresh(&tokens.refresh));
        assert_eq!(changed.status, 204, "round {round}: {}", changed.body);
        let next = Tokens::of(&refreshed.ok(200));
        auth.refresh(&next.refresh).await.ok(200);
    }
}

#[tokio::test]
async fn a_sign_in_with_the_old_password_during_its_change_is_no_session() {
    for _ in 0..8 {
        let (auth, tokens) = with_ada().await;
        let new = change(PASSWORD, "correct horse battery staple");
        let (changed, signed_in) =
            tokio::join!(auth.as_user(&tokens.access, new), auth.sign_in(ADA, PASSWORD));
        changed.ok(204);
        if signed_in.status == 200 {
            let late = Tokens::of(&signed_in.body);
            assert_eq!(auth.authorized(&late.access).await, None);
            assert_eq!(auth.refresh(&late.refresh).await.problem(), wrong());
        }
    }
}

#[tokio::test]
async fn what_a_client_says_of_itself_is_bounded() {
    let (auth, _) = with_ada().await;
    let mut event = sample("login");
    event["headers"]["user-agent"] = json!("é".repeat(3_000));
    let tokens = Tokens::of(&auth.call(&event).await.ok(200));
    event["headers"]["user-agent"] = json!("a".repeat(3_000));
    auth.call(&event).await.ok(200);
    let listed = auth.as_user(&tokens.access, sample("list-sessions")).await.ok(200);
    let agents =
        listed["sessions"].as_array().unwrap().iter().map(|it| &it["client"]["user_agent"]);
    let agents: Vec<_> = agents.map(|agent| agent.as_str().map(str::len)).collect();
    assert_eq!(agents, [Some(200), None, Some("curl/8.5.0".len())]);
}

/// A crash, a stall, a lost answer or a conflict at each request of a refresh: the client repeats it and stays
/// signed in, with the one successor.
#[tokio::test]
async fn a_refresh_that_fails_anywhere_can_be_repeated() {
    fault::walk(async |run: fault::Run| {
        let (auth, tokens) = with_ada().await;
        let first = run.attempt(auth.refresh(&tokens.refresh)).await;
        let next = Tokens::of(&auth.refresh(&tokens.refresh).await.ok(200));
        // A stalled request goes on now.
        first.resume().await;
        let again = Tokens::of(&auth.refresh(&tokens.refresh).await.ok(200));
        assert_eq!(next.refresh, again.refresh);
        auth.refresh(&next.refresh).await.ok(200);
    })
    .await;
}

/// The same for a change of the password: afterwards one of the two passwords is good, and with the new one
/// no other session is alive.
#[tokio::test]
async fn a_change_of_the_password_that_fails_anywhere_is_made_or_not() {
    fault::walk(async |run: fault::Run| {
        let (auth, tokens) = with_ada().await;
        let other = auth.signed_in(ADA).await;
        let new = "correct horse battery staple";
        run.attempt(auth.as_user(&tokens.access, change(PASSWORD, new))).await.resume().await;
        let is_made = auth.sign_in(ADA, new).await.status == 200;
        assert_eq!(auth.sign_in(ADA, PASSWORD).await.status == 200, !is_made);
        assert_eq!(auth.authorized(&other.access).await.is_none(), is_made);
        assert!(auth.authorized(&tokens.access).await.is_some());
    })
    .await;
}

/// The same for signing out: a repeated request ends the session.
#[tokio::test]
async fn a_logout_that_fails_anywhere_can_be_repeated() {
    fault::walk(async |run: fault::Run| {
        let (auth, tokens) = with_ada().await;
        let logout = || auth.as_user(&tokens.access, sample("logout"));
        let first = run.attempt(logout()).await;
        if auth.authorized(&tokens.access).await.is_some() {
            logout().await.ok(204);
        }
        first.resume().await;
        assert_eq!(auth.refresh(&tokens.refresh).await.problem(), wrong());
    })
    .await;
}
