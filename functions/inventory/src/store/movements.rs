use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::Deserialize;
use shared::Result;
use shared::fault::point;
use shared::table::{self, key, number, update};

use super::Inventory;
use crate::movement::{Ledger, Movement};
use crate::sku::Sku;
use crate::stock::Take;

#[derive(Deserialize)]
struct Head {
    movements: u64,
}

impl Inventory {
    /// A product's stock as a movement finds it, strongly consistent. 1 RRU.
    pub async fn ledger(&self, sku: &Sku) -> Result<Ledger> {
        let query = self.table.query(format!("SKU#{sku}"), "STOCK").consistent_read(true);
        let answer = point("inventory.ledger", || query.clone().send()).await?;
        // What counts the movements sorts before the buckets, and they by their numbers.
        let mut buckets = answer.items.unwrap_or_default();
        if buckets.is_empty() {
            return Ok(Ledger::default());
        }
        let Head { movements } = serde_dynamo::from_item(buckets.remove(0))?;
        Ok(Ledger { movements, buckets: serde_dynamo::from_items(buckets)? })
    }

    /// The next movement of a product, and what it changes. Refused when another was faster, or when
    /// what was to be taken from a bucket has been reserved. 2 WRU for each bucket, and 4.
    pub fn moving(
        &self,
        sku: &Sku,
        movement: &Movement,
        changes: &[Take],
    ) -> Result<Vec<TransactWriteItem>> {
        let pk = format!("SKU#{sku}");
        let head = self
            .table
            .updating(key(pk.clone(), "STOCK"))
            .update_expression("SET movements = :this")
            .expression_attribute_values(":this", number(movement.number));
        let head = match movement.number {
            1 => head.condition_expression("attribute_not_exists(pk)"),
            this => head
                .condition_expression("movements = :before")
                .expression_attribute_values(":before", number(this - 1)),
        };
        let put = self.table.putting(key(pk, movement_sk(movement.number)), movement)?;
        let mut writes = vec![update(head)?, table::put(put)?];
        for change in changes {
            let bucket = self.bucket(sku, change.bucket, change.quantity);
            let bucket = if i32::from(movement.quantity) < 0 {
                bucket
                    .update_expression("SET available = available - :q")
                    .condition_expression("available >= :q")
            } else {
                bucket
                    .update_expression(
                        "SET #number = :number, available = if_not_exists(available, :none) + :q, \
                         reserved = if_not_exists(reserved, :none)",
                    )
                    .expression_attribute_names("#number", "number")
                    .expression_attribute_values(":number", number(change.bucket))
                    .expression_attribute_values(":none", number(0))
            };
            writes.push(update(bucket)?);
        }
        Ok(writes)
    }

    /// Up to `limit` movements of a product, newest first, from before the one numbered `before`; and
    /// where the next page begins, if there is one. 0.5 RRU for 4 KB, some 20 of them.
    pub async fn movements(
        &self,
        sku: &Sku,
        before: Option<u64>,
        limit: i32,
    ) -> Result<(Vec<Movement>, Option<u64>)> {
        let pk = format!("SKU#{sku}");
        let answer = self
            .table
            .query(&pk, "MOVE#")
            .scan_index_forward(false)
            .set_exclusive_start_key(before.map(|before| key(pk, movement_sk(before))))
            .limit(limit)
            .send()
            .await?;
        let movements: Vec<Movement> = serde_dynamo::from_items(answer.items.unwrap_or_default())?;
        // None is left out, so number 1 is the last.
        let next = movements.last().map(|last| last.number).filter(|last| *last > 1);
        Ok((movements, next))
    }
}

fn movement_sk(number: u64) -> String {
    format!("MOVE#{number:012}")
}
