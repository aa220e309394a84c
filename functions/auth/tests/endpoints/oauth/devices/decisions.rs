//! Decisions: the first one counts, whatever fails.

use futures::future::{join, join_all};
use shared::fault;

use super::with_device;
use crate::pages::Page;
use crate::sessions::ADA;

fn is_made(page: &Page) -> bool {
    let is_made = page.status == 200 && page.body.contains("<h1>You have ");
    assert!(is_made || page.body.contains("was used"), "{}", page.body);
    is_made
}

#[tokio::test]
async fn a_user_says_no() {
    let (auth, browser, app) = with_device().await;
    let codes = auth.begun(&app).await;
    let page = auth.enter(&codes.user, &browser).await;
    auth.decide_on(&page, "maybe", &browser).await.says(422, "Allow Example on a device?");
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "authorization_pending"));
    auth.decide_on(&page, "deny", &browser).await.says(200, "You have not allowed it");
    for _ in 0..2 {
        assert_eq!(auth.poll(&app, &codes).await.error(), (400, "access_denied"));
    }
    auth.enter(&codes.user, &browser).await.says(422, "was used");
    auth.decide_on(&page, "allow", &browser).await.says(422, "was used");
    assert_eq!(auth.poll(&app, &codes).await.error(), (400, "access_denied"));
}

#[tokio::test]
async fn a_device_that_is_allowed_stays_allowed() {
    let (auth, browser, app) = with_device().await;
    let codes = auth.begun(&app).await;
    let page = auth.enter(&codes.user, &browser).await;
    // The same again: the answer may have been lost.
    for _ in 0..2 {
        auth.decide_on(&page, "allow", &browser).await.says(200, "You have allowed it");
    }
    auth.decide_on(&page, "deny", &browser).await.says(422, "was used");
    auth.enter(&codes.user, &browser).await.says(422, "was used");
    auth.poll(&app, &codes).await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_permission_and_a_refusal_at_once_one_counts() {
    let (auth, browser, app) = with_device().await;
    for _ in 0..8 {
        let codes = auth.begun(&app).await;
        let page = auth.enter(&codes.user, &browser).await;
        let allowing = auth.decide_on(&page, "allow", &browser);
        let (allowed, denied) = join(allowing, auth.decide_on(&page, "deny", &browser)).await;
        let (allowed, denied) = (is_made(&allowed), is_made(&denied));
        assert_ne!(allowed, denied);
        let expected = if allowed { (200, "") } else { (400, "access_denied") };
        assert_eq!(auth.poll(&app, &codes).await.error(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_users_at_once_one_has_the_device() {
    let (auth, ada, app) = with_device().await;
    let mut browsers = vec![ada];
    for name in ["bob", "eve", "joe"] {
        let email = format!("{name}@example.org");
        auth.register(&email).await;
        browsers.push(auth.browser(&email).await);
    }
    let codes = auth.begun(&app).await;
    let pages = join_all(browsers.iter().map(|browser| auth.enter(&codes.user, browser))).await;
    let deciding = pages.iter().zip(&browsers);
    let deciding = deciding.map(|(page, browser)| auth.decide_on(page, "allow", browser));
    let made = join_all(deciding).await;
    assert_eq!(made.iter().filter(|page| is_made(page)).count(), 1);
    auth.poll(&app, &codes).await.ok(200);
}

/// A crash, a stall, a lost answer or a conflict at each request with which a device begins: it can begin again.
#[tokio::test]
async fn a_device_that_fails_to_begin_can_begin_again() {
    fault::walk(async |run: fault::Run| {
        let (auth, browser, app) = with_device().await;
        run.attempt(auth.post("authorize-device", &app, &[])).await.resume().await;
        let codes = auth.begun(&app).await;
        auth.allow(&codes, &browser).await;
        auth.poll(&app, &codes).await.ok(200);
    })
    .await;
}

/// The same for a decision: the form can be sent again.
#[tokio::test]
async fn a_decision_that_fails_anywhere_can_be_made_again() {
    fault::walk(async |run: fault::Run| {
        let (auth, browser, app) = with_device().await;
        let codes = auth.begun(&app).await;
        let page = auth.enter(&codes.user, &browser).await;
        run.attempt(auth.decide_on(&page, "allow", &browser)).await.resume().await;
        auth.decide_on(&page, "allow", &browser).await.says(200, "You have allowed it");
        auth.poll(&app, &codes).await.ok(200);
        let ada = auth.signed_in(ADA).await;
        assert_eq!(auth.on_devices(&ada.access).await.len(), 1);
    })
    .await;
}
