//! Users.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{Ids, TenantId, UserId};
use shared::scopes::{self, Role};
use utoipa::ToSchema;

use crate::email::Email;

/// A person who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The address that the user signs in with.
    pub email: Email,
    /// The tenant that the user acts for. Registration creates a tenant for each user.
    pub tenant: TenantId,
    /// The user's roles. They determine the user's scopes.
    #[serde(default = "member")]
    #[schema(required)]
    pub roles: Vec<Role>,
    /// When the user registered.
    pub created_at: Timestamp,
}

impl User {
    /// Creates a user with a new tenant and the role `Member`. No request can give another role.
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
