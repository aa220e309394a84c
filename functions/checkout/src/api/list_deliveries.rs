//! `GET /v1/webhook-endpoints/{name}/deliveries`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use shared::Result;
use shared::http::page::Page;
use shared::http::{Json, Path, Query, SignedIn};
use shared::webhook::Deliveries;

use super::ADMIN;
use crate::merchant::EndpointName;
use crate::store::Store;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let path = "/v1/webhook-endpoints/{name}/deliveries";
    Router::new().route(path, get(handle)).with_state(state)
}

/// The endpoint's deliveries of the last 30 days, newest first.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(name): Path<EndpointName>,
    Query(page): Query<Page>,
) -> Result<Json<Deliveries>> {
    user.require(ADMIN)?;
    let webhooks = state.store.webhooks();
    Ok(Json(webhooks.page(&Store::place(&name), &page, &state.clock).await?))
}
