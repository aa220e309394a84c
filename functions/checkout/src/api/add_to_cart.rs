//! `POST /v1/cart/lines`

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use futures::try_join;
use inventory::Sku;
use serde::Deserialize;
use shared::Result;
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::{Json, SignedIn};
use shared::idempotency::{Commit, Outcome};

use super::WRITE;
use super::changes::cart_problem;
use super::get_cart::CartView;
use super::set_in_cart::product_on_sale;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let records = state.records.clone();
    let router = Router::new().route("/v1/cart/lines", post(handle)).with_state(state);
    transactional(router, records)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    sku: Sku,
    quantity: u32,
}

/// Adds a quantity of a product to the cart, once for each idempotency key. The whole line gets the
/// current price.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    transaction: Transaction,
    Json(Request { sku, quantity }): Json<Request>,
) -> Result<Outcome<Saved>> {
    user.require(WRITE)?;
    let attempt = || async {
        let (product, mut cart) =
            try_join!(product_on_sale(&state.store, &sku), state.store.cart(user.user))?;
        cart.add(sku.clone(), &product, quantity).map_err(cart_problem)?;
        let write = state.store.cart_write(user.user, &cart)?;
        let answer = Saved::of(Json(CartView::of(cart))).await?;
        transaction.try_commit(Commit::new(answer).write(write)).await
    };
    transaction.retried(attempt).await
}
