//! `GET /v1/orders/{order_id}/receipt`

use axum::Router;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem};
use utoipa::ToSchema;

use super::Read;
use super::changes::{ORDER_NOT_PAID, visible_order};
use crate::money::Money;
use crate::order::{Event, Line, Order, OrderId, Recorded, State as OrderState};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<Receipt>(StatusCode::OK)
        .refuses(&[NOT_FOUND, ORDER_NOT_PAID])
}

/// The receipt of a paid order, for the customer to print.
#[derive(Serialize, ToSchema)]
struct Receipt {
    order: OrderId,
    /// The products, with the price of each line.
    lines: Vec<PaidLine>,
    /// The sum of the lines.
    total: Money,
    /// When the provider took the money.
    paid_at: Timestamp,
    /// The amount refunded so far, without refunds in progress.
    refunded: Money,
}

/// A line of a receipt.
#[derive(Serialize, ToSchema)]
struct PaidLine {
    #[serde(flatten)]
    line: Line,
    /// The unit price times the quantity.
    total: Money,
}

impl Receipt {
    /// The receipt of a confirmed order. `None` for an order in any other state.
    fn of(order: &Order, history: &[Recorded]) -> Option<Self> {
        if order.state != OrderState::Confirmed {
            return None;
        }
        let captured = history.iter().find(|it| it.event == Event::PaymentCaptured)?;
        let paid = |line: &Line| {
            let total = line.unit_price.times(line.quantity)?;
            Some(PaidLine { line: line.clone(), total })
        };
        Some(Self {
            order: order.id,
            lines: order.placed.lines.iter().map(paid).collect::<Option<_>>()?,
            total: order.placed.total,
            paid_at: captured.at,
            refunded: Money { amount: order.refunded(), ..order.placed.total },
        })
    }
}

/// Shows the receipt of a paid order. Another customer's order gets the same response as an unknown order.
#[utoipa::path(get, path = "/v1/orders/{order_id}/receipt")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Read>,
    Path(id): Path<OrderId>,
) -> Result<Json<Receipt>> {
    let order = visible_order(&state.store, id, &user).await?;
    let history = state.store.history(id).await?;
    Ok(Json(Receipt::of(&order, &history).ok_or_else(|| Problem::of(ORDER_NOT_PAID))?))
}
