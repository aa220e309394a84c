//! `GET /v1/cart`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use inventory::Sku;
use serde::Serialize;
use shared::Result;
use shared::http::{Json, SignedIn};

use super::READ;
use crate::cart::{Cart, CartLine};
use crate::money::Money;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/cart", get(handle)).with_state(state)
}

/// The response: a cart.
#[derive(Serialize)]
pub(super) struct CartView {
    lines: Vec<Line>,
    /// The total price. Absent if the cart is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Money>,
}

#[derive(Serialize)]
struct Line {
    sku: Sku,
    #[serde(flatten)]
    line: CartLine,
}

impl CartView {
    pub(super) fn of(cart: Cart) -> Self {
        let total = cart.total();
        let lines = cart.lines.into_iter().map(|(sku, line)| Line { sku, line });
        Self { lines: lines.collect(), total }
    }
}

async fn handle(State(state): State<System>, user: SignedIn) -> Result<Json<CartView>> {
    user.require(READ)?;
    Ok(Json(CartView::of(state.store.cart(user.user).await?)))
}
