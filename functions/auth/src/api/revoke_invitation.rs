//! `DELETE /v1/tenants/{tenant_id}/invitations/{invitation_id}`

use axum::Router;
use axum::extract::State;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, Path, StatusCode};
use shared::id::TenantId;
use shared::problem::{NOT_FOUND, Problem};
use utoipa::ToSchema;

use super::tenants::{own, require};
use super::{Account, require_own_session};
use crate::system::System;
use crate::tenant::InvitationId;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = state.per_user();
    limited(contract::route!(handle).with_state(state), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::User, Unavailable::Admit)
        .answers_nothing(StatusCode::NO_CONTENT)
        .refuses(&[NOT_FOUND])
}

/// An invitation, in a path.
#[derive(Deserialize, ToSchema)]
struct Which {
    /// The tenant's id.
    tenant_id: TenantId,
    /// The invitation's id.
    invitation_id: InvitationId,
}

/// Revokes an invitation: the links of its mails are good for nothing. A manager does not see the invitation of an owner here.
#[utoipa::path(delete, path = "/v1/tenants/{tenant_id}/invitations/{invitation_id}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Path(Which { tenant_id, invitation_id }): Path<Which>,
) -> Result<StatusCode> {
    require_own_session(&user)?;
    let by = own(&state, &user, tenant_id).await?;
    require(&by, None, None)?;
    if !state.users.revoke_invitation(tenant_id, invitation_id, by.role).await? {
        return Err(Problem::not_found("invitation").into());
    }
    tracing::info!(user_id = %user.user, tenant = %tenant_id, invitation = %invitation_id, "invitation revoked");
    Ok(StatusCode::NO_CONTENT)
}
