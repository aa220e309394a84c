//! `POST /v1/checkouts`

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::LOCATION;
use axum::response::Response;
use futures::future::try_join_all;
use inventory::Reservation;
use serde::Deserialize;
use shared::http::contract::{self, Operation};
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::http::{Allowed, Json, SignedIn, StatusCode};
use shared::idempotency::{Commit, Outcome};
use shared::problem::{Problem, ProblemType};
use shared::rate_limit::Quota;
use shared::transaction::MAX_ITEMS;
use shared::{Error, Result};
use utoipa::ToSchema;

use super::paying::{INVALID_PAYMENT_METHOD, check_payment_method, respond};
use super::{OF_ORDER, View, Write};
use crate::cart::Cart;
use crate::charges;
use crate::money::Money;
use crate::order::{Event, OrderId, Placed, Recorded};
use crate::system::System;

/// How long the stock of an unpaid order is held.
pub const HELD_FOR: Duration = Duration::from_mins(15);

/// How often a customer may try to place an order. It limits the testing of stolen cards. If the limiter
/// is unavailable, the request is admitted.
const QUOTA: Quota = Quota::new("checkouts", 100, Duration::from_mins(1));

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
        .refuses(&[
            INVALID_PAYMENT_METHOD,
            CART_EMPTY,
            INVALID_TOTAL,
            PRICE_CHANGED,
            OUT_OF_STOCK,
            STOCK_SCATTERED,
        ])
}

const CART_EMPTY: ProblemType =
    ProblemType::new(StatusCode::UNPROCESSABLE_ENTITY, "cart-empty", "The cart is empty");
const INVALID_TOTAL: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-total",
    "The total cannot be charged",
);
const PRICE_CHANGED: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "price-changed", "A line of the cart is not current");
const OUT_OF_STOCK: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "out-of-stock", "There is not enough stock");
const STOCK_SCATTERED: ProblemType = ProblemType::new(
    StatusCode::CONFLICT,
    "stock-scattered",
    "The order is too large to reserve its stock at once",
);

/// How the customer pays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckoutRequest)]
struct Request {
    /// The provider's id of a payment method: `pm_card_visa`.
    #[schema(pattern = "^[A-Za-z0-9_]{1,64}$", example = "pm_card_visa")]
    payment_method: String,
}

/// Places an order for the cart. One transaction saves the response, writes the order's first event,
/// reserves the stock and empties the cart. A worker executes the other steps. With
/// `Prefer: wait=<seconds>` the response waits for them.
#[utoipa::path(post, path = "/v1/checkouts")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    transaction: Transaction,
    headers: HeaderMap,
    Json(request): Json<Request>,
) -> Result<Response> {
    check_payment_method(&request.payment_method)?;
    let attempt = || attempt(&state, &user, &transaction, &request);
    respond(&state.store, transaction.retried(attempt).await?, &headers).await
}

/// One attempt. `None` if the cart, a product or the stock changed after it was read.
async fn attempt(
    state: &System,
    user: &SignedIn,
    transaction: &Transaction,
    request: &Request,
) -> Result<Option<Outcome<Saved>>> {
    let cart = state.store.cart((user.user, user.tenant)).await?;
    let placed = placed(state, user, &cart, request)?;
    let (id, now) = (state.ids.next(), state.clock.now());
    check_prices(state, &cart).await?;
    let reservations = plan(state, id, &placed).await?;
    let recorded = Recorded { order: id, version: 1, at: now, event: Event::Placed(placed) };
    let (order, mut writes) = state.store.placement_writes(&recorded)?;
    writes.push(state.store.empty_cart_write((user.user, user.tenant), &cart)?);
    for (sku, line) in &cart.lines {
        writes.push(state.store.price_check(sku, line.unit_price)?);
    }
    for reservation in &reservations {
        writes.extend(state.inventory.reserve(reservation)?);
    }
    if writes.len() >= MAX_ITEMS {
        return Err(scattered().into());
    }

    let location = [(LOCATION, format!("/v1/orders/{id}"))];
    let answer = (StatusCode::ACCEPTED, location, Json(View::of(&order)));
    let commit = Commit::new(Saved::of(answer).await?);
    let commit = writes.into_iter().fold(commit, Commit::write);
    let outcome = transaction.try_commit(commit).await?;
    if let Some(Outcome::New(_)) = outcome {
        tracing::info!(order_id = %id, total = %order.placed.total, "order placed");
    }
    Ok(outcome)
}

fn placed(
    state: &System,
    user: &SignedIn,
    cart: &Cart,
    request: &Request,
) -> Result<Placed, Problem> {
    let total = cart.total().ok_or_else(|| Problem::of(CART_EMPTY))?;
    charges::check_total(total)
        .map_err(|error| Problem::of(INVALID_TOTAL).field("total", error.to_string()))?;
    Ok(Placed {
        customer: user.user,
        tenant: user.tenant,
        lines: cart.order_lines(),
        total,
        payment_method: request.payment_method.clone(),
        expires_at: state.clock.now() + HELD_FOR,
    })
}

/// Refuses (409) lines whose price is not current and products that are not on sale. The transaction has
/// the same condition; this check names the lines in the problem.
async fn check_prices(state: &System, cart: &Cart) -> Result<()> {
    let products = state.store.products_by_sku(cart.lines.keys()).await?;
    let mut problem =
        Problem::of(PRICE_CHANGED).detail("Set the named lines of the cart again, or remove them.");
    let mut is_current = true;
    for (sku, line) in &cart.lines {
        let detail = match products.get(sku).filter(|product| product.active) {
            Some(product) if product.price == line.unit_price => continue,
            Some(product) => {
                let Money { amount, currency } = product.price;
                format!("it costs {amount} now, in minor units of {currency}")
            }
            None => "it is no longer sold".to_owned(),
        };
        is_current = false;
        problem = problem.field(format!("lines.{sku}"), detail);
    }
    if is_current { Ok(()) } else { Err(problem.into()) }
}

async fn plan(state: &System, id: OrderId, placed: &Placed) -> Result<Vec<Reservation>> {
    let holder = id.to_string();
    let (inventory, until) = (&state.inventory, placed.expires_at);
    let plans = placed.lines.iter().map(|line| {
        let holder = &holder;
        async move {
            let plan = inventory.plan(holder, &line.sku, line.quantity, until).await?;
            Ok::<_, Error>((line, plan))
        }
    });
    let mut problem = Problem::of(OUT_OF_STOCK);
    let (mut reservations, mut is_enough) = (Vec::new(), true);
    for (line, plan) in try_join_all(plans).await? {
        if let Some(reservation) = plan {
            reservations.push(reservation);
        } else {
            is_enough = false;
            let stock = state.inventory.stock(&line.sku).await?;
            let detail = format!("{} left", inventory::stock::available(&stock));
            problem = problem.field(format!("lines.{}", line.sku), detail);
        }
    }
    if is_enough { Ok(reservations) } else { Err(problem.into()) }
}

fn scattered() -> Problem {
    Problem::of(STOCK_SCATTERED).detail("Order fewer products at once.")
}
