//! `PUT /v1/me/tenant`

use axum::Router;
use axum::extract::State;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, Json, StatusCode};
use shared::id::TenantId;
use shared::problem::{NOT_FOUND, Problem};
use utoipa::ToSchema;

use super::{Account, account_of, require_own_session, session_of};
use crate::system::System;

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

/// The tenant to act for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Switch {
    tenant: TenantId,
}

/// Lets the session act for another tenant of the user. Refresh its tokens then: the next access token is for that tenant, with
/// the scopes of the user's role there. The one before is refused after 60 s at the latest. Other sessions stay as they are.
#[utoipa::path(put, path = "/v1/me/tenant")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Json(Switch { tenant }): Json<Switch>,
) -> Result<StatusCode> {
    require_own_session(&user)?;
    let (session, account) = (session_of(&user)?, account_of(&state, user.user).await?);
    let is_own = tenant == account.user.tenant;
    let of = (user.user, session, account.epoch);
    let at = (state.clock.now(), state.ids.next());
    if !state.users.act_for(of, (tenant, is_own), at).await? {
        return Err(Problem::not_found("tenant").into());
    }
    tracing::info!(user_id = %user.user, session_id = %session, %tenant, "acts for a tenant");
    Ok(StatusCode::NO_CONTENT)
}
