//! `DELETE /v1/webhook-endpoints/{name}`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Path, SignedIn, StatusCode};

use super::ADMIN;
use crate::merchant::EndpointName;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).scope(ADMIN).answers_nothing(StatusCode::NO_CONTENT)
}

/// Removes an endpoint. Idempotent.
#[utoipa::path(delete, path = "/v1/webhook-endpoints/{name}")]
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(name): Path<EndpointName>,
) -> Result<StatusCode> {
    user.require(ADMIN)?;
    state.store.remove_endpoint(&name).await?;
    tracing::info!(%name, "webhook endpoint deleted");
    Ok(StatusCode::NO_CONTENT)
}
