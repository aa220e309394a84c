//! `POST /v1/orders/{order_id}/refunds`

use axum::Router;
use axum::extract::State;
use axum::http::header::LOCATION;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::idempotency::{Commit, Outcome};
use shared::problem::{NOT_FOUND, Problem, ProblemType};
use utoipa::ToSchema;

use super::Admin;
use super::changes::ORDER_NOT_PAID;
use crate::charges;
use crate::money::Money;
use crate::order::{
    Event, MAX_REFUNDS, Order, OrderId, RefundId, RefundStatus, State as OrderState,
};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let records = state.records.clone();
    let router = contract::route!(handle).with_state(state);
    transactional(router, records)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<Answer>(StatusCode::ACCEPTED)
        .header("Location")
        .links(&["checkout-get-order"], "order_id", "$response.body#/order")
        .refuses(&[NOT_FOUND, ORDER_NOT_PAID, TOO_MANY_REFUNDS, INVALID_REFUND, ORDER_REFUNDED])
}

const TOO_MANY_REFUNDS: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "too-many-refunds", "The order has too many refunds");
const INVALID_REFUND: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-refund",
    "The amount cannot be refunded",
);
const ORDER_REFUNDED: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "order-refunded", "The whole amount is refunded");

/// What to refund.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefundRequest)]
struct Request {
    /// The amount, in minor units of the order's currency. If absent, the whole refundable amount.
    #[schema(minimum = 1)]
    amount: Option<u64>,
}

/// A refund that has begun.
#[derive(Serialize, ToSchema)]
#[schema(as = RequestedRefund)]
struct Answer {
    id: RefundId,
    order: OrderId,
    /// The refunded amount.
    amount: Money,
    status: RefundStatus,
}

/// Refunds a part or all of a paid order. Pending refunds count, so refunds together never exceed the
/// captured amount.
#[utoipa::path(post, path = "/v1/orders/{order_id}/refunds")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Admin>,
    transaction: Transaction,
    Path(id): Path<OrderId>,
    Json(request): Json<Request>,
) -> Result<Outcome<Saved>> {
    transaction.retried(|| attempt(&state, id, &transaction, &request)).await
}

async fn attempt(
    state: &System,
    id: OrderId,
    transaction: &Transaction,
    request: &Request,
) -> Result<Option<Outcome<Saved>>> {
    let order = state.store.order(id).await?.ok_or_else(|| Problem::not_found("order"))?;
    let amount = request.amount.unwrap_or_else(|| order.refundable());
    check(&order, amount)?;
    let amount = Money { amount, ..order.placed.total };
    let refund = state.ids.next();
    let event = Event::RefundRequested { refund, amount };
    let (_, writes) = state.store.request_writes(&order, event, state.clock.now())?;

    let status = RefundStatus::Pending;
    let location = [(LOCATION, format!("/v1/orders/{id}"))];
    let answer = Json(Answer { id: refund, order: id, amount, status });
    let commit = Commit::new(Saved::of((StatusCode::ACCEPTED, location, answer)).await?);
    let commit = writes.into_iter().fold(commit, Commit::write);
    let outcome = transaction.try_commit(commit).await?;
    if let Some(Outcome::New(_)) = outcome {
        tracing::info!(order_id = %id, refund_id = %refund, %amount, "refund requested");
    }
    Ok(outcome)
}

fn check(order: &Order, amount: u64) -> Result<(), Problem> {
    let is_over = matches!(order.state, OrderState::Confirmed | OrderState::Cancelled);
    if !is_over || order.captured() == 0 {
        return Err(Problem::of(ORDER_NOT_PAID));
    }
    if order.open_refunds() >= MAX_REFUNDS {
        return Err(Problem::of(TOO_MANY_REFUNDS)
            .detail(format!("An order has up to {MAX_REFUNDS} that have not failed.")));
    }
    let money = Money { amount, ..order.placed.total };
    if let Err(error) = charges::check(money) {
        return Err(Problem::of(INVALID_REFUND).field("amount", error.to_string()));
    }
    let left = order.refundable();
    if left == 0 {
        let detail = "Refunds in progress count. Nothing is left to refund.";
        return Err(Problem::of(ORDER_REFUNDED).detail(detail));
    }
    if !(1..=left).contains(&amount) {
        return Err(Problem::of(INVALID_REFUND).field("amount", format!("1 to {left} minor units")));
    }
    Ok(())
}
