//! `POST /v1/webhook-endpoints/{name}/deliveries/{id}/resend`

use axum::extract::State;
use axum::routing::post;
use axum::{Extension, Router};
use serde::Deserialize;
use shared::Result;
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::queue::Queue;
use shared::webhook::Shown;

use super::ADMIN;
use crate::merchant::EndpointName;
use crate::store::Store;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System, webhooks: Queue) -> Router {
    let path = "/v1/webhook-endpoints/{name}/deliveries/{id}/resend";
    let router = Router::new().route(path, post(handle)).with_state(state);
    router.layer(Extension(webhooks))
}

#[derive(Deserialize)]
struct Which {
    name: EndpointName,
    id: String,
}

/// Sends a message again under the same id, so that the receiver recognises a duplicate.
async fn handle(
    State(state): State<System>,
    Extension(queue): Extension<Queue>,
    user: SignedIn,
    Path(Which { name, id }): Path<Which>,
) -> Result<(StatusCode, Json<Shown>)> {
    user.require(ADMIN)?;
    state.store.webhooks().resend(&Store::place(&name), &id, &queue, &state.clock).await
}
