//! The inventory's table.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | what counts a product's movements | `SKU#<sku>` | `STOCK` |
//! | a bucket of its stock | `SKU#<sku>` | `STOCK#<bucket>` |
//! | a movement of its stock | `SKU#<sku>` | `MOVE#<number>` |
//! | a reservation | `HOLDER#<holder>` | `SKU#<sku>` |
//!
//! The index `due` has the keys of reservations that are held, by `due_shard` and `due_at`, when they
//! expire; the others have neither attribute and are not in it. Times that conditions compare are
//! numbers, in epoch milliseconds.
//!
//! What changes stock is a list of writes for a transaction of the caller's: an order and its stock
//! change together or not at all.

mod movements;
mod reservations;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update,
};
use futures::stream::{StreamExt, TryStreamExt, iter};
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;

pub use reservations::DUE_SHARDS;
pub(crate) use reservations::names;

use crate::sku::Sku;
use crate::stock::{Bucket, available};

type Item = HashMap<String, AttributeValue>;

/// How many products' stock is read at once.
const READS_AT_ONCE: usize = 16;

/// The inventory's table.
#[derive(Clone, Debug)]
pub struct Inventory {
    client: Client,
    table: String,
}

impl Inventory {
    /// The inventory in `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The buckets of a product, strongly consistent; none if there never was such stock. 1 RRU.
    pub async fn stock(&self, sku: &Sku) -> Result<Vec<Bucket>> {
        let answer = self.buckets(sku).consistent_read(true).send().await?;
        Ok(serde_dynamo::from_items(answer.items.unwrap_or_default())?)
    }

    /// How many of each product anyone may reserve, perhaps as it was a moment ago; 0 where there never
    /// was any. For showing, not for deciding. 0.5 RRU for each.
    pub async fn stocks(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, u32>> {
        let reads: Vec<_> = skus.iter().map(|sku| self.available(sku)).collect();
        iter(reads).buffer_unordered(READS_AT_ONCE).try_collect().await
    }

    async fn available(&self, sku: &Sku) -> Result<(Sku, u32)> {
        let answer = self.buckets(sku).send().await?;
        let buckets: Vec<Bucket> = serde_dynamo::from_items(answer.items.unwrap_or_default())?;
        Ok((sku.clone(), available(&buckets)))
    }

    fn buckets(&self, sku: &Sku) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :bucket)")
            .expression_attribute_values(":pk", string(format!("SKU#{sku}")))
            .expression_attribute_values(":bucket", string("STOCK#"))
    }

    /// A change of a bucket by `:q`.
    fn bucket(&self, sku: &Sku, bucket: u32, quantity: u32) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys(format!("SKU#{sku}"), format!("STOCK#{bucket:02}"))))
            .expression_attribute_values(":q", number(quantity))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
    }
}

fn update(update: UpdateBuilder) -> Result<TransactWriteItem> {
    Ok(TransactWriteItem::builder().update(update.build()?).build())
}

fn keys(pk: String, sk: String) -> Item {
    HashMap::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string(sk))])
}

fn value<T: Serialize>(value: &T) -> Result<AttributeValue> {
    Ok(serde_dynamo::to_attribute_value(value)?)
}

fn milliseconds(at: Timestamp) -> AttributeValue {
    number(at.as_millisecond())
}

#[expect(clippy::needless_pass_by_value, reason = "callers pass plain numbers")]
fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn string(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}
