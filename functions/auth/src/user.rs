//! Users.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{Ids, TenantId, UserId};
use shared::scopes::{self, Role, TenantRole};
use utoipa::ToSchema;

use crate::email::Email;
use crate::tenant::Member;

/// A person who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The address that the user signs in with.
    pub email: Email,
    /// The user's own tenant, which registration creates. The user may be a member of others too.
    pub tenant: TenantId,
    /// The user's roles in the installation. With the role in a tenant, they determine the user's scopes there.
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

    /// The user, acting for their own tenant.
    #[must_use]
    pub fn in_own_tenant(self) -> Actor {
        Actor { tenant: self.tenant, membership: None, user: self }
    }
}

/// A user, and the tenant that the user acts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user.
    pub user: User,
    /// The tenant.
    pub tenant: TenantId,
    /// The membership there; `None` in the user's own tenant.
    pub membership: Option<Member>,
}

impl Actor {
    /// The role there; `None` in the user's own tenant.
    #[must_use]
    pub fn role(&self) -> Option<TenantRole> {
        self.membership.as_ref().map(|member| member.role)
    }

    /// The scopes, by the roles that the user has now. A user owns their own tenant.
    #[must_use]
    pub fn scopes(&self) -> Vec<&'static str> {
        scopes::of(&self.user.roles, self.role().unwrap_or(TenantRole::Owner))
    }
}

fn member() -> Vec<Role> {
    vec![Role::Member]
}
