//! `GET /v1/stock/{sku}`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde::Serialize;
use shared::Result;
use shared::http::{Json, Path, SignedIn};
use shared::problem::Problem;

use super::ADMIN;
use crate::sku::Sku;
use crate::stock::{Bucket, available, reserved};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/stock/{sku}", get(handle)).with_state(state)
}

#[derive(Serialize)]
struct StockView {
    sku: Sku,
    /// The available quantity.
    available: u32,
    /// The reserved quantity.
    reserved: u32,
    buckets: Vec<Bucket>,
}

async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(sku): Path<Sku>,
) -> Result<Json<StockView>> {
    user.require(ADMIN)?;
    let buckets = state.inventory.stock(&sku).await?;
    if buckets.is_empty() {
        return Err(Problem::not_found("stock").into());
    }
    let (available, reserved) = (available(&buckets), reserved(&buckets));
    Ok(Json(StockView { sku, available, reserved, buckets }))
}
