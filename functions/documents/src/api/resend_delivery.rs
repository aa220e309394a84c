//! `POST /v1/document-webhook/deliveries/{id}/resend`

use axum::Router;
use axum::extract::State;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::NOT_FOUND;
use shared::webhook::{Shown, WEBHOOK_DISABLED};
use utoipa::ToSchema;

use super::Write;
use crate::store::Documents;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
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
    /// The delivery's id.
    id: String,
}

/// Sends a message again under the same id, so that the receiver recognises a duplicate.
#[utoipa::path(post, path = "/v1/document-webhook/deliveries/{id}/resend")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    Path(Which { id }): Path<Which>,
) -> Result<(StatusCode, Json<Shown>)> {
    let (place, queue) = (Documents::place(user.tenant), state.queues.webhooks()?);
    state.documents.webhooks().resend(&place, &id, queue, &state.clock).await
}
