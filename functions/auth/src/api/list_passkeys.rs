//! `GET /v1/me/passkeys`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, StatusCode};
use utoipa::ToSchema;

use super::Account;
use super::passkeys::Shown;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<Passkeys>(StatusCode::OK)
}

/// The passkeys of a user.
#[derive(Serialize, ToSchema)]
struct Passkeys {
    /// All of them, newest first.
    #[schema(max_items = 20)]
    passkeys: Vec<Shown>,
}

/// Lists the user's passkeys, newest first.
#[utoipa::path(get, path = "/v1/me/passkeys")]
async fn handle(State(state): State<System>, user: Allowed<Account>) -> Result<Json<Passkeys>> {
    let passkeys = state.users.passkeys(user.user).await?.into_iter().map(Shown::from).collect();
    Ok(Json(Passkeys { passkeys }))
}
