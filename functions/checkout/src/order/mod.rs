//! An order is what its events make of it.
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
//! [`Order::apply`] is the only way to a state, and refuses an event that does not follow.

pub mod event;
mod money_back;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{Id, Kind};

pub use event::{Event, Placed, Reason, Recorded};
pub use money_back::{
    Dispute, DisputeStatus, Found, Funds, MAX_FOUND, MAX_REFUNDS, Origin, Refund, RefundStatus,
};

use crate::money::Money;

/// An order's name.
#[derive(Debug)]
pub enum OrderKind {}
impl Kind for OrderKind {
    const PREFIX: &'static str = "ord";
}
/// An order's id.
pub type OrderId = Id<OrderKind>;

/// A refund's name.
#[derive(Debug)]
pub enum RefundKind {}
impl Kind for RefundKind {
    const PREFIX: &'static str = "rfn";
}
/// A refund's id.
pub type RefundId = Id<RefundKind>;

/// How many means of payment are tried for an order before it ends.
pub const MAX_TRIES: u32 = 5;

/// The provider's id of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PaymentId(pub String);

/// So much of a product, at the price that the customer was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The product.
    pub sku: inventory::Sku,
    /// Its name, as it was then.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// What one costs.
    pub unit_price: Money,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// How many events have made it.
    pub version: u32,
    /// What was ordered.
    pub placed: Placed,
    /// When.
    pub placed_at: Timestamp,
    /// When the last thing happened.
    pub changed_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// The payment, once the provider knows of it.
    pub payment: Option<PaymentId>,
    /// Whether its money was held, so that the ledger has it pending.
    pub was_authorised: bool,
    /// The means of payment that the customer gave after the first was declined.
    #[serde(default)]
    pub means: Option<String>,
    /// How many means of payment were declined.
    #[serde(default)]
    pub declines: u32,
    /// The provider's code of the last decline.
    #[serde(default)]
    pub decline_code: Option<String>,
    /// Why it is to end without a payment, or has.
    pub reason: Option<Reason>,
    /// The products of which the cart could not take back all, once the order has ended unpaid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_in_cart: Vec<inventory::Sku>,
    /// The refunds that we asked for.
    pub refunds: BTreeMap<RefundId, Refund>,
    /// The refunds at the provider that we did not ask for, by the provider's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub found: BTreeMap<String, Found>,
    /// The disputes, by the provider's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disputes: BTreeMap<String, Dispute>,
    /// What somebody took at the provider of an order that ends without a payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured_by_hand: Option<Money>,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is placed, and its stock is held.
    Placed,
    /// The provider knows of the payment.
    Created,
    /// The customer has to do something about the payment.
    ActionRequired,
    /// The means of payment was declined; the customer has to give another.
    PaymentRequired,
    /// The money is held.
    Authorised,
    /// The money is being taken. There is no way back but a refund.
    Capturing,
    /// The money is taken.
    Captured,
    /// Paid, and the stock has left.
    Confirmed,
    /// It is to end; what is held is being let go.
    Cancelling,
    /// Nothing is held any more.
    Voided,
    /// It has ended.
    Cancelled,
}

/// What is to be done next for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Tell the provider of the payment.
    CreatePayment,
    /// Have the provider hold the money.
    Authorise(PaymentId),
    /// Wait for another means of payment, and see whether the money is held nevertheless.
    AwaitMeans(Option<PaymentId>),
    /// Make the stock the order's for good, and cancelling impossible.
    StartCapture,
    /// Have the provider take the money.
    Capture(PaymentId),
    /// Let the stock leave.
    Confirm,
    /// Have the provider let go of what it holds, if it may hold something.
    Void(Option<PaymentId>),
    /// Put the stock back, and what was ordered into the cart.
    Release,
    /// Have the provider send money back.
    Refund(PaymentId, RefundId, Money),
}

/// An event that does not follow from where the order stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event} does not follow {state:?}")]
pub struct Illegal {
    /// Where the order stands, if it was placed.
    pub state: Option<State>,
    /// The event.
    pub event: &'static str,
}

impl Order {
    /// The order that these events make.
    ///
    /// # Errors
    /// When one does not follow from those before it.
    pub fn of(events: impl IntoIterator<Item = Recorded>) -> Result<Option<Self>, Illegal> {
        events.into_iter().try_fold(None, |order, event| Self::apply(order, event).map(Some))
    }

    /// The order after one more event.
    ///
    /// # Errors
    /// When the event does not follow from where the order stands.
    pub fn apply(order: Option<Self>, recorded: Recorded) -> Result<Self, Illegal> {
        let illegal = |state| Illegal { state, event: recorded.event.name() };
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
        order.follow(recorded.event).ok_or(illegal)?;
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

    /// The one table of what follows what.
    fn follow(&mut self, event: Event) -> Option<()> {
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
                self.refunds.insert(refund, Refund::asked_for(amount));
                Voided
            }
            (state @ (Confirmed | Cancelled), event) if self.taken() > 0 => {
                self.follow_money_back(event)?;
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

    /// Whether it can still end without a payment.
    #[must_use]
    pub fn can_cancel(&self) -> bool {
        use State::{ActionRequired, Authorised, Created, PaymentRequired, Placed};
        matches!(self.state, Placed | Created | ActionRequired | PaymentRequired | Authorised)
    }

    /// Whether nothing happens until the customer does something.
    #[must_use]
    pub fn waits_for_customer(&self) -> bool {
        matches!(self.state, State::ActionRequired | State::PaymentRequired)
    }

    /// The provider's id of the means of payment that is to be used.
    #[must_use]
    pub fn payment_method(&self) -> &str {
        self.means.as_ref().unwrap_or(&self.placed.payment_method)
    }

    /// Whether it has come to an end, from which only refunds lead on.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Confirmed | State::Cancelled)
    }

    /// What is to be done next, if anything is but to wait.
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
                // What the provider has is waited for, and holds up no other refund.
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
    /// The event's name, as it is written.
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
