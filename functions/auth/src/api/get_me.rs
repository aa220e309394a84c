//! `GET /v1/me`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Json, SignedIn, StatusCode};
use shared::problem::Problem;

use super::ACCOUNT;
use crate::system::System;
use crate::user::User;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).scope(ACCOUNT).answers::<User>(StatusCode::OK)
}

/// Shows the user of the access token.
#[utoipa::path(get, path = "/v1/me")]
async fn handle(State(state): State<System>, user: SignedIn) -> Result<Json<User>> {
    user.require(ACCOUNT)?;
    let account = state.users.account(user.user).await?;
    Ok(Json(account.ok_or_else(Problem::unauthenticated)?.user))
}
