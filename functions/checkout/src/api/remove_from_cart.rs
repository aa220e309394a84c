//! `DELETE /v1/cart/lines/{sku}`

use axum::Router;
use axum::extract::State;
use axum::routing::delete;
use inventory::Sku;
use shared::Result;
use shared::http::{Json, Path, SignedIn};

use super::WRITE;
use super::changes::changed;
use super::get_cart::Shown;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/cart/lines/{sku}", delete(handle)).with_state(state)
}

/// Has none of a product in the cart. Doing it twice is doing it once.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(sku): Path<Sku>,
) -> Result<Json<Shown>> {
    user.require(WRITE)?;
    let cart = changed(&state.store, user.user, |cart| {
        cart.lines.remove(&sku);
        Ok(())
    });
    Ok(Json(Shown::of(cart.await?)))
}
