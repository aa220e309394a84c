use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::Deserialize;
use shared::Result;
use shared::fault::point;
use shared::table::{self, key, number, update};

use super::Inventory;
use crate::movement::{Movement, ProductStock};
use crate::sku::Sku;
use crate::stock::Take;

#[derive(Deserialize)]
struct MovementCount {
    movements: u64,
}

impl Inventory {
    /// The stock of a product before a movement, strongly consistent. 1 RRU.
    pub async fn product_stock(&self, sku: &Sku) -> Result<ProductStock> {
        let query = self.table.query(format!("SKU#{sku}"), "STOCK").consistent_read(true);
        let answer = point("inventory.ledger", || query.clone().send()).await?;
        // The item with the number of movements comes first, then the buckets by number.
        let mut buckets = answer.items.unwrap_or_default();
        if buckets.is_empty() {
            return Ok(ProductStock::default());
        }
        let MovementCount { movements } = serde_dynamo::from_item(buckets.remove(0))?;
        Ok(ProductStock { movements, buckets: serde_dynamo::from_items(buckets)? })
    }

    /// The writes of the next movement of a product, with its `changes` of buckets. Refused if another movement
    /// was faster, or if the stock to remove was reserved in the meantime. 2 WRU for each bucket, and 4.
    pub fn movement_writes(
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

    /// Up to `limit` movements of a product with numbers less than `before`, newest first; and the `before` of
    /// the next page, if there is one. 0.5 RRU for 4 KB, which is about 20 movements.
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
        // The numbers have no gaps, so number 1 is the last one.
        let next = movements.last().map(|last| last.number).filter(|last| *last > 1);
        Ok((movements, next))
    }
}

fn movement_sk(number: u64) -> String {
    format!("MOVE#{number:012}")
}
