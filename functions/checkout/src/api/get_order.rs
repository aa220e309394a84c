//! `GET /v1/orders/{order_id}`

mod former;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Router};
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::prefer::{self, Pauses};
use shared::http::version::{ApiVersion, Change};
use shared::http::{Allowed, Path, SignedIn, StatusCode};
use shared::problem::NOT_FOUND;
use utoipa::ToSchema;

use self::former::FormerAnswer;
use super::changes::visible_order;
use super::{ADMIN, Read, View};
use crate::order::{
    Dispute, Event, FoundRefund, Order, OrderId, PaymentId, Recorded, State as OrderState,
};
use crate::payments::Stripe;
use crate::system::System;

/// Records are in arrays, as refunds are, and the number of an event has the name that other numbers have.
const LISTED: Change = Change::new(
    ApiVersion::V2026_12_01,
    "`found_refunds` and `disputes` are arrays whose entries have an `id`, as in `refunds`, instead of \
     objects by id; the `version` of an event in `history` is called `number`.",
);

/// The endpoint's router.
pub fn router(state: System, payments: Stripe) -> Router {
    let router = contract::route!(handle).with_state(state);
    router.layer(Extension(payments))
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<Answer>(StatusCode::OK)
        .formerly::<FormerAnswer>(&LISTED, StatusCode::OK)
        .waits()
        .refuses(&[NOT_FOUND])
}

/// An order with its history.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderWithHistory)]
struct Answer {
    #[serde(flatten)]
    order: View,
    /// The client secret, with which the customer's browser completes 3-D Secure.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_client_secret: Option<String>,
    /// The events, oldest first.
    #[schema(min_items = 1)]
    history: Vec<HistoryEntry>,
    /// Further records of the provider. Only for admins.
    #[serde(flatten)]
    admin_details: Option<AdminDetails>,
}

/// What only admins see of an order.
#[derive(Serialize, ToSchema)]
struct AdminDetails {
    /// Refunds at the provider that we did not request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    found_refunds: Vec<Listed<FoundRefund>>,
    /// Disputes of the payment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disputes: Vec<Listed<Dispute>>,
}

/// A record of the provider.
#[derive(Serialize, ToSchema)]
struct Listed<T> {
    /// The provider's id of the record.
    id: String,
    #[serde(flatten)]
    record: T,
}

/// An event of an order.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderEvent)]
struct HistoryEntry {
    /// The number of the event, from 1.
    number: u32,
    /// The event's time.
    at: Timestamp,
    /// The event's name, such as `placed`.
    event: &'static str,
    /// The provider's code, for a decline or a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

/// Shows an order. Returns 404 for another user's order. With `Prefer: wait=<seconds>` the response waits
/// until the order needs no worker or needs the customer, or until the time is over.
#[utoipa::path(get, path = "/v1/orders/{order_id}")]
async fn handle(
    State(state): State<System>,
    Extension(payments): Extension<Stripe>,
    user: Allowed<Read>,
    version: ApiVersion,
    Path(id): Path<OrderId>,
    headers: HeaderMap,
) -> Result<Response> {
    let wait = prefer::wait(&headers);
    let mut pauses = Pauses::within(wait.unwrap_or_default());
    let order = loop {
        let order = visible_order(&state.store, id, &user).await?;
        let is_over = order.next().is_none() || order.waits_for_customer();
        if is_over || !pauses.pause().await {
            break order;
        }
    };
    let answer = answer(&state, &payments, order, &user).await?;
    let answer = LISTED.answer(version, answer, FormerAnswer::from);
    Ok(if wait.is_some() { prefer::applied(answer) } else { answer })
}

async fn answer(
    state: &System,
    payments: &Stripe,
    order: Order,
    user: &SignedIn,
) -> Result<Answer> {
    let is_asked = order.state == OrderState::ActionRequired && user.owns(&order);
    let payment_client_secret = match &order.payment {
        Some(payment) if is_asked => client_secret(payments, payment).await,
        _ => None,
    };
    let history = state.store.history(order.id).await?.into_iter().map(HistoryEntry::of).collect();
    let view = View::of(&order);
    let admin_details = user.require(ADMIN).is_ok();
    let admin_details = admin_details.then(|| AdminDetails {
        found_refunds: listed(order.found),
        disputes: listed(order.disputes),
    });
    Ok(Answer { order: view, payment_client_secret, history, admin_details })
}

fn listed<T>(records: BTreeMap<String, T>) -> Vec<Listed<T>> {
    records.into_iter().map(|(id, record)| Listed { id, record }).collect()
}

/// `None` if the provider does not respond, so that the order is returned without the secret.
async fn client_secret(payments: &Stripe, payment: &PaymentId) -> Option<String> {
    match payments.retrieve(payment).await {
        Ok(payment) => payment.client_secret,
        Err(error) => {
            tracing::warn!(error = %error, "the payment could not be retrieved");
            None
        }
    }
}

impl HistoryEntry {
    fn of(Recorded { version, at, event, .. }: Recorded) -> Self {
        let name = event.name();
        let code = match event {
            Event::MeansDeclined { code }
            | Event::PaymentDeclined { code }
            | Event::PaymentRefused { code }
            | Event::CaptureFailed { code }
            | Event::RefundFailed { code, .. }
            | Event::RefundReversed { code, .. }
            | Event::FoundRefundReversed { code, .. } => Some(code),
            _ => None,
        };
        Self { number: version, at, event: name, code }
    }
}
