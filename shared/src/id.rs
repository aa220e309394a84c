//! Ids that sort by creation time and have a prefix for their kind: `usr_01JD3Z…`, `doc_01JD3Z…`.
//!
//! **Guarantees.** An id of one kind is never accepted as an id of another kind: the compiler and the
//! parser refuse it. An id has one spelling. 80 bits are random: an id cannot be guessed.
//!
//! ```
//! use shared::clock::Clock;
//! use shared::id::{Ids, TenantId, UserId};
//!
//! let ids = Ids::random(Clock::System);
//! let user: UserId = ids.next();
//! assert_eq!(user.to_string().parse(), Ok(user));
//! assert!(user.to_string().parse::<TenantId>().is_err());
//! ```

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ulid::Ulid;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Clock;
use crate::http::contract::described_text;

/// The kind of an id. The prefix distinguishes the kinds in text.
pub trait Kind {
    /// The letters before the underscore.
    const PREFIX: &'static str;
}

/// A user.
#[derive(Debug)]
pub enum User {}
impl Kind for User {
    const PREFIX: &'static str = "usr";
}
/// A user's id.
pub type UserId = Id<User>;

/// A tenant: the organisation or the person that owns the data.
#[derive(Debug)]
pub enum Tenant {}
impl Kind for Tenant {
    const PREFIX: &'static str = "ten";
}
/// A tenant's id.
pub type TenantId = Id<Tenant>;

/// A session: from a sign-in until it is ended.
#[derive(Debug)]
pub enum Session {}
impl Kind for Session {
    const PREFIX: &'static str = "ses";
}
/// A session's id.
pub type SessionId = Id<Session>;

/// A [ULID](https://github.com/ulid/spec) after its kind's prefix; 30 characters if the prefix has
/// three. As text, ids of one kind sort by creation time, to the millisecond.
pub struct Id<K> {
    ulid: Ulid,
    kind: PhantomData<fn() -> K>,
}

/// The error when a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected \"{prefix}_\" and 26 characters of Crockford's base32 in upper case")]
pub struct InvalidId {
    prefix: &'static str,
}

impl<K: Kind> Id<K> {
    /// The id without its prefix.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 16] {
        self.ulid.to_bytes()
    }

    /// The id of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self { ulid: Ulid::from_bytes(bytes), kind: PhantomData }
    }

    /// The time of creation.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        let milliseconds = i64::try_from(self.ulid.timestamp_ms()).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let id = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .and_then(|rest| Ulid::from_string(rest).ok())
            .map(|ulid| Self { ulid, kind: PhantomData });
        // The decoder accepts lower case and similar letters; but an id must have one spelling.
        id.filter(|id| id.to_string() == text).ok_or(InvalidId { prefix: K::PREFIX })
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.ulid)
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<K: Kind> PartialSchema for Id<K> {
    fn schema() -> RefOr<Schema> {
        let prefix = K::PREFIX;
        described_text(
            &format!("^{prefix}_[0-7][0-9A-HJKMNP-TV-Z]{{25}}$"),
            &format!("{prefix}_01M7YRRT800000000000000002"),
            "An id. Ids of one kind sort by the time of creation, to the millisecond.",
        )
    }
}

/// The schema's name is that of the kind: `OrderId`.
impl<K: Kind> ToSchema for Id<K> {
    fn name() -> Cow<'static, str> {
        let kind = std::any::type_name::<K>();
        let kind = kind.rsplit("::").next().unwrap_or(kind);
        format!("{}Id", kind.strip_suffix("Kind").unwrap_or(kind)).into()
    }
}

// Derived impls would require the same traits of `K`.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.ulid == other.ulid
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
/// The order of creation, to the millisecond.
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.ulid.cmp(&other.ulid)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ulid.hash(state);
    }
}

/// Makes ids: random ones, or a predictable sequence for tests.
#[derive(Clone, Debug)]
pub struct Ids {
    clock: Clock,
    sequence: Option<Arc<AtomicU64>>,
}

impl Ids {
    /// Random ids.
    #[must_use]
    pub fn random(clock: Clock) -> Self {
        Self { clock, sequence: None }
    }

    /// Ids whose random part counts up from 0.
    #[must_use]
    pub fn sequential(clock: Clock) -> Self {
        Self { clock, sequence: Some(Arc::default()) }
    }

    /// A new id.
    #[must_use]
    pub fn next<K: Kind>(&self) -> Id<K> {
        let random = match &self.sequence {
            None => Ulid::generate().random(),
            Some(next) => u128::from(next.fetch_add(1, Ordering::SeqCst)),
        };
        let millisecond = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        Id { ulid: Ulid::from_parts(millisecond, random), kind: PhantomData }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids() -> Ids {
        Ids::sequential(Clock::manual("2026-11-21T10:00:00Z".parse().unwrap()))
    }

    #[test]
    fn an_id_has_the_prefix_of_its_kind() {
        let id: UserId = ids().next();
        assert_eq!(id.to_string(), "usr_01M7YRRT800000000000000000");
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let tenant: TenantId = ids().next();
        assert!(tenant.to_string().parse::<UserId>().is_err());
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = Ids::random(Clock::System).next::<User>().to_string();
        assert!(id.parse::<UserId>().is_ok());
        assert!(id.to_lowercase().parse::<UserId>().is_err());
        assert!("usr_O1KAJYK9G00000000000000000".parse::<UserId>().is_err());
    }

    proptest! {
        #[test]
        fn ids_sort_by_time(a in 0_i64..=4_102_444_800_000, b in 0_i64..=4_102_444_800_000) {
            let at = |ms| Ids::random(Clock::manual(jiff::Timestamp::from_millisecond(ms).unwrap()));
            prop_assume!(a < b);
            prop_assert!(at(a).next::<User>().to_string() < at(b).next::<User>().to_string());
        }

        #[test]
        fn any_text_is_an_id_or_an_error(text in ".*") {
            if let Ok(id) = text.parse::<UserId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
