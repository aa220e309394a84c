//! `GET /v1/webhook-endpoints/{name}/deliveries`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::page::{Next, Page};
use shared::http::{Allowed, Json, Path, Query};
use shared::problem::NOT_FOUND;
use shared::webhook::Deliveries;

use super::Admin;
use crate::merchant::EndpointName;
use crate::store::Store;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).pages::<Deliveries>().refuses(&[NOT_FOUND])
}

/// Lists the endpoint's deliveries of the last 30 days, newest first.
#[utoipa::path(get, path = "/v1/webhook-endpoints/{name}/deliveries")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Admin>,
    Path(name): Path<EndpointName>,
    Query(page): Query<Page>,
) -> Result<(Next, Json<Deliveries>)> {
    let webhooks = state.store.webhooks();
    webhooks.page(&Store::place(&name), &page, &state.clock).await
}
