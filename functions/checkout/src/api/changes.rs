//! Changes of what others may change at the same time: read, change, write if nobody was faster.

use shared::conflict::retried;
use shared::http::{SignedIn, StatusCode};
use shared::id::UserId;
use shared::problem::Problem;
use shared::{Error, Result};

use super::ADMIN;
use crate::cart::{Cart, CartError};
use crate::order::{Order, OrderId};
use crate::store::Store;

/// Changes the customer's cart.
pub(super) async fn changed(
    store: &Store,
    customer: UserId,
    change: impl Fn(&mut Cart) -> Result<(), CartError>,
) -> Result<Cart> {
    let attempt = || async {
        let mut cart = store.cart(customer).await?;
        change(&mut cart).map_err(refused)?;
        Ok(store.put_cart(customer, &cart).await?.then_some(cart))
    };
    retried(attempt).await
}

/// The order, if it is the user's, or the user keeps the shop.
pub(super) async fn visible(store: &Store, id: OrderId, user: &SignedIn) -> Result<Order> {
    let order = store.order(id).await?;
    let order =
        order.filter(|order| order.placed.customer == user.user || user.require(ADMIN).is_ok());
    Ok(order.ok_or_else(|| Problem::not_found("order"))?)
}

/// What is answered when a cart cannot be changed so.
pub(super) fn refused(error: CartError) -> Error {
    let field = match error {
        CartError::Quantity | CartError::Total => "quantity",
        CartError::TooManyLines | CartError::Currencies => "sku",
    };
    let title = "The cart cannot be changed so";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-cart", title)
        .field(field, error.to_string())
        .into()
}
