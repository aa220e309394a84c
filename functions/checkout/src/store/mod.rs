//! The checkout's table.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | what happened to an order | `ORDER#<order>` | `EVENT#<version>` |
//! | where it stands | `ORDER#<order>` | `STATE` |
//! | an order of a customer's | `USER#<customer>` | `ORDER#<order>`, so that they stand in the order of their creation |
//! | a customer's cart | `USER#<customer>` | `CART` |
//! | a product | `CATALOGUE` | `PRODUCT#<sku>` |
//! | a transfer | `LEDGER#<order>` | `TRANSFER#<cause>` |
//! | what became of a pending one | `LEDGER#<order>` | `RESOLUTION#<cause>` |
//! | that an entry is part of the balances | `LEDGER#<order>` | `FOLDED#<entry>` |
//! | the balance of an account | `BALANCES` | `<currency>#<account>` |
//! | how far our books are compared with the provider's | `RECONCILIATION` | `CURSOR` |
//! | what of the provider's is not explained | `RECONCILIATION` | `OPEN#<movement>` |
//! | where a merchant's webhooks go | `MERCHANT` | `ENDPOINT#<name>` |
//! | what counts the changes of those | `MERCHANT` | `ENDPOINTS` |
//! | a message to an endpoint, and what became of it | `DELIVERIES#<name>` | `DELIVERY#<id>`, in the order of the messages |
//!
//! `expires` is the TTL attribute, in epoch seconds: deliveries have it.
//!
//! The index `due` (`due_shard`, `due_at`) has the `STATE` of orders that are on their way, and in a partition
//! of their own those whose refunds the provider has not decided on.

mod carts;
mod ledger;
mod merchants;
mod orders;
mod products;
mod reconciliation;

use shared::table::Table;

pub use ledger::MAX_FOLDED;
pub use merchants::Endpoints;
pub use orders::{Appended, Claimed, DUE_SHARDS, Due, Held, OVERDUE_AFTER, StateItem};
pub(crate) use orders::{SETTLING, due_shard};
pub use reconciliation::{Cursor, Open};

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
