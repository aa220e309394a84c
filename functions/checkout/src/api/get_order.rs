//! `GET /v1/orders/{order_id}`

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::http::prefer::{self, Pauses};
use shared::http::{Json, Path, SignedIn};

use super::changes::visible;
use super::{ADMIN, READ, View};
use crate::order::{
    Dispute, Event, Found, Order, OrderId, PaymentId, Recorded, State as OrderState,
};
use crate::payments::Stripe;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System, payments: Stripe) -> Router {
    let router = Router::new().route("/v1/orders/{order_id}", get(handle)).with_state(state);
    router.layer(Extension(payments))
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    order: View,
    /// With this the customer's browser goes on, where something is asked of the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_client_secret: Option<String>,
    history: Vec<Happened>,
    /// What the provider has besides, for whoever keeps the shop.
    #[serde(flatten)]
    besides: Option<Besides>,
}

#[derive(Serialize)]
struct Besides {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    found_refunds: BTreeMap<String, Found>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    disputes: BTreeMap<String, Dispute>,
}

#[derive(Serialize)]
struct Happened {
    version: u32,
    at: Timestamp,
    event: &'static str,
    /// The provider's, of what was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

/// Somebody else's order is answered as one that does not exist. With `Prefer: wait=<seconds>` the
/// answer waits until nothing more will happen by itself, or until the time is over.
async fn handle(
    State(state): State<System>,
    Extension(payments): Extension<Stripe>,
    user: SignedIn,
    Path(id): Path<OrderId>,
    headers: HeaderMap,
) -> Result<Response> {
    user.require(READ)?;
    let wait = prefer::wait(&headers);
    let mut pauses = Pauses::within(wait.unwrap_or_default());
    let order = loop {
        let order = visible(&state.store, id, &user).await?;
        let is_over = order.next().is_none() || order.waits_for_customer();
        if is_over || !pauses.pause().await {
            break order;
        }
    };
    let answer = Json(answer(&state, &payments, order, &user).await?).into_response();
    Ok(if wait.is_some() { prefer::applied(answer) } else { answer })
}

async fn answer(
    state: &System,
    payments: &Stripe,
    order: Order,
    user: &SignedIn,
) -> Result<Answer> {
    let is_asked = order.state == OrderState::ActionRequired && order.placed.customer == user.user;
    let payment_client_secret = match &order.payment {
        Some(payment) if is_asked => client_secret(payments, payment).await,
        _ => None,
    };
    let history = state.store.history(order.id).await?.into_iter().map(Happened::of).collect();
    let view = View::of(&order);
    let besides = user.require(ADMIN).is_ok();
    let besides =
        besides.then_some(Besides { found_refunds: order.found, disputes: order.disputes });
    Ok(Answer { order: view, payment_client_secret, history, besides })
}

/// `None` if the provider does not answer: the order can be seen without it.
async fn client_secret(payments: &Stripe, payment: &PaymentId) -> Option<String> {
    match payments.retrieve(payment).await {
        Ok(payment) => payment.client_secret,
        Err(error) => {
            tracing::warn!(error = %error, "the provider does not show a payment");
            None
        }
    }
}

impl Happened {
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
        Self { version, at, event: name, code }
    }
}
