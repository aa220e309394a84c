//! `GET /v1/stock/{sku}`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem};
use utoipa::ToSchema;

use super::Admin;
use crate::sku::Sku;
use crate::stock::{Bucket, available, reserved};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<StockView>(StatusCode::OK).refuses(&[NOT_FOUND])
}

/// A product's stock.
#[derive(Serialize, ToSchema)]
#[schema(as = Stock)]
struct StockView {
    sku: Sku,
    /// The available quantity.
    available: u32,
    /// The reserved quantity.
    reserved: u32,
    /// The buckets, sorted by number.
    buckets: Vec<Bucket>,
}

/// Shows a product's stock.
#[utoipa::path(get, path = "/v1/stock/{sku}")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Admin>,
    Path(sku): Path<Sku>,
) -> Result<Json<StockView>> {
    let buckets = state.inventory.stock(&sku).await?;
    if buckets.is_empty() {
        return Err(Problem::not_found("stock").into());
    }
    let (available, reserved) = (available(&buckets), reserved(&buckets));
    Ok(Json(StockView { sku, available, reserved, buckets }))
}
