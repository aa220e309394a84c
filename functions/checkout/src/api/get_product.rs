//! `GET /v1/products/{sku}`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use inventory::Sku;
use serde::Serialize;
use shared::Result;
use shared::http::{Json, Path, SignedIn};
use shared::problem::Problem;

use super::READ;
use crate::product::Product;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/products/{sku}", get(handle)).with_state(state)
}

/// The response: a product and its available stock.
#[derive(Serialize)]
pub(super) struct ProductView {
    sku: Sku,
    #[serde(flatten)]
    product: Product,
    available: u32,
}

impl ProductView {
    pub(super) fn of(sku: Sku, product: Product, available: u32) -> Self {
        Self { sku, product, available }
    }
}

async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(sku): Path<Sku>,
) -> Result<Json<ProductView>> {
    user.require(READ)?;
    let product = state.store.product(&sku).await?.ok_or_else(|| Problem::not_found("product"))?;
    let stock = state.inventory.available_stock(std::slice::from_ref(&sku)).await?;
    let available = stock.get(&sku).copied().unwrap_or_default();
    Ok(Json(ProductView::of(sku, product, available)))
}
