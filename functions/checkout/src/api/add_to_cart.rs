//! `POST /v1/cart/lines`

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use inventory::Sku;
use serde::Deserialize;
use shared::Result;
use shared::clock::Clock;
use shared::http::{Json, SignedIn, idempotency};
use shared::idempotency::Records;

use super::changes::changed;
use super::get_cart::Shown;
use super::set_in_cart::sold;
use super::{WRITE, has_clock};
use crate::store::Store;

/// What the endpoint needs.
#[derive(Clone, Debug)]
pub struct AddToCart {
    /// The checkout's table.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}
has_clock!(AddToCart);

/// The endpoint's router.
pub fn router(state: AddToCart, records: Records) -> Router {
    let router = Router::new().route("/v1/cart/lines", post(handle)).with_state(state);
    idempotency::wrapped(router, records)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    sku: Sku,
    quantity: u32,
}

/// Adds so many of a product to those that are in the cart. All of them stand at today's price then.
async fn handle(
    State(state): State<AddToCart>,
    user: SignedIn,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Shown>> {
    user.require(WRITE)?;
    let Wanted { sku, quantity } = wanted;
    let product = sold(&state.store, &sku).await?;
    let cart = changed(&state.store, user.user, |cart| cart.add(sku.clone(), &product, quantity));
    Ok(Json(Shown::of(cart.await?)))
}
