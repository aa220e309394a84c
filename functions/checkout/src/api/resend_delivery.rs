//! `POST /v1/webhook-endpoints/{name}/deliveries/{id}/resend`

use axum::extract::State;
use axum::{Extension, Router};
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::NOT_FOUND;
use shared::queue::Queue;
use shared::webhook::{Shown, WEBHOOK_DISABLED};
use utoipa::ToSchema;

use super::Admin;
use crate::merchant::EndpointName;
use crate::store::Store;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System, webhooks: Queue) -> Router {
    let router = contract::route!(handle).with_state(state);
    router.layer(Extension(webhooks))
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<Shown>(StatusCode::ACCEPTED)
        .refuses(&[NOT_FOUND, WEBHOOK_DISABLED])
}

/// A delivery.
#[derive(Deserialize, ToSchema)]
struct Which {
    name: EndpointName,
    /// The delivery's id.
    id: String,
}

/// Sends a message again under the same id, so that the receiver recognises a duplicate.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{name}/deliveries/{id}/resend")]
async fn handle(
    State(state): State<System>,
    Extension(queue): Extension<Queue>,
    _: Allowed<Admin>,
    Path(Which { name, id }): Path<Which>,
) -> Result<(StatusCode, Json<Shown>)> {
    state.store.webhooks().resend(&Store::place(&name), &id, &queue, &state.clock).await
}
