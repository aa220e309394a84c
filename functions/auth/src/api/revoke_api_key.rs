//! `DELETE /v1/api-keys/{api_key_id}`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem};

use super::{Account, require_session};
use crate::api_key::ApiKeyId;
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

/// Revokes an API key: deletes it. All its secrets are refused after 60 s at the latest.
#[utoipa::path(delete, path = "/v1/api-keys/{api_key_id}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Path(id): Path<ApiKeyId>,
) -> Result<StatusCode> {
    require_session(&user)?;
    if !state.users.revoke_api_key(user.user, id, state.ids.next()).await? {
        return Err(Problem::not_found("API key").into());
    }
    tracing::info!(user_id = %user.user, api_key = %id, "API key revoked");
    Ok(StatusCode::NO_CONTENT)
}
