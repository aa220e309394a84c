//! `POST /v1/auth/logout`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, StatusCode};

use super::{Account, session_of};
use crate::session::Reason;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers_nothing(StatusCode::NO_CONTENT)
}

/// Signs out: ends the session of the access token. Its refresh token is refused at once, and its access token
/// after 60 s at the latest.
#[utoipa::path(post, path = "/v1/auth/logout")]
async fn handle(State(state): State<System>, user: Allowed<Account>) -> Result<StatusCode> {
    let (session, now) = (session_of(&user)?, state.clock.now());
    state.users.end_session(user.user, session, Reason::SignedOut, now).await?;
    tracing::info!(user_id = %user.user, session_id = %session, "signed out");
    Ok(StatusCode::NO_CONTENT)
}
