//! A sign-in does the same work whether the address has an account or not.

use serde_json::Value;

use crate::factor_support::with_factor;
use crate::sessions::{ADA, with_ada};
use crate::support::{Answer, Auth, PASSWORD};
use crate::tries::fail;

const NOBODY: &str = "nobody@example.org";
const WRONG: &str = "wrong horse battery";

/// The requests up to a refusal.
const REFUSAL: [&str; 4] = ["UpdateItem rate", "UpdateItem TRIES", "GetItem EMAIL", "GetItem USER"];

async fn refused(auth: &Auth, email: &str, password: &str) -> (Answer, Vec<String>) {
    auth.requests.during(auth.sign_in(email, password)).await
}

/// What a client can see of an answer, without the id of the request.
fn visible(answer: &Answer) -> (u16, Vec<String>, Value) {
    let headers = answer.headers.iter().filter(|(name, _)| !name.as_str().contains("request-id"));
    let mut headers: Vec<_> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    // The number of requests that are left falls with each.
    headers.retain(|header| !header.starts_with("ratelimit: "));
    headers.sort();
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap().remove("request_id");
    (answer.status, headers, body)
}

#[tokio::test]
async fn known_and_unknown_addresses_cost_the_same_requests() {
    let (auth, _) = with_ada().await;
    // The limiter needs a second request when it does not know its item.
    auth.sign_in(NOBODY, WRONG).await;
    for password in [WRONG, "", &"a".repeat(16_000), &"e\u{301}".repeat(5_000)] {
        let (known, of_known) = refused(&auth, ADA, password).await;
        let (unknown, of_unknown) = refused(&auth, NOBODY, password).await;
        assert_eq!(known.problem(), (401, "invalid-credentials"));
        assert_eq!(visible(&known), visible(&unknown));
        assert_eq!(of_known, REFUSAL);
        assert_eq!(of_unknown, REFUSAL);
    }
}

/// Nothing tells that an account has a second factor, until the password is right.
#[tokio::test]
async fn a_second_factor_is_not_seen_without_the_password() {
    let (auth, _, _) = with_factor().await;
    auth.sign_in(NOBODY, WRONG).await;
    let (known, of_known) = refused(&auth, ADA, WRONG).await;
    let (unknown, of_unknown) = refused(&auth, NOBODY, WRONG).await;
    assert_eq!(known.problem(), (401, "invalid-credentials"));
    assert_eq!(visible(&known), visible(&unknown));
    assert_eq!(
        (of_known, of_unknown),
        (REFUSAL.map(Into::into).to_vec(), REFUSAL.map(Into::into).to_vec())
    );
    // The right one costs no further request: it neither clears the count nor begins a session.
    let (needed, requests) = refused(&auth, ADA, PASSWORD).await;
    needed.ok(202);
    assert_eq!(requests, REFUSAL);
}

#[tokio::test]
async fn a_sign_in_costs_six_requests() {
    let (auth, _) = with_ada().await;
    let (answer, requests) = auth.requests.during(auth.sign_in(ADA, PASSWORD)).await;
    answer.ok(200);
    assert_eq!(requests, [&REFUSAL[..], &["UpdateItem TRIES", "PutItem USER"]].concat());
}

/// Also when a try has to wait and when the password is locked, for a right password too.
#[tokio::test]
async fn refused_tries_look_the_same_for_known_and_unknown_addresses() {
    let (auth, _) = with_ada().await;
    auth.sign_in(NOBODY, WRONG).await;
    auth.users.clear_tries(&NOBODY.to_owned().try_into().unwrap()).await.unwrap();
    for (failures, status) in [(10, 429), (40, 429), (100, 403)] {
        fail(&auth, &[ADA, NOBODY], failures).await;
        for password in [WRONG, PASSWORD] {
            let (known, of_known) = refused(&auth, ADA, password).await;
            let (unknown, of_unknown) = refused(&auth, NOBODY, password).await;
            assert_eq!(known.status, status);
            assert_eq!(visible(&known), visible(&unknown));
            assert_eq!(of_known, REFUSAL[..2]);
            assert_eq!(of_unknown, REFUSAL[..2]);
        }
        for email in [ADA, NOBODY] {
            auth.users.clear_tries(&email.to_owned().try_into().unwrap()).await.unwrap();
        }
    }
}
