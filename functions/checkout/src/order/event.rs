//! What can happen to an order. Events are facts: they are written once and never changed.

use inventory::Sku;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{TenantId, UserId};

use super::{DisputeStatus, Funds, Line, OrderId, Origin, PaymentId, RefundId};
use crate::money::Money;

/// An event, and when it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The order.
    pub order: OrderId,
    /// Its place in the order's history, from 1.
    pub version: u32,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A customer ordered; the stock is reserved until `expires_at`.
    Placed(Placed),
    /// The provider knows of the payment, which has moved nothing yet.
    PaymentCreated {
        /// The provider's id of it. No other is ever confirmed for this order.
        payment: PaymentId,
    },
    /// The customer has to do something, such as 3-D Secure.
    ActionRequired,
    /// The money is held.
    PaymentAuthorised,
    /// A means of payment was declined, or is none that the provider knows. The customer may give
    /// another, for the same payment.
    MeansDeclined {
        /// The provider's code, such as `card_declined`.
        code: String,
    },
    /// The customer gave another means of payment.
    MeansGiven {
        /// The provider's id of it.
        payment_method: String,
    },
    /// The payment was declined for good: too often, or it was ended at the provider. The order ends.
    PaymentDeclined {
        /// The provider's code, such as `card_declined`.
        code: String,
    },
    /// The provider takes no such payment, whatever the means: our request or our account at the
    /// provider is at fault. The order ends.
    PaymentRefused {
        /// The provider's code, such as `amount_too_small`.
        code: String,
    },
    /// From here on the order cannot be cancelled: the money is about to be taken, and the stock is the
    /// order's for good.
    CaptureStarted,
    /// The money is taken.
    PaymentCaptured,
    /// The provider will not give the money that it held.
    CaptureFailed {
        /// The provider's code.
        code: String,
    },
    /// Paid, and the stock has left.
    Confirmed,
    /// The order is to end without a payment.
    CancelRequested {
        /// Why.
        reason: Reason,
    },
    /// What was held is let go, or the payment can never hold anything.
    PaymentVoided,
    /// It has ended without a payment; the stock is back, and what was ordered is in the cart again.
    Cancelled {
        /// The products of which the cart could not take back all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        not_in_cart: Vec<Sku>,
    },
    /// Money is to go back.
    RefundRequested {
        /// Which refund this is.
        refund: RefundId,
        /// How much.
        amount: Money,
    },
    /// It went back.
    RefundSucceeded {
        /// Which.
        refund: RefundId,
        /// The provider's id of it.
        provider_id: String,
    },
    /// The provider has the refund and has not decided on it.
    RefundPending {
        /// Which.
        refund: RefundId,
        /// The provider's id of it.
        provider_id: String,
    },
    /// It did not go back, and will not.
    RefundFailed {
        /// Which.
        refund: RefundId,
        /// The provider's code.
        code: String,
    },
    /// It went back, and the customer's bank has returned it.
    RefundReversed {
        /// Which.
        refund: RefundId,
        /// The provider's code.
        code: String,
    },
    /// The provider has sent money back that we did not ask it to.
    RefundFound {
        /// The provider's id of the refund.
        provider_id: String,
        /// How much.
        amount: Money,
        /// Whose it is.
        origin: Origin,
    },
    /// A refund that we did not ask for has been returned by the customer's bank.
    FoundRefundReversed {
        /// The provider's id of it.
        provider_id: String,
        /// The provider's code.
        code: String,
    },
    /// A dispute was opened, or stands elsewhere.
    DisputeMoved {
        /// The provider's id of it.
        dispute: String,
        /// How much is disputed.
        amount: Money,
        /// How it stands.
        status: DisputeStatus,
        /// Where the money is.
        funds: Funds,
        /// How much of it was given back, if not all of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reinstated: Option<Money>,
    },
    /// The order is to end without a payment, and somebody has taken the money at the provider. It is to
    /// go back.
    CaptureFound {
        /// How much was taken.
        amount: Money,
        /// By which refund it goes back.
        refund: RefundId,
    },
}

/// An order, as it was placed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// Who ordered.
    pub customer: UserId,
    /// The customer's tenant.
    pub tenant: TenantId,
    /// What, each product once.
    pub lines: Vec<Line>,
    /// What it costs in all.
    pub total: Money,
    /// The provider's id of the means of payment that the order was placed with.
    pub payment_method: String,
    /// Until when the stock is held.
    pub expires_at: Timestamp,
}

/// Why an order ends without a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The customer wanted it so.
    Customer,
    /// The shop wanted it so.
    Shop,
    /// The payment was declined too often, or what was held could not be taken.
    Declined,
    /// The provider takes no such payment. The means of payment is not at fault.
    Refused,
    /// It was not paid in time.
    Expired,
}
