//! Users.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{Ids, TenantId, UserId};

use crate::email::Email;

/// A person who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The address that the user signs in with.
    pub email: Email,
    /// The tenant that the user acts for: at first one of the user's own.
    pub tenant: TenantId,
    /// What the user may do.
    pub scopes: Vec<String>,
    /// When the user registered.
    pub created_at: Timestamp,
}

impl User {
    /// A user who registers now: with a tenant of the user's own, and the scopes that everyone has.
    /// No request gives more than these.
    #[must_use]
    pub fn register(email: Email, ids: &Ids, now: Timestamp) -> Self {
        let scopes = ["documents:read", "documents:write", "orders:read", "orders:write"]
            .map(str::to_owned)
            .to_vec();
        Self { id: ids.next(), email, tenant: ids.next(), scopes, created_at: now }
    }
}
