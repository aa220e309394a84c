//! Passkeys: the rules. A user signs in with a key that is in a phone, a computer or a security key
//! ([WebAuthn](https://www.w3.org/TR/webauthn-2/), with the flags of backups of [Level 3](https://www.w3.org/TR/webauthn-3/)).
//!
//! **Guarantees.**
//!
//! - A passkey is bound to the host of the API's URL ([`RelyingParty`]): no other site can use it, and a page in the middle
//!   gets no answer that is good here.
//! - The authenticator has made sure who the user is, by a PIN, a finger or a face. So a passkey alone is two factors.
//! - A [`Challenge`] has 256 random bits, is good for [`challenge::LIFETIME`], for one purpose, and once.
//! - What an answer of an authenticator must be is checked in [`ceremony`], a line for each step of the standard. Bytes that are
//!   not what they must be are refused; they are never an error of ours.
//! - A user has at most [`MAX_PASSKEYS`] passkeys, and a key of an authenticator belongs to one user.
//! - A counter of signatures that does not go up refuses the sign-in: somebody may have a copy of the key.

mod authenticator;
mod cbor;
pub mod ceremony;
pub mod challenge;
mod client_data;
pub mod json;
mod public_key;

pub use ceremony::{Asserted, Refusal, Registered, RelyingParty};
pub use challenge::{Challenge, PasskeyKey, Purpose};
pub use json::CredentialId;
pub use public_key::{ALGORITHMS, PublicKey};

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{Id, Kind, TenantId, UserId};
use utoipa::ToSchema;

use crate::api_key::{InvalidName, name_of};
use crate::session::Client;
use crate::user::User;

/// The maximum number of passkeys of a user.
pub const MAX_PASSKEYS: u32 = 20;
/// How long after a sign-in a user with a second factor may change the factors. Such a sign-in has needed one.
pub const RECENT: Duration = Duration::from_mins(10);

/// A passkey, as a kind of ids.
#[derive(Debug)]
pub enum PasskeyKind {}
impl Kind for PasskeyKind {
    const PREFIX: &'static str = "pky";
}
/// The id of a passkey.
pub type PasskeyId = Id<PasskeyKind>;

/// A passkey of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// The user.
    pub user: UserId,
    /// The user's tenant, whose audit log tells of it.
    pub tenant: TenantId,
    /// What the user calls it.
    pub name: PasskeyName,
    /// What the authenticator calls it.
    pub credential: CredentialId,
    /// What its signatures are checked with.
    pub key: PublicKey,
    /// The number of the last signature. 0 if the authenticator does not count.
    pub sign_count: u32,
    /// Whether the authenticator may copy it to other devices of the user.
    pub is_backup_eligible: bool,
    /// Whether such copies exist, as far as the authenticator has told.
    pub is_backed_up: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// The client that added it.
    #[serde(flatten)]
    pub client: Client,
    /// The last sign-in with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// The last sign-in that was refused because the counter had not gone up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// A sign-in that the counter refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// When.
    pub at: Timestamp,
    /// The client of the request.
    #[serde(flatten)]
    pub client: Client,
}

impl Passkey {
    /// A new passkey of this user, which an authenticator has made.
    #[must_use]
    pub fn new(
        id: PasskeyId,
        user: &User,
        name: PasskeyName,
        made: Registered,
        (client, now): (Client, Timestamp),
    ) -> Self {
        Self {
            id,
            user: user.id,
            tenant: user.tenant,
            name,
            credential: made.credential,
            key: made.key,
            sign_count: made.sign_count,
            is_backup_eligible: made.is_backup_eligible,
            is_backed_up: made.is_backed_up,
            created_at: now,
            client,
            used_at: None,
            refused: None,
        }
    }
}

/// The name of a passkey: 1 to 100 characters, and no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 100, example = "Ada's phone")]
pub struct PasskeyName(String);

impl TryFrom<String> for PasskeyName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        name_of(&text).map(Self)
    }
}

impl PasskeyName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
