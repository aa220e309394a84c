//! `GET /v1/products/{sku}`

use axum::Router;
use axum::extract::State;
use inventory::Sku;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, EditTag, Json, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem};
use utoipa::ToSchema;

use super::Read;
use crate::product::Product;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<ProductView>(StatusCode::OK).refuses(&[NOT_FOUND])
}

/// A product and its available stock.
#[derive(Serialize, ToSchema)]
#[schema(as = ProductWithStock)]
pub(super) struct ProductView {
    sku: Sku,
    #[serde(flatten)]
    product: Product,
    /// The number of units that can be ordered.
    available: u32,
}

impl ProductView {
    pub(super) fn of(sku: Sku, product: Product, available: u32) -> Self {
        Self { sku, product, available }
    }
}

/// Shows a product.
#[utoipa::path(get, path = "/v1/products/{sku}")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Read>,
    Path(sku): Path<Sku>,
) -> Result<(EditTag, Json<ProductView>)> {
    let product = state.store.product(&sku).await?.ok_or_else(|| Problem::not_found("product"))?;
    let stock = state.inventory.available_stock(std::slice::from_ref(&sku)).await?;
    let available = stock.get(&sku).copied().unwrap_or_default();
    Ok((EditTag::of(&product)?, Json(ProductView::of(sku, product, available))))
}
