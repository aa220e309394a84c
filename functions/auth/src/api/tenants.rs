//! What the endpoints of tenants share.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::http::SignedIn;
use shared::id::{TenantId, UserId};
use shared::problem::{FORBIDDEN, Problem};
use shared::scopes::TenantRole;
use shared::{Error, Result};
use utoipa::ToSchema;

use crate::email::Email;
use crate::store::{Joined, MemberChanged};
use crate::system::System;
use crate::tenant::{
    ALREADY_MEMBER, MAX_MEMBERS, MAX_TENANTS, Member, NEEDS_OWNER, TOO_MANY_MEMBERS,
    TOO_MANY_TENANTS, Tenant, TenantName, may_turn,
};

/// A tenant, and what the user is there.
#[derive(Serialize, ToSchema)]
#[schema(as = Membership)]
pub(super) struct ShownTenant {
    id: TenantId,
    /// Absent for the user's own tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<TenantName>,
    /// Whether it is the user's own tenant, in which nobody else acts.
    is_own: bool,
    /// Whether the request acts for it.
    is_current: bool,
    /// The user's role there.
    role: TenantRole,
    /// When the user joined it.
    joined_at: Timestamp,
    /// The number of its members.
    members: u32,
}

impl ShownTenant {
    /// A tenant of which the user of the request is a member.
    pub(super) fn of(request: &SignedIn, tenant: Tenant, member: &Member) -> Self {
        Self {
            id: tenant.id,
            is_own: false,
            is_current: request.tenant == tenant.id,
            role: member.role,
            joined_at: member.joined_at,
            members: tenant.members,
            name: Some(tenant.name),
        }
    }

    /// The own tenant of the user of the request.
    pub(super) fn own(request: &SignedIn, user: &crate::user::User) -> Self {
        Self {
            id: user.tenant,
            name: None,
            is_own: true,
            is_current: request.tenant == user.tenant,
            role: TenantRole::Owner,
            joined_at: user.created_at,
            members: 1,
        }
    }
}

/// A member of a tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
pub(super) struct ShownMember {
    user: UserId,
    email: Email,
    role: TenantRole,
    /// When the user joined.
    joined_at: Timestamp,
}

impl From<Member> for ShownMember {
    fn from(Member { user, email, role, joined_at, .. }: Member) -> Self {
        Self { user, email, role, joined_at }
    }
}

/// A member, in a path.
#[derive(Deserialize, ToSchema)]
pub(super) struct WhichMember {
    /// The tenant's id.
    pub(super) tenant_id: TenantId,
    /// The member's id.
    pub(super) user_id: UserId,
}

/// The membership of the user of the request.
///
/// # Errors
/// 404 when the user is no member of the tenant.
pub(super) async fn own(state: &System, user: &SignedIn, tenant: TenantId) -> Result<Member> {
    let member = state.users.member(tenant, user.user).await?;
    member.ok_or_else(|| Problem::not_found("tenant").into())
}

/// Requires that a member may turn the role `from` of another one into `to`.
///
/// # Errors
/// 403 when it may not.
pub(super) fn require(
    own: &Member,
    from: Option<TenantRole>,
    to: Option<TenantRole>,
) -> Result<(), Problem> {
    if may_turn(own.role, from, to) {
        return Ok(());
    }
    Err(only_owners())
}

/// 403: the role does not suffice.
pub(super) fn only_owners() -> Problem {
    let detail = "Managers and owners may do this, and only owners if it is about an owner.";
    Problem::of(FORBIDDEN).detail(detail)
}

/// What a refused attempt to become a member is answered with.
pub(super) fn refused(joined: Joined) -> Error {
    let most = |problem, most: u32| Problem::of(problem).detail(format!("The maximum is {most}."));
    match joined {
        Joined::Made | Joined::NoAccount => Problem::unauthenticated().into(),
        Joined::InvalidLink | Joined::NoTenant | Joined::Outdated => {
            super::links::invalid_link().into()
        }
        Joined::TooManyMembers => most(TOO_MANY_MEMBERS, MAX_MEMBERS).into(),
        Joined::TooManyTenants => most(TOO_MANY_TENANTS, MAX_TENANTS).into(),
        Joined::AlreadyMember => Problem::of(ALREADY_MEMBER).into(),
    }
}

/// Whether a change of a member is made, for [`retried`](shared::conflict::retried).
///
/// # Errors
/// 409 when the tenant would have members and no owner.
pub(super) fn is_made(changed: MemberChanged) -> Result<Option<()>> {
    match changed {
        MemberChanged::Made => Ok(Some(())),
        MemberChanged::Outdated => Ok(None),
        MemberChanged::LastOwner => {
            let detail = "Make another member an owner first, or remove all others.";
            Err(Problem::of(NEEDS_OWNER).detail(detail).into())
        }
    }
}
