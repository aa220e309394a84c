//! `POST /v1/checkouts`

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::LOCATION;
use axum::response::Response;
use axum::routing::post;
use futures::future::try_join_all;
use inventory::Reservation;
use serde::Deserialize;
use shared::http::idempotency::{Saved, Transaction, transactional};
use shared::http::rate_limit::{Limit, limited};
use shared::http::{Json, SignedIn, StatusCode};
use shared::idempotency::{Commit, Outcome};
use shared::problem::Problem;
use shared::rate_limit::Quota;
use shared::transaction::MAX_ITEMS;
use shared::{Error, Result};

use super::paying::{answered, check_payment_method};
use super::{View, WRITE};
use crate::cart::Cart;
use crate::charges;
use crate::order::{Event, OrderId, Placed, Recorded};
use crate::system::System;

/// How long stock is held for an order that is not paid.
pub const HELD_FOR: Duration = Duration::from_mins(15);

/// How many orders a customer may try: whoever tries out stolen cards would try many. Nobody deciding,
/// customers come first.
const QUOTA: Quota = Quota::new("checkouts", 100, Duration::from_mins(1));

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let (records, limiter) = (state.records.clone(), state.limiter.clone());
    let router = Router::new().route("/v1/checkouts", post(handle)).with_state(state);
    limited(transactional(router, records), Limit::per_user(QUOTA, limiter))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The provider's id of a means of payment: `pm_card_visa`.
    payment_method: String,
}

/// Orders what is in the cart. One transaction answers the request for good, writes the order's first
/// event, holds the stock and empties the cart; the rest happens by itself. With
/// `Prefer: wait=<seconds>` the answer waits for it.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    transaction: Transaction,
    headers: HeaderMap,
    Json(wanted): Json<Wanted>,
) -> Result<Response> {
    user.require(WRITE)?;
    check_payment_method(&wanted.payment_method)?;
    let attempt = || attempt(&state, &user, &transaction, &wanted);
    answered(&state.store, transaction.retried(attempt).await?, &headers).await
}

/// Nothing if the cart, a product or the stock is not as it was read.
async fn attempt(
    state: &System,
    user: &SignedIn,
    transaction: &Transaction,
    wanted: &Wanted,
) -> Result<Option<Outcome<Saved>>> {
    let cart = state.store.cart(user.user).await?;
    let placed = placed(state, user, &cart, wanted)?;
    let (id, now) = (state.ids.next(), state.clock.now());
    check_prices(state, &cart).await?;
    let reservations = plan(state, id, &placed).await?;
    let recorded = Recorded { order: id, version: 1, at: now, event: Event::Placed(placed) };
    let (order, mut writes) = state.store.placement(&recorded)?;
    writes.push(state.store.cart_emptied(user.user, &cart)?);
    for (sku, line) in &cart.lines {
        writes.push(state.store.sold_at(sku, line.unit_price)?);
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
    wanted: &Wanted,
) -> Result<Placed, Problem> {
    let title = "There is nothing in the cart";
    let empty = || Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "cart-empty", title);
    let total = cart.total().ok_or_else(empty)?;
    charges::check_total(total).map_err(|error| {
        let title = "The total cannot be charged";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-total", title)
            .field("total", error.to_string())
    })?;
    Ok(Placed {
        customer: user.user,
        tenant: user.tenant,
        lines: cart.order_lines(),
        total,
        payment_method: wanted.payment_method.clone(),
        expires_at: state.clock.now() + HELD_FOR,
    })
}

/// Nobody pays a price that was not shown, and nothing is sold at one of yesterday's. The transaction
/// has the same as its condition; this says which line is at fault.
async fn check_prices(state: &System, cart: &Cart) -> Result<()> {
    let products = state.store.products_of(cart.lines.keys()).await?;
    let title = "What is in the cart is no longer sold so";
    let mut problem = Problem::new(StatusCode::CONFLICT, "price-changed", title)
        .detail("Put the lines named into the cart again, or remove them.");
    let mut is_current = true;
    for (sku, line) in &cart.lines {
        let detail = match products.get(sku).filter(|product| product.active) {
            Some(product) if product.price == line.unit_price => continue,
            Some(product) => format!("it costs {} now", product.price),
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
    let title = "There is not so much in stock";
    let mut problem = Problem::new(StatusCode::CONFLICT, "out-of-stock", title);
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
    let title = "The last units are in too many places for one order";
    Problem::new(StatusCode::CONFLICT, "stock-scattered", title)
        .detail("Order fewer products at once.")
}
