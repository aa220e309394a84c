//! `POST /v1/orders/{order_id}/payments`

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::LOCATION;
use axum::response::Response;
use axum::routing::post;
use jiff::Timestamp;
use serde::Deserialize;
use shared::Result;
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::rate_limit::{Limit, limited};
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::idempotency::{Commit, Outcome};
use shared::problem::Problem;
use shared::rate_limit::Quota;

use super::paying::{check_payment_method, respond};
use super::{View, WRITE};
use crate::order::{Event, Order, OrderId, State as OrderState};
use crate::system::System;

/// How often a customer may give another payment method, for all orders together. It limits the testing of
/// stolen cards. If the limiter is unavailable, the request is admitted.
const QUOTA: Quota = Quota::new("order-payments", 10, Duration::from_mins(10));

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let (records, limiter) = (state.records.clone(), state.limiter.clone());
    let router =
        Router::new().route("/v1/orders/{order_id}/payments", post(handle)).with_state(state);
    limited(transactional(router, records), Limit::per_user(QUOTA, limiter))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    /// The provider's id of a payment method: `pm_card_visa`.
    payment_method: String,
}

/// Gives another payment method for the user's own order after a decline. The payment at the provider stays
/// the same. With `Prefer: wait=<seconds>` the response waits for the outcome.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    transaction: Transaction,
    Path(id): Path<OrderId>,
    headers: HeaderMap,
    Json(request): Json<Request>,
) -> Result<Response> {
    user.require(WRITE)?;
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
    let order = order.filter(|order| order.placed.customer == user.user);
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
    let title = "The order does not accept another payment method";
    Err(Problem::new(StatusCode::CONFLICT, "order-not-payable", title).detail(detail))
}
