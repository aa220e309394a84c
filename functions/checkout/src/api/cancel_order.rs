//! `POST /v1/orders/{order_id}/cancel`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem, ProblemType};

use super::changes::visible_order;
use super::{View, Write};
use crate::order::{Event, OrderId, Reason, State as OrderState};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<View>(StatusCode::OK)
        .refuses(&[NOT_FOUND, ORDER_NOT_CANCELLABLE])
}

const ORDER_NOT_CANCELLABLE: ProblemType = ProblemType::new(
    StatusCode::CONFLICT,
    "order-not-cancellable",
    "The order is paid, or its capture has started",
);

/// Cancels an order before its capture starts. Idempotent.
#[utoipa::path(post, path = "/v1/orders/{order_id}/cancel")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    Path(id): Path<OrderId>,
) -> Result<Json<View>> {
    let attempt = || async {
        let order = visible_order(&state.store, id, &user).await?;
        if matches!(
            order.state,
            OrderState::Cancelling | OrderState::Voided | OrderState::Cancelled
        ) {
            return Ok(Some(order));
        }
        if !order.can_cancel() {
            return Err(Problem::of(ORDER_NOT_CANCELLABLE)
                .detail("Ask the shop for a refund.")
                .into());
        }
        let reason = if user.owns(&order) { Reason::Customer } else { Reason::Shop };
        let event = Event::CancelRequested { reason };
        let (order, writes) = state.store.request_writes(&order, event, state.clock.now())?;
        let is_made = state.store.commit_request(state.ids.next(), writes).await?;
        if is_made {
            tracing::info!(order_id = %id, "cancellation requested");
        }
        Ok(is_made.then_some(order))
    };
    Ok(Json(View::of(&retried(attempt).await?)))
}
