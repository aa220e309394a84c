//! API keys: the rules.
//!
//! With an API key, a program calls the API as its user, without a session. The program sends the secret of the key as a
//! bearer token. A key lasts until its user revokes it. Its secret can be replaced, and can expire.
//!
//! **Guarantees.**
//!
//! - A key gives those of its scopes that the roles of its user have at the moment of the request, and never `account`. So no
//!   key can make, change or end keys, sessions, the password or the account.
//! - The table has a hash of each secret and not the secret.
//! - A key ends with the account. It does not end with the password or with a session.
//! - After a rotation, the old secret is good for [`OVERLAP`], but not longer than before. After an emergency, no
//!   old secret is good.
//! - A user has at most [`MAX_KEYS`] keys.

mod secret;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond::optional as milliseconds;
use serde::{Deserialize, Serialize};
use shared::http::{SignedIn, StatusCode};
use shared::id::{Id, Kind, TenantId, UserId};
use shared::problem::ProblemType;
use shared::scopes;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

pub use self::secret::{PREFIX, Secret};
use crate::session::Client;
use crate::token;
use crate::user::Actor;

/// The maximum number of keys of a user.
pub const MAX_KEYS: u32 = 20;
/// How long an old secret is good after a rotation, so that programs have time to take the new one.
pub const OVERLAP: Duration = Duration::from_hours(24);
/// The maximum number of old secrets that are good at the same time.
pub const MAX_OLD_SECRETS: usize = 4;
/// How often a use is noted at most. A note is a write, and a program may call often.
pub const USE_NOTED_EACH: Duration = Duration::from_hours(1);

/// 409: the user has [`MAX_KEYS`] keys.
pub const TOO_MANY_KEYS: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "too-many-api-keys", "There are too many API keys");

/// An API key, as a kind of ids.
#[derive(Debug)]
pub enum ApiKeyKind {}
impl Kind for ApiKeyKind {
    const PREFIX: &'static str = "key";
}
/// The id of an API key.
pub type ApiKeyId = Id<ApiKeyKind>;

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// The key's id.
    pub id: ApiKeyId,
    /// The user.
    pub user: UserId,
    /// The tenant that the key acts for, whose audit log tells of it.
    pub tenant: TenantId,
    /// What the user calls it.
    pub name: KeyName,
    /// The scopes that its user gave it.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// For how many days a secret is good. Without it, a secret does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<Days>,
    /// The hash of the current secret.
    pub secret_hash: String,
    /// How the current secret was made.
    pub secret_set: SecretSet,
    /// The old secrets that were still good at the last rotation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub old_secrets: Vec<OldSecret>,
    /// The last use that was noted.
    #[serde(default, with = "milliseconds", skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
}

/// How a secret was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretSet {
    /// When it was made: with the key, or by a rotation.
    pub at: Timestamp,
    /// Whether the old secrets ended at once.
    pub emergency: bool,
    /// The client of the request.
    #[serde(flatten)]
    pub client: Client,
}

/// An old secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldSecret {
    hash: String,
    /// When it ends.
    until: Timestamp,
}

/// What a user asks for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What the user calls the key.
    pub name: KeyName,
    /// Its scopes.
    pub scopes: KeyScopes,
    /// For how many days a secret is good.
    pub expires_in_days: Option<Days>,
}

/// [`MAX_OLD_SECRETS`] old secrets are good already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("up to {MAX_OLD_SECRETS} old secrets are good at once, for a day each")]
pub struct TooManySecrets;

impl ApiKey {
    /// A new key of a user, for the tenant that the user acts for, with this secret.
    #[must_use]
    pub fn new(actor: &Actor, wanted: Wanted, secret: &Secret, secret_set: SecretSet) -> Self {
        let Wanted { name, scopes, expires_in_days } = wanted;
        Self {
            id: secret.key,
            user: actor.user.id,
            tenant: actor.tenant,
            name,
            scopes: scopes.0.into_iter().map(|scope| scope.0).collect(),
            created_at: secret_set.at,
            expires_in_days,
            secret_hash: secret.hash(),
            secret_set,
            old_secrets: Vec::new(),
            used_at: None,
        }
    }

    /// The key with a new secret, which is good as long as the first one was.
    ///
    /// # Errors
    /// When [`MAX_OLD_SECRETS`] old secrets would stay good already.
    pub fn rotated(&self, secret: &Secret, secret_set: SecretSet) -> Result<Self, TooManySecrets> {
        // An attempt whose answer was lost has made it.
        if self.secret_hash == secret.hash() {
            return Ok(self.clone());
        }
        let now = secret_set.at;
        let mut old_secrets = Vec::new();
        if !secret_set.emergency {
            let good = self.old_secrets.iter().filter(|old| now < old.until);
            old_secrets.extend(good.cloned());
            let until = self.expires_at().unwrap_or(Timestamp::MAX).min(now + OVERLAP);
            if now < until {
                old_secrets.push(OldSecret { hash: self.secret_hash.clone(), until });
            }
        }
        if old_secrets.len() > MAX_OLD_SECRETS {
            return Err(TooManySecrets);
        }
        Ok(Self { secret_hash: secret.hash(), secret_set, old_secrets, ..self.clone() })
    }

    /// When the current secret expires, if it does.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        let lifetime =
            self.expires_in_days.map(|Days(days)| Duration::from_hours(24) * days.into());
        lifetime.map(|lifetime| self.secret_set.at + lifetime)
    }

    /// Until when an old secret is good too, if one is at `now`.
    #[must_use]
    pub fn overlaps_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.old_secrets.iter().map(|old| old.until).filter(|until| now < *until).max()
    }

    /// What a request with this secret may do at `now`: what the user may, but only with the scopes of the key. `None` if
    /// the secret is none of the key, or has expired, or the user has joined the tenant after the key was made: who leaves a
    /// tenant leaves their keys there too.
    #[must_use]
    pub fn admit(&self, actor: &Actor, secret: &Secret, now: Timestamp) -> Option<SignedIn> {
        let until = self.good_until(secret).filter(|until| now < *until)?;
        if actor.membership.as_ref().is_some_and(|member| self.created_at < member.joined_at) {
            return None;
        }
        let has =
            |scope: &&str| *scope != scopes::ACCOUNT && self.scopes.iter().any(|it| it == scope);
        let held = actor.scopes().into_iter().filter(has).collect::<Vec<_>>();
        Some(SignedIn {
            user: actor.user.id,
            tenant: actor.tenant,
            session: None,
            application: None,
            scope: held.join(" "),
            // A key that does not expire is checked again as often as an access token.
            expires_at: until.min(now + token::LIFETIME),
        })
    }

    /// Until when the secret is good, if it is one of the key. The comparisons take constant time.
    fn good_until(&self, secret: &Secret) -> Option<Timestamp> {
        let hash = secret.hash();
        let is = |known: &str| verify_slices_are_equal(known.as_bytes(), hash.as_bytes()).is_ok();
        if is(&self.secret_hash) {
            return Some(self.expires_at().unwrap_or(Timestamp::MAX));
        }
        self.old_secrets.iter().find(|old| is(&old.hash)).map(|old| old.until)
    }

    /// Whether a use at `now` is to be noted.
    #[must_use]
    pub fn notes_use(&self, now: Timestamp) -> bool {
        self.used_at.is_none_or(|noted| noted + USE_NOTED_EACH <= now)
    }
}

/// The name of a key: 1 to 100 characters, and no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(as = ApiKeyName, value_type = String, min_length = 1, max_length = 100, example = "nightly export")]
pub struct KeyName(String);

/// The text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 100 characters, and no control characters")]
pub struct InvalidName;

impl TryFrom<String> for KeyName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        name_of(&text).map(Self)
    }
}

/// A name that a user gives to something, without spaces around it.
pub(crate) fn name_of(text: &str) -> Result<String, InvalidName> {
    let name = text.trim();
    let is_valid = (1..=100).contains(&name.chars().count()) && !name.contains(char::is_control);
    if is_valid { Ok(name.to_owned()) } else { Err(InvalidName) }
}

/// A number of days: 1 to 365.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u16")]
#[schema(as = ApiKeyDays, value_type = u16, minimum = 1, maximum = 365, example = 90)]
pub struct Days(u16);

/// The number is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("from 1 to 365")]
pub struct InvalidDays;

impl TryFrom<u16> for Days {
    type Error = InvalidDays;

    fn try_from(days: u16) -> Result<Self, InvalidDays> {
        if (1..=365).contains(&days) { Ok(Self(days)) } else { Err(InvalidDays) }
    }
}

/// A scope that a key may have: each one but `account`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct KeyScope(String);

/// The text is no scope of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidScope {
    /// A session has it.
    #[error("a key cannot have the scope account: only a session can")]
    Account,
    /// There is no such scope.
    #[error("there is no such scope")]
    Unknown,
}

impl TryFrom<String> for KeyScope {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, InvalidScope> {
        if text == scopes::ACCOUNT {
            return Err(InvalidScope::Account);
        }
        let is_known = scopes::TABLE.iter().any(|row| row.scope == text);
        if is_known { Ok(Self(text)) } else { Err(InvalidScope::Unknown) }
    }
}

impl PartialSchema for KeyScope {
    fn schema() -> RefOr<Schema> {
        let names = scopes::TABLE.iter().map(|row| row.scope);
        let names = names.filter(|scope| *scope != scopes::ACCOUNT).collect::<Vec<_>>();
        let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
        schema.description(Some("A scope that an API key may have.")).build().into()
    }
}
impl ToSchema for KeyScope {
    fn name() -> Cow<'static, str> {
        "ApiKeyScope".into()
    }
}

/// The scopes of a key: at least one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<KeyScope>")]
pub struct KeyScopes(BTreeSet<KeyScope>);

/// There is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name at least one scope")]
pub struct NoScope;

impl TryFrom<Vec<KeyScope>> for KeyScopes {
    type Error = NoScope;

    fn try_from(scopes: Vec<KeyScope>) -> Result<Self, NoScope> {
        if scopes.is_empty() { Err(NoScope) } else { Ok(Self(scopes.into_iter().collect())) }
    }
}

impl KeyScopes {
    /// The scopes that the user does not have, or the token of the request.
    pub fn beyond(&self, request: &SignedIn, actor: &Actor) -> impl Iterator<Item = &str> {
        let held = actor.scopes();
        let is_held = move |scope: &&str| held.contains(scope) && request.require(scope).is_ok();
        self.0.iter().map(|scope| scope.0.as_str()).filter(move |scope| !is_held(scope))
    }
}

#[cfg(test)]
mod tests;
