//! The inventory's table.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | the number of a product's movements | `SKU#<sku>` | `STOCK` |
//! | a bucket of a product | `SKU#<sku>` | `STOCK#<bucket>` |
//! | a movement of a product | `SKU#<sku>` | `MOVE#<number>` |
//! | a reservation | `HOLDER#<holder>` | `SKU#<sku>` |
//!
//! The index `due` (`due_shard`, `due_at`) has the keys of held reservations; `due_at` is the time of
//! expiry. Other reservations have neither attribute and are not in the index. Times that conditions compare
//! are numbers, in epoch milliseconds.
//!
//! The methods that change stock return a list of writes for the caller's transaction, so that an order and
//! its stock change together or not at all.

mod movements;
mod reservations;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure as OnFailure;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use futures::stream::{StreamExt, TryStreamExt, iter};
use shared::Result;
use shared::table::{Table, key, number};

pub use reservations::DUE_SHARDS;
pub(crate) use reservations::parse_key;

use crate::sku::Sku;
use crate::stock::{Bucket, available};

/// The number of products whose stock is read concurrently.
const READS_AT_ONCE: usize = 16;

/// The inventory's table.
#[derive(Clone, Debug)]
pub struct Inventory {
    table: Table,
}

impl Inventory {
    /// The inventory in `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { table: Table::new(client, table) }
    }

    /// The buckets of a product, strongly consistent. Empty if the product never had a movement. 1 RRU.
    pub async fn stock(&self, sku: &Sku) -> Result<Vec<Bucket>> {
        let answer = self.buckets(sku).consistent_read(true).send().await?;
        Ok(serde_dynamo::from_items(answer.items.unwrap_or_default())?)
    }

    /// The available quantity of each product, eventually consistent; 0 if the product never had a movement.
    /// For display only, not for decisions. 0.5 RRU for each.
    pub async fn available_stock(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, u32>> {
        let reads: Vec<_> = skus.iter().map(|sku| self.available(sku)).collect();
        iter(reads).buffer_unordered(READS_AT_ONCE).try_collect().await
    }

    async fn available(&self, sku: &Sku) -> Result<(Sku, u32)> {
        let answer = self.buckets(sku).send().await?;
        let buckets: Vec<Bucket> = serde_dynamo::from_items(answer.items.unwrap_or_default())?;
        Ok((sku.clone(), available(&buckets)))
    }

    fn buckets(&self, sku: &Sku) -> QueryFluentBuilder {
        self.table.query(format!("SKU#{sku}"), "STOCK#")
    }

    /// An update of a bucket, with the quantity as `:q`.
    fn bucket(&self, sku: &Sku, bucket: u32, quantity: u32) -> UpdateBuilder {
        self.table
            .updating(key(format!("SKU#{sku}"), format!("STOCK#{bucket:02}")))
            .expression_attribute_values(":q", number(quantity))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
    }
}
