//! An order as users and merchants see it.

use jiff::Timestamp;
use serde::Serialize;
use shared::id::UserId;

use crate::money::Money;
use crate::order::{Line, Order, OrderId, Reason, Refund, RefundId, RefundStatus, State};

/// An order as users and merchants see it.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    id: OrderId,
    status: Status,
    customer: UserId,
    lines: Vec<Line>,
    total: Money,
    /// How much has gone back.
    refunded: Money,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundView>,
    /// Why it ends without a payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    placed_at: Timestamp,
    changed_at: Timestamp,
    /// Until when it must be paid; absent when that is settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

/// Where an order stands, in words for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// It is on its way.
    Processing,
    /// The customer has to do something about the payment.
    ActionRequired,
    /// Paid.
    Confirmed,
    /// It is about to end without a payment.
    Cancelling,
    /// It has ended without a payment.
    Cancelled,
}

#[derive(Clone, Debug, Serialize)]
struct RefundView {
    id: RefundId,
    amount: Money,
    status: RefundStatus,
    /// Why it failed: the provider's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl View {
    /// The order, for its customer and for merchants.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        let status = match order.state {
            State::ActionRequired => Status::ActionRequired,
            State::Confirmed => Status::Confirmed,
            State::Cancelling | State::Voided => Status::Cancelling,
            State::Cancelled => Status::Cancelled,
            _ => Status::Processing,
        };
        let refund = |(id, refund): (&RefundId, &Refund)| RefundView {
            id: *id,
            amount: refund.amount,
            status: refund.status,
            code: refund.code.clone(),
        };
        Self {
            id: order.id,
            status,
            customer: order.placed.customer,
            lines: order.placed.lines.clone(),
            total: order.placed.total,
            refunded: Money { amount: order.refunded(), ..order.placed.total },
            refunds: order.refunds.iter().map(refund).collect(),
            reason: order.reason,
            placed_at: order.placed_at,
            changed_at: order.changed_at,
            expires_at: order.can_cancel().then_some(order.placed.expires_at),
        }
    }
}
