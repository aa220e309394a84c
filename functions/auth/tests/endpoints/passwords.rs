//! Passwords: their spellings, the refused ones, and hashes with former parameters.

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use auth::store::Account;
use serde_json::{Value, json};
use shared::fault;

use crate::sessions::{ADA, with_ada};
use crate::support::{Auth, PASSWORD, auth, sample};

const NEW: &str = "correct horse battery staple";

fn change(current: &str, new: &str) -> Value {
    let mut event = sample("change-password");
    event["body"] = json!(json!({"current_password": current, "new_password": new}).to_string());
    event
}

/// A user whose password has a hash with former parameters.
async fn with_former_hash() -> (Auth, Account) {
    let auth = auth().await;
    let params = Params::new(8, 1, 1, None).unwrap();
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let password_hash = hasher.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    auth.register(ADA).await;
    let account = auth.users.by_email(&ADA.to_owned().try_into().unwrap()).await.unwrap().unwrap();
    assert!(auth.users.replace_hash(&account, &password_hash).await.unwrap());
    (auth, Account { password_hash: Some(password_hash), ..account })
}

async fn hash_of_ada(auth: &Auth) -> String {
    let email = ADA.to_owned().try_into().unwrap();
    auth.users.by_email(&email).await.unwrap().unwrap().password_hash.unwrap()
}

fn is_of_today(hash: &str) -> bool {
    hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
}

#[tokio::test]
async fn a_guessable_password_is_refused_with_the_reason() {
    let (auth, tokens) = with_ada().await;
    let token = auth.asked("register", "bob@example.org").await;
    for (password, reason) in [
        ("hunter2hunter2", "15 to 128"),
        ("aaaaaaaaaaaaaaa", "repeats"),
        ("password1234567", "common words"),
        ("correct\thorse battery", "control characters"),
    ] {
        let body = json!({"token": token, "password": password});
        let registered = auth.call_with("confirm", &body).await;
        let changed = auth.as_user(&tokens.access, change(PASSWORD, password)).await;
        for (answer, field) in [(registered, "password"), (changed, "new_password")] {
            assert_eq!(answer.problem(), (422, "invalid-body"), "{password}");
            let error = &answer.body["errors"][0];
            assert_eq!(error["field"], field);
            assert!(error["detail"].as_str().unwrap().contains(reason), "{error}");
        }
    }
    let own = auth.as_user(&tokens.access, change(PASSWORD, "Ada@Example.org 2026")).await;
    assert_eq!(own.problem(), (422, "invalid-body"));
    assert_eq!(own.body["errors"][0]["field"], "new_password");
    assert!(own.body["errors"][0]["detail"].as_str().unwrap().contains("your e-mail address"));
    let reset = auth.asked("forgot-password", ADA).await;
    for (name, token) in [("confirm", &token), ("reset-password", &reset)] {
        let address =
            if name == "confirm" { "Bob@Example.org 2026" } else { "Ada@Example.org 2026" };
        let own = auth.call_with(name, &json!({"token": token, "password": address})).await;
        assert_eq!(own.problem(), (422, "invalid-body"), "{name}");
        assert!(own.body["errors"][0]["detail"].as_str().unwrap().contains("your e-mail address"));
    }
    auth.sign_in(ADA, PASSWORD).await.ok(200);
}

#[tokio::test]
async fn a_password_is_right_in_every_unicode_form() {
    let auth = auth().await;
    let forms = ["zw\u{f6}lf Boxk\u{e4}mpfer", "zwo\u{308}lf Boxka\u{308}mpfer"];
    for (email, set) in ["ada@example.org", "bob@example.org"].into_iter().zip(forms) {
        let body = json!({"token": auth.asked("register", email).await, "password": set});
        auth.call_with("confirm", &body).await.ok(201);
        for typed in forms {
            auth.sign_in(email, typed).await.ok(200);
        }
        assert_eq!(auth.sign_in(email, "zwolf Boxkampfer").await.status, 401);
    }
}

#[tokio::test]
async fn a_sign_in_replaces_a_hash_with_former_parameters() {
    let (auth, account) = with_former_hash().await;
    assert_eq!(auth.sign_in(ADA, "wrong horse battery").await.status, 401);
    assert_eq!(hash_of_ada(&auth).await, account.password_hash.unwrap());
    let first = auth.signed_in(ADA).await;
    let replaced = hash_of_ada(&auth).await;
    assert!(is_of_today(&replaced), "{replaced}");
    let (answer, requests) = auth.requests.during(auth.sign_in(ADA, PASSWORD)).await;
    answer.ok(200);
    assert!(!requests.contains(&"UpdateItem USER".to_owned()), "{requests:?}");
    assert_eq!(hash_of_ada(&auth).await, replaced, "once");
    assert!(auth.authorized(&first.access).await.is_some(), "no session has ended");
}

/// The sign-in has read the account before the change.
#[tokio::test]
async fn a_former_hash_never_comes_back_after_a_change_of_the_password() {
    let (auth, account) = with_former_hash().await;
    let tokens = auth.signed_in(ADA).await;
    auth.as_user(&tokens.access, change(PASSWORD, NEW)).await.ok(204);
    let changed = hash_of_ada(&auth).await;
    let late = auth.users.replace_hash(&account, "a hash of the old password").await.unwrap();
    assert!(!late);
    assert_eq!(hash_of_ada(&auth).await, changed);

    for _ in 0..8 {
        let (auth, _) = with_former_hash().await;
        let tokens = auth.signed_in(ADA).await;
        // Again a former hash, of which both requests know.
        let account = auth.users.by_email(&ADA.to_owned().try_into().unwrap()).await.unwrap();
        let former = with_former_hash().await.1.password_hash.unwrap();
        assert!(auth.users.replace_hash(&account.unwrap(), &former).await.unwrap());
        let (changed, signed_in) = tokio::join!(
            auth.as_user(&tokens.access, change(PASSWORD, NEW)),
            auth.sign_in(ADA, PASSWORD),
        );
        changed.ok(204);
        assert!([200, 401].contains(&signed_in.status), "{}", signed_in.body);
        assert_eq!(auth.sign_in(ADA, PASSWORD).await.status, 401);
        auth.sign_in(ADA, NEW).await.ok(200);
    }
}

/// A crash, a stall, a lost answer or a conflict at each request of a sign-in that replaces a hash: the password stays
/// right. If it is changed while the sign-in stalls, the new one stays right.
#[tokio::test]
async fn a_replacement_that_fails_anywhere_loses_no_password() {
    let points = fault::walk(async |run: fault::Run| {
        let (auth, _) = with_former_hash().await;
        let first = run.attempt(auth.sign_in(ADA, PASSWORD)).await;
        let tokens = auth.signed_in(ADA).await;
        assert!(is_of_today(&hash_of_ada(&auth).await));
        auth.as_user(&tokens.access, change(PASSWORD, NEW)).await.ok(204);
        if let Some(answer) = first.resume().await {
            // The limiter does not answer, or the password is another one by now.
            let is_refused = [503, 401].contains(&answer.status);
            assert!(run.allows(answer.status, &["users.replace_hash"]) || is_refused);
        }
        assert_eq!(auth.sign_in(ADA, PASSWORD).await.status, 401);
        auth.sign_in(ADA, NEW).await.ok(200);
    })
    .await;
    assert!(points.contains(&"users.replace_hash"), "{points:?}");
}
