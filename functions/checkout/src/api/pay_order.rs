//! `POST /v1/orders/{order_id}/payments`

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::LOCATION;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::http::{Allowed, Json, Path, SignedIn, StatusCode};
use shared::idempotency::{Commit, Outcome};
use shared::problem::{NOT_FOUND, Problem, ProblemType};
use shared::rate_limit::Quota;
use utoipa::ToSchema;

use super::paying::{INVALID_PAYMENT_METHOD, check_payment_method, respond};
use super::{OF_ORDER, View, Write};
use crate::order::{Event, Order, OrderId, State as OrderState};
use crate::system::System;

/// How often a customer may give another payment method, for all orders together. It limits the testing of
/// stolen cards. If the limiter is unavailable, the request is admitted.
const QUOTA: Quota = Quota::new("order-payments", 10, Duration::from_mins(10));

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let (records, limiter) = (state.records.clone(), state.limiter.clone());
    let router = contract::route!(handle).with_state(state);
    limited(transactional(router, records), Limit::per_user(QUOTA, limiter))
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<View>(StatusCode::ACCEPTED)
        .answers::<View>(StatusCode::OK)
        .header("Location")
        .links(&OF_ORDER, "order_id", "$response.body#/id")
        .waits()
        .limited(Subject::User, Unavailable::Admit)
        .refuses(&[NOT_FOUND, INVALID_PAYMENT_METHOD, ORDER_NOT_PAYABLE])
}

const ORDER_NOT_PAYABLE: ProblemType = ProblemType::new(
    StatusCode::CONFLICT,
    "order-not-payable",
    "The order does not accept another payment method",
);

/// Another payment method for an order.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentRequest)]
struct Request {
    /// The provider's id of a payment method: `pm_card_visa`.
    #[schema(pattern = "^[A-Za-z0-9_]{1,64}$", example = "pm_card_visa")]
    payment_method: String,
}

/// Gives another payment method for the user's own order after a decline. The payment at the provider stays
/// the same. With `Prefer: wait=<seconds>` the response waits for the outcome.
#[utoipa::path(post, path = "/v1/orders/{order_id}/payments")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    transaction: Transaction,
    Path(id): Path<OrderId>,
    headers: HeaderMap,
    Json(request): Json<Request>,
) -> Result<Response> {
    check_payment_method(&request.payment_method)?;
    let attempt = || attempt(&state, id, &user, &transaction, &request);
    respond(&state.store, transaction.retried(attempt).await?, &headers).await
}

/// One attempt. `None` if the order changed after it was read.
async fn attempt(
    state: &System,
    id: OrderId,
    user: &SignedIn,
    transaction: &Transaction,
    request: &Request,
) -> Result<Option<Outcome<Saved>>> {
    let (order, now) = (state.store.order(id).await?, state.clock.now());
    let order = order.filter(|order| user.owns(order));
    let order = order.ok_or_else(|| Problem::not_found("order"))?;
    check(&order, now)?;
    let event = Event::MeansGiven { payment_method: request.payment_method.clone() };
    let (order, writes) = state.store.request_writes(&order, event, now)?;

    let location = [(LOCATION, format!("/v1/orders/{id}"))];
    let answer = (StatusCode::ACCEPTED, location, Json(View::of(&order)));
    let commit = Commit::new(Saved::of(answer).await?);
    let commit = writes.into_iter().fold(commit, Commit::write);
    let outcome = transaction.try_commit(commit).await?;
    if let Some(Outcome::New(_)) = outcome {
        tracing::info!(order_id = %id, "payment method given");
    }
    Ok(outcome)
}

fn check(order: &Order, now: Timestamp) -> Result<(), Problem> {
    let detail = match order.state {
        OrderState::PaymentRequired if now < order.placed.expires_at => return Ok(()),
        OrderState::PaymentRequired => "The order has expired.",
        OrderState::Cancelling | OrderState::Voided | OrderState::Cancelled => {
            "The order is cancelled."
        }
        OrderState::Confirmed => "The order is paid.",
        _ => "A payment is in progress.",
    };
    Err(Problem::of(ORDER_NOT_PAYABLE).detail(detail))
}
