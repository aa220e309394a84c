//! The JSON of an order, for users and merchants.

use inventory::Sku;
use jiff::Timestamp;
use serde::Serialize;
use shared::id::UserId;
use utoipa::ToSchema;

use crate::money::Money;
use crate::order::{
    Line, MAX_TRIES, Order, OrderId, Reason, Refund, RefundId, RefundStatus, State,
};

/// The JSON of an order, for users and merchants.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub struct View {
    id: OrderId,
    status: Status,
    /// The customer.
    customer: UserId,
    /// The products, at the prices that the customer saw.
    lines: Vec<Line>,
    /// The sum of the lines.
    total: Money,
    /// The sum of the successful refunds.
    refunded: Money,
    /// The refunds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundView>,
    /// The provider's code for the last decline. Present while the order waits for another payment method, or
    /// if the order has ended as declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<String>,
    /// The number of payment methods that may still be tried. Present while the order waits for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    tries_left: Option<u32>,
    /// Why the order ends unpaid.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// The products whose full quantity did not fit into the cart, after the order has ended unpaid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_in_cart: Vec<Sku>,
    /// When the order was placed.
    placed_at: Timestamp,
    /// When the order last changed.
    changed_at: Timestamp,
    /// The time until which the order must be paid. Present while the order can be cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

/// The status of an order, for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderStatus)]
enum Status {
    /// A worker is processing the order.
    Processing,
    /// The customer must act, for example complete 3-D Secure.
    ActionRequired,
    /// The payment method was declined. The customer must give another one.
    PaymentRequired,
    /// The order is paid.
    Confirmed,
    /// The order is being cancelled.
    Cancelling,
    /// The order has ended unpaid.
    Cancelled,
}

/// A refund of an order.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
struct RefundView {
    id: RefundId,
    /// The refunded amount.
    amount: Money,
    status: RefundStatus,
    /// The provider's code for the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl View {
    /// The order's id.
    #[must_use]
    pub fn id(&self) -> OrderId {
        self.id
    }

    /// Creates the view of an order.
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
