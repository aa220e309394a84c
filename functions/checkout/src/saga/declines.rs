//! The event for a refusal by the provider.

use crate::order::{Event, MAX_TRIES, Order, State};
use crate::payments::{MISCONFIGURED, PaymentError, Status};

/// Whether the payment, in this status, may be confirmed with the order's payment method. A declined
/// payment needs another payment method. If the response was lost, the status does not show whether the
/// provider has declined this payment method: the worker confirms again, and the provider holds the money
/// at most once.
pub(super) fn can_confirm(order: &Order, status: Status) -> bool {
    match status {
        Status::RequiresConfirmation => order.state == State::Created,
        Status::RequiresPaymentMethod => order.state == State::Created && order.means.is_some(),
        _ => false,
    }
}

/// The payment method was declined. The customer may give another one, until [`MAX_TRIES`] are
/// declined.
pub(super) fn declined(order: &Order, code: String) -> Event {
    if order.declines + 1 < MAX_TRIES {
        Event::MeansDeclined { code }
    } else {
        Event::PaymentDeclined { code }
    }
}

/// The provider refused to create the payment.
pub(super) fn not_created(order: &Order, refused: PaymentError) -> Event {
    if let Some(code) = refused.payment_method_code() {
        return declined(order, code.to_owned());
    }
    let code = match refused {
        PaymentError::Refused { code, .. } => code,
        other => other.to_string(),
    };
    tracing::error!(order_id = %order.id, code, "the provider refuses the payment for every payment method");
    metrics::counter!(MISCONFIGURED).increment(1);
    Event::PaymentRefused { code }
}
