//! `DELETE /v1/webhook-endpoints/{name}`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Path, StatusCode};

use super::Admin;
use crate::merchant::EndpointName;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers_nothing(StatusCode::NO_CONTENT)
}

/// Removes an endpoint. Idempotent.
#[utoipa::path(delete, path = "/v1/webhook-endpoints/{name}")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Admin>,
    Path(name): Path<EndpointName>,
) -> Result<StatusCode> {
    state.store.remove_endpoint(&name).await?;
    tracing::info!(%name, "webhook endpoint deleted");
    Ok(StatusCode::NO_CONTENT)
}
