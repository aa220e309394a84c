//! An order, as the fold of its events.
//!
//! ```text
//! placed ─▶ created ─▶ authorised ─▶ capturing ─▶ captured ─▶ confirmed ─▶ (refunds)
//!   │ ▲       │ ▲ ▲        │             │
//!   │ │       │ │ ▼        │             ▼ capture failed
//!   │ │       │ │ action required    cancelling ─▶ voided ─▶ cancelled
//!   │ │       │ │ │        │             ▲
//!   ▼ │       ▼ │ ▼        │             │
//!  payment required        │             │
//!   └─────────┴────────────┴─────────────┘
//! ```
//!
//! [`Order::apply`] is the only way to change the state. It refuses an event that is illegal in the
//! current state.

pub mod event;
mod money_back;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{Id, Kind, TenantId, UserId};
use shared::policy::Owned;
use utoipa::ToSchema;

pub use event::{Event, Placed, Reason, Recorded};
pub use money_back::{
    Dispute, DisputeStatus, FoundRefund, Funds, MAX_FOUND, MAX_REFUNDS, Origin, Refund,
    RefundStatus,
};

use crate::money::Money;

/// The kind of [`OrderId`].
#[derive(Debug)]
pub enum OrderKind {}
impl Kind for OrderKind {
    const PREFIX: &'static str = "ord";
}
/// An order's id.
pub type OrderId = Id<OrderKind>;

/// The kind of [`RefundId`].
#[derive(Debug)]
pub enum RefundKind {}
impl Kind for RefundKind {
    const PREFIX: &'static str = "rfn";
}
/// A refund's id.
pub type RefundId = Id<RefundKind>;

/// The maximum number of declined payment methods. With the last one the order ends.
pub const MAX_TRIES: u32 = 5;

/// The provider's id of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PaymentId(pub String);

/// A quantity of one product, at the price that the customer saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderLine)]
pub struct Line {
    /// The product.
    pub sku: inventory::Sku,
    /// The product's name when the order was placed.
    pub name: String,
    /// The quantity.
    pub quantity: u32,
    /// The price of one unit.
    pub unit_price: Money,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The id.
    pub id: OrderId,
    /// The number of events.
    pub version: u32,
    /// The data of the order when it was placed.
    pub placed: Placed,
    /// The time of the first event.
    pub placed_at: Timestamp,
    /// The time of the last event.
    pub changed_at: Timestamp,
    /// The state.
    pub state: State,
    /// The payment, after the provider has created it.
    pub payment: Option<PaymentId>,
    /// Whether the payment was authorised. If so, the ledger has a pending transfer for it.
    pub was_authorised: bool,
    /// The payment method that the customer gave last, after a decline.
    #[serde(default)]
    pub means: Option<String>,
    /// The number of declined payment methods.
    #[serde(default)]
    pub declines: u32,
    /// The provider's code for the last decline.
    #[serde(default)]
    pub decline_code: Option<String>,
    /// Why the order ends unpaid.
    pub reason: Option<Reason>,
    /// The products whose full quantity did not fit into the cart, after the order has ended unpaid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_in_cart: Vec<inventory::Sku>,
    /// The refunds that we requested.
    pub refunds: BTreeMap<RefundId, Refund>,
    /// The refunds at the provider that we did not request, by the provider's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub found: BTreeMap<String, FoundRefund>,
    /// The disputes, by the provider's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disputes: BTreeMap<String, Dispute>,
    /// The amount that somebody captured at the provider, if the order ends unpaid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured_by_hand: Option<Money>,
}

/// The state of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderState)]
pub enum State {
    /// The order is placed and its stock is held.
    Placed,
    /// The provider has created the payment.
    Created,
    /// The customer must act, for example complete 3-D Secure.
    ActionRequired,
    /// The payment method was declined. The customer must give another one.
    PaymentRequired,
    /// The provider holds the money.
    Authorised,
    /// The capture has started. From here on only a refund returns the money.
    Capturing,
    /// The provider has captured the money.
    Captured,
    /// The order is paid and its stock is consumed.
    Confirmed,
    /// The order must end unpaid. The payment is being voided.
    Cancelling,
    /// The provider holds no money.
    Voided,
    /// The order has ended unpaid.
    Cancelled,
}

/// The next step of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create the payment at the provider.
    CreatePayment,
    /// Confirm the payment, so that the provider holds the money.
    Authorise(PaymentId),
    /// Wait for another payment method, and check whether the provider holds the money anyway.
    AwaitMeans(Option<PaymentId>),
    /// Commit the stock. From then on the order cannot be cancelled.
    StartCapture,
    /// Capture the money.
    Capture(PaymentId),
    /// Consume the stock.
    Confirm,
    /// Cancel the payment, if there is one.
    Void(Option<PaymentId>),
    /// Release the stock and return the lines to the cart.
    Release,
    /// Send a refund to the provider.
    Refund(PaymentId, RefundId, Money),
}

/// The event is illegal in the state of the order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {event} is illegal in state {state:?}")]
pub struct IllegalEvent {
    /// The state of the order. `None` if it is not placed.
    pub state: Option<State>,
    /// The event.
    pub event: &'static str,
}

impl Owned for Order {
    fn owner(&self) -> UserId {
        self.placed.customer
    }

    fn tenant(&self) -> TenantId {
        self.placed.tenant
    }
}

impl Order {
    /// Folds events into an order. `None` if there are no events.
    ///
    /// # Errors
    /// When an event is illegal in the state after the events before it.
    pub fn of(events: impl IntoIterator<Item = Recorded>) -> Result<Option<Self>, IllegalEvent> {
        events.into_iter().try_fold(None, |order, event| Self::apply(order, event).map(Some))
    }

    /// Applies one event.
    ///
    /// # Errors
    /// When the event is illegal in the state of the order, or belongs to another order or version.
    pub fn apply(order: Option<Self>, recorded: Recorded) -> Result<Self, IllegalEvent> {
        let illegal = |state| IllegalEvent { state, event: recorded.event.name() };
        let Some(mut order) = order else {
            let Event::Placed(placed) = recorded.event else { return Err(illegal(None)) };
            return Ok(Self::placed(recorded.order, recorded.at, placed));
        };
        let state = order.state;
        if recorded.order != order.id || recorded.version != order.version + 1 {
            return Err(illegal(Some(state)));
        }
        let illegal = illegal(Some(state));
        order.version = recorded.version;
        order.changed_at = recorded.at;
        order.transition(recorded.event).ok_or(illegal)?;
        Ok(order)
    }

    fn placed(id: OrderId, at: Timestamp, placed: Placed) -> Self {
        Self {
            id,
            version: 1,
            placed,
            placed_at: at,
            changed_at: at,
            state: State::Placed,
            payment: None,
            was_authorised: false,
            means: None,
            declines: 0,
            decline_code: None,
            reason: None,
            not_in_cart: Vec::new(),
            refunds: BTreeMap::new(),
            found: BTreeMap::new(),
            disputes: BTreeMap::new(),
            captured_by_hand: None,
        }
    }

    /// The transition table.
    fn transition(&mut self, event: Event) -> Option<()> {
        use State::{
            ActionRequired, Authorised, Cancelled, Cancelling, Captured, Capturing, Confirmed,
            Created, PaymentRequired, Placed, Voided,
        };
        self.state = match (self.state, event) {
            (Placed, Event::PaymentCreated { payment }) => {
                self.payment = Some(payment);
                Created
            }
            (Created, Event::ActionRequired) => ActionRequired,
            (Placed | Created | ActionRequired, Event::MeansDeclined { code })
                if self.declines + 1 < MAX_TRIES =>
            {
                self.declined(code);
                PaymentRequired
            }
            (PaymentRequired, Event::MeansGiven { payment_method }) => {
                self.means = Some(payment_method);
                if self.payment.is_some() { Created } else { Placed }
            }
            (Created | ActionRequired | PaymentRequired, Event::PaymentAuthorised)
                if self.payment.is_some() =>
            {
                self.was_authorised = true;
                Authorised
            }
            (
                Placed | Created | ActionRequired | PaymentRequired,
                Event::PaymentDeclined { code },
            )
            | (Capturing, Event::CaptureFailed { code }) => {
                self.declined(code);
                self.reason = Some(Reason::Declined);
                Cancelling
            }
            (Placed, Event::PaymentRefused { .. }) => {
                self.reason = Some(Reason::Refused);
                Cancelling
            }
            (_, Event::CancelRequested { reason }) if self.can_cancel() => {
                self.reason = Some(reason);
                Cancelling
            }
            (Authorised, Event::CaptureStarted) => Capturing,
            (Capturing, Event::PaymentCaptured) => Captured,
            (Captured, Event::Confirmed) => Confirmed,
            (Cancelling, Event::PaymentVoided) => Voided,
            (Voided, Event::Cancelled { not_in_cart }) => {
                self.not_in_cart = not_in_cart;
                Cancelled
            }
            (Cancelling, Event::CaptureFound { amount, refund })
                if self.payment.is_some() && amount.amount > 0 =>
            {
                self.captured_by_hand = Some(amount);
                self.refunds.insert(refund, Refund::requested(amount));
                Voided
            }
            (state @ (Confirmed | Cancelled), event) if self.captured() > 0 => {
                self.apply_to_ended(event)?;
                state
            }
            _ => return None,
        };
        Some(())
    }

    fn declined(&mut self, code: String) {
        self.declines += 1;
        self.decline_code = Some(code);
    }

    /// Whether the order can still be cancelled.
    #[must_use]
    pub fn can_cancel(&self) -> bool {
        use State::{ActionRequired, Authorised, Created, PaymentRequired, Placed};
        matches!(self.state, Placed | Created | ActionRequired | PaymentRequired | Authorised)
    }

    /// Whether the order waits for the customer.
    #[must_use]
    pub fn waits_for_customer(&self) -> bool {
        matches!(self.state, State::ActionRequired | State::PaymentRequired)
    }

    /// The provider's id of the current payment method.
    #[must_use]
    pub fn payment_method(&self) -> &str {
        self.means.as_ref().unwrap_or(&self.placed.payment_method)
    }

    /// Whether the order has ended. Only refunds and disputes can follow.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Confirmed | State::Cancelled)
    }

    /// The next step. `None` if there is nothing to do, or only to wait for a refund.
    #[must_use]
    pub fn next(&self) -> Option<Step> {
        Some(match (self.state, self.payment.clone()) {
            (State::Placed, _) => Step::CreatePayment,
            (State::Created | State::ActionRequired, Some(payment)) => Step::Authorise(payment),
            (State::PaymentRequired, payment) => Step::AwaitMeans(payment),
            (State::Authorised, _) => Step::StartCapture,
            (State::Capturing, Some(payment)) => Step::Capture(payment),
            (State::Captured, _) => Step::Confirm,
            (State::Cancelling, payment) => Step::Void(payment),
            (State::Voided, _) => Step::Release,
            (State::Confirmed | State::Cancelled, Some(payment)) => {
                // A refund that the provider has needs no step, so it does not block the others.
                let is_to_be_sent = |(_, refund): &(&RefundId, &Refund)| {
                    refund.status == RefundStatus::Pending && refund.provider_id.is_none()
                };
                let (id, refund) = self.refunds.iter().find(is_to_be_sent)?;
                Step::Refund(payment, *id, refund.amount)
            }
            _ => return None,
        })
    }
}

impl Event {
    /// The event's name, as stored.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Placed(_) => "placed",
            Self::PaymentCreated { .. } => "payment_created",
            Self::ActionRequired => "action_required",
            Self::PaymentAuthorised => "payment_authorised",
            Self::MeansDeclined { .. } => "means_declined",
            Self::MeansGiven { .. } => "means_given",
            Self::PaymentDeclined { .. } => "payment_declined",
            Self::PaymentRefused { .. } => "payment_refused",
            Self::CaptureStarted => "capture_started",
            Self::PaymentCaptured => "payment_captured",
            Self::CaptureFailed { .. } => "capture_failed",
            Self::Confirmed => "confirmed",
            Self::CancelRequested { .. } => "cancel_requested",
            Self::PaymentVoided => "payment_voided",
            Self::Cancelled { .. } => "cancelled",
            Self::RefundRequested { .. } => "refund_requested",
            Self::RefundSucceeded { .. } => "refund_succeeded",
            Self::RefundPending { .. } => "refund_pending",
            Self::RefundFailed { .. } => "refund_failed",
            Self::RefundReversed { .. } => "refund_reversed",
            Self::RefundFound { .. } => "refund_found",
            Self::FoundRefundReversed { .. } => "found_refund_reversed",
            Self::DisputeMoved { .. } => "dispute_moved",
            Self::CaptureFound { .. } => "capture_found",
        }
    }
}
