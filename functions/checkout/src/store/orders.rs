//! Orders: their events and their states.
//!
//! The events are the source of truth. The item `STATE` is the fold of the events. The same transaction
//! writes both, so `STATE` never differs from the history. `STATE` also has the worker's lease and the time
//! of the next check by the sweeper, which are not part of the history.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::due;
use shared::id::{TenantId, UserId};
use shared::lease::{self, AttemptId, CLAIMED_LAST, FREE, LET_GO, Lease, TAKE};
use shared::table::{self, Item, Table, key, milliseconds, number, string, text, value};
use shared::transaction::Sent;
use shared::write::{self, Written};

use super::{Store, caused};
use crate::order::{Event, Order, OrderId, Recorded};

/// The time without progress after which the sweeper queues an order.
pub const OVERDUE_AFTER: Duration = Duration::from_mins(2);
/// The number of partitions of the index over which active orders are spread.
pub const DUE_SHARDS: u32 = 8;

/// The index partition of orders that only wait for the outcome of a refund. They are separate, because
/// they are not overdue.
pub(crate) const SETTLING: &str = "SETTLING";
/// The shortest and the longest time between two checks of a pending refund. In between, the time equals
/// the time since the order's last event.
const SETTLING_FIRST: Duration = Duration::from_mins(15);
const SETTLING_LAST: Duration = Duration::from_hours(24);

/// An order that a worker holds.
#[derive(Clone, Debug)]
pub struct HeldOrder {
    /// The order.
    pub order: Order,
    /// The attempt that holds it.
    pub attempt: AttemptId,
    /// The number of attempts since the last event, including this one. If it is more than 1, an earlier
    /// attempt may have sent a request and lost the response.
    pub attempts: u32,
    /// The end of the lease.
    pub until: Timestamp,
}

/// The outcome of a claim.
#[derive(Clone, Debug)]
pub enum ClaimOutcome {
    /// This attempt holds the order.
    Held(Box<HeldOrder>),
    /// Another attempt holds it.
    Busy {
        /// The time until the lease of the other attempt ends.
        retry_after: Duration,
    },
    /// The order does not exist.
    NotFound,
}

/// The outcome of an append.
#[derive(Clone, Debug)]
pub enum AppendOutcome {
    /// The event is part of the history.
    Made(Box<HeldOrder>),
    /// The order, or an item of the other writes, has changed in the meantime.
    Refused,
}

/// The item `STATE`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StateItem {
    /// The fold of the events.
    pub order: Order,
    /// The last attempt.
    #[serde(default)]
    pub attempt: Option<AttemptId>,
    /// The number of attempts since the last event.
    #[serde(default)]
    pub attempts: u32,
    /// The error of the last attempt.
    #[serde(default)]
    pub trouble: Option<String>,
    #[serde(default, with = "jiff::fmt::serde::timestamp::millisecond::optional")]
    lease_until: Option<Timestamp>,
}

/// An active order and the time of its next check by the sweeper.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DueOrder {
    pk: String,
    /// The time of the next check.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub due_at: Timestamp,
}

impl DueOrder {
    /// The order.
    pub fn order(&self) -> Result<OrderId> {
        Ok(self.pk.trim_start_matches("ORDER#").parse()?)
    }
}

/// The item `STATE` of a new order.
#[derive(Serialize)]
struct NewState<'a> {
    order: &'a Order,
    version: u32,
    attempts: u32,
}

/// What the pointer from a customer says of an order.
#[derive(Serialize)]
struct Pointed {
    tenant: TenantId,
}

#[derive(Serialize, Deserialize)]
struct Pointer {
    sk: String,
}

impl Store {
    /// The writes of a new order: its first event, its state, and the pointer from the customer. At least
    /// 6 WRU, depending on the size.
    pub(crate) fn placement_writes(
        &self,
        placed: &Recorded,
    ) -> Result<(Order, Vec<TransactWriteItem>)> {
        let order = Order::apply(None, placed.clone())?;
        let mut state = state_key(order.id);
        state.insert("due_shard".into(), string(shard_of(order.id)));
        state.insert("due_at".into(), milliseconds(placed.at + OVERDUE_AFTER));
        let content = NewState { order: &order, version: order.version, attempts: 0 };
        let state = self.table.new_item(state, &content)?;
        let of_customer = pointer_key(order.placed.customer, order.id);
        let pointer = Pointed { tenant: order.placed.tenant };
        let pointer = table::put(self.table.putting(of_customer, &pointer)?)?;
        Ok((order, vec![self.event(placed)?, state, pointer]))
    }

    /// The order, strongly consistent. 1 RRU for 4 KB.
    pub async fn order(&self, id: OrderId) -> Result<Option<Order>> {
        Ok(self.state(id).await?.map(|state| state.order))
    }

    /// The item `STATE` of the order, strongly consistent. 1 RRU for 4 KB.
    pub async fn state(&self, id: OrderId) -> Result<Option<StateItem>> {
        self.table.get(state_key(id)).await
    }

    /// The orders that exist, newest first. 1 RRU for 4 KB of each.
    pub async fn orders(&self, ids: &[OrderId]) -> Result<Vec<StateItem>> {
        let keys = ids.iter().map(|id| state_key(*id)).collect();
        let mut states: Vec<StateItem> = self.table.batch(keys).await?;
        states.sort_by_key(|state| std::cmp::Reverse(state.order.id.to_string()));
        Ok(states)
    }

    /// The order's events, sorted by version, strongly consistent. 1 RRU for 4 KB.
    pub async fn history(&self, id: OrderId) -> Result<Vec<Recorded>> {
        self.table.all(format!("ORDER#{id}"), "EVENT#").await
    }

    /// Up to `limit` orders of a customer in a tenant, newest first, starting after `after`; and the `after` of the next
    /// page, if there is one. 0.5 RRU for 4 KB of pointers of the customer in all tenants.
    pub async fn customer_orders(
        &self,
        (customer, tenant): (UserId, TenantId),
        after: Option<OrderId>,
        limit: i32,
    ) -> Result<(Vec<OrderId>, Option<OrderId>)> {
        let query = self
            .table
            .query(format!("USER#{customer}"), "ORDER#")
            .filter_expression("tenant = :tenant")
            .expression_attribute_values(":tenant", text(tenant))
            .scan_index_forward(false)
            .set_exclusive_start_key(after.map(|id| pointer_key(customer, id)));
        let (pointers, has_more) = Table::page::<Pointer>(query, limit).await?;
        let ids = pointers.iter().map(|pointer| pointer.sk.trim_start_matches("ORDER#").parse());
        let ids = ids.collect::<Result<Vec<OrderId>, _>>()?;
        let last = ids.last().copied().filter(|_| has_more);
        Ok((ids, last))
    }

    /// Claims an order for an attempt until `until`, unless another attempt holds it. 1 WRU for 1 KB.
    pub async fn claim(
        &self,
        id: OrderId,
        attempt: AttemptId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<ClaimOutcome> {
        let lease = Lease { attempt, until };
        let claim = lease
            .claim(self.table.update(state_key(id)), now)
            .update_expression(format!("SET {TAKE} ADD attempts :one"))
            .condition_expression(format!("attribute_exists(pk) AND {FREE}"))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let held = |StateItem { order, attempts, .. }| {
            ClaimOutcome::Held(Box::new(HeldOrder { order, attempt, attempts, until }))
        };
        Ok(match write::send("saga.claim", claim).await? {
            Written::Made(item) => held(serde_dynamo::from_item(item.unwrap_or_default())?),
            Written::Refused(Some(item)) => {
                let item: StateItem = serde_dynamo::from_item(item)?;
                match item.attempt {
                    // The response to this claim was lost, and the SDK sent the claim again.
                    Some(last) if last == attempt => held(item),
                    _ => ClaimOutcome::Busy {
                        retry_after: lease::retry_after(item.lease_until, now),
                    },
                }
            }
            Written::Refused(None) => ClaimOutcome::NotFound,
        })
    }

    /// Releases the lease of an attempt. `trouble` is the attempt's error, if it failed: the queue delivers
    /// the job again, so the check by the sweeper moves to a later time. 1 WRU for 1 KB, and 2 more for the
    /// index if the attempt failed.
    pub async fn release(
        &self,
        held: &HeldOrder,
        trouble: Option<String>,
        now: Timestamp,
    ) -> Result<()> {
        if trouble.is_none() && held.order.awaits_refund() && self.settle(held, now).await? {
            return Ok(());
        }
        let release = self.table.update(state_key(held.order.id));
        let mut release = lease::held_by(release, held.attempt).condition_expression(CLAIMED_LAST);
        release = match trouble {
            // There is no next step, so the sweeper does not need to queue the order.
            Some(trouble) if held.order.next().is_none() && !held.order.awaits_refund() => release
                .update_expression(format!("SET trouble = :trouble REMOVE {LET_GO}"))
                .expression_attribute_values(":trouble", string(trouble)),
            Some(trouble) => release
                .update_expression(format!("SET trouble = :trouble, due_at = :due REMOVE {LET_GO}"))
                .expression_attribute_values(":due", milliseconds(now + OVERDUE_AFTER))
                .expression_attribute_values(":trouble", string(trouble)),
            None => release.update_expression(format!("REMOVE {LET_GO}")),
        };
        // If this is refused, another attempt holds the order.
        write::send("saga.release", release).await?;
        Ok(())
    }

    /// Releases the lease of an order that only waits for the outcome of a refund. Returns whether the order
    /// is unchanged. 1 WRU for 1 KB, and 2 for the index.
    async fn settle(&self, held: &HeldOrder, now: Timestamp) -> Result<bool> {
        let settle = self.table.update(state_key(held.order.id));
        let settle = lease::held_by(settle, held.attempt)
            .condition_expression(format!("{CLAIMED_LAST} AND version = :version"))
            .update_expression(format!(
                "SET due_shard = :shard, due_at = :due REMOVE {LET_GO}, trouble"
            ))
            .expression_attribute_values(":version", number(held.order.version))
            .expression_attribute_values(":shard", string(SETTLING))
            .expression_attribute_values(":due", milliseconds(settling_at(&held.order, now)));
        Ok(matches!(write::send("saga.settle", settle).await?, Written::Made(_)))
    }

    /// Appends an event to the history of a held order, in one transaction with `writes`. At least 4 WRU,
    /// depending on the size, and 2 for each of the writes.
    pub async fn append(
        &self,
        held: &HeldOrder,
        event: Event,
        writes: Vec<TransactWriteItem>,
        now: Timestamp,
    ) -> Result<AppendOutcome> {
        let recorded = next_event(&held.order, event, now);
        let order = Order::apply(Some(held.order.clone()), recorded.clone())?;
        let state = self
            .state_update(&order)?
            .condition_expression(format!("version = :before AND {CLAIMED_LAST}"))
            .expression_attribute_values(":attempt", value(&held.attempt)?);
        let state = if order.awaits_refund() {
            state
                .update_expression(format!(
                    "{STATE_UPDATE}, due_shard = :shard, due_at = :due REMOVE {LET_GO}, trouble"
                ))
                .expression_attribute_values(":shard", string(SETTLING))
                .expression_attribute_values(":due", milliseconds(settling_at(&order, now)))
        } else {
            let is_over = order.next().is_none();
            let over =
                if is_over { format!("{LET_GO}, due_shard, due_at, ") } else { String::new() };
            state.update_expression(format!("{STATE_UPDATE} REMOVE {over}trouble"))
        };
        let state = table::update(state)?;
        let mut items = vec![self.event(&recorded)?, state];
        items.extend(writes);
        let attempt = held.attempt.to_string();
        let token = format!("{}-{}", attempt.trim_start_matches("att_"), order.version);
        match self.table.transact("orders.append", &token, items).await? {
            Sent::Made => {
                Ok(AppendOutcome::Made(Box::new(HeldOrder { order, attempts: 1, ..held.clone() })))
            }
            Sent::Refused { .. } => Ok(AppendOutcome::Refused),
        }
    }

    /// The writes with which a customer or a merchant appends an event to an order, and the order after the
    /// event. They need no lease. They put the order into the index for the sweeper. At least 4 WRU, depending
    /// on the size.
    pub(crate) fn request_writes(
        &self,
        order: &Order,
        event: Event,
        now: Timestamp,
    ) -> Result<(Order, Vec<TransactWriteItem>)> {
        let recorded = next_event(order, event, now);
        let order = Order::apply(Some(order.clone()), recorded.clone())?;
        let state = self
            .state_update(&order)?
            .update_expression(format!("{STATE_UPDATE}, due_shard = :shard, due_at = :due"))
            .condition_expression("version = :before")
            .expression_attribute_values(":shard", string(shard_of(order.id)))
            .expression_attribute_values(":due", milliseconds(now + OVERDUE_AFTER))
            .build()?;
        let state = TransactWriteItem::builder().update(state).build();
        Ok((order, vec![self.event(&recorded)?, state]))
    }

    /// Commits the writes of [`Store::request_writes`]. Returns whether the order was unchanged.
    pub(crate) async fn commit_request(
        &self,
        attempt: AttemptId,
        writes: Vec<TransactWriteItem>,
    ) -> Result<bool> {
        let token = attempt.to_string();
        let sent = self.table.transact("orders.request", &token, writes).await?;
        Ok(matches!(sent, Sent::Made))
    }

    /// The active orders whose next check is due by `now`.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> due::Due {
        self.table.due("sweep.due", now)
    }

    /// The orders that only wait for the outcome of a refund, and whose next check is due by `now`.
    #[must_use]
    pub fn settling(&self, now: Timestamp) -> due::Due {
        self.table.due("sweep.settling", now)
    }

    /// All active orders of a shard. 0.5 RRU for 4 KB, which is about 30 orders.
    pub async fn active_orders(&self, shard: u32) -> Result<Vec<DueOrder>> {
        let query = self
            .table
            .client()
            .query()
            .table_name(self.table.name())
            .index_name("due")
            .key_condition_expression("due_shard = :shard")
            .expression_attribute_values(":shard", string(due_shard(shard)));
        let mut pages = query.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            found.push(serde_dynamo::from_item(item?)?);
        }
        Ok(found)
    }

    /// Moves the next check of an order to `at`, unless the order has changed in the meantime. 1 WRU for
    /// 1 KB, and 2 for the index.
    pub(crate) async fn postpone_check(&self, due: &DueOrder, at: Timestamp) -> Result<()> {
        let update = self
            .table
            .update(key(&due.pk, "STATE"))
            .update_expression("SET due_at = :at")
            .condition_expression("due_at = :before")
            .expression_attribute_values(":at", milliseconds(at))
            .expression_attribute_values(":before", milliseconds(due.due_at));
        write::send("sweep.look_again", update).await?;
        Ok(())
    }

    fn event(&self, recorded: &Recorded) -> Result<TransactWriteItem> {
        let sk = format!("EVENT#{:06}", recorded.version);
        let item = key(format!("ORDER#{}", recorded.order), sk);
        self.table.new_item(caused(item), recorded)
    }

    /// The update of `STATE` to the order after one event.
    fn state_update(
        &self,
        order: &Order,
    ) -> Result<aws_sdk_dynamodb::types::builders::UpdateBuilder> {
        Ok(self
            .table
            .updating(state_key(order.id))
            .expression_attribute_names("#order", "order")
            .expression_attribute_values(":order", value(order)?)
            .expression_attribute_values(":before", number(order.version - 1))
            .expression_attribute_values(":after", number(order.version))
            .expression_attribute_values(":attempts", number(u8::from(order.next().is_some()))))
    }
}

/// The attributes of `STATE` that every event sets.
const STATE_UPDATE: &str = "SET #order = :order, version = :after, attempts = :attempts";

fn settling_at(order: &Order, now: Timestamp) -> Timestamp {
    let waited = Duration::try_from(now.duration_since(order.changed_at)).unwrap_or_default();
    now + waited.clamp(SETTLING_FIRST, SETTLING_LAST)
}

fn next_event(order: &Order, event: Event, at: Timestamp) -> Recorded {
    Recorded { order: order.id, version: order.version + 1, at, event }
}

fn state_key(id: OrderId) -> Item {
    key(format!("ORDER#{id}"), "STATE")
}

fn pointer_key(customer: UserId, order: OrderId) -> Item {
    key(format!("USER#{customer}"), format!("ORDER#{order}"))
}

fn shard_of(id: OrderId) -> String {
    due_shard(due::shard(&id.to_string(), DUE_SHARDS))
}

/// A partition of the index `due`: one of [`DUE_SHARDS`].
pub(crate) fn due_shard(number: u32) -> String {
    format!("DUE#{number}")
}
