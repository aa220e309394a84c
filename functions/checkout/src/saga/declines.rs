//! What a refusal of the provider's means for an order.

use crate::order::{Event, MAX_TRIES, Order, State};
use crate::payments::{MISCONFIGURED, PaymentError, Status};

/// Whether the order's means of payment may be confirmed with a payment of this status. A payment that
/// was declined waits for another means. Whether it has refused this one already cannot be seen of it if
/// no answer came: it is asked again then, and holds the money once at most.
pub(super) fn can_confirm(order: &Order, status: Status) -> bool {
    match status {
        Status::RequiresConfirmation => order.state == State::Created,
        Status::RequiresPaymentMethod => order.state == State::Created && order.means.is_some(),
        _ => false,
    }
}

/// A means of payment is not taken: the customer may give another, [`MAX_TRIES`] in all.
pub(super) fn declined(order: &Order, code: String) -> Event {
    if order.declines + 1 < MAX_TRIES {
        Event::MeansDeclined { code }
    } else {
        Event::PaymentDeclined { code }
    }
}

/// The provider creates no payment.
pub(super) fn not_created(order: &Order, refused: PaymentError) -> Event {
    if let Some(code) = refused.of_means() {
        return declined(order, code.to_owned());
    }
    let code = match refused {
        PaymentError::Refused { code, .. } => code,
        other => other.to_string(),
    };
    tracing::error!(order_id = %order.id, code, "the provider takes no such payment, by any means");
    metrics::counter!(MISCONFIGURED).increment(1);
    Event::PaymentRefused { code }
}
