//! `GET /v1/stuck-orders`

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::page::{Next, Page, cursor};
use shared::http::{Allowed, Json, Query};
use utoipa::ToSchema;

use super::{Admin, View};
use crate::order::{OrderId, State as OrderState};
use crate::store::{DUE_SHARDS, StateItem};
use crate::system::System;

/// The time without progress after which an order is listed.
pub const STUCK_AFTER: Duration = Duration::from_mins(5);

/// The number of orders in one batch of reads.
const BATCH_SIZE: usize = 100;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).pages::<Stuck>()
}

/// A page of stuck orders.
#[derive(Serialize, ToSchema)]
#[schema(as = StuckOrders)]
struct Stuck {
    /// The orders, oldest first.
    orders: Vec<StuckOrder>,
    /// The `cursor` parameter for the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// An order without progress.
#[derive(Serialize, ToSchema)]
struct StuckOrder {
    #[serde(flatten)]
    order: View,
    state: OrderState,
    /// The number of attempts of the next step.
    attempts: u32,
    /// The error of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// The time of the next check by the sweeper.
    looked_after_at: Timestamp,
}

/// Lists orders without progress for 5 minutes, oldest first, including orders that wait for the customer.
/// It reads the keys of all active orders, so that many new orders do not hide an old one.
#[utoipa::path(get, path = "/v1/stuck-orders")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Admin>,
    Query(page): Query<Page>,
) -> Result<(Next, Json<Stuck>)> {
    let (after, limit) = (page.after()?, usize::try_from(page.limit()?)?);
    let mut found = stuck(&state, after, limit + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| has_more).map(|last| last.order.id());
    let next_cursor = last.map(cursor);
    Ok((page.next(next_cursor.as_ref()), Json(Stuck { orders: found, next_cursor })))
}

/// Up to `limit` stuck orders with ids greater than `after`.
async fn stuck(state: &System, after: Option<OrderId>, limit: usize) -> Result<Vec<StuckOrder>> {
    let latest = state.clock.now() - STUCK_AFTER;
    let mut due: BTreeMap<OrderId, Timestamp> = BTreeMap::new();
    for shard in 0..DUE_SHARDS {
        for found in state.store.active_orders(shard).await? {
            let id = found.order()?;
            if id.created_at() <= latest && after.is_none_or(|after| after < id) {
                due.insert(id, found.due_at);
            }
        }
    }
    let ids: Vec<OrderId> = due.keys().copied().collect();
    let mut stuck = Vec::new();
    for ids in ids.chunks(BATCH_SIZE) {
        let mut states = state.store.orders(ids).await?;
        states.retain(|state| state.order.changed_at <= latest && state.order.next().is_some());
        states.sort_by_key(|state| state.order.id);
        stuck.extend(states.into_iter().map(|state| {
            let looked_after_at = due.get(&state.order.id).copied().unwrap_or(latest);
            StuckOrder::of(state, looked_after_at)
        }));
        if stuck.len() >= limit {
            break;
        }
    }
    stuck.truncate(limit);
    Ok(stuck)
}

impl StuckOrder {
    fn of(StateItem { order, attempts, trouble, .. }: StateItem, due_at: Timestamp) -> Self {
        let (view, state) = (View::of(&order), order.state);
        Self { order: view, state, attempts, trouble, looked_after_at: due_at }
    }
}
