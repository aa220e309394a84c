use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use serde::Deserialize;
use shared::Result;
use shared::fault::point;

use super::{Inventory, Item, keys, number, string, update};
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
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :stock)")
            .expression_attribute_values(":pk", string(format!("SKU#{sku}")))
            .expression_attribute_values(":stock", string("STOCK"));
        let answer = point("inventory.ledger", || request.clone().send()).await?;
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
        let head = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys(pk.clone(), "STOCK".into())))
            .update_expression("SET movements = :this")
            .expression_attribute_values(":this", number(movement.number));
        let head = match movement.number {
            1 => head.condition_expression("attribute_not_exists(pk)"),
            this => head
                .condition_expression("movements = :before")
                .expression_attribute_values(":before", number(this - 1)),
        };
        let mut item: Item = serde_dynamo::to_item(movement)?;
        item.extend(keys(pk, movement_sk(movement.number)));
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build()?;
        let mut writes = vec![update(head)?, TransactWriteItem::builder().put(put).build()];
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
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :movement)")
            .expression_attribute_values(":pk", string(&pk))
            .expression_attribute_values(":movement", string("MOVE#"))
            .scan_index_forward(false)
            .set_exclusive_start_key(before.map(|before| keys(pk, movement_sk(before))))
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
