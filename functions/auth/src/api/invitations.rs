//! What the endpoints of invitations share.

use jiff::Timestamp;
use serde::Serialize;
use shared::id::UserId;
use shared::scopes::TenantRole;
use utoipa::ToSchema;

use crate::email::Email;
use crate::tenant::{INVITATION_LIFETIME, Invitation, InvitationId};

/// An invitation that is neither used nor revoked, and has not expired.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(super) struct Shown {
    id: InvitationId,
    email: Email,
    /// The role that the user will have.
    role: TenantRole,
    /// The member who invites.
    invited_by: UserId,
    /// When.
    invited_at: Timestamp,
    /// Until when the link of the mail can be used.
    expires_at: Timestamp,
}

impl From<Invitation> for Shown {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id(),
            role: invitation.role,
            invited_by: invitation.given.by,
            invited_at: invitation.given.at,
            expires_at: invitation.given.at + INVITATION_LIFETIME,
            email: invitation.email,
        }
    }
}
