//! Passkeys in the audit log, in an export, and after a deletion.

use auth::passkey::{Challenge, Purpose};
use auth::store::PasskeyAdded;
use serde_json::{Value, json};

use super::authenticator::{Algorithm, Device};
use super::with_passkey;
use crate::audit::{kinds, tenant_of};
use crate::sessions::with_ada;
use crate::stream::{Table, record};
use crate::support::{Tokens, sample};

#[tokio::test]
async fn the_life_of_a_passkey_is_in_the_log() {
    let (auth, tokens) = with_ada().await;
    let chain = tenant_of(&auth, &tokens.access).await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let before = table.chain(chain).await.len();
    let mut device = Device::new(Algorithm::Es256);
    device.counter = Some(3);
    auth.add_passkey(&tokens, &mut device).await.ok(201);
    table.streamed().await;
    let tokens = Tokens::of(&auth.sign_in_by(&mut device).await.ok(200));
    table.streamed().await;
    device.counter = Some(1);
    assert_eq!(auth.sign_in_by(&mut device).await.status, 401);
    table.streamed().await;
    auth.removed_all(&tokens).await;
    table.streamed().await;
    let entries = table.chain(chain).await.split_off(before);
    let mut found = kinds(&entries);
    found.sort_unstable();
    let expected = [
        "passkey.added",
        "passkey.counter_refused",
        "passkey.removed",
        "passkeys.needed",
        "passkeys.not_needed",
        "recovery_codes.added",
        "session.begun",
    ];
    assert_eq!(found, expected);
    for kind in ["passkey.added", "passkey.counter_refused"] {
        let entry = entries.iter().find(|entry| entry.fact.kind == kind).unwrap();
        assert_eq!(entry.fact.details["ip"], "203.0.113.7", "{kind}");
        assert!(entry.fact.details["passkey"].starts_with("pky_"));
    }
}

/// What somebody would change in the table to get at an account.
#[tokio::test]
async fn a_passkey_that_is_changed_by_hand_is_in_the_log() {
    let (auth, tokens, _, _) = with_passkey().await;
    let chain = tenant_of(&auth, &tokens.access).await;
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    let item =
        |part: &str| table.before.iter().find(|(key, _)| key.contains(part)).unwrap().1.clone();
    let (account, passkey) = (item("ACCOUNT"), item(" \"PASSKEY#"));
    let codes = item("RECOVERY");
    let with = |item: &Value, name: &str, value: Value| {
        let mut changed = item.clone();
        changed[name] = value;
        changed
    };
    let before = table.chain(chain).await.len();
    let cases = [
        (Some(&account), with(&account, "passkeys", json!({"N": "0"})), "passkeys.not_needed"),
        (Some(&passkey), with(&passkey, "key", json!({"S": "another"})), "passkey.changed"),
        (Some(&passkey), with(&passkey, "credential", json!({"S": "AAAA"})), "passkey.changed"),
        (Some(&passkey), with(&passkey, "user", account["id"].clone()), ""),
        (
            Some(&with(&passkey, "sign_count", json!({"N": "9"}))),
            passkey.clone(),
            "passkey.changed",
        ),
        (Some(&codes), with(&codes, "codes", json!({"SS": ["another"]})), "second_factor.changed"),
        (None, passkey.clone(), "passkey.added"),
        (None, codes.clone(), "recovery_codes.added"),
    ];
    let mut expected = Vec::new();
    for (number, (old, new, kind)) in cases.iter().enumerate() {
        table.handle(&[record(1_000 + number, *old, Some(new))]).await.unwrap();
        expected.extend(Some(*kind).filter(|kind| !kind.is_empty()));
        assert_eq!(kinds(&table.chain(chain).await)[before..], expected, "{number}");
    }
}

#[tokio::test]
async fn an_export_has_passkeys_and_no_keys() {
    let (auth, tokens, device, _) = with_passkey().await;
    let export = auth.as_user(&tokens.access, sample("export-me")).await.ok(200);
    assert_eq!(export["passkeys"], json!(auth.passkeys(&tokens).await));
    let text = export.to_string();
    for secret in
        [super::authenticator::encoded(&device.cose()), super::authenticator::encoded(&device.id)]
    {
        assert!(!text.contains(secret.as_str().unwrap()), "{text}");
    }
}

#[tokio::test]
async fn a_deletion_takes_the_passkeys_with_it() {
    let (auth, tokens, mut device, _) = with_passkey().await;
    auth.add_passkey(&tokens, &mut Device::new(Algorithm::EdDsa)).await.ok(201);
    let used = device.get(&auth.sign_in_options().await);
    let ada = auth.ada().await;
    let mut late = auth.users.passkeys(ada.user.id).await.unwrap().remove(0);
    let mut table = Table::of(&auth).await;
    table.streamed().await;
    auth.as_user(&tokens.access, sample("delete-me")).await.ok(204);
    assert_eq!(auth.present(&used).await.status, 401);
    // An addition that has read the account before writes nothing after.
    late.id = auth.ids.next();
    late.credential = String::from("bGF0ZQ").try_into().unwrap();
    let challenge = Challenge::new(Purpose::SignIn, auth.clock.now()).unwrap();
    let added = auth.users.add_passkey(&ada, &late, &challenge, None, auth.ids.next()).await;
    assert_eq!(added.unwrap(), PasskeyAdded::Account);
    table.streamed().await;
    table.records().await;
    let kept = |key: &String| key.contains("USER#") || key.contains("PASSKEY#");
    assert!(!table.before.keys().any(kept), "{:?}", table.before.keys());
}

/// A visitor makes us write nothing but the count of the limit.
#[tokio::test]
async fn a_visitor_writes_no_items() {
    let (auth, _, mut device, _) = with_passkey().await;
    let (options, requests) = auth.requests.during(auth.sign_in_options()).await;
    assert_eq!(requests, [""; 0]);
    let mut stranger = Device::new(Algorithm::Es256);
    stranger.user.clone_from(&device.user);
    let used = stranger.get(&options);
    let (answer, requests) = auth.requests.during(auth.present(&used)).await;
    assert_eq!(answer.status, 401);
    assert!(requests.iter().skip(1).all(|request| request.starts_with("GetItem")), "{requests:?}");
    let used = device.get(&options);
    let (answer, requests) = auth.requests.during(auth.present(&used)).await;
    answer.ok(200);
    let writes = requests.iter().filter(|request| !request.starts_with("GetItem"));
    assert_eq!(writes.count(), 3, "{requests:?}");
}
