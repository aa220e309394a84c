//! The events of an order. An event is written once and never changed.

use inventory::Sku;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{TenantId, UserId};
use utoipa::ToSchema;

use super::{DisputeStatus, Funds, Line, OrderId, Origin, PaymentId, RefundId};
use crate::money::Money;

/// An event with its order, its version and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The order.
    pub order: OrderId,
    /// The sequence number within the order's history, from 1.
    pub version: u32,
    /// The time of the event.
    pub at: Timestamp,
    /// The event.
    pub event: Event,
}

/// An event of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A customer placed the order. The stock is reserved until `expires_at`.
    Placed(Placed),
    /// The provider has created the payment. No money has moved.
    PaymentCreated {
        /// The provider's id of the payment. The order never confirms another payment.
        payment: PaymentId,
    },
    /// The customer must act, for example complete 3-D Secure.
    ActionRequired,
    /// The provider holds the money.
    PaymentAuthorised,
    /// A payment method was declined, or the provider does not know it. The customer may give another one
    /// for the same payment.
    MeansDeclined {
        /// The provider's code, such as `card_declined`.
        code: String,
    },
    /// The customer gave another payment method.
    MeansGiven {
        /// The provider's id.
        payment_method: String,
    },
    /// The payment was declined too often, or somebody cancelled it or changed its amount at the provider. The
    /// order ends.
    PaymentDeclined {
        /// The provider's code, such as `card_declined`.
        code: String,
    },
    /// The provider refuses the payment for every payment method, because of our request or our account. The
    /// order ends.
    PaymentRefused {
        /// The provider's code, such as `amount_too_small`.
        code: String,
    },
    /// The capture starts and the stock is committed. From here on the order cannot be cancelled.
    CaptureStarted,
    /// The provider captured the money.
    PaymentCaptured,
    /// The provider cannot capture the money that it held.
    CaptureFailed {
        /// The provider's code.
        code: String,
    },
    /// The order is paid and its stock is consumed.
    Confirmed,
    /// The order must end unpaid.
    CancelRequested {
        /// The reason.
        reason: Reason,
    },
    /// The provider holds no money for the order and never will.
    PaymentVoided,
    /// The order has ended unpaid. Its stock is released and its lines are in the cart again.
    Cancelled {
        /// The products whose full quantity did not fit into the cart.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        not_in_cart: Vec<Sku>,
    },
    /// A refund was requested.
    RefundRequested {
        /// The refund.
        refund: RefundId,
        /// The amount.
        amount: Money,
    },
    /// The refund succeeded.
    RefundSucceeded {
        /// The refund.
        refund: RefundId,
        /// The provider's id.
        provider_id: String,
    },
    /// The provider has accepted the refund; its outcome is open.
    RefundPending {
        /// The refund.
        refund: RefundId,
        /// The provider's id.
        provider_id: String,
    },
    /// The refund failed for good.
    RefundFailed {
        /// The refund.
        refund: RefundId,
        /// The provider's code.
        code: String,
    },
    /// The refund had succeeded, and the customer's bank returned the money to us.
    RefundReversed {
        /// The refund.
        refund: RefundId,
        /// The provider's code.
        code: String,
    },
    /// The provider has a refund that we did not request.
    RefundFound {
        /// The provider's id of the refund.
        provider_id: String,
        /// The amount.
        amount: Money,
        /// Who made the refund.
        origin: Origin,
    },
    /// The customer's bank returned a refund that we did not request.
    FoundRefundReversed {
        /// The provider's id.
        provider_id: String,
        /// The provider's code.
        code: String,
    },
    /// A dispute was opened, or its status or money changed.
    DisputeMoved {
        /// The provider's id.
        dispute: String,
        /// The disputed amount.
        amount: Money,
        /// The status.
        status: DisputeStatus,
        /// Where the money is.
        funds: Funds,
        /// The returned amount, if the provider returned only a part.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reinstated: Option<Money>,
    },
    /// The order must end unpaid, but somebody captured the payment at the provider. The captured amount
    /// must be refunded.
    CaptureFound {
        /// The captured amount.
        amount: Money,
        /// The refund of the captured amount.
        refund: RefundId,
    },
}

/// The data of a new order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The customer.
    pub customer: UserId,
    /// The customer's tenant.
    pub tenant: TenantId,
    /// The lines, one for each product.
    pub lines: Vec<Line>,
    /// The total price.
    pub total: Money,
    /// The provider's id of the first payment method.
    pub payment_method: String,
    /// The time when the stock reservation expires.
    pub expires_at: Timestamp,
}

/// Why an order ends unpaid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EndReason)]
pub enum Reason {
    /// The customer cancelled it.
    Customer,
    /// The shop cancelled it.
    Shop,
    /// The payment was declined too often, was cancelled or changed at the provider, or could not be captured.
    Declined,
    /// The provider refuses the payment for every payment method.
    Refused,
    /// The order was not paid in time.
    Expired,
}
