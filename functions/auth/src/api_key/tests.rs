use shared::clock::Clock;
use shared::id::Ids;
use shared::scopes::{Role, TenantRole};

use super::*;
use crate::tenant::{Given, Member};
use crate::user::User;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn set(at: Timestamp, emergency: bool) -> SecretSet {
    SecretSet { at, emergency, client: Client::default() }
}

/// A user, and a key of the user with these scopes, whose secrets are good for `days`.
fn made(scopes: &[&str], days: Option<u16>) -> (User, ApiKey, Secret) {
    let ids = Ids::random(Clock::manual(start()));
    let email = String::from("ada@example.org").try_into().unwrap();
    let user = User::register(email, &ids, start());
    let secret = Secret::generate(user.id, ids.next()).unwrap();
    let wanted = serde_json::json!(scopes);
    let name = String::from("nightly export").try_into().unwrap();
    let expires_in_days = days.map(|days| days.try_into().unwrap());
    let wanted = Wanted { name, scopes: serde_json::from_value(wanted).unwrap(), expires_in_days };
    let key = ApiKey::new(&user.clone().in_own_tenant(), wanted, &secret, set(start(), false));
    (user, key, secret)
}

fn next(key: &ApiKey) -> Secret {
    Secret::generate(key.user, key.id).unwrap()
}

fn scope(key: &ApiKey, user: &User, secret: &Secret) -> String {
    key.admit(&user.clone().in_own_tenant(), secret, start()).unwrap().scope
}

#[test]
fn a_key_has_the_scopes_that_its_user_has_too() {
    let (mut user, mut key, secret) = made(&["orders:read", "audit:read", "admin"], None);
    assert_eq!(scope(&key, &user, &secret), "audit:read orders:read");
    user.roles = vec![Role::Member, Role::Admin];
    assert_eq!(scope(&key, &user, &secret), "admin audit:read orders:read");
    user.roles = vec![Role::Admin];
    assert_eq!(scope(&key, &user, &secret), "admin");
    user.roles.clear();
    assert_eq!(scope(&key, &user, &secret), "");
    user.roles = vec![Role::Member];
    let (tenant, email, role) = (key.tenant, user.email.clone(), TenantRole::Viewer);
    let given = Given { by: user.id, at: start() };
    let member = Member { tenant, user: user.id, email, role, joined_at: start(), given };
    let mut viewer = Actor { user: user.clone(), tenant, membership: Some(member.clone()) };
    assert_eq!(key.admit(&viewer, &secret, start()).unwrap().scope, "orders:read");
    let joined_at = start() + Duration::from_millis(1);
    viewer.membership = Some(Member { joined_at, ..member });
    assert_eq!(key.admit(&viewer, &secret, start()), None, "the key is from an earlier membership");
    // Only a hand writes this.
    (user.roles, key.scopes) = (vec![Role::Member], vec!["account".into(), "orders:read".into()]);
    assert_eq!(scope(&key, &user, &secret), "orders:read");
}

#[test]
fn a_secret_expires_to_the_second() {
    let (user, key, secret) = made(&["orders:read"], Some(90));
    let end = start() + 90 * DAY;
    assert_eq!(key.expires_at(), Some(end));
    let admitted =
        |now| key.admit(&user.clone().in_own_tenant(), &secret, now).map(|user| user.expires_at);
    assert_eq!(admitted(end - DAY), Some(end - DAY + token::LIFETIME));
    assert_eq!(admitted(end - SECOND), Some(end));
    assert_eq!(admitted(end), None);

    let (user, key, secret) = made(&["orders:read"], None);
    let now = start() + 40_000 * DAY;
    let admitted = key.admit(&user.clone().in_own_tenant(), &secret, now).unwrap();
    assert_eq!(admitted.expires_at, now + token::LIFETIME);
}

#[test]
fn an_old_secret_is_good_for_a_day_and_not_longer_than_before() {
    let (user, first, secret) = made(&["orders:read"], Some(2));
    let is_good = |key: &ApiKey, secret: &Secret, now| {
        key.admit(&user.clone().in_own_tenant(), secret, now).is_some()
    };
    for (rotated_at, ends_at) in [
        (start(), start() + DAY),
        (start() + DAY + DAY / 2, start() + 2 * DAY),
        (start() + 2 * DAY, start() + 2 * DAY),
    ] {
        let other = next(&first);
        let second = first.rotated(&other, set(rotated_at, false)).unwrap();
        let overlap = Some(ends_at).filter(|end| rotated_at < *end);
        assert_eq!(second.overlaps_until(rotated_at), overlap);
        assert_eq!(is_good(&second, &secret, ends_at - SECOND), overlap.is_some());
        assert!(!is_good(&second, &secret, ends_at));
        assert_eq!(second.expires_at(), Some(rotated_at + 2 * DAY), "all its days again");
        assert!(is_good(&second, &other, rotated_at + 2 * DAY - SECOND));
        assert!(!is_good(&second, &other, rotated_at + 2 * DAY));
    }
}

#[test]
fn four_old_secrets_are_good_at_once_and_none_after_an_emergency() {
    let (user, mut key, first) = made(&["orders:read"], None);
    let mut secrets = vec![first];
    let good = |key: &ApiKey, secrets: &[Secret], now| {
        secrets
            .iter()
            .filter(|secret| key.admit(&user.clone().in_own_tenant(), secret, now).is_some())
            .count()
    };
    for hours in 0..4 {
        secrets.push(next(&key));
        let at = start() + Duration::from_hours(hours);
        key = key.rotated(secrets.last().unwrap(), set(at, false)).unwrap();
    }
    let now = start() + DAY;
    assert_eq!(good(&key, &secrets, now - SECOND), 5);
    let fifth = next(&key);
    assert_eq!(key.rotated(&fifth, set(now - SECOND, false)), Err(TooManySecrets));
    assert_eq!(good(&key, &secrets, now), 4, "the first has ended");
    let rotated = key.rotated(&fifth, set(now, false)).unwrap();
    assert_eq!(rotated.old_secrets.len(), 4, "those that have ended are not kept");

    let emergency = key.rotated(&fifth, set(now, true)).unwrap();
    assert_eq!(good(&emergency, &secrets, now), 0);
    assert_eq!((emergency.overlaps_until(now), good(&emergency, &[fifth], now)), (None, 1));
}

/// A request is sent again by the client of DynamoDB when its answer is lost.
#[test]
fn a_rotation_that_is_made_already_changes_nothing() {
    let (_, key, _) = made(&["orders:read"], None);
    let secret = next(&key);
    let rotated = key.rotated(&secret, set(start(), false)).unwrap();
    assert_eq!(rotated.rotated(&secret, set(start(), false)), Ok(rotated.clone()));
}

#[test]
fn a_secret_of_another_key_is_refused() {
    let (user, key, secret) = made(&["orders:read"], None);
    assert!(key.admit(&user.clone().in_own_tenant(), &next(&key), start()).is_none());
    let (_, other, _) = made(&["orders:read"], None);
    assert!(other.admit(&user.clone().in_own_tenant(), &secret, start()).is_none());
}

#[test]
fn names_days_and_scopes_are_checked() {
    for name in ["a", "Büro 7", &"é".repeat(100), " padded "] {
        assert!(KeyName::try_from(name.to_owned()).is_ok(), "{name:?}");
    }
    for name in ["", "  ", &"a".repeat(101), "a\nb", "a\u{0}b", "a\u{85}b"] {
        assert_eq!(KeyName::try_from(name.to_owned()), Err(InvalidName), "{name:?}");
    }
    for (days, is_valid) in [(0, false), (1, true), (365, true), (366, false)] {
        assert_eq!(Days::try_from(days).is_ok(), is_valid, "{days}");
    }
    let scope = |text: &str| KeyScope::try_from(text.to_owned());
    assert_eq!(scope("account"), Err(InvalidScope::Account));
    assert_eq!(scope("orders"), Err(InvalidScope::Unknown));
    let twice = vec![scope("admin").unwrap(), scope("admin").unwrap()];
    assert_eq!(KeyScopes::try_from(twice).unwrap().0.len(), 1);
    assert_eq!(KeyScopes::try_from(Vec::new()), Err(NoScope));
}

/// The table's item is read back as it was, and a use is noted once an hour.
#[test]
fn a_use_is_noted_each_hour() {
    let (_, mut key, _) = made(&["orders:read"], Some(1));
    assert!(key.notes_use(start()));
    key.used_at = Some(start());
    assert!(!key.notes_use(start() + USE_NOTED_EACH - SECOND));
    assert!(key.notes_use(start() + USE_NOTED_EACH));
    let key = key.rotated(&next(&key), set(start(), false)).unwrap();
    let item = serde_json::to_value(&key).unwrap();
    assert_eq!(serde_json::from_value::<ApiKey>(item).unwrap(), key);
}
