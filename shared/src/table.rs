//! A DynamoDB table: keys, typed items, reads, and builders for writes.
//!
//! **Guarantees.** [`Table::get`], [`Table::all`] and [`Table::batch`] are strongly consistent and return
//! every requested item that exists, with as many requests as that takes. [`Table::new_item`] never
//! replaces an item. After a page with more items, the next page is not empty: see [`page`].
//!
//! Send a single write with [`write::send`](crate::write::send) and a transaction with
//! [`Table::transact`]; both retry a write that [conflicts](crate::conflict) with another.
//!
//! ```no_run
//! # async fn example(client: aws_sdk_dynamodb::Client) -> shared::Result<()> {
//! use serde::{Deserialize, Serialize};
//! use shared::table::{Table, key, number};
//! use shared::write::{self, Written};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Stock {
//!     left: u32,
//! }
//!
//! let table = Table::new(client, "shop".into());
//! let update = table
//!     .update(key("SKU#book", "STOCK"))
//!     .update_expression("SET left = left - :quantity")
//!     .condition_expression("left >= :quantity")
//!     .expression_attribute_values(":quantity", number(2));
//! let is_sold = matches!(write::send("stock.sell", update).await?, Written::Made(_));
//! let stock: Option<Stock> = table.get(key("SKU#book", "STOCK")).await?;
//! # Ok(()) }
//! ```

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::{
    ConditionCheckBuilder, DeleteBuilder, PutBuilder, UpdateBuilder,
};
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, KeysAndAttributes, Put, TransactWriteItem, Update,
};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backoff::Backoff;
use crate::due::Due;
use crate::http::page;
use crate::transaction::{self, Sent};
use crate::{Error, Result};

/// An item, or its key.
pub type Item = HashMap<String, AttributeValue>;

/// The maximum number of keys in one `BatchGetItem`:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const BATCH: usize = 100;

/// The wait before unread keys are requested again, as AWS advises.
const UNREAD_WAIT: Backoff = Backoff::new(Duration::from_millis(25), Duration::from_secs(1));

/// A table whose key is `pk` and `sk`, or `pk` alone.
#[derive(Clone, Debug)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// The table `name`.
    #[must_use]
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The item with this key, if it exists, strongly consistent. 1 RRU per 4 KB.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or the item does not parse as a `T`.
    pub async fn get<T: DeserializeOwned>(&self, key: Item) -> Result<Option<T>> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key));
        let answer = get.consistent_read(true).send().await?;
        Ok(answer.item.map(serde_dynamo::from_item).transpose()?)
    }

    /// All items of a partition whose sort keys begin with `prefix`, in the order of their keys, strongly
    /// consistent. An empty `prefix` means the whole partition. 1 RRU per 4 KB.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or an item does not parse as a `T`.
    pub async fn all<T: DeserializeOwned>(
        &self,
        pk: impl Into<String>,
        prefix: &str,
    ) -> Result<Vec<T>> {
        let query = self.query(pk, prefix).consistent_read(true);
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

    /// The items with these keys that exist, in no particular order, strongly consistent. 1 RRU per 4 KB
    /// of each item.
    ///
    /// # Errors
    /// When DynamoDB does not answer or reads none of the keys, or an item does not parse as a `T`.
    pub async fn batch<T: DeserializeOwned>(&self, keys: Vec<Item>) -> Result<Vec<T>> {
        let (mut items, mut left, mut waits) = (Vec::new(), keys, 0);
        while !left.is_empty() {
            let rest = left.split_off(left.len().min(BATCH));
            let requested = left.len();
            let wanted =
                KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build()?;
            let read = self.client.batch_get_item().request_items(&self.name, wanted);
            let answer = read.send().await?;
            let read: Vec<Item> =
                answer.responses.unwrap_or_default().into_values().flatten().collect();
            let unread = answer.unprocessed_keys.unwrap_or_default();
            let unread: Vec<Item> = unread.into_values().flat_map(|keys| keys.keys).collect();
            items.extend(serde_dynamo::from_items::<_, T>(read)?);
            // A key without an item is processed too, and is in neither list.
            if unread.len() == requested {
                return Err(Error::internal("DynamoDB read none of the keys"));
            }
            if !unread.is_empty() {
                waits += 1;
                tokio::time::sleep(UNREAD_WAIT.delay(waits)).await;
            }
            left = rest;
            left.extend(unread);
        }
        Ok(items)
    }

    /// A query for the items of a partition whose sort keys begin with `prefix`. An empty `prefix` means
    /// the whole partition.
    #[must_use]
    pub fn query(&self, pk: impl Into<String>, prefix: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.name);
        let query = query.expression_attribute_values(":pk", string(pk));
        // DynamoDB refuses an empty string as a key value.
        if prefix.is_empty() {
            return query.key_condition_expression("pk = :pk");
        }
        query
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":prefix", string(prefix))
    }

    /// One page of a query: up to `limit` items, in its order, and whether there are more. If a filter
    /// leaves items out, it reads on until the page is full.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or an item does not parse as a `T`.
    pub async fn page<T: DeserializeOwned>(
        query: QueryFluentBuilder,
        limit: i32,
    ) -> Result<(Vec<T>, bool)> {
        let (items, has_more) = page::read(query, limit).await?;
        Ok((serde_dynamo::from_items(items)?, has_more))
    }

    /// The items that are due at `now` or before, from the table's index `due`: see [`due`](crate::due).
    /// Pages are read at the fault point `name`.
    #[must_use]
    pub fn due(&self, name: &'static str, now: Timestamp) -> Due {
        Due::by(now, name, self.client.clone(), self.name.clone())
    }

    /// A write that creates or replaces the item with this key.
    ///
    /// # Errors
    /// When `content` is not a map.
    pub fn put<T: Serialize>(&self, key: Item, content: &T) -> Result<PutItemFluentBuilder> {
        let put = self.client.put_item().table_name(&self.name);
        Ok(put.set_item(Some(item(key, content)?)))
    }

    /// A write that updates the item with this key.
    #[must_use]
    pub fn update(&self, key: Item) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.name).set_key(Some(key))
    }

    /// A write that deletes the item with this key.
    #[must_use]
    pub fn delete(&self, key: Item) -> DeleteItemFluentBuilder {
        self.client.delete_item().table_name(&self.name).set_key(Some(key))
    }

    /// A put, for a transaction.
    ///
    /// # Errors
    /// When `content` is not a map.
    pub fn putting<T: Serialize>(&self, key: Item, content: &T) -> Result<PutBuilder> {
        Ok(Put::builder().table_name(&self.name).set_item(Some(item(key, content)?)))
    }

    /// A put of an item with only its key, for a transaction.
    #[must_use]
    pub fn marking(&self, key: Item) -> PutBuilder {
        Put::builder().table_name(&self.name).set_item(Some(key))
    }

    /// An update, for a transaction.
    #[must_use]
    pub fn updating(&self, key: Item) -> UpdateBuilder {
        Update::builder().table_name(&self.name).set_key(Some(key))
    }

    /// A deletion, for a transaction.
    #[must_use]
    pub fn deleting(&self, key: Item) -> DeleteBuilder {
        Delete::builder().table_name(&self.name).set_key(Some(key))
    }

    /// A check of an item's condition, for [`check`]. The transaction leaves the item as it is.
    #[must_use]
    pub fn checking(&self, key: Item) -> ConditionCheckBuilder {
        ConditionCheck::builder().table_name(&self.name).set_key(Some(key))
    }

    /// A put of a new item, for a transaction; it fails if the key exists. 2 WRU per 1 KB.
    ///
    /// # Errors
    /// When `content` is not a map.
    pub fn new_item<T: Serialize>(&self, key: Item, content: &T) -> Result<TransactWriteItem> {
        put(self.putting(key, content)?.condition_expression("attribute_not_exists(pk)"))
    }

    /// Sends a transaction at the fault point `name`: see [`transaction::send`].
    ///
    /// # Errors
    /// Those of [`transaction::send`].
    pub async fn transact(
        &self,
        name: &'static str,
        token: &str,
        writes: Vec<TransactWriteItem>,
    ) -> Result<Sent> {
        transaction::send(name, &self.client, token, writes).await
    }
}

/// An item with this key and the attributes of `content`.
fn item<T: Serialize>(key: Item, content: &T) -> Result<Item> {
    let mut item: Item = serde_dynamo::to_item(content)?;
    item.extend(key);
    Ok(item)
}

/// A put as a write of a transaction.
///
/// # Errors
/// When a required field is missing.
pub fn put(put: PutBuilder) -> Result<TransactWriteItem> {
    Ok(TransactWriteItem::builder().put(put.build()?).build())
}

/// An update as a write of a transaction.
///
/// # Errors
/// When a required field is missing.
pub fn update(update: UpdateBuilder) -> Result<TransactWriteItem> {
    Ok(TransactWriteItem::builder().update(update.build()?).build())
}

/// A deletion as a write of a transaction.
///
/// # Errors
/// When a required field is missing.
pub fn delete(delete: DeleteBuilder) -> Result<TransactWriteItem> {
    Ok(TransactWriteItem::builder().delete(delete.build()?).build())
}

/// A check of a condition as a write of a transaction. 2 WRU per 1 KB.
///
/// # Errors
/// When a required field is missing.
pub fn check(check: ConditionCheckBuilder) -> Result<TransactWriteItem> {
    Ok(TransactWriteItem::builder().condition_check(check.build()?).build())
}

/// The key of an item.
pub fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string(sk))])
}

/// The key of an item in a table without sort keys.
pub fn partition(pk: impl Into<String>) -> Item {
    HashMap::from([("pk".to_owned(), string(pk))])
}

/// The part of the key attribute `name` (`pk` or `sk`) after `prefix`.
///
/// # Errors
/// When the attribute is missing or does not begin with `prefix`.
pub fn key_part<'a>(item: &'a Item, name: &str, prefix: &str) -> Result<&'a str> {
    let text = item.get(name).and_then(|value| value.as_s().ok());
    let part = text.and_then(|text| text.strip_prefix(prefix));
    part.ok_or_else(|| {
        Error::internal(format!("the {name} of an item does not begin with {prefix}"))
    })
}

/// A string attribute.
pub fn string(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A string attribute of a value that has a text form: an id, a time.
#[expect(clippy::needless_pass_by_value, reason = "callers pass ids and times, which are small")]
pub fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// A number attribute.
#[expect(clippy::needless_pass_by_value, reason = "callers pass numbers")]
pub fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A time as a number, in milliseconds since 1970, so that conditions can compare it.
#[must_use]
pub fn milliseconds(at: Timestamp) -> AttributeValue {
    number(at.as_millisecond())
}

/// Any other value, serialized by serde.
///
/// # Errors
/// When it cannot be serialized.
pub fn value<T: Serialize + ?Sized>(value: &T) -> Result<AttributeValue> {
    Ok(serde_dynamo::to_attribute_value(value)?)
}
