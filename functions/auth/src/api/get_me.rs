//! `GET /v1/me`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, StatusCode};

use super::Account;
use super::account_of;
use crate::system::System;
use crate::user::User;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<User>(StatusCode::OK)
}

/// Shows the user of the access token.
#[utoipa::path(get, path = "/v1/me")]
async fn handle(State(state): State<System>, user: Allowed<Account>) -> Result<Json<User>> {
    Ok(Json(account_of(&state, user.user).await?.user))
}
