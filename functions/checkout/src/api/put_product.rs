//! `PUT /v1/products/{sku}`

use axum::Router;
use axum::extract::State;
use axum::routing::put;
use inventory::Sku;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::problem::Problem;

use super::ADMIN;
use crate::charges::{self, ChargeError};
use crate::money::{MAX_AMOUNT, Money};
use crate::product::{MAX_NAME, Product};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/products/{sku}", put(handle)).with_state(state)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    name: String,
    price: Money,
    #[serde(default = "default_active")]
    active: bool,
}

#[derive(Serialize)]
struct Answer {
    sku: Sku,
    #[serde(flatten)]
    product: Product,
}

fn default_active() -> bool {
    true
}

/// Creates or replaces a product. Carts keep their price, but an order is only placed at the current
/// price.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(sku): Path<Sku>,
    Json(request): Json<Request>,
) -> Result<(StatusCode, Json<Answer>)> {
    user.require(ADMIN)?;
    let Request { name, price, active } = request;
    let is_short = name.chars().count() <= MAX_NAME;
    if name.trim().is_empty() || !is_short || name.chars().any(char::is_control) {
        return Err(
            invalid("name", format!("1 to {MAX_NAME} characters, no control characters")).into()
        );
    }
    if !(1..=MAX_AMOUNT).contains(&price.amount) {
        let detail = format!("1 to {MAX_AMOUNT} minor units");
        return Err(invalid("price.amount", detail).into());
    }
    charges::check(price).map_err(|error| {
        let field = match error {
            ChargeError::Currency(_) => "price.currency",
            _ => "price.amount",
        };
        invalid(field, error.to_string())
    })?;
    let product = Product { name, price, active };
    let is_new = state.store.put_product(&sku, &product).await?;
    tracing::info!(%sku, %price, active, "product stored");
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(Answer { sku, product })))
}

fn invalid(field: &str, detail: String) -> Problem {
    let title = "The product is not valid";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-product", title).field(field, detail)
}
