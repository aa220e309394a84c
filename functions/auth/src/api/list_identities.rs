//! `GET /v1/me/identities`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, StatusCode};
use utoipa::ToSchema;

use super::identities::ShownIdentity;
use super::{Account, require_own_session};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<Identities>(StatusCode::OK)
}

/// The identities of a user.
#[derive(Serialize, ToSchema)]
struct Identities {
    /// All of them, oldest first.
    #[schema(max_items = 10)]
    identities: Vec<ShownIdentity>,
}

/// Lists the user's identities at outside providers, with which the user signs in on our pages.
#[utoipa::path(get, path = "/v1/me/identities")]
async fn handle(State(state): State<System>, user: Allowed<Account>) -> Result<Json<Identities>> {
    require_own_session(&user)?;
    let identities = state.users.identities(user.user).await?;
    let identities = identities.into_iter().map(ShownIdentity::from).collect();
    Ok(Json(Identities { identities }))
}
