//! `DELETE /v1/cart/lines/{sku}`

use axum::Router;
use axum::extract::State;
use axum::routing::delete;
use inventory::Sku;
use shared::Result;
use shared::http::{Json, Path, SignedIn};

use super::WRITE;
use super::changes::change_cart;
use super::get_cart::CartView;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/cart/lines/{sku}", delete(handle)).with_state(state)
}

/// Removes a product from the cart. Idempotent.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(sku): Path<Sku>,
) -> Result<Json<CartView>> {
    user.require(WRITE)?;
    let cart = change_cart(&state.store, user.user, |cart| {
        cart.lines.remove(&sku);
        Ok(())
    });
    Ok(Json(CartView::of(cart.await?)))
}
