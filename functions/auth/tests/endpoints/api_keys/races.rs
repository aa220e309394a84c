//! Many callers at once, and requests that fail.

use auth::api_key::{ApiKey, Secret};
use auth::store::Added;
use futures::future::join_all;
use shared::fault::{self, Fault, Run};

use super::{Key, wanted};
use crate::sessions::with_ada;
use crate::stream::Table;
use crate::support::{Auth, Tokens, sample};

/// The number of keys that the account counts.
async fn counted(auth: &Auth) -> usize {
    let scan = aws_sdk_dynamodb::Client::new(&auth.aws).scan().table_name("auth").send();
    let items = scan.await.unwrap().items.unwrap();
    let account = items.iter().find(|item| item["sk"].as_s().unwrap() == "ACCOUNT").unwrap();
    account.get("api_keys").map_or(0, |count| count.as_n().unwrap().parse().unwrap())
}

async fn with_keys(number: usize) -> (Auth, Tokens) {
    let (auth, tokens) = with_ada().await;
    for _ in 0..number {
        auth.key(&tokens, &["orders:read"], None).await;
    }
    (auth, tokens)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_creations_with_room_for_one_one_is_made() {
    let (auth, tokens) = with_keys(19).await;
    let create = || auth.as_user(&tokens.access, wanted(&["orders:read"], None));
    let answers = join_all((0..16).map(|_| create())).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let refused =
        |problem| matches!(problem, (409, "too-many-api-keys") | (503, "conflicting-writes"));
    assert!(answers.iter().all(|answer| answer.status == 201 || refused(answer.problem())));
    let keys = auth.keys(&tokens).await;
    assert_eq!((keys.len(), counted(&auth).await), (20, 20));

    assert_eq!(create().await.problem(), (409, "too-many-api-keys"));
    auth.revoke(&tokens, keys[7]["id"].as_str().unwrap()).await.ok(204);
    create().await.ok(201);
    assert_eq!(create().await.problem(), (409, "too-many-api-keys"));
}

#[tokio::test(flavor = "multi_thread")]
async fn creations_and_revocations_at_once_are_counted() {
    let (auth, tokens) = with_keys(18).await;
    let keys = auth.keys(&tokens).await;
    let revocations = keys[..8].iter().flat_map(|key| [key, key]);
    let revocations = revocations.map(|key| auth.revoke(&tokens, key["id"].as_str().unwrap()));
    let creations = (0..8).map(|_| auth.as_user(&tokens.access, wanted(&["orders:read"], None)));
    tokio::join!(join_all(revocations), join_all(creations));
    let number = auth.keys(&tokens).await.len();
    assert_eq!(number, counted(&auth).await);
    for _ in number..20 {
        auth.key(&tokens, &["orders:read"], None).await;
    }
    let answer = auth.as_user(&tokens.access, wanted(&["orders:read"], None)).await;
    assert_eq!(answer.problem(), (409, "too-many-api-keys"));
}

/// Each that is made gives a secret that is good; the one before them is good too.
#[tokio::test(flavor = "multi_thread")]
async fn of_16_rotations_at_once_four_are_made() {
    let (auth, tokens) = with_ada().await;
    let key = auth.key(&tokens, &["orders:read"], None).await;
    let answers = join_all((0..16).map(|_| auth.rotate(&tokens, &key.id, false))).await;
    let mut good = vec![key.clone()];
    for answer in &answers {
        match answer.status {
            200 => good.push(Key::of(&answer.body)),
            _ => assert!(matches!(
                answer.problem(),
                (409, "too-many-secrets") | (503, "conflicting-writes")
            )),
        }
    }
    assert_eq!(good.len(), 5);
    for Key { secret, .. } in &good {
        assert!(auth.is_good(secret).await);
    }
    let last = Key::of(&auth.rotate(&tokens, &key.id, true).await.ok(200));
    for Key { secret, .. } in &good {
        assert!(!auth.is_good(secret).await);
    }
    assert!(auth.is_good(&last.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_during_rotations_and_uses_does_not_come_back() {
    for _ in 0..4 {
        let (auth, tokens) = with_ada().await;
        let key = auth.key(&tokens, &["orders:read"], None).await;
        let rotations = (0..4).map(|_| auth.rotate(&tokens, &key.id, false));
        let uses = (0..4).map(|_| auth.authorized(&key.secret));
        let revocation = auth.revoke(&tokens, &key.id);
        let (rotated, _, revoked) = tokio::join!(join_all(rotations), join_all(uses), revocation);
        revoked.ok(204);
        assert!(auth.keys(&tokens).await.is_empty());
        assert!(!auth.is_good(&key.secret).await);
        for answer in rotated.iter().filter(|answer| answer.status == 200) {
            assert!(!auth.is_good(&Key::of(&answer.body).secret).await);
        }
        // Those that have read the key before its end.
        let Secret { user, key: id, .. } = Secret::read(&key.secret).unwrap();
        assert!(auth.users.api_key(user, id).await.unwrap().is_none());
    }
}

/// A request that has read the key before its revocation, and writes after it.
#[tokio::test]
async fn a_late_write_does_not_bring_a_revoked_key_back() {
    let (auth, tokens) = with_ada().await;
    let key = auth.key(&tokens, &["orders:read"], None).await;
    let secret = Secret::read(&key.secret).unwrap();
    let read: ApiKey = auth.users.api_key(secret.user, secret.key).await.unwrap().unwrap();
    let other = Secret::generate(secret.user, secret.key).unwrap();
    let next = read.rotated(&other, read.secret_set.clone()).unwrap();
    auth.revoke(&tokens, &key.id).await.ok(204);
    assert!(!auth.users.rotate_api_key(&read, &next).await.unwrap());
    auth.users.note_use(&read, auth.clock.now()).await.unwrap();
    assert!(auth.keys(&tokens).await.is_empty());
    assert_eq!(counted(&auth).await, 0);
}

/// A creation that has read the account before its deletion, and writes after it.
#[tokio::test]
async fn a_late_creation_does_not_bring_a_deleted_account_back() {
    let (auth, tokens) = with_keys(1).await;
    let key = Secret::read(&auth.key(&tokens, &["orders:read"], None).await.secret).unwrap();
    let read = auth.users.api_key(key.user, key.key).await.unwrap().unwrap();
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    auth.as_user(&tokens.access, sample("delete-me")).await.ok(204);
    let late = ApiKey { id: auth.ids.next(), ..read };
    assert_eq!(auth.users.add_api_key(&late).await.unwrap(), Added::NoAccount);
    table.streamed().await;
    table.records().await;
    assert!(table.before.keys().all(|key| !key.contains("USER#")), "{:?}", table.before);
}

/// The account ends before or after each creation. After it, the table has nothing of the user.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_made_during_a_deletion_is_deleted_too() {
    for _ in 0..4 {
        let (auth, tokens) = with_keys(3).await;
        let mut table = Table::of(&auth).await;
        table.streamed().await;
        let creations =
            (0..4).map(|_| auth.as_user(&tokens.access, wanted(&["orders:read"], None)));
        let deletion = auth.as_user(&tokens.access, sample("delete-me"));
        let (made, deleted) = tokio::join!(join_all(creations), deletion);
        deleted.ok(204);
        for answer in made {
            match answer.status {
                201 => assert!(!auth.is_good(&Key::of(&answer.body).secret).await),
                _ => assert!(matches!(answer.status, 401 | 503), "{}", answer.body),
            }
        }
        table.streamed().await;
        table.records().await;
        assert!(table.before.keys().all(|key| !key.contains("USER#")), "{:?}", table.before);
    }
}

/// A creation that is made after all although its answer is lost: the user finds the key in the list, revokes it and makes
/// another one.
#[tokio::test]
async fn a_creation_that_fails_anywhere_is_made_or_not() {
    fault::walk(async |run: Run| {
        let (auth, tokens) = with_ada().await;
        let create = || auth.as_user(&tokens.access, wanted(&["orders:read"], None));
        let first = run.attempt(create()).await.resume().await;
        if let Some(answer) = &first {
            assert!(run.allows(answer.status, &[]), "{}", answer.body);
        }
        let keys = auth.keys(&tokens).await;
        assert_eq!(keys.len(), counted(&auth).await);
        for key in &keys {
            auth.revoke(&tokens, key["id"].as_str().unwrap()).await.ok(204);
        }
        if let Some(answer) = first.filter(|answer| answer.status == 201) {
            assert_eq!(keys.len(), 1);
            assert!(!auth.is_good(&Key::of(&answer.body).secret).await);
        }
        let again = Key::of(&create().await.ok(201));
        assert!(auth.is_good(&again.secret).await);
        assert_eq!(counted(&auth).await, 1);
    })
    .await;
}

/// The old secret stays good, and a repeated rotation gives one that is good.
#[tokio::test]
async fn a_rotation_that_fails_anywhere_can_be_repeated() {
    fault::walk(async |run: Run| {
        let (auth, tokens) = with_ada().await;
        let key = auth.key(&tokens, &["orders:read"], None).await;
        let first = run.attempt(auth.rotate(&tokens, &key.id, false)).await;
        let again = Key::of(&auth.rotate(&tokens, &key.id, false).await.ok(200));
        // A stalled rotation goes on now, and is made after the other one or not.
        let first = first.resume().await;
        let mut good = vec![key.secret.clone(), again.secret];
        good.extend(first.filter(|it| it.status == 200).map(|answer| Key::of(&answer.body).secret));
        for secret in &good {
            assert!(auth.is_good(secret).await);
        }
        let last = Key::of(&auth.rotate(&tokens, &key.id, true).await.ok(200));
        for secret in &good {
            assert!(!auth.is_good(secret).await);
        }
        assert!(auth.is_good(&last.secret).await);
    })
    .await;
}

#[tokio::test]
async fn a_revocation_that_fails_anywhere_can_be_repeated() {
    fault::walk(async |run: Run| {
        let (auth, tokens) = with_ada().await;
        let key = auth.key(&tokens, &["orders:read"], None).await;
        let first = run.attempt(auth.revoke(&tokens, &key.id)).await;
        let again = auth.revoke(&tokens, &key.id).await;
        assert!(matches!(again.status, 204 | 404), "{}", again.body);
        first.resume().await;
        assert!(!auth.is_good(&key.secret).await);
        assert!(auth.keys(&tokens).await.is_empty());
        assert_eq!(counted(&auth).await, 0);
    })
    .await;
}

/// A use that cannot be noted is one all the same.
#[tokio::test]
async fn a_failed_note_of_a_use_refuses_no_request() {
    for fault in Fault::ALL {
        let (auth, tokens) = with_ada().await;
        let key = auth.key(&tokens, &["orders:read"], None).await;
        let run = Run::with("api_keys.note_use", fault);
        // After a crash there is no answer.
        if let Some(context) = run.attempt(auth.authorized(&key.secret)).await.resume().await {
            assert!(context.is_some(), "{fault:?}");
        }
        assert!(auth.is_good(&key.secret).await);
        assert!(auth.keys(&tokens).await[0].get("used_at").is_some(), "{fault:?}");
    }
}
