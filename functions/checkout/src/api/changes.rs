//! Shared code of the endpoints: changes with optimistic locking, and access to orders.

use shared::conflict::retried;
use shared::http::{SignedIn, StatusCode};
use shared::problem::{Problem, ProblemType};
use shared::{Error, Result};

use super::ADMIN;
use crate::cart::{Cart, CartError};
use crate::order::{Order, OrderId};
use crate::store::{Customer, Store};

/// 422: the cart does not allow the change.
pub(super) const INVALID_CART: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-cart",
    "The change of the cart is not valid",
);

/// 409: the order is not confirmed.
pub(super) const ORDER_NOT_PAID: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "order-not-paid", "The order is not paid");

/// Reads, changes and writes the customer's cart. Retries if the cart has changed in the meantime.
pub(super) async fn change_cart(
    store: &Store,
    customer: Customer,
    change: impl Fn(&mut Cart) -> Result<(), CartError>,
) -> Result<Cart> {
    let attempt = || async {
        let mut cart = store.cart(customer).await?;
        change(&mut cart).map_err(cart_problem)?;
        Ok(store.put_cart(customer, &cart).await?.then_some(cart))
    };
    retried(attempt).await
}

/// The order, if it belongs to the user in the tenant that the user acts for, or the user is an admin. Otherwise 404.
pub(super) async fn visible_order(store: &Store, id: OrderId, user: &SignedIn) -> Result<Order> {
    let order = store.order(id).await?.filter(|order| user.reaches(order, ADMIN));
    Ok(order.ok_or_else(|| Problem::not_found("order"))?)
}

/// The problem (422) for a refused change of a cart.
pub(super) fn cart_problem(error: CartError) -> Error {
    let field = match error {
        CartError::Quantity | CartError::Total => "quantity",
        CartError::TooManyLines | CartError::Currencies => "sku",
    };
    Problem::of(INVALID_CART).field(field, error.to_string()).into()
}
