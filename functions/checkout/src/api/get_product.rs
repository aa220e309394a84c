//! `GET /v1/products/{sku}`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use inventory::{Inventory, Sku};
use serde::Serialize;
use shared::Result;
use shared::clock::Clock;
use shared::http::{Json, Path, SignedIn};
use shared::problem::Problem;

use super::{READ, has_clock};
use crate::product::Product;
use crate::store::Store;

/// What the endpoint needs.
#[derive(Clone, Debug)]
pub struct GetProduct {
    /// The checkout's table.
    pub store: Store,
    /// The stock.
    pub inventory: Inventory,
    /// The time.
    pub clock: Clock,
}
has_clock!(GetProduct);

/// The endpoint's router.
pub fn router(state: GetProduct) -> Router {
    Router::new().route("/v1/products/{sku}", get(handle)).with_state(state)
}

/// A product, and how many there are.
#[derive(Serialize)]
pub(super) struct Shown {
    sku: Sku,
    #[serde(flatten)]
    product: Product,
    available: u32,
}

impl Shown {
    pub(super) fn of(sku: Sku, product: Product, available: u32) -> Self {
        Self { sku, product, available }
    }
}

async fn handle(
    State(state): State<GetProduct>,
    user: SignedIn,
    Path(sku): Path<Sku>,
) -> Result<Json<Shown>> {
    user.require(READ)?;
    let product = state.store.product(&sku).await?.ok_or_else(|| Problem::not_found("product"))?;
    let stock = state.inventory.stocks(std::slice::from_ref(&sku)).await?;
    let available = stock.get(&sku).copied().unwrap_or_default();
    Ok(Json(Shown::of(sku, product, available)))
}
