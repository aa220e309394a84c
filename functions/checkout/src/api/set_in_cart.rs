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
use super::changes::change_cart;
use super::get_cart::CartView;
use crate::product::Product;
use crate::store::Store;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/cart/lines/{sku}", put(handle)).with_state(state)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    quantity: u32,
}

/// Sets the quantity of a product in the cart, at the current price.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(sku): Path<Sku>,
    Json(Request { quantity }): Json<Request>,
) -> Result<Json<CartView>> {
    user.require(WRITE)?;
    let product = product_on_sale(&state.store, &sku).await?;
    let cart =
        change_cart(&state.store, user.user, |cart| cart.set(sku.clone(), &product, quantity));
    Ok(Json(CartView::of(cart.await?)))
}

/// The product, if it is on sale. Otherwise 422.
pub(super) async fn product_on_sale(store: &Store, sku: &Sku) -> Result<Product> {
    let product = store.product(sku).await?.filter(|product| product.active);
    let title = "The product does not exist or is not on sale";
    let unknown = || {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown-product", title)
            .field("sku", format!("{sku} is not on sale"))
    };
    Ok(product.ok_or_else(unknown)?)
}
