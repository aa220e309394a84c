//! `POST /v1/document-webhook/secret`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::{Allowed, StatusCode};
use shared::idempotency::Outcome;
use shared::problem::NOT_FOUND;
use shared::webhook::{NewSecret, TOO_MANY_SECRETS};

use super::Write;
use crate::store::Documents;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let records = state.records.clone();
    let router = contract::route!(handle);
    transactional(router.with_state(state), records)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<NewSecret<'_>>(StatusCode::OK)
        .refuses(&[NOT_FOUND, TOO_MANY_SECRETS])
}

/// Creates and returns a new secret for the tenant's webhook. For 24 h, the old secret signs too.
#[utoipa::path(post, path = "/v1/document-webhook/secret")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    transaction: Transaction,
) -> Result<Outcome<Saved>> {
    let (webhooks, place) = (state.documents.webhooks(), Documents::place(user.tenant));
    let answer = webhooks.rotate(&place, &transaction, &state.clock).await?;
    tracing::info!(tenant = %user.tenant, "webhook secret changed");
    Ok(answer)
}
