//! An order as users and merchants see it.

use inventory::Sku;
use jiff::Timestamp;
use serde::Serialize;
use shared::id::UserId;

use crate::money::Money;
use crate::order::{
    Line, MAX_TRIES, Order, OrderId, Reason, Refund, RefundId, RefundStatus, State,
};

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
    /// The provider's code of the last means of payment that was declined, while the order waits for
    /// another or after it has ended so.
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<String>,
    /// How many means of payment may still be tried; present while the order waits for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    tries_left: Option<u32>,
    /// Why it ends without a payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// The products of which the cart could not take back all, after an end without a payment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_in_cart: Vec<Sku>,
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
    /// The means of payment was declined; the customer has to give another.
    PaymentRequired,
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
    /// The order's id.
    #[must_use]
    pub fn id(&self) -> OrderId {
        self.id
    }

    /// The order, for its customer and for merchants.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        let status = match order.state {
            State::ActionRequired => Status::ActionRequired,
            State::PaymentRequired => Status::PaymentRequired,
            State::Confirmed => Status::Confirmed,
            State::Cancelling | State::Voided => Status::Cancelling,
            State::Cancelled => Status::Cancelled,
            _ => Status::Processing,
        };
        let (waits, is_declined) =
            (order.state == State::PaymentRequired, order.reason == Some(Reason::Declined));
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
            decline_code: order.decline_code.clone().filter(|_| waits || is_declined),
            tries_left: waits.then(|| MAX_TRIES - order.declines),
            reason: order.reason,
            not_in_cart: order.not_in_cart.clone(),
            placed_at: order.placed_at,
            changed_at: order.changed_at,
            expires_at: order.can_cancel().then_some(order.placed.expires_at),
        }
    }
}
