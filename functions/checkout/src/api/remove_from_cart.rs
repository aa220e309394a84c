//! `DELETE /v1/cart/lines/{sku}`

use axum::Router;
use axum::extract::State;
use axum::routing::delete;
use inventory::Sku;
use shared::Result;
use shared::clock::Clock;
use shared::http::{Json, Path, SignedIn};

use super::changes::changed;
use super::get_cart::Shown;
use super::{WRITE, has_clock};
use crate::store::Store;

/// What the endpoint needs.
#[derive(Clone, Debug)]
pub struct RemoveFromCart {
    /// The checkout's table.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}
has_clock!(RemoveFromCart);

/// The endpoint's router.
pub fn router(state: RemoveFromCart) -> Router {
    Router::new().route("/v1/cart/lines/{sku}", delete(handle)).with_state(state)
}

/// Has none of a product in the cart. Doing it twice is doing it once.
async fn handle(
    State(state): State<RemoveFromCart>,
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
