//! Users.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{Ids, TenantId, UserId};
use shared::scopes::{self, Role};

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
    /// What the user is here. What the user may do follows from it: see [`scopes`].
    #[serde(default = "member")]
    pub roles: Vec<Role>,
    /// When the user registered.
    pub created_at: Timestamp,
}

impl User {
    /// A user who registers now, as a member, with a tenant of the user's own. No request gives another
    /// role.
    #[must_use]
    pub fn register(email: Email, ids: &Ids, now: Timestamp) -> Self {
        Self { id: ids.next(), email, tenant: ids.next(), roles: member(), created_at: now }
    }

    /// The user's scopes, separated by spaces.
    #[must_use]
    pub fn scope(&self) -> String {
        scopes::of(&self.roles).join(" ")
    }
}

fn member() -> Vec<Role> {
    vec![Role::Member]
}
