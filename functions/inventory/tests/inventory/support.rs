//! An isolated inventory with a manual clock.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use inventory::movement::{Movement, Reason, changes};
use inventory::sweep::{Sweep, SweepReport};
use inventory::{Inventory, Reservation, Sku};
use jiff::{SignedDuration, Timestamp};
use shared::clock::Clock;
use shared::id::Ids;
use shared::transaction::{self, Sent};
use testing::account;
use ulid::Ulid;

/// How often a caller plans again after a conflict.
const MAX_PLANS: u32 = 100;

#[derive(Clone)]
pub(crate) struct System {
    pub(crate) aws: SdkConfig,
    pub(crate) client: Client,
    pub(crate) clock: Clock,
    pub(crate) inventory: Inventory,
}

pub(crate) const TABLE: &str = "inventory";

pub(crate) async fn system() -> System {
    system_at(Clock::manual("2026-11-21T10:00:00Z".parse().unwrap())).await
}

pub(crate) async fn system_at(clock: Clock) -> System {
    let aws = account::empty().await;
    let client = Client::new(&aws);
    let table = account::table_with_due(&aws, TABLE).await;
    let inventory = Inventory::new(client.clone(), table);
    System { aws, client, clock, inventory }
}

pub(crate) fn sku(text: &str) -> Sku {
    text.parse().unwrap()
}

impl System {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub(crate) fn in_seconds(&self, seconds: i64) -> Timestamp {
        self.now() + SignedDuration::from_secs(seconds)
    }

    /// Commits the writes, and returns whether they were made.
    pub(crate) async fn transact(&self, writes: Vec<TransactWriteItem>) -> bool {
        let token = Ulid::generate().to_string();
        let sent = transaction::send("test.transact", &self.client, &token, writes).await.unwrap();
        matches!(sent, Sent::Made)
    }

    /// Moves stock, and returns whether there was enough.
    pub(crate) async fn move_stock(&self, sku: &Sku, quantity: i64, buckets: u32) -> bool {
        for _ in 0..MAX_PLANS {
            let ledger = self.inventory.product_stock(sku).await.unwrap();
            let quantity = quantity.try_into().unwrap();
            let changes = changes(&ledger.buckets, quantity, buckets.try_into().unwrap());
            let Ok(changes) = changes else { return false };
            let movement = Movement {
                number: ledger.movements + 1,
                quantity,
                reason: Reason::Adjustment,
                note: None,
                by: Ids::random(self.clock.clone()).next(),
                at: self.now(),
            };
            let writes = self.inventory.movement_writes(sku, &movement, &changes).unwrap();
            if self.transact(writes).await {
                return true;
            }
        }
        panic!("{MAX_PLANS} conflicts");
    }

    /// Plans and reserves, and retries after conflicts. `None` if there is not enough stock.
    pub(crate) async fn reserve(
        &self,
        holder: &str,
        sku: &Sku,
        quantity: u32,
        expires_at: Timestamp,
    ) -> Option<Reservation> {
        for _ in 0..MAX_PLANS {
            let planned = self.inventory.plan(holder, sku, quantity, expires_at).await.unwrap()?;
            if self.transact(self.inventory.reserve(&planned).unwrap()).await {
                return Some(planned);
            }
            if self.inventory.reservation(holder, sku).await.unwrap().is_some() {
                return None;
            }
        }
        panic!("{MAX_PLANS} conflicts");
    }

    pub(crate) async fn commit(&self, reservation: &Reservation) -> bool {
        self.transact(self.inventory.commit(reservation, self.now()).unwrap()).await
    }

    pub(crate) async fn consume(&self, reservation: &Reservation) -> bool {
        self.transact_any(self.inventory.consume(reservation).unwrap()).await
    }

    pub(crate) async fn release(&self, reservation: &Reservation) -> bool {
        self.transact_any(self.inventory.release(reservation).unwrap()).await
    }

    /// Like [`Self::transact`]; an empty list counts as made.
    async fn transact_any(&self, writes: Vec<TransactWriteItem>) -> bool {
        writes.is_empty() || self.transact(writes).await
    }

    pub(crate) fn sweeper(&self) -> Sweep {
        Sweep { inventory: self.inventory.clone(), clock: self.clock.clone() }
    }

    pub(crate) async fn sweep(&self) -> SweepReport {
        self.sweeper().sweep(&|| true).await
    }

    /// Corrupts the first bucket: sets its reserved quantity to 0.
    pub(crate) async fn corrupt(&self, sku: &Sku) {
        self.set(sku, "reserved", 0).await;
    }

    /// Sets the available quantity of the first bucket without a movement.
    pub(crate) async fn set_available(&self, sku: &Sku, available: u32) {
        self.set(sku, "available", available).await;
    }

    async fn set(&self, sku: &Sku, attribute: &str, number: u32) {
        self.client
            .update_item()
            .table_name(TABLE)
            .key("pk", AttributeValue::S(format!("SKU#{sku}")))
            .key("sk", AttributeValue::S("STOCK#00".into()))
            .update_expression("SET #attribute = :number")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":number", AttributeValue::N(number.to_string()))
            .send()
            .await
            .unwrap();
    }
}
