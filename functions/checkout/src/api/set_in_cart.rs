//! `PUT /v1/cart/lines/{sku}`

use axum::Router;
use axum::extract::State;
use axum::routing::put;
use inventory::Sku;
use serde::Deserialize;
use shared::Result;
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::problem::Problem;

use super::WRITE;
use super::changes::changed;
use super::get_cart::Shown;
use crate::product::Product;
use crate::store::Store;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/cart/lines/{sku}", put(handle)).with_state(state)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    quantity: u32,
}

/// Has so many of a product in the cart, at today's price.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(sku): Path<Sku>,
    Json(Wanted { quantity }): Json<Wanted>,
) -> Result<Json<Shown>> {
    user.require(WRITE)?;
    let product = sold(&state.store, &sku).await?;
    let cart = changed(&state.store, user.user, |cart| cart.set(sku.clone(), &product, quantity));
    Ok(Json(Shown::of(cart.await?)))
}

/// The product, if it is sold.
pub(super) async fn sold(store: &Store, sku: &Sku) -> Result<Product> {
    let product = store.product(sku).await?.filter(|product| product.active);
    let title = "There is no such product";
    let unknown = || {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown-product", title)
            .field("sku", format!("{sku} is not sold"))
    };
    Ok(product.ok_or_else(unknown)?)
}
