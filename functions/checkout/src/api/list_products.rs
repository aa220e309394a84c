//! `GET /v1/products`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::page::{Next, Page, cursor};
use shared::http::{Allowed, Json, Query};
use utoipa::ToSchema;

use super::Read;
use super::get_product::ProductView;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).pages::<Products>()
}

/// A page of products.
#[derive(Serialize, ToSchema)]
struct Products {
    /// The products, sorted by SKU.
    products: Vec<ProductView>,
    /// The `cursor` parameter for the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the products on sale, sorted by SKU.
#[utoipa::path(get, path = "/v1/products")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Read>,
    Query(page): Query<Page>,
) -> Result<(Next, Json<Products>)> {
    let (found, last) = state.store.products(page.after()?.as_ref(), page.limit()?).await?;
    let skus: Vec<_> = found.iter().map(|(sku, _)| sku.clone()).collect();
    let stock = state.inventory.available_stock(&skus).await?;
    let shown = found.into_iter().map(|(sku, product)| {
        let available = stock.get(&sku).copied().unwrap_or_default();
        ProductView::of(sku, product, available)
    });
    let next_cursor = last.map(cursor);
    Ok((page.next(next_cursor.as_ref()), Json(Products { products: shown.collect(), next_cursor })))
}
