//! The keys rotate, and an emergency ends all tokens.

use std::time::Duration;

use auth::rotate_keys::RotateKeys;
use auth::{keys, token};
use futures::future::join_all;
use serde_json::json;
use shared::fault;

use crate::sessions::{ADA, advance, with_ada, wrong};
use crate::support::{Auth, ISSUER, Tokens, sample};

impl Auth {
    pub(crate) fn rotation(&self) -> RotateKeys {
        RotateKeys {
            private: self.private.clone(),
            public: self.public.clone(),
            users: self.users.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        }
    }
}

#[tokio::test]
async fn no_token_is_refused_while_keys_rotate() {
    let (auth, tokens) = with_ada().await;
    let scheduled = sample("rotate-keys");
    let mut access = vec![(auth.clock.now(), tokens.access.clone())];
    let mut refresh = tokens.refresh;
    auth.rotation().handle(&scheduled).await.unwrap();
    for minute in 0..200 {
        // The second one comes while tokens of the first key are valid.
        if minute == 15 || minute == 110 {
            auth.rotation().handle(&scheduled).await.unwrap();
        }
        let next = Tokens::of(&auth.refresh(&refresh).await.ok(200));
        refresh = next.refresh;
        access.push((auth.clock.now(), next.access));
        access.retain(|(issued_at, _)| auth.clock.now() < *issued_at + token::LIFETIME);
        for (_, token) in &access {
            assert!(auth.authorized(token).await.is_some(), "minute {minute}");
        }
        advance(&auth, Duration::from_mins(1));
    }
    let published = auth.public.current().await.unwrap().keys.len();
    assert_eq!(published, 4, "of each kind, two of the four keys are not published any more");
}

#[tokio::test]
async fn an_emergency_ends_all_tokens() {
    let (auth, tokens) = with_ada().await;
    assert!(auth.authorized(&tokens.access).await.is_some());
    auth.rotation().handle(&json!({"emergency": true})).await.unwrap();
    // All instances have read the keys again.
    advance(&auth, Duration::from_mins(1));
    assert_eq!(auth.authorized(&tokens.access).await, None);
    assert_eq!(auth.refresh(&tokens.refresh).await.problem(), wrong());
    let misspelt = auth.rotation().handle(&json!({"emergncy": true})).await;
    assert!(misspelt.is_err(), "it is not a rotation like any other");
    let later = auth.signed_in(ADA).await;
    assert!(auth.authorized(&later.access).await.is_some());
}

#[tokio::test]
async fn an_unknown_key_makes_the_authorizer_look_again_but_not_often() {
    let (auth, tokens) = with_ada().await;
    assert!(auth.authorized(&tokens.access).await.is_some());
    auth.rotation().handle(&json!({"emergency": true})).await.unwrap();
    advance(&auth, Duration::from_secs(59));
    // The endpoints have read the new keys, and this authorizer has not.
    let issuers = token::Issuers::new(ISSUER.into(), auth.private.clone(), auth.clock.clone());
    let issuer = issuers.current().await.unwrap();
    let account = auth.users.by_email(&ADA.to_owned().try_into().unwrap()).await.unwrap().unwrap();
    let session = auth.authorized(&tokens.access).await.unwrap()["sid"].clone();
    let session = serde_json::from_value(session).unwrap();
    let subject = token::Subject {
        user: account.user.id,
        tenant: account.user.tenant,
        role: None,
        session: Some(session),
        application: None,
        scope: account.user.in_own_tenant().scopes().join(" "),
    };
    let token = issuer.issue(subject.clone(), &auth.ids, auth.clock.now()).unwrap();
    assert!(auth.authorized(&token).await.is_some(), "it has looked again");

    auth.public.put(&jsonwebtoken::jwk::JwkSet { keys: Vec::new() }).await.unwrap();
    let other = keys::KeyRing::generate(auth.clock.now()).unwrap();
    let other = token::Issuer::new(ISSUER.into(), &other).unwrap();
    let unknown = other.issue(subject, &auth.ids, auth.clock.now()).unwrap();
    assert_eq!(auth.authorized(&unknown).await, None);
    assert!(auth.authorized(&token).await.is_some(), "it has not looked again: the keys are new");
    advance(&auth, Duration::from_secs(10));
    assert_eq!(auth.authorized(&unknown).await, None);
    assert_eq!(auth.authorized(&token).await, None, "now it has");
}

/// Wherever an emergency fails, the rotation of the schedule does not bring the old keys back.
#[tokio::test]
async fn an_emergency_that_fails_anywhere_is_not_undone() {
    fault::walk(async |run: fault::Run| {
        let (auth, tokens) = with_ada().await;
        let old = auth.private.current().await.unwrap().public().unwrap().keys;
        let rotation = auth.rotation();
        run.attempt(rotation.handle(&json!({"emergency": true}))).await;
        advance(&auth, Duration::from_secs(63));
        let is_stored = auth.private.current().await.unwrap().public().unwrap().keys != old;
        rotation.handle(&json!({})).await.unwrap();
        advance(&auth, Duration::from_secs(63));
        let published = auth.public.current().await.unwrap().keys;
        assert_eq!(published.contains(&old[0]), !is_stored);
        assert_eq!(auth.authorized(&tokens.access).await.is_some(), !is_stored);
        auth.signed_in(ADA).await;

        rotation.handle(&json!({"emergency": true})).await.unwrap();
        advance(&auth, Duration::from_mins(1));
        assert_eq!(auth.authorized(&tokens.access).await, None);
        assert_eq!(auth.refresh(&tokens.refresh).await.problem(), wrong());
    })
    .await;
}

#[tokio::test]
async fn one_rotation_runs_at_a_time_and_a_crashed_one_is_completed() {
    fault::walk(async |run: fault::Run| {
        let (auth, tokens) = with_ada().await;
        let rotation = auth.rotation();
        run.attempt(rotation.handle(&json!({}))).await;
        assert!(auth.authorized(&tokens.access).await.is_some());
        advance(&auth, Duration::from_secs(63));
        rotation.handle(&json!({})).await.unwrap();
        let ring = auth.private.current().await.unwrap();
        assert_eq!(auth.public.current().await.unwrap(), ring.public().unwrap());
        assert!(auth.authorized(&tokens.access).await.is_some());
    })
    .await;
    let (auth, _) = with_ada().await;
    let rotation = auth.rotation();
    let request = json!({});
    let results = join_all((0..5).map(|_| rotation.handle(&request))).await;
    let ring = auth.private.current().await.unwrap();
    let made = results.iter().filter(|result| result.is_ok()).count();
    assert!(made >= 1);
    assert_eq!(ring.signing().len(), 1 + made);
    assert_eq!(auth.public.current().await.unwrap(), ring.public().unwrap());
}
