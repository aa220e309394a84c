//! Passkeys under races and faults.

use auth::store::PasskeyRemoved;
use futures::future::join_all;
use shared::fault::{self, Fault, Run};
use shared::table::Item;

use super::authenticator::{Algorithm, Device};
use super::{refused, with_passkey};
use crate::sessions::{ADA, change, with_ada};
use crate::support::{Answer, Auth, PASSWORD, Tokens};

const NEW: &str = "correct horse battery staple";

fn of(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

/// The number of items that make passkeys unique, and of passkeys of users.
async fn items(auth: &Auth) -> (usize, usize) {
    let scan = aws_sdk_dynamodb::Client::new(&auth.aws).scan().table_name("auth").send();
    let items = scan.await.unwrap().items.unwrap_or_default();
    let count = |name: &str| {
        let is_of = |item: &&Item| item[name].as_s().unwrap().starts_with("PASSKEY#");
        items.iter().filter(is_of).count()
    };
    (count("pk"), count("sk"))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_sign_ins_at_once_with_one_answer_one_is_made() {
    for counts in [true, false] {
        let (auth, tokens) = with_ada().await;
        let mut device = Device::new(Algorithm::Es256);
        device.counter = counts.then_some(0);
        auth.add_passkey(&tokens, &mut device).await.ok(201);
        for options in [auth.sign_in_options().await, auth.second_step_options().await] {
            let used = device.get(&options);
            let answers = join_all((0..16).map(|_| auth.present(&used))).await;
            assert_eq!((of(&answers, 200), of(&answers, 200) + of(&answers, 401)), (1, 16));
        }
        // An answer that came twice is no copy of the key.
        let ada = auth.ada().await.user.id;
        assert_eq!(auth.users.passkeys(ada).await.unwrap()[0].refused, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_signatures_with_one_number_one_is_accepted() {
    let (auth, tokens) = with_ada().await;
    let mut device = Device::new(Algorithm::Es256);
    device.counter = Some(0);
    auth.add_passkey(&tokens, &mut device).await.ok(201);
    let mut used = Vec::new();
    for _ in 0..16 {
        device.counter = Some(41);
        used.push(device.get(&auth.sign_in_options().await));
    }
    let answers = join_all(used.iter().map(|used| auth.present(used))).await;
    assert_eq!(of(&answers, 200), 1);
    assert_eq!(of(&answers, 401) + of(&answers, 503), 15);
    device.counter = Some(42);
    auth.sign_in_by(&mut device).await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_enrolments_at_once_of_one_passkey_one_is_made() {
    let (first, second) = (with_ada().await, with_passkey().await);
    // With the first passkey, the session's sign-in is one without a second factor.
    for (auth, tokens, refusals, count) in
        [(first.0, first.1, &[403, 409][..], 1), (second.0, second.1, &[409][..], 2)]
    {
        let mut device = Device::new(Algorithm::Es256);
        let made = device.create(&auth.passkey_options(&tokens).await);
        let answers = join_all((0..16).map(|_| auth.add_credential(&tokens, &made))).await;
        assert_eq!(of(&answers, 201), 1);
        let refused: usize = refusals.iter().map(|status| of(&answers, *status)).sum();
        assert_eq!(refused + of(&answers, 503), 15);
        assert_eq!(items(&auth).await, (count, count));
        auth.sign_in_by(&mut device).await.ok(200);
    }
}

/// One key cannot be that of two users, whatever the interleaving.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_users_at_once_with_one_id_one_has_the_passkey() {
    let (auth, tokens, _, _) = with_passkey().await;
    auth.register("bob@example.org").await;
    let bob = auth.signed_in("bob@example.org").await;
    let mut first = Device::new(Algorithm::Es256);
    auth.add_passkey(&bob, &mut first).await.ok(201);
    let bob = Tokens::of(&auth.sign_in_by(&mut first).await.ok(200));
    for round in 0..6 {
        let [mut of_ada, mut of_bob] = [(); 2].map(|()| Device::new(Algorithm::Es256));
        of_bob.id.clone_from(&of_ada.id);
        let options = [auth.passkey_options(&tokens).await, auth.passkey_options(&bob).await];
        let made = [of_ada.create(&options[0]), of_bob.create(&options[1])];
        let (one, other) = tokio::join!(
            auth.add_credential(&tokens, &made[0]),
            auth.add_credential(&bob, &made[1])
        );
        let mut statuses = [one.status, other.status];
        assert_eq!(usize::from(statuses[0] == 201) + usize::from(statuses[1] == 201), 1);
        let (good, bad) =
            if one.status == 201 { (&mut of_ada, &mut of_bob) } else { (&mut of_bob, &mut of_ada) };
        auth.sign_in_by(good).await.ok(200);
        assert_eq!(auth.sign_in_by(bad).await.problem(), refused());
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
        assert_eq!(items(&auth).await, (round + 3, round + 3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_passkeys_at_once_with_room_for_one_one_is_added() {
    let (auth, tokens, _, _) = with_passkey().await;
    for _ in 1..19 {
        auth.add_passkey(&tokens, &mut Device::new(Algorithm::EdDsa)).await.ok(201);
    }
    let mut made = Vec::new();
    for _ in 0..16 {
        made.push(Device::new(Algorithm::EdDsa).create(&auth.passkey_options(&tokens).await));
    }
    let answers = join_all(made.iter().map(|made| auth.add_credential(&tokens, made))).await;
    assert_eq!(of(&answers, 201), 1);
    assert_eq!(of(&answers, 201) + of(&answers, 409) + of(&answers, 503), 16);
    assert_eq!(auth.ada().await.passkeys, 20);
    assert_eq!(items(&auth).await, (20, 20));
}

/// Additions and removals at once: the account counts what is there.
#[tokio::test(flavor = "multi_thread")]
async fn additions_and_removals_at_once_are_counted() {
    let (auth, tokens, _, _) = with_passkey().await;
    for _ in 0..4 {
        auth.add_passkey(&tokens, &mut Device::new(Algorithm::EdDsa)).await.ok(201);
    }
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(Device::new(Algorithm::EdDsa).create(&auth.passkey_options(&tokens).await));
    }
    auth.clear_tries().await;
    let listed = auth.passkeys(&tokens).await;
    let added = join_all(made.iter().map(|made| auth.add_credential(&tokens, made)));
    let removed = join_all(listed[1..].iter().map(|it| auth.remove_passkey(&tokens, &it["id"])));
    let (added, removed) = tokio::join!(added, removed);
    let count = 5 + of(&added, 201) - of(&removed, 204);
    assert_eq!(auth.ada().await.passkeys as usize, count);
    assert_eq!(items(&auth).await, (count, count));
}

/// The sign-in has found the passkey before it is removed.
#[tokio::test]
async fn a_passkey_that_is_removed_while_a_sign_in_stalls_is_refused() {
    let (auth, tokens, mut device, _) = with_passkey().await;
    let used = device.get(&auth.sign_in_options().await);
    let stall = Run::with("passkeys.use", Fault::StallBefore);
    let first = stall.attempt(auth.present(&used)).await;
    assert!(!first.is_done());
    auth.removed_all(&tokens).await;
    assert_eq!(first.resume().await.unwrap().problem(), refused());
    assert_eq!(items(&auth).await, (0, 0));
}

/// The number of passkeys changes between the reading of the account and a removal.
#[tokio::test]
async fn a_removal_that_stalls_sees_what_was_added_meanwhile() {
    let (auth, tokens, _, codes) = with_passkey().await;
    let mut other = Device::new(Algorithm::EdDsa);
    let made = other.create(&auth.passkey_options(&tokens).await);
    let id = auth.passkeys(&tokens).await[0]["id"].clone();
    let stall = Run::with("passkeys.remove", Fault::StallBefore);
    let first = stall.attempt(auth.remove_passkey(&tokens, &id)).await;
    auth.add_credential(&tokens, &made).await.ok(201);
    assert_eq!(first.resume().await.unwrap().status, 204);
    assert_eq!(auth.ada().await.passkeys, 1);
    auth.sign_in_with(&codes[0]).await.ok(200);
    auth.sign_in_by(&mut other).await.ok(200);
}

#[tokio::test]
async fn an_enrolment_during_a_change_of_the_password_is_not_made() {
    let (auth, tokens) = with_ada().await;
    let made = Device::new(Algorithm::Es256).create(&auth.passkey_options(&tokens).await);
    let stall = Run::with("passkeys.add", Fault::StallBefore);
    let first = stall.attempt(auth.add_credential(&tokens, &made)).await;
    auth.as_user(&tokens.access, change(PASSWORD, NEW)).await.ok(204);
    assert_eq!(first.resume().await.unwrap().problem(), (422, "invalid-passkey"));
    auth.sign_in(ADA, NEW).await.ok(200);
}

#[tokio::test]
async fn an_enrolment_that_fails_anywhere_is_made_or_not() {
    let points = fault::walk(async |run: Run| {
        let (auth, tokens) = with_ada().await;
        let mut device = Device::new(Algorithm::EdDsa);
        let made = device.create(&auth.passkey_options(&tokens).await);
        let first = run.attempt(auth.add_credential(&tokens, &made)).await;
        let is_made = auth.passkeys(&tokens).await.len() == 1;
        let again = auth.add_credential(&tokens, &made).await;
        // With the passkey, the session's sign-in is one without a second factor.
        assert_eq!(again.status, if is_made { 403 } else { 201 }, "{}", again.body);
        let is_stalled = !first.is_done();
        if let Some(answer) = first.resume().await {
            let is_late = is_stalled && answer.status == 403;
            let is_limited = answer.status == 503;
            assert!(run.allows(answer.status, &[]) || is_late || is_limited, "{}", answer.body);
        }
        assert_eq!((items(&auth).await, auth.ada().await.passkeys), ((1, 1), 1));
        auth.sign_in(ADA, PASSWORD).await.ok(202);
        auth.sign_in_by(&mut device).await.ok(200);
    })
    .await;
    assert!(points.contains(&"passkeys.add"), "{points:?}");
}

#[tokio::test]
async fn a_sign_in_by_passkey_that_fails_anywhere_is_one_session_or_none() {
    for is_second_step in [true, false] {
        let points = fault::walk(async |run: Run| {
            let (auth, _, mut device, _) = with_passkey().await;
            let options = if is_second_step {
                auth.second_step_options().await
            } else {
                auth.sign_in_options().await
            };
            let used = device.get(&options);
            let first = run.attempt(auth.present(&used)).await;
            let is_stalled = !first.is_done();
            let second = auth.present(&used).await;
            let mut made = usize::from(second.status == 200);
            assert!([200, 401].contains(&second.status), "{}", second.body);
            if let Some(answer) = first.resume().await {
                let is_late = is_stalled && answer.status == 401;
                let is_limited = answer.status == 503;
                let allowed = run.allows(answer.status, &["tries.clear"]);
                assert!(allowed || is_late || is_limited, "{}", answer.body);
                made += usize::from(answer.status == 200);
            }
            assert!(made <= 1, "{made}");
            assert_eq!(auth.present(&used).await.problem(), refused());
            auth.sign_in_by(&mut device).await.ok(200);
        })
        .await;
        let all = ["passkeys.use", "sessions.begin"];
        assert!(all.iter().all(|point| points.contains(point)), "{points:?}");
    }
}

#[tokio::test]
async fn a_removal_of_a_passkey_that_fails_anywhere_is_made_or_not() {
    let points = fault::walk(async |run: Run| {
        let (auth, tokens, mut device, codes) = with_passkey().await;
        let id = auth.passkeys(&tokens).await[0]["id"].clone();
        let first = run.attempt(auth.remove_passkey(&tokens, &id)).await;
        let is_there = auth.passkeys(&tokens).await.len() == 1;
        assert_eq!(auth.sign_in(ADA, PASSWORD).await.status, if is_there { 202 } else { 200 });
        assert_eq!(auth.sign_in_by(&mut device).await.status, if is_there { 200 } else { 401 });
        if is_there {
            auth.sign_in_with(&codes[0]).await.ok(200);
            auth.remove_passkey(&tokens, &id).await.ok(204);
        }
        let is_stalled = !first.is_done();
        if let Some(answer) = first.resume().await {
            let is_late = is_stalled && answer.status == 404;
            let is_limited = answer.status == 503;
            let allowed = run.allows(answer.status, &["tries.clear"]);
            assert!(allowed || is_late || is_limited, "{}", answer.body);
        }
        assert_eq!((items(&auth).await, auth.ada().await.passkeys), ((0, 0), 0));
        auth.sign_in(ADA, PASSWORD).await.ok(200);
    })
    .await;
    assert!(points.contains(&"passkeys.remove"), "{points:?}");
}

/// The refusal is noted before the answer, and a lost note is refused too.
#[tokio::test]
async fn a_refusal_of_the_counter_that_fails_anywhere_signs_nobody_in() {
    let points = fault::walk(async |run: Run| {
        let (auth, tokens) = with_ada().await;
        let mut device = Device::new(Algorithm::Es256);
        device.counter = Some(5);
        auth.add_passkey(&tokens, &mut device).await.ok(201);
        device.counter = Some(1);
        let used = device.get(&auth.sign_in_options().await);
        let first = run.attempt(auth.present(&used)).await;
        assert_eq!(auth.present(&used).await.status, 401);
        if let Some(answer) = first.resume().await {
            assert!([401, 500, 503].contains(&answer.status), "{}", answer.body);
        }
        let ada = auth.ada().await.user.id;
        let kept = auth.users.passkeys(ada).await.unwrap().remove(0);
        assert!(kept.refused.is_some() && kept.sign_count == 6, "{kept:?}");
    })
    .await;
    assert!(points.contains(&"passkeys.refuse"), "{points:?}");
}

/// An old reading of the account removes nothing.
#[tokio::test]
async fn a_removal_with_an_old_reading_is_not_made() {
    let (auth, tokens, _, _) = with_passkey().await;
    let old = auth.ada().await;
    auth.add_passkey(&tokens, &mut Device::new(Algorithm::EdDsa)).await.ok(201);
    let passkey = auth.users.passkeys(old.user.id).await.unwrap().remove(0);
    let attempt = || auth.ids.next();
    let remove = auth.users.remove_passkey(&old, &passkey, attempt()).await.unwrap();
    assert_eq!(remove, PasskeyRemoved::Account);
    let now = auth.ada().await;
    for expected in [PasskeyRemoved::Made, PasskeyRemoved::Gone] {
        let removed = auth.users.remove_passkey(&now, &passkey, attempt()).await.unwrap();
        assert_eq!(removed, expected);
    }
    let signed_in = auth.sign_in(ADA, PASSWORD).await;
    assert!(signed_in.status == 202 && Tokens::of_challenge(&signed_in));
}

impl Tokens {
    /// Whether an answer asks for more, and has no tokens.
    fn of_challenge(answer: &Answer) -> bool {
        answer.body["access_token"].is_null() && answer.body["passkey"].is_object()
    }
}
