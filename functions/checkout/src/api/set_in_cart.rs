//! `PUT /v1/cart/lines/{sku}`

use axum::Router;
use axum::extract::State;
use inventory::Sku;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use super::Write;
use super::changes::{INVALID_CART, change_cart};
use super::get_cart::CartView;
use crate::product::Product;
use crate::store::Store;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<CartView>(StatusCode::OK)
        .refuses(&[UNKNOWN_PRODUCT, INVALID_CART])
}

/// 422: the product does not exist or is not on sale.
pub(super) const UNKNOWN_PRODUCT: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "unknown-product",
    "The product does not exist or is not on sale",
);

/// A new quantity of a product.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetInCartRequest)]
struct Request {
    /// The number of units.
    #[schema(minimum = 1, maximum = 999)]
    quantity: u32,
}

/// Sets the quantity of a product in the cart, at the current price.
#[utoipa::path(put, path = "/v1/cart/lines/{sku}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    Path(sku): Path<Sku>,
    Json(Request { quantity }): Json<Request>,
) -> Result<Json<CartView>> {
    let product = product_on_sale(&state.store, &sku).await?;
    let cart = change_cart(&state.store, (user.user, user.tenant), |cart| {
        cart.set(sku.clone(), &product, quantity)
    });
    Ok(Json(CartView::of(cart.await?)))
}

/// The product, if it is on sale. Otherwise 422.
pub(super) async fn product_on_sale(store: &Store, sku: &Sku) -> Result<Product> {
    let product = store.product(sku).await?.filter(|product| product.active);
    let unknown = || Problem::of(UNKNOWN_PRODUCT).field("sku", format!("{sku} is not on sale"));
    Ok(product.ok_or_else(unknown)?)
}
