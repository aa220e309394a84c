//! `GET /v1/ledger/{order_id}`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem};
use utoipa::ToSchema;

use super::Admin;
use crate::ledger::Entry;
use crate::order::OrderId;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<Answer>(StatusCode::OK).refuses(&[NOT_FOUND])
}

/// The ledger entries of an order.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderLedger)]
struct Answer {
    /// The entries, oldest first.
    entries: Vec<Entry>,
}

/// Shows the ledger entries of an order.
#[utoipa::path(get, path = "/v1/ledger/{order_id}")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Admin>,
    Path(id): Path<OrderId>,
) -> Result<Json<Answer>> {
    let order = state.store.order(id).await?;
    order.ok_or_else(|| Problem::not_found("order"))?;
    Ok(Json(Answer { entries: state.store.entries(id).await? }))
}
