//! `GET /v1/document-webhook/deliveries`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::page::{Next, Page};
use shared::http::{Allowed, Json, Query};
use shared::problem::NOT_FOUND;
use shared::webhook::Deliveries;

use super::Read;
use crate::store::Documents;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).pages::<Deliveries>().refuses(&[NOT_FOUND])
}

/// Lists the tenant's deliveries of the last 30 days, newest first.
#[utoipa::path(get, path = "/v1/document-webhook/deliveries")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Read>,
    Query(page): Query<Page>,
) -> Result<(Next, Json<Deliveries>)> {
    let place = Documents::place(user.tenant);
    state.documents.webhooks().page(&place, &page, &state.clock).await
}
