//! `GET /v1/ledger/{order_id}`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde::Serialize;
use shared::Result;
use shared::http::{Json, Path, SignedIn};
use shared::problem::Problem;

use super::ADMIN;
use crate::ledger::Entry;
use crate::order::OrderId;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/ledger/{order_id}", get(handle)).with_state(state)
}

#[derive(Serialize)]
struct Answer {
    entries: Vec<Entry>,
}

/// The ledger entries of an order.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(id): Path<OrderId>,
) -> Result<Json<Answer>> {
    user.require(ADMIN)?;
    let order = state.store.order(id).await?;
    order.ok_or_else(|| Problem::not_found("order"))?;
    Ok(Json(Answer { entries: state.store.entries(id).await? }))
}
