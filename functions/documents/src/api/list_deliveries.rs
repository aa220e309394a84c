//! `GET /v1/document-webhook/deliveries`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use shared::Result;
use shared::http::page::Page;
use shared::http::{Json, Query, SignedIn};
use shared::webhook::Deliveries;

use super::READ;
use crate::store::Documents;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/document-webhook/deliveries", get(handle)).with_state(state)
}

/// The tenant's deliveries of the last 30 days, newest first.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Query(page): Query<Page>,
) -> Result<Json<Deliveries>> {
    user.require(READ)?;
    let place = Documents::place(user.tenant);
    Ok(Json(state.documents.webhooks().page(&place, &page, &state.clock).await?))
}
