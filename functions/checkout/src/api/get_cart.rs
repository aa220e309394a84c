//! `GET /v1/cart`

use axum::Router;
use axum::extract::State;
use inventory::Sku;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, StatusCode};
use utoipa::ToSchema;

use super::Read;
use crate::cart::{Cart, CartLine};
use crate::money::Money;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<CartView>(StatusCode::OK)
}

/// A cart.
#[derive(Serialize, ToSchema)]
#[schema(as = Cart)]
pub(super) struct CartView {
    /// The lines, sorted by SKU.
    lines: Vec<Line>,
    /// The total price. Absent if the cart is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Money>,
}

/// A product in a cart.
#[derive(Serialize, ToSchema)]
#[schema(as = LineOfCart)]
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

/// Shows the user's cart.
#[utoipa::path(get, path = "/v1/cart")]
async fn handle(State(state): State<System>, user: Allowed<Read>) -> Result<Json<CartView>> {
    Ok(Json(CartView::of(state.store.cart((user.user, user.tenant)).await?)))
}
