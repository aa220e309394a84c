//! Identities: who a user is at outside providers.
//!
//! **Guarantees.**
//!
//! - An identity leads to one user. It is known by the provider and the subject, which the provider gives to nobody else. An address
//!   is looked at only once: when the identity is not known yet.
//! - An identity is linked to an account that exists only by a link in a mail to the account's address. So both have proved the address.
//! - An identity has two items, one under the provider and the subject and one in the user's partition. It counts only if both are there.
//! - A user has at most [`MAX_IDENTITIES`] identities.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{Id, Kind, TenantId, UserId};

use crate::provider::ProviderId;
use crate::session::Client;

/// The maximum number of identities of a user.
pub const MAX_IDENTITIES: u32 = 10;

/// An identity, as a kind of ids.
#[derive(Debug)]
pub enum IdentityKind {}
impl Kind for IdentityKind {
    const PREFIX: &'static str = "idn";
}
/// The id of an identity.
pub type IdentityId = Id<IdentityKind>;

/// Who somebody is at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The provider.
    pub provider: ProviderId,
    /// What the provider knows its user by.
    pub subject: String,
}

/// The identity of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The identity's id.
    pub id: IdentityId,
    /// The user.
    pub user: UserId,
    /// The user's tenant.
    pub tenant: TenantId,
    /// Who the user is at the provider.
    #[serde(flatten)]
    pub subject: Subject,
    /// When the identity was linked to the account.
    pub linked_at: Timestamp,
    /// The client of the request that did it.
    #[serde(flatten)]
    pub client: Client,
}
