//! `GET /v1/stuck-orders`

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::http::page::{Page, cursor};
use shared::http::{Json, Query, SignedIn};

use super::{ADMIN, View};
use crate::order::{OrderId, State as OrderState};
use crate::store::{DUE_SHARDS, StateItem};
use crate::system::System;

/// How long an order has stood still that is shown.
pub const STUCK_AFTER: Duration = Duration::from_mins(5);

/// How many orders are read at once.
const READ_AT_ONCE: usize = 100;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/stuck-orders", get(handle)).with_state(state)
}

#[derive(Serialize)]
struct Stuck {
    orders: Vec<StuckOrder>,
    /// The `cursor` parameter for the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct StuckOrder {
    #[serde(flatten)]
    order: View,
    state: OrderState,
    /// How often the next step was tried.
    attempts: u32,
    /// Why the last attempt came to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// When it will be looked after next.
    looked_after_at: Timestamp,
}

/// Orders that should have gone on and have not, the oldest first: those that wait for the customer too.
/// All that are on their way are looked through, however many there are, so that a flood of young ones
/// hides no old one.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Query(page): Query<Page>,
) -> Result<Json<Stuck>> {
    user.require(ADMIN)?;
    let (after, limit) = (page.after()?, usize::try_from(page.limit()?)?);
    let mut found = stuck(&state, after, limit + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| has_more).map(|last| last.order.id());
    Ok(Json(Stuck { orders: found, next_cursor: last.map(cursor) }))
}

/// Up to `limit` of them that were placed after `after`.
async fn stuck(state: &System, after: Option<OrderId>, limit: usize) -> Result<Vec<StuckOrder>> {
    let latest = state.clock.now() - STUCK_AFTER;
    let mut due: BTreeMap<OrderId, Timestamp> = BTreeMap::new();
    for shard in 0..DUE_SHARDS {
        for found in state.store.on_their_way(shard).await? {
            let id = found.order()?;
            if id.created_at() <= latest && after.is_none_or(|after| after < id) {
                due.insert(id, found.due_at);
            }
        }
    }
    let ids: Vec<OrderId> = due.keys().copied().collect();
    let mut stuck = Vec::new();
    for ids in ids.chunks(READ_AT_ONCE) {
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
