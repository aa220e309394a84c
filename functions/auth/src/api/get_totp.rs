//! `GET /v1/me/totp`

use axum::Router;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, StatusCode};
use utoipa::ToSchema;

use super::Account;
use super::account_of;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<SecondFactor>(StatusCode::OK)
}

/// What a user sees of the second factor.
#[derive(Serialize, ToSchema)]
struct SecondFactor {
    /// Whether the user has an authenticator app.
    is_on: bool,
    /// When it was switched on. Absent if it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// How many recovery codes are left. They come with the app, or with the first passkey.
    #[schema(minimum = 0, maximum = 10)]
    recovery_codes_left: usize,
}

/// Shows whether the user has an authenticator app, and how many recovery codes are left.
#[utoipa::path(get, path = "/v1/me/totp")]
async fn handle(State(state): State<System>, user: Allowed<Account>) -> Result<Json<SecondFactor>> {
    let account = account_of(&state, user.user).await?;
    let codes = state.users.codes(&account).await?.filter(|_| account.has_second_factor());
    let set = account.second_factor.filter(|set| set.is_on);
    Ok(Json(SecondFactor {
        is_on: set.is_some(),
        since: set.map(|set| set.at),
        recovery_codes_left: codes.map_or(0, |totp| totp.codes.len()),
    }))
}
