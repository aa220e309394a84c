//! `POST /v1/document-webhook/deliveries/{id}/resend`

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use shared::Result;
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::webhook::Shown;

use super::WRITE;
use crate::store::Documents;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let path = "/v1/document-webhook/deliveries/{id}/resend";
    Router::new().route(path, post(handle)).with_state(state)
}

/// Sends a message again under the same id, so that the receiver recognises a duplicate.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Shown>)> {
    user.require(WRITE)?;
    let (place, queue) = (Documents::place(user.tenant), state.queues.webhooks()?);
    state.documents.webhooks().resend(&place, &id, queue, &state.clock).await
}
