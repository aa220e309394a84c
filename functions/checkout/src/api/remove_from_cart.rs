//! `DELETE /v1/cart/lines/{sku}`

use axum::Router;
use axum::extract::State;
use inventory::Sku;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};

use super::Write;
use super::changes::{INVALID_CART, change_cart};
use super::get_cart::CartView;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<CartView>(StatusCode::OK).refuses(&[INVALID_CART])
}

/// Removes a product from the cart. Idempotent.
#[utoipa::path(delete, path = "/v1/cart/lines/{sku}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    Path(sku): Path<Sku>,
) -> Result<Json<CartView>> {
    let cart = change_cart(&state.store, (user.user, user.tenant), |cart| {
        cart.lines.remove(&sku);
        Ok(())
    });
    Ok(Json(CartView::of(cart.await?)))
}
