//! `GET /v1/stuck-orders`

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::clock::Clock;
use shared::http::{Json, SignedIn};

use super::{ADMIN, View, has_clock};
use crate::order::State as OrderState;
use crate::store::{DUE_SHARDS, StateItem, Store};

/// How long an order has stood still that is shown.
pub const STUCK_AFTER: Duration = Duration::from_mins(5);

/// What the endpoint needs.
#[derive(Clone, Debug)]
pub struct ListStuck {
    /// The checkout's table.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}
has_clock!(ListStuck);

/// The endpoint's router.
pub fn router(state: ListStuck) -> Router {
    Router::new().route("/v1/stuck-orders", get(handle)).with_state(state)
}

#[derive(Serialize)]
struct Stuck {
    orders: Vec<StuckOrder>,
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

/// Orders that should have gone on and have not, the longest still first: those that wait for the
/// customer too. Up to 100 of each of the index's partitions are looked at.
async fn handle(State(state): State<ListStuck>, user: SignedIn) -> Result<Json<Stuck>> {
    user.require(ADMIN)?;
    let now = state.clock.now();
    let mut orders = Vec::new();
    for shard in 0..DUE_SHARDS {
        for due in state.store.due(shard, Timestamp::MAX).await? {
            let Some(found) = state.store.state(due.order()?).await? else { continue };
            if found.order.changed_at + STUCK_AFTER <= now && found.order.next().is_some() {
                orders.push((found, due.due_at));
            }
        }
    }
    orders.sort_by_key(|(found, _)| found.order.changed_at);
    let shown = orders.into_iter().map(|(found, due_at)| StuckOrder::of(found, due_at));
    Ok(Json(Stuck { orders: shown.collect() }))
}

impl StuckOrder {
    fn of(StateItem { order, attempts, trouble, .. }: StateItem, due_at: Timestamp) -> Self {
        let (view, state) = (View::of(&order), order.state);
        Self { order: view, state, attempts, trouble, looked_after_at: due_at }
    }
}
