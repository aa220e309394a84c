//! `DELETE /v1/sessions`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, StatusCode};

use super::Account;
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
}

/// Signs out everywhere: ends all of the user's sessions at once, with the one of this request. Refresh tokens
/// are refused at once, and access tokens after 60 s at the latest.
#[utoipa::path(delete, path = "/v1/sessions")]
async fn handle(State(state): State<System>, user: Allowed<Account>) -> Result<StatusCode> {
    state.users.end_all_sessions(user.user).await?;
    tracing::info!(user_id = %user.user, "signed out everywhere");
    Ok(StatusCode::NO_CONTENT)
}
