use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
};
use jiff::Timestamp;
use shared::due::{self, Due};
use shared::fault::point;
use shared::table::{self, Item, key, key_part, milliseconds, text, update, value};
use shared::transaction::Sent;
use shared::{Error, Result};
use ulid::Ulid;

use super::Inventory;
use crate::reservation::{Reservation, Status};
use crate::sku::Sku;
use crate::stock;

/// The number of partitions of the index `due` for reservations. One partition accepts 1,000 WRU a second.
pub const DUE_SHARDS: u32 = 8;

/// The update expression that makes reserved stock available again.
const MAKE_AVAILABLE: &str = "SET reserved = reserved - :q, available = available + :q";

impl Inventory {
    /// Plans a reservation of `quantity` of a product, for a holder that has no reservation of the product.
    /// `None` if there is not enough stock. It writes nothing: [`reserve`](Self::reserve) returns the
    /// writes. If they are refused because others were faster, plan again. 1 RRU.
    pub async fn plan(
        &self,
        holder: &str,
        sku: &Sku,
        quantity: u32,
        expires_at: Timestamp,
    ) -> Result<Option<Reservation>> {
        if quantity == 0 {
            return Err(Error::internal("the quantity of a reservation is 0"));
        }
        let buckets = self.stock(sku).await?;
        let start = fastrand::usize(..buckets.len().max(1));
        Ok(stock::plan(&buckets, quantity, start).map(|takes| Reservation {
            holder: holder.to_owned(),
            sku: sku.clone(),
            takes,
            status: Status::Held,
            expires_at,
        }))
    }

    /// All reservations of a holder, strongly consistent. 1 RRU for 4 KB, which is about 15 reservations.
    pub async fn reservations(&self, holder: &str) -> Result<Vec<Reservation>> {
        self.table.all(format!("HOLDER#{holder}"), "").await
    }

    /// A holder's reservation of a product, strongly consistent. 1 RRU.
    pub async fn reservation(&self, holder: &str, sku: &Sku) -> Result<Option<Reservation>> {
        let key = key(format!("HOLDER#{holder}"), format!("SKU#{sku}"));
        point("inventory.reservation", || self.table.get(key.clone())).await
    }

    /// → `held`, for a holder that never had a reservation of the product. Refused if a bucket has too little
    /// available. 2 WRU for each bucket, and 3.
    pub fn reserve(&self, reservation: &Reservation) -> Result<Vec<TransactWriteItem>> {
        let mut key = key_of(reservation);
        key.insert("due_shard".into(), text(due::shard(&reservation.holder, DUE_SHARDS)));
        key.insert("due_at".into(), milliseconds(reservation.expires_at));
        let put = self
            .table
            .putting(key, reservation)?
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let taken = "SET available = available - :q, reserved = reserved + :q";
        let mut writes = vec![table::put(put)?];
        writes.extend(self.bucket_writes(reservation, taken, "available >= :q")?);
        Ok(writes)
    }

    /// `held` → `committed`. Refused if the reservation has expired by `now`. 3 WRU.
    pub fn commit(
        &self,
        reservation: &Reservation,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>> {
        let change = self
            .change(reservation, Status::Committed)?
            .condition_expression("#status = :held AND expires_at > :now")
            .expression_attribute_values(":held", value(&Status::Held)?)
            .expression_attribute_values(":now", milliseconds(now));
        Ok(vec![update(change)?])
    }

    /// `committed` → `consumed`: the stock is sold. No writes if the reservation is consumed. 2 WRU for each
    /// bucket, and 2.
    pub fn consume(&self, reservation: &Reservation) -> Result<Vec<TransactWriteItem>> {
        if reservation.status == Status::Consumed {
            return Ok(Vec::new());
        }
        let change = self
            .change(reservation, Status::Consumed)?
            .condition_expression("#status = :committed")
            .expression_attribute_values(":committed", value(&Status::Committed)?);
        self.end_writes(reservation, change, "SET reserved = reserved - :q")
    }

    /// `held`, `committed` → `released`: the stock is available again. No writes if the reservation is
    /// released. 2 WRU for each bucket, and 2 or 3.
    pub fn release(&self, reservation: &Reservation) -> Result<Vec<TransactWriteItem>> {
        if reservation.status == Status::Released {
            return Ok(Vec::new());
        }
        let change = self
            .change(reservation, Status::Released)?
            .condition_expression("#status IN (:held, :committed)")
            .expression_attribute_values(":held", value(&Status::Held)?)
            .expression_attribute_values(":committed", value(&Status::Committed)?);
        self.end_writes(reservation, change, MAKE_AVAILABLE)
    }

    /// `held` → `released`, if the reservation has expired by `now`, in its own transaction. Returns whether it
    /// was released. 2 WRU for each bucket, and 3.
    pub async fn expire(&self, reservation: &Reservation, now: Timestamp) -> Result<bool> {
        let change = self
            .change(reservation, Status::Released)?
            .condition_expression("#status = :held AND expires_at <= :now")
            .expression_attribute_values(":held", value(&Status::Held)?)
            .expression_attribute_values(":now", milliseconds(now));
        let writes = self.end_writes(reservation, change, MAKE_AVAILABLE)?;
        let token = Ulid::generate().to_string();
        match self.table.transact("inventory.expire", &token, writes).await? {
            Sent::Made => Ok(true),
            Sent::Refused { index: 0, .. } => Ok(false),
            Sent::Refused { .. } => {
                Err(Error::internal("a bucket has less reserved stock than its reservation"))
            }
        }
    }

    /// The reservations in the [`DUE_SHARDS`] shards that expire by `now` and are held, according to the
    /// eventually consistent index.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Due {
        self.table.due("inventory.due", now)
    }

    fn end_writes(
        &self,
        reservation: &Reservation,
        change: UpdateBuilder,
        expression: &str,
    ) -> Result<Vec<TransactWriteItem>> {
        let mut writes = vec![update(change)?];
        // A bucket never has less reserved stock than its reservations. The condition prevents further damage by
        // a bug.
        writes.extend(self.bucket_writes(reservation, expression, "reserved >= :q")?);
        Ok(writes)
    }

    fn bucket_writes(
        &self,
        reservation: &Reservation,
        expression: &str,
        condition: &str,
    ) -> Result<Vec<TransactWriteItem>> {
        let changes = reservation.takes.iter().map(|take| {
            let bucket = self.bucket(&reservation.sku, take.bucket, take.quantity);
            update(bucket.update_expression(expression).condition_expression(condition))
        });
        changes.collect()
    }

    fn change(&self, reservation: &Reservation, to: Status) -> Result<UpdateBuilder> {
        Ok(self
            .table
            .updating(key_of(reservation))
            .update_expression("SET #status = :to REMOVE due_shard, due_at")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":to", value(&to)?)
            .return_values_on_condition_check_failure(OnFailure::AllOld))
    }
}

fn key_of(reservation: &Reservation) -> Item {
    let Reservation { holder, sku, .. } = reservation;
    key(format!("HOLDER#{holder}"), format!("SKU#{sku}"))
}

/// The holder and the product of an item of the index.
pub(crate) fn parse_key(item: &Item) -> Result<(String, Sku)> {
    let holder = key_part(item, "pk", "HOLDER#")?.to_owned();
    Ok((holder, key_part(item, "sk", "SKU#")?.parse()?))
}
