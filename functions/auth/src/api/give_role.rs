//! `PUT /v1/tenants/{tenant_id}/members/{user_id}`

use axum::Router;
use axum::extract::State;
use serde::Deserialize;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem};
use shared::scopes::TenantRole;
use utoipa::ToSchema;

use super::tenants::{WhichMember, is_made, own, require};
use super::{Account, require_own_session};
use crate::system::System;
use crate::tenant::NEEDS_OWNER;

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
        .refuses(&[NOT_FOUND, NEEDS_OWNER])
}

/// What a member shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleRequest {
    role: TenantRole,
}

/// Gives a member another role. Managers and owners may do this, and only owners make and unmake owners. The member's access
/// token is refused after 60 s at the latest; the next one has the scopes of the new role.
#[utoipa::path(put, path = "/v1/tenants/{tenant_id}/members/{user_id}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Path(WhichMember { tenant_id, user_id }): Path<WhichMember>,
    Json(RoleRequest { role }): Json<RoleRequest>,
) -> Result<StatusCode> {
    require_own_session(&user)?;
    retried(async || {
        let by = own(&state, &user, tenant_id).await?;
        let of = state.users.member(tenant_id, user_id).await?;
        let of = of.ok_or_else(|| Problem::not_found("member"))?;
        require(&by, Some(of.role), Some(role))?;
        let at = (state.clock.now(), state.ids.next());
        is_made(state.users.give_role((&by, &of), role, at).await?)
    })
    .await?;
    tracing::info!(user_id = %user.user, tenant = %tenant_id, member = %user_id, ?role, "role given");
    Ok(StatusCode::NO_CONTENT)
}
