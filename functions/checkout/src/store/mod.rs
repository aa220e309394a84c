//! The checkout's table.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | an event of an order | `ORDER#<order>` | `EVENT#<version>` |
//! | the state of an order | `ORDER#<order>` | `STATE` |
//! | a customer's order | `USER#<customer>` | `ORDER#<order>`, sorted by creation |
//! | a customer's cart in a tenant | `USER#<customer>` | `CART#<tenant>` |
//! | a product | `CATALOGUE` | `PRODUCT#<sku>` |
//! | a transfer | `LEDGER#<order>` | `TRANSFER#<cause>` |
//! | the resolution of a pending transfer | `LEDGER#<order>` | `RESOLUTION#<cause>` |
//! | the mark that an entry is part of the balances | `LEDGER#<order>` | `FOLDED#<entry>` |
//! | the balance of an account | `BALANCES` | `<currency>#<account>` |
//! | the progress of the reconciliation | `RECONCILIATION` | `CURSOR` |
//! | a movement at the provider without an explanation | `RECONCILIATION` | `OPEN#<movement>` |
//! | a merchant's webhook endpoint | `MERCHANT` | `ENDPOINT#<name>` |
//! | the number of changes of the endpoints | `MERCHANT` | `ENDPOINTS` |
//! | the delivery of a message to an endpoint | `DELIVERIES#<name>` | `DELIVERY#<id>`, in the order of the messages |
//!
//! `expires` is the TTL attribute of deliveries, in seconds since 1970.
//!
//! The index `due` (`due_shard`, `due_at`) has the `STATE` items of active orders. Orders that only wait for
//! the outcome of a refund are in a partition of their own.

mod carts;
mod ledger;
mod merchants;
mod orders;
mod products;
mod reconciliation;

use shared::invocation;
use shared::queue::{CORRELATION_ID, TRACEPARENT};
use shared::table::{Item, Table, string};

pub use carts::Customer;
pub use ledger::MAX_FOLDED;
pub use merchants::Endpoints;
pub use orders::{
    AppendOutcome, ClaimOutcome, DUE_SHARDS, DueOrder, HeldOrder, OVERDUE_AFTER, StateItem,
};
pub(crate) use orders::{SETTLING, due_shard};
pub use reconciliation::{Cursor, OpenMovement};

/// The item with the ids of the invocation that writes it. The relay logs with them, and passes them on.
fn caused(mut item: Item) -> Item {
    if let Some(current) = invocation::current() {
        item.insert(CORRELATION_ID.into(), string(&current.correlation_id));
        item.insert(TRACEPARENT.into(), string(current.trace.traceparent()));
    }
    item
}

/// The checkout's table.
#[derive(Clone, Debug)]
pub struct Store {
    table: Table,
}

impl Store {
    /// The store in `table`.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, table: String) -> Self {
        Self { table: Table::new(client, table) }
    }
}
