//! `POST /v1/document-webhook/secret`

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use shared::Result;
use shared::http::SignedIn;
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::idempotency::Outcome;

use super::WRITE;
use crate::store::Documents;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let records = state.records.clone();
    let router = Router::new().route("/v1/document-webhook/secret", post(handle));
    transactional(router.with_state(state), records)
}

/// Creates and returns a new secret for the tenant's webhook. For 24 h, the old secret signs too.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    transaction: Transaction,
) -> Result<Outcome<Saved>> {
    user.require(WRITE)?;
    let (webhooks, place) = (state.documents.webhooks(), Documents::place(user.tenant));
    let answer = webhooks.rotate(&place, &transaction, &state.clock).await?;
    tracing::info!(tenant = %user.tenant, "webhook secret changed");
    Ok(answer)
}
