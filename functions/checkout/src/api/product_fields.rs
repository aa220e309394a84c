//! What the endpoints that edit products share.

use inventory::Sku;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::{EditTag, Json, Precondition, StatusCode};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use crate::charges::{self, ChargeError};
use crate::money::{Currency, MAX_AMOUNT, Money};
use crate::product::{MAX_NAME, Product};
use crate::system::System;

pub(super) const INVALID_PRODUCT: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-product",
    "The product is not valid",
);

/// A product to put.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductRequest)]
pub(super) struct ProductFields {
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
#[derive(Serialize, Deserialize, ToSchema)]
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
pub(super) struct StoredProduct {
    sku: Sku,
    #[serde(flatten)]
    product: Product,
}

fn default_active() -> bool {
    true
}

impl From<Product> for ProductFields {
    fn from(Product { name, price, active }: Product) -> Self {
        let Money { amount, currency } = price;
        Self { name, price: Price { amount, currency }, active }
    }
}

impl ProductFields {
    /// The product with these fields.
    pub(super) fn valid(self) -> Result<Product, Problem> {
        let Self { name, price: Price { amount, currency }, active } = self;
        let price = Money { amount, currency };
        let is_short = name.chars().count() <= MAX_NAME;
        if name.trim().is_empty() || !is_short || name.chars().any(char::is_control) {
            let detail = format!("1 to {MAX_NAME} characters, no control characters");
            return Err(invalid("name", detail));
        }
        if !(1..=MAX_AMOUNT).contains(&price.amount) {
            let detail = format!("1 to {MAX_AMOUNT} minor units");
            return Err(invalid("price.amount", detail));
        }
        charges::check(price).map_err(|error| {
            let field = match error {
                ChargeError::Currency(_) => "price.currency",
                _ => "price.amount",
            };
            invalid(field, error.to_string())
        })?;
        Ok(Product { name, price, active })
    }
}

/// Creates the product, or replaces the product `before`. `None` if there is another one now.
pub(super) async fn put(
    state: &System,
    sku: &Sku,
    precondition: &Precondition,
    before: Option<&Product>,
    product: &Product,
) -> Result<Option<(StatusCode, EditTag, Json<StoredProduct>)>> {
    let tag = EditTag::of(product)?;
    precondition.check(before.map(EditTag::of).transpose()?.as_ref(), &tag)?;
    if before != Some(product) {
        if !state.store.put_product(sku, before, product).await? {
            return Ok(None);
        }
        tracing::info!(%sku, price = %product.price, active = product.active, "product stored");
    }
    let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let stored = StoredProduct { sku: sku.clone(), product: product.clone() };
    Ok(Some((status, tag, Json(stored))))
}

fn invalid(field: &str, detail: String) -> Problem {
    Problem::of(INVALID_PRODUCT).field(field, detail)
}
