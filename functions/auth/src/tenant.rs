//! Tenants that several users share: the rules.
//!
//! Every user has a tenant of their own, in which nobody else acts. A user may also make tenants for several users, and
//! invite others by mail. A session acts for one tenant at a time.
//!
//! **Guarantees.**
//!
//! - A tenant has an owner as long as it has a member. The last member who leaves ends it.
//! - Who joins has read the mail of the invited address, and has the account of that address. An invitation ends when its maker leaves
//!   or gets another role, and when its address is removed.
//! - A role in a tenant is kept once, with the membership. What it allows is resolved when a token is issued; a token whose
//!   role has changed since is refused, as is one of a member who has left.
//! - A member may give, change and take only roles up to their own, and only a manager or an owner may do so.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::http::StatusCode;
use shared::id::{Id, Kind, TenantId, UserId};
use shared::problem::ProblemType;
use shared::scopes::TenantRole;
use utoipa::ToSchema;

use crate::email::Email;
use crate::unicode::{is_form_of_ascii, is_visible};

/// The maximum number of tenants that a user is a member of, besides their own.
pub const MAX_TENANTS: u32 = 20;
/// The maximum number of members of a tenant.
pub const MAX_MEMBERS: u32 = 1_000;
/// How long an invitation is good.
pub const INVITATION_LIFETIME: Duration = Duration::from_hours(7 * 24);
/// How many invitations a tenant sends at once, and then in a day.
pub const INVITATIONS_PER_DAY: u32 = 50;

/// The user is a member of too many tenants.
pub const TOO_MANY_TENANTS: ProblemType = ProblemType::new(
    StatusCode::CONFLICT,
    "too-many-tenants",
    "The user is a member of too many tenants",
);
/// The tenant has too many members.
pub const TOO_MANY_MEMBERS: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "too-many-members", "The tenant has too many members");
/// The user is a member already.
pub const ALREADY_MEMBER: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "already-member", "The user is a member already");
/// The tenant would have members and no owner.
pub const NEEDS_OWNER: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "tenant-needs-owner", "The tenant needs an owner");
/// The user is a member of tenants still.
pub const STILL_MEMBER: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "still-member", "Leave the tenants first");

/// A tenant that several users share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// The tenant's id.
    pub id: TenantId,
    /// What its members call it.
    pub name: TenantName,
    /// When it was made.
    pub created_at: Timestamp,
    /// The user who made it.
    pub created_by: UserId,
    /// The number of its members.
    pub members: u32,
    /// The number of its owners.
    pub owners: u32,
    /// The last member whom another one has removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removal>,
}

/// A removal of a member by another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Who was removed.
    pub user: UserId,
    /// By whom.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
}

/// A member of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The tenant.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The user's address, which never changes.
    pub email: Email,
    /// The role.
    pub role: TenantRole,
    /// When the user joined.
    pub joined_at: Timestamp,
    /// Who gave the role, and when.
    pub given: Given,
}

/// How a member got a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// By whom.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
}

/// An invitation of the owner of an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The tenant.
    pub tenant: TenantId,
    /// The address.
    pub email: Email,
    /// The role that the user will have.
    pub role: TenantRole,
    /// Who invites, and when.
    pub given: Given,
    /// The second, since 1970, from which on it is not good. DynamoDB deletes the item some time after.
    pub expires: i64,
}

/// An invitation, as a kind of ids.
#[derive(Debug)]
pub enum InvitationKind {}
impl Kind for InvitationKind {
    const PREFIX: &'static str = "inv";
}
/// The id of an invitation. It follows from the address: a tenant invites an address once at a time.
pub type InvitationId = Id<InvitationKind>;

impl Tenant {
    /// A new tenant, with its first member.
    #[must_use]
    pub fn new(id: TenantId, name: TenantName, by: UserId, now: Timestamp) -> Self {
        Self { id, name, created_at: now, created_by: by, members: 1, owners: 1, removed: None }
    }
}

impl Invitation {
    /// An invitation that is made now.
    #[must_use]
    pub fn new(tenant: TenantId, email: Email, role: TenantRole, given: Given) -> Self {
        let expires = (given.at + INVITATION_LIFETIME).as_second();
        Self { tenant, email, role, given, expires }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> InvitationId {
        invitation_id(self.tenant, &self.email)
    }

    /// Whether `by`, a member now, is the one who has invited and could still do so, without a change of the role in between.
    #[must_use]
    pub fn stands(&self, by: &Member) -> bool {
        let is_same = by.user == self.given.by && by.given.at <= self.given.at;
        is_same && may_turn(by.role, None, Some(self.role))
    }
}

/// The id of each invitation of this address into this tenant. It is a hash, because the audit log has it and no address.
#[must_use]
pub fn invitation_id(tenant: TenantId, email: &Email) -> InvitationId {
    let hash = digest(&SHA256, &[&tenant.to_bytes()[..], &email.hash()].concat());
    InvitationId::from_bytes(*hash.as_ref().first_chunk().unwrap_or(&[0; 16]))
}

/// Whether a member with the role `own` may turn the role `from` of another one into `to`. `None` is no membership.
#[must_use]
pub fn may_turn(own: TenantRole, from: Option<TenantRole>, to: Option<TenantRole>) -> bool {
    own >= TenantRole::Manager && [from, to].into_iter().flatten().all(|role| role <= own)
}

/// The name of a tenant: 1 to 60 visible characters. It is in mails to strangers: so it has nothing that makes a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 60, example = "Analytical Engines")]
pub struct TenantName(String);

/// The text is no name of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "1 to 60 visible characters, none of which is / : or @ or another form of an ASCII character, and no full stop before a letter"
)]
pub struct InvalidName;

impl TenantName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TenantName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let name = text.trim();
        // The ideographic full stops separate labels of a domain too (UTS 46).
        let is_of_link = |c: char| "/:@\u{3002}\u{ff61}".contains(c) || is_form_of_ascii(c);
        let is_allowed = |c: char| c == ' ' || (is_visible(c) && !is_of_link(c));
        let has_domain =
            name.split('.').skip(1).any(|rest| rest.starts_with(char::is_alphanumeric));
        let is_valid =
            (1..=60).contains(&name.chars().count()) && name.chars().all(is_allowed) && !has_domain;
        if is_valid { Ok(Self(name.to_owned())) } else { Err(InvalidName) }
    }
}

#[cfg(test)]
mod tests {
    use TenantRole::{Editor, Manager, Owner, Viewer};

    use super::*;

    #[test]
    fn nobody_gives_or_takes_a_role_above_their_own() {
        let all = [Viewer, Editor, Manager, Owner];
        for own in all {
            for from in [None, Some(Viewer), Some(Editor), Some(Manager), Some(Owner)] {
                for to in [None, Some(Viewer), Some(Editor), Some(Manager), Some(Owner)] {
                    let touches_owner = from == Some(Owner) || to == Some(Owner);
                    let may = own == Owner || (own == Manager && !touches_owner);
                    assert_eq!(may_turn(own, from, to), may, "{own:?}: {from:?} → {to:?}");
                }
            }
        }
    }

    #[test]
    fn a_name_makes_no_link() {
        let name = |text: &str| TenantName::try_from(text.to_owned());
        for good in
            ["Ada", " Analytical Engines Ltd. ", "St. James & Sons", "Bücher 24", "株式会社"]
        {
            assert_eq!(name(good).unwrap().as_str(), good.trim());
        }
        let long = "x".repeat(61);
        for bad in [
            "",
            "  ",
            "evil.example",
            "a https//x",
            "a:b",
            "a@b",
            "a\nb",
            "a\u{202e}b",
            "evil\u{ff0e}example",
            "evil\u{3002}example",
            &long,
        ] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }
}
