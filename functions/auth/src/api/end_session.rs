//! `DELETE /v1/sessions/{session_id}`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Path, StatusCode};
use shared::id::SessionId;
use shared::problem::{NOT_FOUND, Problem};

use super::Account;
use crate::session::Reason;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers_nothing(StatusCode::NO_CONTENT).refuses(&[NOT_FOUND])
}

/// Ends one of the user's sessions. Its refresh token is refused at once, and its access token after 60 s at the
/// latest. A session that has ended stays as it is.
#[utoipa::path(delete, path = "/v1/sessions/{session_id}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Path(session): Path<SessionId>,
) -> Result<StatusCode> {
    let now = state.clock.now();
    if !state.users.end_session(user.user, session, Reason::SignedOut, now).await? {
        return Err(Problem::not_found("session").into());
    }
    tracing::info!(user_id = %user.user, session_id = %session, "session ended");
    Ok(StatusCode::NO_CONTENT)
}
