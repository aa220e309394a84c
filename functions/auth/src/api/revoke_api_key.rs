//! `DELETE /v1/api-keys/{api_key_id}`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem};

use super::{Account, session_of};
use crate::api_key::ApiKeyId;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers_nothing(StatusCode::NO_CONTENT).refuses(&[NOT_FOUND])
}

/// Revokes an API key: deletes it. All its secrets are refused after 60 s at the latest.
#[utoipa::path(delete, path = "/v1/api-keys/{api_key_id}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Path(id): Path<ApiKeyId>,
) -> Result<StatusCode> {
    session_of(&user)?;
    if !state.users.revoke_api_key(user.user, id, state.ids.next()).await? {
        return Err(Problem::not_found("API key").into());
    }
    tracing::info!(user_id = %user.user, api_key = %id, "API key revoked");
    Ok(StatusCode::NO_CONTENT)
}
