//! `DELETE /v1/tenants/{tenant_id}/members/{user_id}`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem};

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

/// Removes a member, or lets the user leave. Everybody may leave; managers and owners remove others, and only owners remove
/// owners. Access tokens for the tenant are refused after 60 s at the latest, and API keys too. The last owner stays as long as
/// there are other members; with the last member, the tenant ends.
#[utoipa::path(delete, path = "/v1/tenants/{tenant_id}/members/{user_id}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Path(WhichMember { tenant_id, user_id }): Path<WhichMember>,
) -> Result<StatusCode> {
    require_own_session(&user)?;
    retried(async || {
        let by = own(&state, &user, tenant_id).await?;
        let of = state.users.member(tenant_id, user_id).await?;
        let of = of.ok_or_else(|| Problem::not_found("member"))?;
        if by.user != of.user {
            require(&by, Some(of.role), None)?;
        }
        let tenant = state.users.tenant(tenant_id).await?;
        let tenant = tenant.ok_or_else(|| Problem::not_found("tenant"))?;
        let at = (state.clock.now(), state.ids.next());
        is_made(state.users.remove_member((&by, &of), &tenant, at).await?)
    })
    .await?;
    tracing::info!(user_id = %user.user, tenant = %tenant_id, member = %user_id, "member removed");
    Ok(StatusCode::NO_CONTENT)
}
