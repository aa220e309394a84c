//! A client of the payment provider, through [Stripe's API](https://docs.stripe.com/api/payment_intents).
//!
//! A worker creates a payment first, which moves no money. It records the payment's id and confirms only
//! this payment. A provider without idempotency keys makes two payments of a repeated creation. Still only
//! one of them is confirmed, and at most once, because a payment can be confirmed in one state only.
//! Refunds have no second phase: each has an idempotency key, and a worker lists the provider's refunds
//! before it sends one.

pub mod movements;
mod refunds;
mod stripe;
pub mod webhook;

use std::fmt;

use serde::Deserialize;
use shared::Error;
use shared::fault::Lost;

pub use refunds::{ProviderDispute, ProviderRefund, RefundState};
pub use stripe::{Stripe, TIME_LIMIT};

use crate::money::Currency;
use crate::order::{OrderId, PaymentId};

/// The metric that counts requests that fail because of our configuration: the provider refuses our API
/// key, or it refuses the payment for every payment method.
pub const MISCONFIGURED: &str = "PaymentsMisconfigured";

/// A payment at the provider.
#[derive(Clone, PartialEq, Eq)]
pub struct Payment {
    /// The provider's id.
    pub id: PaymentId,
    /// The status.
    pub status: Status,
    /// The amount, in minor units.
    pub amount: u64,
    /// The currency.
    pub currency: Currency,
    /// The client secret, with which the customer's browser completes 3-D Secure.
    pub client_secret: Option<String>,
    /// The code of the last failed confirmation.
    pub decline: Option<String>,
    /// The captured amount, in minor units, if the provider gives it.
    pub received: Option<u64>,
    /// The order, if the payment belongs to one of our orders.
    pub order: Option<OrderId>,
}

impl Payment {
    /// The captured amount, in minor units.
    #[must_use]
    pub fn captured(&self) -> u64 {
        if self.status == Status::Succeeded { self.received.unwrap_or(self.amount) } else { 0 }
    }
}

/// Omits the client secret, which only the customer may see.
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

/// The status of a payment, with Stripe's names
/// (<https://docs.stripe.com/payments/paymentintents/lifecycle>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The payment was declined, or has no payment method.
    RequiresPaymentMethod,
    /// The payment is not confirmed. No money has moved.
    RequiresConfirmation,
    /// The customer must act, for example complete 3-D Secure.
    RequiresAction,
    /// The provider is processing the payment.
    Processing,
    /// The provider holds the money.
    RequiresCapture,
    /// The provider has captured the money.
    Succeeded,
    /// The payment is cancelled. The provider holds no money.
    Canceled,
}

/// Why a request to the provider failed.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The bank or the provider declined the payment method. The value is the provider's code.
    #[error("declined: {0}")]
    Declined(String),
    /// The provider refused the request. The caller must read the current state.
    #[error("refused with {status}: {code}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The provider's error code, or its message.
        code: String,
        /// The invalid parameter of the request, if the provider names one.
        param: Option<String>,
    },
    /// The outcome is unknown: there was no response, or no readable response of the provider.
    #[error("the outcome of a request to the provider is unknown: {}", .0.trail())]
    Unknown(Error),
}

impl PaymentError {
    /// The provider's code, if the payment method is the cause of the error, so that another payment method
    /// may succeed (<https://docs.stripe.com/error-codes>).
    #[must_use]
    pub fn payment_method_code(&self) -> Option<&str> {
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

/// The idempotency key of a request about an order.
#[must_use]
pub fn key(order: OrderId, request: &str) -> String {
    format!("{order}/{request}")
}

/// Parses a currency as the provider writes it, in small letters.
fn currency(code: &str) -> Result<Currency, PaymentError> {
    let currency = code.to_uppercase().parse();
    currency.map_err(|error: crate::money::InvalidCurrency| PaymentError::Unknown(error.into()))
}
