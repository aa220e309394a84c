//! The payment provider, which speaks [Stripe's API](https://docs.stripe.com/api/payment_intents).
//!
//! A payment is created first, which moves nothing; its id is recorded; only that one is then
//! confirmed. A provider that forgets idempotency keys makes two payments of a repeated creation, and
//! still only one is ever confirmed, at most once, for a payment can be confirmed in one state only.
//! Refunds have no such second phase: they carry a key, and before one is sent again the provider is
//! asked for those that it has.

pub mod movements;
mod refunds;
mod stripe;
pub mod webhook;

use std::fmt;

use serde::Deserialize;
use shared::Error;
use shared::fault::Lost;

pub use refunds::{Disputed, RefundState, Refunded};
pub use stripe::{Stripe, TIME_LIMIT};

use crate::money::Currency;
use crate::order::{OrderId, PaymentId};

/// The metric that counts requests which fail for our configuration: a key that the provider does not take,
/// or a payment that it does not take whatever the means.
pub const MISCONFIGURED: &str = "PaymentsMisconfigured";

/// A payment, as the provider has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// Where it stands.
    pub status: Status,
    /// How much, in minor units.
    pub amount: u64,
    /// In this currency.
    pub currency: Currency,
    /// With what the customer's browser goes on where something is asked of the customer.
    pub client_secret: Option<String>,
    /// Why the last attempt to hold the money failed.
    pub decline: Option<String>,
    /// How much was taken, in minor units, if the provider says so.
    pub received: Option<u64>,
    /// The order that it was made for, if it was made for one of ours.
    pub order: Option<OrderId>,
}

impl Payment {
    /// How much was taken, in minor units.
    #[must_use]
    pub fn taken(&self) -> u64 {
        if self.status == Status::Succeeded { self.received.unwrap_or(self.amount) } else { 0 }
    }
}

/// Without the client's secret, which is for the customer alone.
impl fmt::Debug for Payment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, status, amount, currency, decline, received, order, client_secret: _ } =
            self;
        let mut shown = f.debug_struct("Payment");
        shown.field("id", id).field("status", status).field("decline", decline);
        shown.field("received", received).field("order", order);
        shown.field("amount", amount).field("currency", currency).finish_non_exhaustive()
    }
}

/// Where a payment stands, in Stripe's words
/// (<https://docs.stripe.com/payments/paymentintents/lifecycle>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It was declined, or has no means of payment.
    RequiresPaymentMethod,
    /// Nothing has moved.
    RequiresConfirmation,
    /// The customer has to do something.
    RequiresAction,
    /// The provider is at it.
    Processing,
    /// The money is held.
    RequiresCapture,
    /// The money is taken.
    Succeeded,
    /// It has ended; nothing is held.
    Canceled,
}

/// Why the provider did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The bank or the provider says no.
    #[error("declined: {0}")]
    Declined(String),
    /// It is not possible as things stand, or never. What stands is to be asked for.
    #[error("refused with {status}: {code}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The provider's code, or its message.
        code: String,
        /// The parameter of the request that is at fault, if the provider names one.
        param: Option<String>,
    },
    /// Nobody knows what became of it: no answer, or none of the provider's that can be read.
    #[error("nobody knows what became of a request to the provider: {}", .0.trail())]
    Unknown(Error),
}

impl PaymentError {
    /// The provider's code, if it is the means of payment that is at fault: another may be taken.
    /// <https://docs.stripe.com/error-codes>
    #[must_use]
    pub fn of_means(&self) -> Option<&str> {
        match self {
            Self::Declined(code) => Some(code),
            Self::Refused { code, param, .. } => {
                let is_at_fault = param.as_deref() == Some("payment_method")
                    || code.starts_with("payment_method_")
                    || code == "payment_intent_incompatible_payment_method";
                is_at_fault.then_some(code)
            }
            Self::Unknown(_) => None,
        }
    }
}

impl Lost for PaymentError {
    fn lost() -> Self {
        Self::Unknown(Error::lost())
    }
}

/// What a request about an order is known by at the provider.
#[must_use]
pub fn key(order: OrderId, request: &str) -> String {
    format!("{order}/{request}")
}

/// A currency, as the provider writes it.
fn currency(code: &str) -> Result<Currency, PaymentError> {
    let currency = code.to_uppercase().parse();
    currency.map_err(|error: crate::money::InvalidCurrency| PaymentError::Unknown(error.into()))
}
