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
use super::changes::refused;
use super::get_cart::Shown;
use super::set_in_cart::sold;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let records = state.records.clone();
    let router = Router::new().route("/v1/cart/lines", post(handle)).with_state(state);
    transactional(router, records)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    sku: Sku,
    quantity: u32,
}

/// Adds so many of a product to those that are in the cart, once however often the request is sent. All
/// of them stand at today's price then.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    transaction: Transaction,
    Json(Wanted { sku, quantity }): Json<Wanted>,
) -> Result<Outcome<Saved>> {
    user.require(WRITE)?;
    let attempt = || async {
        let (product, mut cart) = try_join!(sold(&state.store, &sku), state.store.cart(user.user))?;
        cart.add(sku.clone(), &product, quantity).map_err(refused)?;
        let write = state.store.cart_put(user.user, &cart)?;
        let answer = Saved::of(Json(Shown::of(cart))).await?;
        transaction.try_commit(Commit::new(answer).write(write)).await
    };
    transaction.retried(attempt).await
}
