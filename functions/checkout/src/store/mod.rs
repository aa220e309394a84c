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
//!
//! The index `due` (`due_shard`, `due_at`) has the `STATE` of orders that are on their way, and in a partition
//! of their own those whose refunds the provider has not decided on.

mod carts;
mod ledger;
mod merchants;
mod orders;
mod products;
mod reconciliation;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::{Error, Result};

pub use ledger::MAX_FOLDED;
pub use merchants::Endpoints;
pub use orders::{Appended, AttemptId, Claimed, DUE_SHARDS, Due, Held, OVERDUE_AFTER, StateItem};
pub(crate) use orders::{SETTLING, due_shard};
pub use reconciliation::{Cursor, Open};

type Item = HashMap<String, AttributeValue>;

/// The most keys that one request reads:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const BATCH: usize = 100;

/// The checkout's table.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
}

impl Store {
    /// What is in `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// One item, strongly consistent. 1 RRU for 4 KB.
    async fn item<T: DeserializeOwned>(&self, key: Item) -> Result<Option<T>> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key));
        let answer = get.consistent_read(true).send().await?;
        Ok(answer.item.map(serde_dynamo::from_item).transpose()?)
    }

    /// The items of a partition whose sort keys begin with `prefix`, or all of them if that is empty,
    /// strongly consistent. 1 RRU for 4 KB.
    async fn items<T: DeserializeOwned>(&self, pk: String, prefix: &str) -> Result<Vec<T>> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.expression_attribute_values(":pk", string(pk));
        // DynamoDB takes no empty text for a key's.
        let query = if prefix.is_empty() {
            query.key_condition_expression("pk = :pk")
        } else {
            query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", string(prefix))
        };
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let answer = query.clone().set_exclusive_start_key(start).send().await?;
            items.extend(serde_dynamo::from_items::<_, T>(answer.items.unwrap_or_default())?);
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Those of the items that there are, in any order, strongly consistent. 1 RRU for 4 KB of each.
    async fn batch<T: DeserializeOwned>(&self, keys: Vec<Item>) -> Result<Vec<T>> {
        let (mut items, mut left) = (Vec::new(), keys);
        while !left.is_empty() {
            let rest = left.split_off(left.len().min(BATCH));
            let wanted =
                KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build()?;
            let read = self.client.batch_get_item().request_items(&self.table, wanted);
            let answer = read.send().await?;
            let read: Vec<Item> =
                answer.responses.unwrap_or_default().into_values().flatten().collect();
            let unread = answer.unprocessed_keys.unwrap_or_default();
            let unread: Vec<Item> = unread.into_values().flat_map(|keys| keys.keys).collect();
            if read.is_empty() && !unread.is_empty() {
                return Err(Error::internal("DynamoDB reads nothing now"));
            }
            items.extend(serde_dynamo::from_items::<_, T>(read)?);
            left = rest;
            left.extend(unread);
        }
        Ok(items)
    }

    /// The write of an item that must be new. 2 WRU for 1 KB, in a transaction.
    fn new_item<T: Serialize>(&self, key: Item, content: &T) -> Result<TransactWriteItem> {
        let mut item: Item = serde_dynamo::to_item(content)?;
        item.extend(key);
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string(sk))])
}

fn string(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

#[expect(clippy::needless_pass_by_value, reason = "callers pass numbers")]
fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn milliseconds(at: Timestamp) -> AttributeValue {
    number(at.as_millisecond())
}

fn value<T: Serialize>(value: &T) -> Result<AttributeValue> {
    Ok(serde_dynamo::to_attribute_value(value)?)
}
