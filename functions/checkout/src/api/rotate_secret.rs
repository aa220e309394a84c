//! `POST /v1/webhook-endpoints/{name}/secret`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::{Allowed, Path, StatusCode};
use shared::idempotency::Outcome;
use shared::problem::NOT_FOUND;
use shared::webhook::{NewSecret, TOO_MANY_SECRETS};

use super::Admin;
use crate::merchant::EndpointName;
use crate::store::Store;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let records = state.records.clone();
    transactional(contract::route!(handle).with_state(state), records)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<NewSecret<'_>>(StatusCode::OK)
        .refuses(&[NOT_FOUND, TOO_MANY_SECRETS])
}

/// Creates and returns a new secret for an endpoint. For 24 h, the old secret signs too.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{name}/secret")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Admin>,
    transaction: Transaction,
    Path(name): Path<EndpointName>,
) -> Result<Outcome<Saved>> {
    let place = Store::place(&name);
    let answer = state.store.webhooks().rotate(&place, &transaction, &state.clock).await?;
    tracing::info!(%name, "webhook secret changed");
    Ok(answer)
}
