//! `PUT /v1/products/{sku}`

use axum::Router;
use axum::extract::State;
use inventory::Sku;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use super::ADMIN;
use crate::charges::{self, ChargeError};
use crate::money::{Currency, MAX_AMOUNT, Money};
use crate::product::{MAX_NAME, Product};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .scope(ADMIN)
        .answers::<Answer>(StatusCode::OK)
        .answers::<Answer>(StatusCode::CREATED)
        .links(&["checkout-get-product"], "sku", "$response.body#/sku")
        .refuses(&[INVALID_PRODUCT])
}

const INVALID_PRODUCT: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-product",
    "The product is not valid",
);

/// A product to put.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductRequest)]
struct Request {
    /// The name: no control characters, and not only spaces.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    name: String,
    /// The price of one unit.
    price: Price,
    /// Whether the product is on sale.
    #[serde(default = "default_active")]
    active: bool,
}

/// A price, in minor units: 1999 with `EUR` is 19.99 €.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Price {
    /// The number of minor units.
    #[schema(minimum = 1, maximum = 99_999_999)]
    amount: u64,
    /// The currency.
    currency: Currency,
}

/// A product that was put.
#[derive(Serialize, ToSchema)]
#[schema(as = StoredProduct)]
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
#[utoipa::path(put, path = "/v1/products/{sku}")]
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(sku): Path<Sku>,
    Json(request): Json<Request>,
) -> Result<(StatusCode, Json<Answer>)> {
    user.require(ADMIN)?;
    let Request { name, price: Price { amount, currency }, active } = request;
    let price = Money { amount, currency };
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
    Problem::of(INVALID_PRODUCT).field(field, detail)
}
