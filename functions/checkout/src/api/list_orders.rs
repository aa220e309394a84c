//! `GET /v1/orders`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::page::{Next, Page, cursor};
use shared::http::{Allowed, Json, Query};
use utoipa::ToSchema;

use super::{Read, View};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).pages::<Orders>()
}

/// A page of orders.
#[derive(Serialize, ToSchema)]
struct Orders {
    /// The orders, newest first.
    orders: Vec<View>,
    /// The `cursor` parameter for the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the user's own orders in the tenant that the user acts for, newest first.
#[utoipa::path(get, path = "/v1/orders")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Read>,
    Query(page): Query<Page>,
) -> Result<(Next, Json<Orders>)> {
    let (ids, last) =
        state.store.customer_orders((user.user, user.tenant), page.after()?, page.limit()?).await?;
    let states = state.store.orders(&ids).await?;
    let orders = states.iter().map(|state| View::of(&state.order)).collect();
    let next_cursor = last.map(cursor);
    Ok((page.next(next_cursor.as_ref()), Json(Orders { orders, next_cursor })))
}
