//! The facts of the audit log: what the stream of the users' table tells ([`relay`](crate::relay)).
//!
//! **Guarantees.** Each change of an account, a session or the keys that matters is in the log, once, also one that an
//! operator makes by hand in the table. What was not made is not in the log. The log has no password, no token and no
//! e-mail address.
//!
//! | a change of | fact |
//! |---|---|
//! | an account: new, deleted | `account.created`, `account.deleted` |
//! | its password | `password.changed`, `password.reset` |
//! | the hash of its password alone: a sign-in with former parameters, or a hand | `password.hash_replaced` |
//! | its address or its tenant, which only a hand changes | `account.changed` |
//! | an address that leads to an account with another address, which only a hand writes | `address.moved` |
//! | its roles | `roles.changed` |
//! | its epoch alone | `sessions.ended`: all that the user had |
//! | a session: new, ended by its user or by its application, ended because a refresh token came again | `session.begun`, `session.ended`, `session.token_reused` |
//! | the session of an application, whose code came again | `session.code_reused` |
//! | a session whose end is removed, which only a hand does | `session.revived` |
//! | an API key: new, with another secret by a rotation, deleted | `api_key.created`, `api_key.rotated`, `api_key.revoked` |
//! | anything else of an API key but its last use, which only a hand changes | `api_key.changed` |
//! | an identity at a provider: linked, removed | `identity.linked`, `identity.removed` |
//! | anything of an identity, which only a hand changes | `identity.changed` |
//! | its second factor: switched on, switched off | `second_factor.added`, `second_factor.removed` |
//! | recovery codes: all replaced, one used | `recovery_codes.replaced`, `recovery_code.used` |
//! | a second factor in force, in any way that no request does | `second_factor.changed` |
//! | a passkey: new, deleted, a sign-in that its counter has refused | `passkey.added`, `passkey.removed`, `passkey.counter_refused` |
//! | anything else of a passkey but its last use, which only a hand changes | `passkey.changed` |
//! | the number of passkeys in the account: from none, to none | `passkeys.needed`, `passkeys.not_needed` |
//! | recovery codes of a user without an app: new | `recovery_codes.added` |
//! | the keys of tokens | `keys.rotated` |
//! | a tenant: new, deleted with its last member | `tenant.created`, `tenant.deleted` |
//! | a member: new, with another role, gone | `member.joined`, `member.role_given`, `member.left` |
//! | a member who was removed by another one, beside `member.left` | `member.removed` |
//! | anything else of a tenant or a member, which only a hand changes | `tenant.changed`, `member.changed` |
//! | an invitation: made, or replaced; used, revoked or expired | `invitation.sent`, `invitation.ended` |
//! | an application: new, deleted | `application.registered`, `application.deleted` |
//! | its secrets alone | `application.secret_renewed` |
//! | anything else of it, which only a hand changes | `application.changed` |
//!
//! A session is in the log of its user's own tenant, whichever tenant it acts for. A switch is no fact. A refresh is no fact: a session
//! shows the last one. Nor is a use of an API key or of a passkey, or a code of the app that was
//! used: a sign-in follows it.

mod invitation;
mod member;
mod tenant;

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use shared::audit::{Chain, Fact};
use shared::batch::Change;
use shared::scopes::Role;

use crate::api_key::ApiKey;
use crate::identity::Identity;
use crate::passkey::Passkey;
use crate::session::{Client, Reason, Session};
use crate::store::changes::{Account, Item, Keys};
use crate::store::{self, FactorSet, How, PasswordSet, Registered, Totp};

/// The facts of a change, which the function sees at `now`.
#[must_use]
pub fn facts(change: &Change<Item>, now: Timestamp) -> Vec<(Chain, Fact)> {
    with_ids(
        change,
        match (&change.old, &change.new) {
            (None, Some(Item::Account(new))) => vec![new.created()],
            (Some(Item::Account(old)), None) => vec![old.told("account.deleted", now)],
            (Some(Item::Account(old)), Some(Item::Account(new))) => new.changes(old, now),
            (None, Some(Item::Session(new))) => vec![session("session.begun", new.created_at, new)],
            (Some(Item::Session(old)), Some(Item::Session(new))) if old.ended.is_none() => {
                new.ended.iter().map(|ended| session(kind(ended.reason), ended.at, new)).collect()
            }
            (Some(Item::Session(old)), Some(Item::Session(new))) if new.ended.is_none() => {
                let is_revived = old.ended.is_some();
                is_revived.then(|| session("session.revived", now, new)).into_iter().collect()
            }
            (None, Some(Item::Application(new))) => {
                vec![application("application.registered", new.application.created_at, new)]
            }
            (Some(Item::Application(old)), None) => {
                vec![application("application.deleted", now, old)]
            }
            (Some(Item::Application(old)), Some(Item::Application(new))) if old != new => {
                let is_same = old.application == new.application;
                let kind = if is_same { "secret_renewed" } else { "changed" };
                vec![application(&format!("application.{kind}"), now, new)]
            }
            (None, Some(Item::ApiKey(new))) => vec![new.made("api_key.created")],
            (Some(Item::ApiKey(old)), None) => vec![old.told("api_key.revoked", now)],
            (Some(Item::ApiKey(old)), Some(Item::ApiKey(new))) => new.changes(old, now),
            (None, Some(Item::Identity(new))) => vec![new.linked()],
            (Some(Item::Identity(old)), None) => vec![old.told("identity.removed", now)],
            (Some(Item::Identity(old)), Some(Item::Identity(new))) if old != new => {
                vec![old.told("identity.changed", now)]
            }
            (None, Some(Item::Totp(new))) => new.appeared(now),
            (Some(Item::Totp(old)), Some(Item::Totp(new)))
            | (Some(Item::Recovery(old)), Some(Item::Recovery(new))) => new.changes(old, now),
            (None, Some(Item::Recovery(new))) => vec![new.told("recovery_codes.added", now)],
            (None, Some(Item::Passkey(new))) => vec![new.added()],
            (Some(Item::Passkey(old)), None) => vec![old.told("passkey.removed", now)],
            (Some(Item::Passkey(old)), Some(Item::Passkey(new))) => new.changes(old, now),
            (None, Some(Item::Tenant(new))) => vec![tenant::created(new)],
            (Some(Item::Tenant(old)), None) => vec![tenant::told(old, "tenant.deleted", now)],
            (Some(Item::Tenant(old)), Some(Item::Tenant(new))) => tenant::changes(old, new, now),
            (None, Some(Item::Member(new))) => {
                vec![member::given("member.joined", new.joined_at, new)]
            }
            (Some(Item::Member(old)), None) => vec![member::told("member.left", now, old)],
            (Some(Item::Member(old)), Some(Item::Member(new))) => member::changes(old, new, now),
            (_, Some(Item::Invitation(new))) => {
                vec![invitation::told("invitation.sent", new.given.at, new)]
            }
            (Some(Item::Invitation(old)), None) => {
                vec![invitation::told("invitation.ended", now, old)]
            }
            (_, Some(Item::Keys(new))) => new.rotated(change.old.as_ref()).into_iter().collect(),
            _ => Vec::new(),
        },
    )
}

/// The fact that an address leads to this account, which has another one.
#[must_use]
pub fn moved(
    change: &Change<Item>,
    account: &store::Account,
    now: Timestamp,
) -> Vec<(Chain, Fact)> {
    let fact = told("address.moved", now, account.user.id.to_string());
    with_ids(change, vec![(Chain::Tenant(account.user.tenant), fact)])
}

/// Facts with their ids. A change may tell several.
fn with_ids(change: &Change<Item>, facts: Vec<(Chain, Fact)>) -> Vec<(Chain, Fact)> {
    let with_id = |(chain, fact): (Chain, Fact)| {
        let id = format!("{}/{}", change.event_id, fact.kind);
        (chain, Fact { id, ..fact })
    };
    facts.into_iter().map(with_id).collect()
}

impl Account {
    fn told(&self, kind: &str, at: Timestamp) -> (Chain, Fact) {
        (Chain::Tenant(self.tenant), told(kind, at, self.id.to_string()))
    }

    fn created(&self) -> (Chain, Fact) {
        let (chain, mut fact) = self.told("account.created", self.created_at);
        if self.password_set.how == How::None {
            fact.details.insert("password".into(), "none".into());
        }
        (chain, by(fact, &self.password_set.client))
    }

    fn changes(&self, old: &Self, now: Timestamp) -> Vec<(Chain, Fact)> {
        let mut facts = Vec::new();
        if self.password_set != old.password_set {
            let PasswordSet { at, how, client } = &self.password_set;
            let kind = if *how == How::Reset { "password.reset" } else { "password.changed" };
            let (chain, fact) = self.told(kind, *at);
            facts.push((chain, by(fact, client)));
        } else if !is_same(self.password_hash.as_ref(), old.password_hash.as_ref()) {
            facts.push(self.told("password.hash_replaced", now));
        } else if self.epoch != old.epoch {
            facts.push(self.told("sessions.ended", now));
        }
        if (&self.email, self.tenant) != (&old.email, old.tenant) {
            facts.push(old.told("account.changed", now));
        }
        if self.second_factor != old.second_factor {
            facts.extend(self.switched(old, now));
        }
        facts.extend(self.passkeys_needed(old, now));
        if self.roles != old.roles {
            let (chain, mut fact) = self.told("roles.changed", now);
            let names = |roles: &[Role]| serde_json::to_string(roles).unwrap_or_default();
            fact.details.insert("before".into(), names(&old.roles));
            fact.details.insert("after".into(), names(&self.roles));
            facts.push((chain, fact));
        }
        facts
    }
}

impl ApiKey {
    /// The name is not told: it is the user's text.
    fn told(&self, kind: &str, at: Timestamp) -> (Chain, Fact) {
        let mut fact = told(kind, at, self.user.to_string());
        fact.details.insert("api_key".into(), self.id.to_string());
        (Chain::Tenant(self.tenant), fact)
    }

    /// The fact that the key has a new secret.
    fn made(&self, kind: &str) -> (Chain, Fact) {
        let (chain, fact) = self.told(kind, self.secret_set.at);
        let mut fact = by(fact, &self.secret_set.client);
        fact.details.insert("scopes".into(), self.scopes.join(" "));
        fact.details.insert("emergency".into(), self.secret_set.emergency.to_string());
        (chain, fact)
    }

    fn changes(&self, old: &Self, now: Timestamp) -> Vec<(Chain, Fact)> {
        let mut facts = Vec::new();
        let mut expected = Self { used_at: self.used_at, ..old.clone() };
        if self.secret_set != old.secret_set {
            facts.push(self.made("api_key.rotated"));
            expected.secret_set = self.secret_set.clone();
            expected.secret_hash.clone_from(&self.secret_hash);
            expected.old_secrets.clone_from(&self.old_secrets);
        }
        if *self != expected {
            facts.push(old.told("api_key.changed", now));
        }
        facts
    }
}

impl Passkey {
    /// The name is not told: it is the user's text.
    fn told(&self, kind: &str, at: Timestamp) -> (Chain, Fact) {
        let mut fact = told(kind, at, self.user.to_string());
        fact.details.insert("passkey".into(), self.id.to_string());
        (Chain::Tenant(self.tenant), fact)
    }

    fn added(&self) -> (Chain, Fact) {
        let (chain, fact) = self.told("passkey.added", self.created_at);
        (chain, by(fact, &self.client))
    }

    fn changes(&self, old: &Self, now: Timestamp) -> Vec<(Chain, Fact)> {
        let mut facts = Vec::new();
        let mut expected = Self { is_backed_up: self.is_backed_up, ..old.clone() };
        // A sign-in sets the time, and the counter goes up, or stays at 0.
        if self.used_at != old.used_at && self.sign_count >= old.sign_count {
            (expected.used_at, expected.sign_count) = (self.used_at, self.sign_count);
        }
        if let Some(refused) = self.refused.as_ref().filter(|_| self.refused != old.refused) {
            let (chain, fact) = self.told("passkey.counter_refused", refused.at);
            facts.push((chain, by(fact, &refused.client)));
            expected.refused.clone_from(&self.refused);
        }
        if *self != expected {
            facts.push(old.told("passkey.changed", now));
        }
        facts
    }
}

impl Account {
    /// The fact that a sign-in needs more than the password because of passkeys, or not any more. A hand may change the number.
    fn passkeys_needed(&self, old: &Self, now: Timestamp) -> Option<(Chain, Fact)> {
        match (old.passkeys, self.passkeys) {
            (0, 1..) => Some(self.told("passkeys.needed", now)),
            (1.., 0) => Some(self.told("passkeys.not_needed", now)),
            _ => None,
        }
    }

    /// The fact that the second factor is switched. A hand may switch it without saying when.
    fn switched(&self, old: &Self, now: Timestamp) -> Option<(Chain, Fact)> {
        let is_on = |set: &Option<FactorSet>| set.as_ref().is_some_and(|set| set.is_on);
        let kind = match (is_on(&old.second_factor), is_on(&self.second_factor)) {
            (false, true) => "second_factor.added",
            (true, false) => "second_factor.removed",
            (false, false) => return None,
            (true, true) => "second_factor.changed",
        };
        let before = old.second_factor.as_ref().map(|set| set.at);
        let set = self.second_factor.as_ref().filter(|set| Some(set.at) != before);
        let (chain, fact) = self.told(kind, set.map_or(now, |set| set.at));
        Some((chain, set.map_or(fact.clone(), |set| by(fact, &set.client))))
    }
}

impl Identity {
    fn told(&self, kind: &str, at: Timestamp) -> (Chain, Fact) {
        let mut fact = told(kind, at, self.user.to_string());
        fact.details.insert("identity".into(), self.id.to_string());
        fact.details.insert("provider".into(), self.subject.provider.to_string());
        (Chain::Tenant(self.tenant), fact)
    }

    fn linked(&self) -> (Chain, Fact) {
        let (chain, fact) = self.told("identity.linked", self.linked_at);
        (chain, by(fact, &self.client))
    }
}

impl Totp {
    fn told(&self, kind: &str, at: Timestamp) -> (Chain, Fact) {
        (Chain::Tenant(self.tenant), told(kind, at, self.user.to_string()))
    }

    /// An enrolment is no fact. One that is in force at once was written by hand.
    fn appeared(&self, now: Timestamp) -> Vec<(Chain, Fact)> {
        let is_by_hand = self.confirmed_at.is_some();
        is_by_hand.then(|| self.told("second_factor.changed", now)).into_iter().collect()
    }

    /// What has changed of a second factor in force. That it was confirmed tells the account.
    fn changes(&self, old: &Self, now: Timestamp) -> Vec<(Chain, Fact)> {
        if old.confirmed_at.is_none() {
            return Vec::new();
        }
        let is_accepted = self.last_step > old.last_step || self.codes != old.codes;
        let is_by_hand = self.secret != old.secret
            || self.confirmed_at != old.confirmed_at
            || self.last_step < old.last_step
            || (self.wrong < old.wrong && !is_accepted);
        if is_by_hand {
            return vec![self.told("second_factor.changed", now)];
        }
        if let Some(made) = self.codes_made.as_ref().filter(|_| self.codes_made != old.codes_made) {
            let (chain, fact) = self.told("recovery_codes.replaced", made.at);
            return vec![(chain, by(fact, &made.client))];
        }
        if self.codes == old.codes {
            return Vec::new();
        }
        if !self.codes.is_subset(&old.codes) {
            return vec![self.told("second_factor.changed", now)];
        }
        let (chain, mut fact) = self.told("recovery_code.used", now);
        fact.details.insert("left".into(), self.codes.len().to_string());
        vec![(chain, fact)]
    }
}

impl Keys {
    fn rotated(&self, old: Option<&Item>) -> Option<(Chain, Fact)> {
        let before = match old {
            Some(Item::Keys(keys)) => keys.rotation,
            _ => None,
        };
        let store::Rotation { at, emergency } = self.rotation.filter(|now| Some(*now) != before)?;
        let mut fact = told("keys.rotated", at, "keys".into());
        fact.details.insert("emergency".into(), emergency.to_string());
        Some((Chain::Installation, fact))
    }
}

fn session(kind: &str, at: Timestamp, session: &Session) -> (Chain, Fact) {
    let mut fact = by(told(kind, at, session.user.to_string()), &session.client);
    fact.details.insert("session".into(), session.id.to_string());
    let application = session.application_id().map(|id| ("application".into(), id.to_string()));
    fact.details.extend(application);
    (Chain::Tenant(session.own_tenant.unwrap_or(session.tenant)), fact)
}

fn application(kind: &str, at: Timestamp, registered: &Registered) -> (Chain, Fact) {
    let mut fact = told(kind, at, registered.application.id.to_string());
    fact.details.insert("registered_by".into(), registered.admin().to_string());
    (Chain::Installation, fact)
}

fn kind(reason: Reason) -> &'static str {
    match reason {
        Reason::SignedOut => "session.ended",
        Reason::TokenReused => "session.token_reused",
        Reason::CodeReused => "session.code_reused",
    }
}

fn is_same(hash: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    hash.map(SecretString::expose_secret) == other.map(SecretString::expose_secret)
}

fn told(kind: &str, at: Timestamp, subject: String) -> Fact {
    Fact { id: String::new(), at, kind: kind.into(), subject, details: BTreeMap::new() }
}

/// The fact with what is known of the client.
fn by(mut fact: Fact, client: &Client) -> Fact {
    let known = [("ip", &client.ip), ("user_agent", &client.user_agent)];
    for (name, value) in known {
        fact.details.extend(value.clone().map(|value| (name.to_owned(), value)));
    }
    fact
}
