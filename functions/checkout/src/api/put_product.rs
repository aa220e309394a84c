//! `PUT /v1/products/{sku}`

use axum::Router;
use axum::extract::State;
use inventory::Sku;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, EditTag, Json, Path, Precondition, StatusCode};

use super::Admin;
use super::product_fields::{INVALID_PRODUCT, ProductFields, StoredProduct, put};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<StoredProduct>(StatusCode::OK)
        .answers::<StoredProduct>(StatusCode::CREATED)
        .links(&["checkout-get-product", "checkout-patch-product"], "sku", "$response.body#/sku")
        .refuses(&[INVALID_PRODUCT])
}

/// Creates or replaces a product. Carts keep their price, but an order is only placed at the current
/// price.
#[utoipa::path(put, path = "/v1/products/{sku}")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Admin>,
    Path(sku): Path<Sku>,
    precondition: Precondition,
    Json(fields): Json<ProductFields>,
) -> Result<(StatusCode, EditTag, Json<StoredProduct>)> {
    let product = fields.valid()?;
    retried(async || {
        let before = state.store.product(&sku).await?;
        put(&state, &sku, &precondition, before.as_ref(), &product).await
    })
    .await
}
