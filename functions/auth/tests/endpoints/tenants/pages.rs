//! The page behind the link of an invitation.

use super::{BOB, EVE, roles, with_bob};
use crate::oauth::{cookie, with_cookie};
use crate::pages::{opened, sent};
use crate::sessions::ADA;
use crate::support::PASSWORD;

#[tokio::test]
async fn a_user_joins_in_a_browser() {
    let (auth, ada, _, tenant) = with_bob("viewer").await;
    auth.register(EVE).await;
    let token = auth.invited(&ada, &tenant, EVE, "editor").await;
    let query = format!("token={token}");
    for _ in 0..2 {
        let page = auth.browse(opened("join", &query)).await.says(200, "Join Analytical Engines?");
        assert!(page.body.contains(EVE), "{}", page.body);
    }
    // Nobody is signed in: the page asks, and the form brings the user back.
    let page = auth.browse(sent("join", &[("token", &token)])).await.says(200, "Sign in");
    assert!(page.body.contains(EVE) && page.body.contains("your invitation"), "{}", page.body);
    let form = [("token", token.as_str()), ("email", EVE), ("password", PASSWORD)];
    let page = auth.browse(sent("sign-in", &form)).await;
    assert_eq!(
        (page.status, &page.headers["location"]),
        (303, &format!("join?{query}").parse().unwrap())
    );
    let browser = cookie(&page);
    let page = auth.browse(with_cookie(opened("join", &query), &browser)).await;
    page.says(200, "Join Analytical Engines?");
    let join = || auth.browse(with_cookie(sent("join", &[("token", &token)]), &browser));
    join().await.says(200, "You are a member");
    join().await.says(422, "This invitation does not work");
    let all = [(ADA, "owner"), (BOB, "viewer"), (EVE, "editor")];
    assert_eq!(auth.members(&ada, &tenant).await, roles(&all));
}

#[tokio::test]
async fn another_user_in_the_browser_signs_in_as_the_invited_one() {
    let (auth, ada, _, tenant) = with_bob("viewer").await;
    auth.register(EVE).await;
    let browser = auth.browser(BOB).await;
    let token = auth.invited(&ada, &tenant, EVE, "viewer").await;
    let page = auth.browse(with_cookie(sent("join", &[("token", &token)]), &browser)).await;
    let page = page.says(200, "Sign in");
    assert!(page.body.contains(EVE), "{}", page.body);
    assert_eq!(auth.members(&ada, &tenant).await.len(), 2);
    // Who is a member already is told so.
    let again = auth.invited(&ada, &tenant, BOB, "owner").await;
    let page = auth.browse(with_cookie(sent("join", &[("token", &again)]), &browser)).await;
    page.says(200, "You are a member");
    assert_eq!(auth.members(&ada, &tenant).await, roles(&[(ADA, "owner"), (BOB, "viewer")]));
}

#[tokio::test]
async fn a_link_that_is_no_invitation_opens_nothing() {
    let (auth, ..) = with_bob("viewer").await;
    let other = auth.asked("forgot-password", BOB).await;
    let unknown = format!("arsenal_ml_{}", "A".repeat(43));
    for token in [other.as_str(), &unknown, "", "<b>"] {
        let query = format!("token={token}");
        auth.browse(opened("join", &query)).await.says(422, "This invitation does not work");
        let browser = auth.browser(BOB).await;
        let form = with_cookie(sent("join", &[("token", token)]), &browser);
        auth.browse(form).await.says(422, "This invitation does not work");
    }
}

/// A tenant is called by its members: the mail and the page have the name as text.
#[tokio::test]
async fn the_mail_says_who_invites_and_how_long_the_link_works() {
    let (auth, ada, _, tenant) = with_bob("viewer").await;
    auth.invited(&ada, &tenant, EVE, "viewer").await;
    let mail = auth.mails(EVE).await.pop().unwrap();
    assert_eq!(mail.subject, "An invitation");
    for text in [
        ADA,
        "\u{201c}Analytical Engines\u{201d}",
        "for 7 days",
        "https://example.org/auth/join?token=",
        "https://example.org/auth/register",
    ] {
        assert!(mail.body_text.contains(text), "no {text} in {}", mail.body_text);
    }
}
