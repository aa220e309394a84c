//! Polls: too soon, at once, and at the moment of the decision.

use std::collections::BTreeMap;

use futures::future::{join, join_all};
use serde_json::json;
use shared::fault;

use super::super::App;
use super::{Codes, on_a_device, seconds, with_device};
use crate::sessions::{ADA, change};
use crate::support::{Answer, Auth, PASSWORD, sample};

const PENDING: (u16, &str) = (400, "authorization_pending");
const SLOW_DOWN: (u16, &str) = (400, "slow_down");

/// How often each answer came: the error, or nothing with tokens.
fn counted(answers: &[Answer]) -> BTreeMap<&str, usize> {
    let mut counted = BTreeMap::new();
    for answer in answers {
        *counted.entry(answer.error().1).or_default() += 1;
    }
    counted
}

async fn polls(auth: &Auth, app: &App, codes: &Codes) -> Vec<Answer> {
    join_all((0..16).map(|_| auth.poll(app, codes))).await
}

#[tokio::test]
async fn a_device_that_polls_too_often_waits_longer_each_time_to_the_second() {
    let (auth, browser, app) = with_device().await;
    let codes = auth.begun(&app).await;
    for (waits, expected) in [
        (0, PENDING),
        (5, PENDING),
        (4, SLOW_DOWN), // 10 s from the last poll in time
        (5, SLOW_DOWN), // 15 s
        (5, SLOW_DOWN), // 20 s
        (6, PENDING),
        (19, SLOW_DOWN), // 25 s
        (6, PENDING),
        (25, PENDING),
        (24, SLOW_DOWN), // 30 s
        (30, PENDING),
    ] {
        seconds(&auth, waits);
        assert_eq!(auth.poll(&app, &codes).await.error(), expected, "after {waits} s");
    }
    // Another device is not slower, and tokens wait for nothing.
    let other = auth.begun(&app).await;
    assert_eq!(auth.poll(&app, &other).await.error(), PENDING);
    auth.allow(&codes, &browser).await;
    auth.poll(&app, &codes).await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_polls_at_once_one_is_in_time_and_the_others_are_counted() {
    let (auth, _, app) = with_device().await;
    let codes = auth.begun(&app).await;
    let answers = polls(&auth, &app, &codes).await;
    let expected = BTreeMap::from([("authorization_pending", 1), ("slow_down", 15)]);
    assert_eq!(counted(&answers), expected);
    // The interval is 80 s now.
    seconds(&auth, 79);
    assert_eq!(auth.poll(&app, &codes).await.error(), SLOW_DOWN);
    seconds(&auth, 6);
    assert_eq!(auth.poll(&app, &codes).await.error(), PENDING);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_polls_at_once_after_the_decision_one_gets_tokens() {
    let (auth, browser, app) = with_device().await;
    let codes = auth.begun(&app).await;
    auth.allow(&codes, &browser).await;
    let answers = polls(&auth, &app, &codes).await;
    assert_eq!(counted(&answers), BTreeMap::from([("", 1), ("invalid_grant", 15)]));
    let made = answers.into_iter().find(|answer| answer.status == 200).unwrap().ok(200);
    let access = made["access_token"].as_str().unwrap();
    assert!(auth.authorized(access).await.is_some(), "no poll ends the session");
    let ada = auth.signed_in(ADA).await;
    assert_eq!(auth.on_devices(&ada.access).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_at_the_moment_of_the_decision_get_tokens_once() {
    let (auth, browser, app) = with_device().await;
    for _ in 0..8 {
        let codes = auth.begun(&app).await;
        let page = auth.enter(&codes.user, &browser).await;
        let deciding = auth.decide_on(&page, "allow", &browser);
        let (page, mut answers) = join(deciding, polls(&auth, &app, &codes)).await;
        page.says(200, "You have allowed it");
        answers.push(auth.poll(&app, &codes).await);
        let counted = counted(&answers);
        assert_eq!(counted.get(""), Some(&1), "{counted:?}");
        assert!(counted.get("authorization_pending").is_none_or(|number| *number == 1));
    }
    let ada = auth.signed_in(ADA).await;
    assert_eq!(auth.on_devices(&ada.access).await.len(), 8);
}

#[tokio::test]
async fn a_code_of_another_application_is_good_for_nothing_and_costs_its_owner_nothing() {
    let (auth, browser, app) = with_device().await;
    let other = auth.application(&on_a_device()).await;
    let codes = auth.begun(&app).await;
    for _ in 0..3 {
        assert_eq!(auth.poll(&other, &codes).await.error(), (400, "invalid_grant"));
    }
    assert_eq!(auth.poll(&app, &codes).await.error(), PENDING);
    auth.allow(&codes, &browser).await;
    assert_eq!(auth.poll(&other, &codes).await.error(), (400, "invalid_grant"));
    auth.poll(&app, &codes).await.ok(200);
}

#[tokio::test]
async fn a_device_of_a_deleted_application_gets_nothing() {
    let (auth, browser, app) = with_device().await;
    let [codes, allowed] = [auth.begun(&app).await, auth.begun(&app).await];
    auth.allow(&allowed, &browser).await;
    let page = auth.enter(&codes.user, &browser).await;
    auth.users.delete_application(app.id.parse().unwrap(), auth.ids.next()).await.unwrap();
    for codes in [&codes, &allowed] {
        assert_eq!(auth.poll(&app, codes).await.error(), (401, "invalid_client"));
    }
    auth.enter(&codes.user, &browser).await.says(422, "This code is not the one");
    auth.decide_on(&page, "allow", &browser).await.says(422, "This code is not the one");
}

#[tokio::test]
async fn what_was_allowed_ends_with_the_password_with_all_sessions_and_with_the_account() {
    let (auth, browser, app) = with_device().await;
    let ada = auth.signed_in(ADA).await;
    let new = "correct horse battery staple";
    let codes = auth.begun(&app).await;
    auth.allow(&codes, &browser).await;
    auth.as_user(&ada.access, change(PASSWORD, new)).await.ok(204);
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "invalid_grant"));

    let form = [("email", ADA), ("password", new)];
    let signed_in =
        async || super::cookie(&auth.browse(crate::pages::sent("sign-in", &form)).await);
    let codes = auth.begun(&app).await;
    auth.allow(&codes, &signed_in().await).await;
    auth.as_user(&ada.access, sample("end-sessions")).await.ok(204);
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "invalid_grant"));

    let codes = auth.begun(&app).await;
    auth.allow(&codes, &signed_in().await).await;
    let ada = crate::support::Tokens::of(&auth.sign_in(ADA, new).await.ok(200));
    let mut deletion = sample("delete-me");
    deletion["body"] = json!(json!({"current_password": new}).to_string());
    auth.as_user(&ada.access, deletion).await.ok(204);
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "invalid_grant"));
}

/// A crash, a stall, a lost answer or a conflict at each request of a poll: the user has not decided, and the next poll is
/// answered.
#[tokio::test]
async fn a_poll_that_fails_anywhere_is_followed_by_others() {
    fault::walk(async |run: fault::Run| {
        let (auth, browser, app) = with_device().await;
        let codes = auth.begun(&app).await;
        auth.poll(&app, &codes).await;
        seconds(&auth, 4);
        run.attempt(auth.poll(&app, &codes)).await.resume().await;
        seconds(&auth, 10);
        assert_eq!(auth.poll(&app, &codes).await.error(), PENDING);
        auth.allow(&codes, &browser).await;
        auth.poll(&app, &codes).await.ok(200);
    })
    .await;
}

/// The same for the poll that gets tokens: there is one session or none, and the device that polls again has tokens, or must
/// begin again.
#[tokio::test]
async fn a_poll_for_tokens_that_fails_anywhere_begins_one_session_or_none() {
    fault::walk(async |run: fault::Run| {
        let (auth, browser, app) = with_device().await;
        let codes = auth.begun(&app).await;
        auth.allow(&codes, &browser).await;
        let first = run.attempt(auth.poll(&app, &codes)).await;
        let again = auth.poll(&app, &codes).await;
        first.resume().await;
        assert!(again.status == 200 || again.error() == (400, "invalid_grant"), "{}", again.body);
        let ada = auth.signed_in(ADA).await;
        assert_eq!(auth.on_devices(&ada.access).await.len(), 1);
        let codes = auth.begun(&app).await;
        auth.allow(&codes, &browser).await;
        auth.poll(&app, &codes).await.ok(200);
    })
    .await;
}
