//! `PATCH /v1/products/{sku}`

use axum::Router;
use axum::extract::State;
use inventory::Sku;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, EditTag, Json, MergePatch, Path, Precondition, StatusCode};
use shared::problem::{NOT_FOUND, Problem};

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
        .refuses(&[NOT_FOUND, INVALID_PRODUCT])
}

/// Changes some fields of a product.
#[utoipa::path(patch, path = "/v1/products/{sku}")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Admin>,
    Path(sku): Path<Sku>,
    precondition: Precondition,
    patch: MergePatch<ProductFields>,
) -> Result<(StatusCode, EditTag, Json<StoredProduct>)> {
    retried(async || {
        let before = state.store.product(&sku).await?;
        let before = before.ok_or_else(|| Problem::not_found("product"))?;
        let product = patch.applied(&before.clone().into())?.valid()?;
        put(&state, &sku, &precondition, Some(&before), &product).await
    })
    .await
}
