//! Carts: one item for each customer in each tenant. A version protects it from concurrent changes.

use aws_sdk_dynamodb::types::TransactWriteItem;
use shared::Result;
use shared::id::{TenantId, UserId};
use shared::table::{self, Item, key, number};
use shared::write::{self, Written};

use super::Store;
use crate::cart::Cart;

/// Whose cart it is: a user, and the tenant that the user acts for.
pub type Customer = (UserId, TenantId);

/// The cart still has the version that was read.
const UNCHANGED: &str = "attribute_not_exists(pk) OR version = :version";

impl Store {
    /// Reads the customer's cart, which may be empty. 1 RRU for 4 KB.
    pub async fn cart(&self, customer: Customer) -> Result<Cart> {
        Ok(self.table.get(cart_key(customer)).await?.unwrap_or_default())
    }

    /// Replaces the cart, if it still has the version `cart.version`. Returns whether it had. 1 WRU for 1 KB.
    pub async fn put_cart(&self, customer: Customer, cart: &Cart) -> Result<bool> {
        let put = self
            .table
            .put(cart_key(customer), &next(cart))?
            .condition_expression(UNCHANGED)
            .expression_attribute_values(":version", number(cart.version));
        Ok(matches!(write::send("carts.put", put).await?, Written::Made(_)))
    }

    /// The same as [`Store::put_cart`], as a write for a transaction. 2 WRU for 1 KB.
    pub(crate) fn cart_write(&self, customer: Customer, cart: &Cart) -> Result<TransactWriteItem> {
        let put = self.table.putting(cart_key(customer), &next(cart))?;
        let put = put.condition_expression(UNCHANGED);
        table::put(put.expression_attribute_values(":version", number(cart.version)))
    }

    /// The write that empties the cart, if it still has this version: of two orders from one cart, one
    /// succeeds. An empty cart keeps its version, so that no later cart has the same version. 2 WRU.
    pub(crate) fn empty_cart_write(
        &self,
        customer: Customer,
        cart: &Cart,
    ) -> Result<TransactWriteItem> {
        self.cart_write(customer, &Cart { version: cart.version, ..Cart::default() })
    }
}

/// The cart with the next version.
fn next(cart: &Cart) -> Cart {
    Cart { version: cart.version + 1, lines: cart.lines.clone() }
}

fn cart_key((customer, tenant): Customer) -> Item {
    key(format!("USER#{customer}"), format!("CART#{tenant}"))
}
