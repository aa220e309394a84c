//! `DELETE /v1/webhook-endpoints/{name}`

use axum::Router;
use axum::extract::State;
use axum::routing::delete;
use shared::Result;
use shared::http::{Path, SignedIn, StatusCode};

use super::ADMIN;
use crate::merchant::EndpointName;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/webhook-endpoints/{name}", delete(handle)).with_state(state)
}

/// Removes an endpoint. Idempotent.
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
