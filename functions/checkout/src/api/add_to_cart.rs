//! `POST /v1/cart/lines`

use axum::Router;
use axum::extract::State;
use futures::try_join;
use inventory::Sku;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::{Allowed, Json, StatusCode};
use shared::idempotency::{Commit, Outcome};
use utoipa::ToSchema;

use super::Write;
use super::changes::{INVALID_CART, cart_problem};
use super::get_cart::CartView;
use super::set_in_cart::{UNKNOWN_PRODUCT, product_on_sale};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let records = state.records.clone();
    let router = contract::route!(handle).with_state(state);
    transactional(router, records)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<CartView>(StatusCode::OK)
        .refuses(&[UNKNOWN_PRODUCT, INVALID_CART])
}

/// A quantity of a product to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddToCartRequest)]
struct Request {
    sku: Sku,
    /// The number of units to add.
    #[schema(minimum = 1, maximum = 999)]
    quantity: u32,
}

/// Adds a quantity of a product to the cart, once for each idempotency key. The whole line gets the
/// current price.
#[utoipa::path(post, path = "/v1/cart/lines")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    transaction: Transaction,
    Json(Request { sku, quantity }): Json<Request>,
) -> Result<Outcome<Saved>> {
    let attempt = || async {
        let (product, mut cart) = try_join!(
            product_on_sale(&state.store, &sku),
            state.store.cart((user.user, user.tenant))
        )?;
        cart.add(sku.clone(), &product, quantity).map_err(cart_problem)?;
        let write = state.store.cart_write((user.user, user.tenant), &cart)?;
        let answer = Saved::of(Json(CartView::of(cart))).await?;
        transaction.try_commit(Commit::new(answer).write(write)).await
    };
    transaction.retried(attempt).await
}
