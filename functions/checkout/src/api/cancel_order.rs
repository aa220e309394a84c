//! `POST /v1/orders/{order_id}/cancel`

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use shared::Result;
use shared::conflict::retried;
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::problem::Problem;

use super::changes::visible_order;
use super::{View, WRITE};
use crate::order::{Event, OrderId, Reason, State as OrderState};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/orders/{order_id}/cancel", post(handle)).with_state(state)
}

/// Cancels an order before its capture starts. Idempotent.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(id): Path<OrderId>,
) -> Result<Json<View>> {
    user.require(WRITE)?;
    let attempt = || async {
        let order = visible_order(&state.store, id, &user).await?;
        if matches!(
            order.state,
            OrderState::Cancelling | OrderState::Voided | OrderState::Cancelled
        ) {
            return Ok(Some(order));
        }
        if !order.can_cancel() {
            let title = "The order is paid, or its capture has started";
            return Err(Problem::new(StatusCode::CONFLICT, "order-not-cancellable", title)
                .detail("Ask the shop for a refund.")
                .into());
        }
        let is_customer = order.placed.customer == user.user;
        let reason = if is_customer { Reason::Customer } else { Reason::Shop };
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
