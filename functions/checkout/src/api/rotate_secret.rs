//! `POST /v1/webhook-endpoints/{name}/secret`

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use shared::Result;
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::{Path, SignedIn};
use shared::idempotency::Outcome;

use super::ADMIN;
use crate::merchant::EndpointName;
use crate::store::Store;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let records = state.records.clone();
    let path = "/v1/webhook-endpoints/{name}/secret";
    transactional(Router::new().route(path, post(handle)).with_state(state), records)
}

/// Creates and returns a new secret for an endpoint. For 24 h, the old secret signs too.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    transaction: Transaction,
    Path(name): Path<EndpointName>,
) -> Result<Outcome<Saved>> {
    user.require(ADMIN)?;
    let place = Store::place(&name);
    let answer = state.store.webhooks().rotate(&place, &transaction, &state.clock).await?;
    tracing::info!(%name, "webhook secret changed");
    Ok(answer)
}
