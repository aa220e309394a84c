//! What people do with the pages.

use auth::link::LIFETIME;

use super::{ASKING, CHOOSING, opened, sent};
use crate::sessions::{ADA, advance, with_ada};
use crate::support::{PASSWORD, auth, auth_with};

const NEW: &str = "correct horse battery staple";

#[tokio::test]
async fn an_account_is_made_and_its_password_is_set_by_pages() {
    let auth = auth().await;
    auth.browse(opened("register", "")).await.says(200, "<h1>Create an account</h1>");
    let token = auth.asked_by_page("register", ADA).await;
    let form = auth.browse(opened("confirm", &format!("token={token}"))).await;
    assert_eq!(form.says(200, "<h1>Choose a password</h1>").values_of("value"), [&token, ADA]);
    let chosen = [("token", token.as_str()), ("password", PASSWORD)];
    auth.browse(sent("confirm", &chosen)).await.says(200, "Your account exists");
    let tokens = auth.signed_in(ADA).await;

    auth.browse(opened("forgot-password", "")).await.says(200, "Choose a new password");
    let token = auth.asked_by_page("forgot-password", ADA).await;
    let form = auth.browse(opened("reset-password", &format!("token={token}"))).await;
    assert_eq!(form.says(200, "Choose a new password").values_of("value"), [&token, ADA]);
    let chosen = [("token", token.as_str()), ("password", NEW)];
    auth.browse(sent("reset-password", &chosen)).await.says(200, "All your sessions have ended");
    assert!(auth.authorized(&tokens.access).await.is_none());
    assert_eq!(auth.sign_in(ADA, PASSWORD).await.status, 401);
    auth.sign_in(ADA, NEW).await.ok(200);
}

/// Programs of mail providers open links, often many times.
#[tokio::test]
async fn opening_a_page_uses_no_link_and_counts_for_nothing() {
    let auth = auth_with(2).await;
    for (asking, choosing) in ASKING.into_iter().zip(CHOOSING) {
        let token = auth.asked_by_page(asking, ADA).await;
        for _ in 0..4 {
            auth.browse(opened(asking, "")).await.says(200, "<form method=\"post\"");
            let query = format!("token={token}");
            auth.browse(opened(choosing, &query)).await.says(200, "<form method=\"post\"");
        }
        auth.browse(sent(choosing, &[("token", &token), ("password", NEW)])).await.says(200, "");
    }
}

#[tokio::test]
async fn a_page_tells_no_address_from_another() {
    let (auth, _) = with_ada().await;
    for page in ASKING {
        let [known, unknown] =
            [ADA, "bob@example.org"].map(|email| auth.browse(sent(page, &[("email", email)])));
        let (known, unknown) = (known.await, unknown.await);
        assert_eq!((known.status, known.body.replace("ada@", "bob@")), (200, unknown.body));
        let names =
            |headers: &axum::http::HeaderMap| -> Vec<_> { headers.keys().cloned().collect() };
        assert_eq!(names(&known.headers), names(&unknown.headers));
    }
    assert_eq!(auth.jobs().await.len(), 4);
}

#[tokio::test]
async fn a_refused_address_is_shown_again_with_the_error() {
    let auth = auth().await;
    for page in ASKING {
        for wrong in ["", "ada", "ada@localhost", " a da@example.org", &"a".repeat(300)] {
            let again = auth.browse(sent(page, &[("email", wrong)])).await;
            let again =
                again.says(422, "id=\"email-error\">Check the address: an e-mail address is");
            assert_eq!(again.values_of("value"), [wrong]);
            assert_eq!(again.values_of("aria-describedby"), ["email-error"]);
            assert!(again.body.contains("<title>Error: "), "{}", again.body);
        }
    }
    assert!(auth.jobs().await.is_empty());
    auth.browse(sent("register", &[("email", " ADA@example.org ")])).await.says(200, ADA);
}

#[tokio::test]
async fn a_refused_password_is_asked_for_again_and_the_link_stays_good() {
    let auth = auth().await;
    for (asking, choosing) in ASKING.into_iter().zip(CHOOSING) {
        let token = auth.asked_by_page(asking, ADA).await;
        // 14 characters have more code units and bytes; 129 have fewer code units than `maxlength`.
        for wrong in ["", "hunter2hunter2", &"🔑".repeat(14), &"a".repeat(129), &"🔑".repeat(129)]
        {
            let again = auth
                .browse(sent(choosing, &[("token", &token), ("email", ADA), ("password", wrong)]))
                .await;
            let again = again.says(422, "id=\"password-error\">Choose another password: ");
            assert_eq!(again.values_of("value"), [&token, ADA]);
            assert_eq!(again.values_of("aria-describedby"), ["password-hint password-error"]);
            assert!(wrong.is_empty() || !again.body.contains(wrong), "{}", again.body);
        }
        auth.browse(sent(choosing, &[("token", &token), ("password", NEW)])).await.says(200, "");
    }
}

/// The rules are those of the endpoints, and so are the reasons.
#[tokio::test]
async fn what_an_endpoint_refuses_is_shown_at_the_field() {
    let auth = auth().await;
    for page in ASKING {
        let unreachable = auth.browse(sent(page, &[("email", "adä@example.org")])).await;
        let again = unreachable.says(422, "Check the address: no mail can be sent to a name");
        assert_eq!(again.values_of("value"), ["adä@example.org"]);
    }
    for (asking, choosing) in ASKING.into_iter().zip(CHOOSING) {
        let token = auth.asked_by_page(asking, ADA).await;
        for (guessable, reason) in [
            ("passwordpassword", "it consists of common words"),
            ("Ada@Example.org 2026", "it consists of your e-mail address"),
        ] {
            let form = [("token", token.as_str()), ("email", ADA), ("password", guessable)];
            let again = auth.browse(sent(choosing, &form)).await;
            let again = again.says(422, &format!("Choose another password: {reason}"));
            assert_eq!(again.values_of("value"), [&token, ADA]);
        }
        auth.browse(sent(choosing, &[("token", &token), ("password", NEW)])).await.says(200, "");
    }
}

/// What browsers, password managers and screen readers need. A text that is cut at `maxlength` is refused.
#[tokio::test]
async fn each_field_says_what_it_is_for() {
    let auth = auth().await;
    for (asking, choosing) in ASKING.into_iter().zip(CHOOSING) {
        let form = auth.browse(opened(asking, "")).await;
        assert_eq!(form.values_of("for"), ["email"]);
        assert_eq!(form.values_of("autocomplete"), ["email"]);
        assert_eq!(form.values_of("maxlength"), ["4097"]);
        let token = auth.asked_by_page(asking, ADA).await;
        let form = auth.browse(opened(choosing, &format!("token={token}"))).await;
        assert_eq!(form.values_of("for"), ["email", "password"]);
        assert_eq!(form.values_of("autocomplete"), ["username", "new-password"]);
        assert_eq!(form.values_of("aria-describedby"), ["password-hint"]);
        assert_eq!(
            (form.values_of("minlength"), form.values_of("maxlength")),
            (vec!["15"], vec!["1537"])
        );
        let cut = "correct horse ".repeat(110)[..1_537].to_owned();
        let chosen = |password| sent(choosing, &[("token", &token), ("password", password)]);
        auth.browse(chosen(&cut)).await.says(422, "password-error");
        auth.browse(chosen(PASSWORD)).await.says(200, "");
    }
}

#[tokio::test]
async fn a_password_is_in_no_page() {
    let (auth, _) = with_ada().await;
    let register = auth.asked("register", "bob@example.org").await;
    let reset = auth.asked("forgot-password", ADA).await;
    for (page, token) in [("confirm", &register), ("reset-password", &reset)] {
        for password in ["hunter2 hunter", "a hunter of correct horses"] {
            // Refused, set, and too late.
            for (token, repeats) in [(token.as_str(), 2), ("", 1), ("arsenal_ml_", 1)] {
                for _ in 0..repeats {
                    let form = [("token", token), ("password", password)];
                    let answer = auth.browse(sent(page, &form)).await;
                    assert!(!answer.body.contains("hunter"), "{}", answer.body);
                }
            }
        }
    }
    for page in ASKING {
        let answer = auth.browse(sent(page, &[("email", "ada"), ("password", "hunter2")])).await;
        assert!(!answer.body.contains("hunter"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_link_that_cannot_be_used_leads_to_another() {
    let (auth, _) = with_ada().await;
    let [register, reset, late] = [
        auth.asked("register", "bob@example.org").await,
        auth.asked("forgot-password", ADA).await,
        auth.asked("forgot-password", ADA).await,
    ];
    let unknown = format!("arsenal_ml_{}", "A".repeat(43));
    let refused = async |page: &str, token: &str| {
        let form = [("token", token), ("password", NEW)];
        let answer = auth.browse(sent(page, &form)).await.says(422, "This link does not work");
        let again = if page == "confirm" { "register" } else { "forgot-password" };
        assert_eq!(answer.values_of("href"), [again]);
        assert!(token.len() < 2 || !answer.body.contains(token), "{}", answer.body);
        let opened = auth.browse(opened(page, &format!("token={token}"))).await;
        assert_eq!((opened.status, opened.body), (422, answer.body));
    };
    for page in CHOOSING {
        for token in ["", "x", &unknown, &reset[1..], &register.to_uppercase()] {
            refused(page, token).await;
        }
        for query in ["", "token", "token=x", "t=1", "token=%FF", &format!("token={reset}&token=x")]
        {
            auth.browse(opened(page, query)).await.says(422, "This link does not work");
        }
    }
    refused("confirm", &reset).await;
    refused("reset-password", &register).await;
    // Used once, each is good for nothing.
    for (page, token) in [("confirm", &register), ("reset-password", &reset)] {
        auth.browse(sent(page, &[("token", token), ("password", NEW)])).await.says(200, "");
        refused(page, token).await;
    }
    advance(&auth, LIFETIME);
    refused("reset-password", &late).await;
}

/// Two links to one address: the second finds an account.
#[tokio::test]
async fn a_second_account_for_an_address_is_refused() {
    let auth = auth().await;
    let [first, second] = [auth.asked("register", ADA).await, auth.asked("register", ADA).await];
    let chosen = |token| sent("confirm", &[("token", token), ("password", PASSWORD)]);
    auth.browse(chosen(&first)).await.says(200, "Your account exists");
    let answer = auth.browse(chosen(&second)).await.says(409, "You have an account already");
    assert_eq!(answer.values_of("href"), ["forgot-password"]);
}
