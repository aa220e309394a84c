//! Refunds that we request, and refunds and disputes that we find at the provider.

use std::time::Duration;

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use shared::batch::Failure;
use shared::fault::point;
use shared::{Error, Result};

use super::{Saga, StepOutcome};
use crate::ledger::{Movement, Outcome, Transfer};
use crate::money::Money;
use crate::order::{
    Dispute, Event, Funds, Order, OrderId, Origin, PaymentId, Refund, RefundId, RefundStatus,
};
use crate::payments::{self, Payment, PaymentError, ProviderDispute, ProviderRefund, RefundState};
use crate::store::{AppendOutcome, HeldOrder};

/// The provider's records of a payment.
struct ProviderRecords {
    refunds: Vec<ProviderRefund>,
    disputes: Vec<ProviderDispute>,
}

impl Saga {
    /// Compares the order of a payment with the provider's refunds and disputes. The order id comes from the
    /// provider, so the table needs no index by payment. This costs one request for each payment; such
    /// payments are few.
    pub async fn compare_payment(&self, id: &PaymentId, until: Timestamp) -> Result<(), Failure> {
        let payment = match point("payments.retrieve", || self.payments.retrieve(id)).await {
            Ok(payment) => payment,
            Err(PaymentError::Unknown(error)) => return Err(error.into()),
            Err(refused) => {
                tracing::warn!(payment_id = id.0, error = %refused, "the provider does not know the payment");
                return Ok(());
            }
        };
        let Some(order) = payment.order else { return Ok(()) };
        let known = self.store.order(order).await?.and_then(|order| order.payment);
        if known.as_ref() != Some(id) {
            tracing::warn!(order_id = %order, payment_id = id.0, "the order has another payment");
            return Ok(());
        }
        self.run_steps(order, until, true).await
    }

    /// Appends one event for each difference between the order and the provider's refunds and disputes, then
    /// releases the lease.
    pub(super) async fn compare(&self, mut held: HeldOrder) -> Result<(), Failure> {
        let paid = held.order.payment.clone().filter(|_| held.order.captured() > 0);
        let Some(payment) = paid else { return Ok(self.release_lease(&held, None).await?) };
        let known = match self.provider_records(&payment).await {
            Ok(known) => known,
            Err(error) => return Err(self.release_failed(&held, error).await?),
        };
        while let Some(event) = known.difference(&held.order) {
            let (name, writes) = (event.name(), self.ledger_writes(&held.order, &event)?);
            match self.append(&held, event, writes).await? {
                AppendOutcome::Made(next) => held = *next,
                AppendOutcome::Refused => {
                    self.release_lease(&held, None).await?;
                    return Err(Failure::retry_after("the order has changed", Duration::ZERO));
                }
            }
            tracing::info!(order_id = %held.order.id, event = name, "event appended from the provider's records");
        }
        match known.check_known(&held.order) {
            Ok(()) => Ok(self.release_lease(&held, None).await?),
            Err(error) => Err(self.release_failed(&held, error).await?),
        }
    }

    async fn provider_records(&self, payment: &PaymentId) -> Result<ProviderRecords> {
        Ok(ProviderRecords {
            refunds: point("payments.refunds", || self.payments.refunds(payment)).await?,
            disputes: point("payments.disputes", || self.payments.disputes(payment)).await?,
        })
    }

    /// Sends a refund, unless the provider has it. Always lists the provider's refunds first; they are few.
    pub(super) async fn refund(
        &self,
        order: &Order,
        payment: &PaymentId,
        (refund, amount): (RefundId, Money),
    ) -> Result<StepOutcome> {
        let refunded = if let Some(refunded) = self.find_refund(payment, refund).await? {
            refunded
        } else {
            let key = payments::key(order.id, &refund.to_string());
            let send = || self.payments.refund((order.id, payment), (refund, amount), &key);
            match point("payments.refund", send).await {
                Ok(refunded) => refunded,
                Err(PaymentError::Unknown(error)) => return Err(error),
                Err(PaymentError::Declined(code) | PaymentError::Refused { code, .. }) => {
                    // The reason may be that an earlier request was executed.
                    match self.find_refund(payment, refund).await? {
                        Some(refunded) => refunded,
                        None => {
                            return Ok(StepOutcome::event(Event::RefundFailed { refund, code }));
                        }
                    }
                }
            }
        };
        let event = match refunded.status {
            RefundState::Pending | RefundState::RequiresAction => {
                Event::RefundPending { refund, provider_id: refunded.id }
            }
            RefundState::Succeeded => Event::RefundSucceeded { refund, provider_id: refunded.id },
            RefundState::Failed | RefundState::Canceled => {
                Event::RefundFailed { refund, code: refunded.code() }
            }
            RefundState::Unknown(word) => return Err(unknown("refund", &refunded.id, word)),
        };
        let writes = self.ledger_writes(order, &event)?;
        Ok(StepOutcome::Event(event, writes))
    }

    /// The order ends unpaid, but somebody captured the payment at the provider. Books the captured amount
    /// and requests its refund.
    pub(super) fn refund_capture(&self, order: &Order, payment: &Payment) -> Result<StepOutcome> {
        if payment.currency != order.placed.total.currency {
            return Err(Error::internal(
                "the currency of the payment is not the currency of its order",
            ));
        }
        let amount = Money { amount: payment.captured(), ..order.placed.total };
        let event = Event::CaptureFound { amount, refund: self.ids.next() };
        let mut writes = self.ledger_writes(order, &event)?;
        if order.was_authorised {
            writes.push(self.resolution(order, Outcome::Voided)?);
        }
        Ok(StepOutcome::Event(event, writes))
    }

    /// The provider's refund with our refund id. If there are several, the oldest.
    async fn find_refund(
        &self,
        payment: &PaymentId,
        refund: RefundId,
    ) -> Result<Option<ProviderRefund>> {
        let known = point("payments.refunds", || self.payments.refunds(payment)).await?;
        Ok(known.into_iter().rfind(|known| known.refund == Some(refund)))
    }

    /// The ledger writes for an event about refunds or disputes.
    fn ledger_writes(&self, order: &Order, event: &Event) -> Result<Vec<TransactWriteItem>> {
        let at = self.clock.now();
        let transfer = |movement| self.store.transfer(&Transfer { movement, pending: false, at });
        movements(order, event).into_iter().map(transfer).collect()
    }
}

/// The movements of an event about refunds or disputes. An event that is not final has none.
fn movements(order: &Order, event: &Event) -> Vec<Movement> {
    let id: OrderId = order.id;
    let amount_of = |refund: &RefundId| order.refunds.get(refund).map(|refund| refund.amount);
    match event {
        Event::CaptureFound { amount, .. } => vec![Movement::captured_by_hand(id, *amount)],
        Event::RefundSucceeded { refund, .. } => {
            let moved = amount_of(refund).map(|amount| Movement::refund(id, *refund, amount));
            moved.into_iter().collect()
        }
        Event::RefundReversed { refund, .. } => {
            let moved = |amount| Movement::reversal(id, refund.to_string(), amount);
            amount_of(refund).map(moved).into_iter().collect()
        }
        Event::RefundFound { provider_id, amount, origin } => {
            vec![Movement::found(id, (provider_id.clone(), *origin), *amount)]
        }
        Event::FoundRefundReversed { provider_id, .. } => {
            let moved = order.found.get(provider_id).map(|found| found.amount);
            let moved = moved.map(|amount| Movement::reversal(id, provider_id.clone(), amount));
            moved.into_iter().collect()
        }
        &Event::DisputeMoved { ref dispute, amount, status, funds, reinstated } => {
            let before = order.disputes.get(dispute);
            let after = Dispute::moved(before, amount, (status, funds), reinstated);
            Movement::of_dispute(id, dispute, before, &after)
        }
        _ => Vec::new(),
    }
}

impl ProviderRecords {
    /// The first difference between the provider's records and the order, as an event.
    fn difference(&self, order: &Order) -> Option<Event> {
        // The provider lists the newest first.
        let refund = self.refunds.iter().rev().find_map(|refund| self.refund_event(order, refund));
        refund.or_else(|| self.disputes.iter().find_map(|dispute| dispute_event(order, dispute)))
    }

    fn refund_event(&self, order: &Order, known: &ProviderRefund) -> Option<Event> {
        let id = &known.id;
        if let Some((refund, ours)) = self.our_refund(order, known) {
            return our_refund_event(refund, ours, known);
        }
        match (order.found.get(id), &known.status) {
            (None, RefundState::Succeeded) => {
                let is_doubled = known.refund.is_some_and(|it| order.refunds.contains_key(&it));
                let origin = if is_doubled { Origin::Doubled } else { Origin::ByHand };
                let amount = Money { amount: known.amount, ..order.placed.total };
                Some(Event::RefundFound { provider_id: id.clone(), amount, origin })
            }
            (Some(found), RefundState::Failed | RefundState::Canceled) if !found.has_failed => {
                let code = known.code();
                Some(Event::FoundRefundReversed { provider_id: id.clone(), code })
            }
            _ => None,
        }
    }

    /// Our refund that belongs to the provider's refund. If our refund has no provider id stored, the
    /// provider's oldest refund with our id belongs to it.
    fn our_refund<'a>(
        &self,
        order: &'a Order,
        known: &ProviderRefund,
    ) -> Option<(RefundId, &'a Refund)> {
        let refund = known.refund?;
        let ours = order.refunds.get(&refund)?;
        let is_match = match &ours.provider_id {
            Some(id) => *id == known.id,
            // The provider refused our request, so somebody else made this refund.
            None if ours.status == RefundStatus::Failed => false,
            None => {
                let first = self.refunds.iter().rfind(|other| other.refund == Some(refund));
                first.is_some_and(|first| first.id == known.id)
            }
        };
        is_match.then_some((refund, ours))
    }

    /// Fails if a status or currency in the provider's records is unknown. This check comes last, so that
    /// one unknown status does not delay the other refunds and disputes.
    fn check_known(&self, order: &Order) -> Result<()> {
        for refund in &self.refunds {
            if let RefundState::Unknown(word) = &refund.status {
                return Err(unknown("refund", &refund.id, word.clone()));
            }
        }
        for dispute in &self.disputes {
            if let Err(word) = &dispute.status {
                return Err(unknown("dispute", &dispute.id, Some(word.clone())));
            }
            if dispute.currency != order.placed.total.currency {
                return Err(Error::internal(
                    "the currency of the dispute is not the currency of the order",
                ));
            }
        }
        Ok(())
    }
}

fn our_refund_event(refund: RefundId, ours: &Refund, known: &ProviderRefund) -> Option<Event> {
    let provider_id = known.id.clone();
    match (ours.status, &known.status) {
        (RefundStatus::Pending, RefundState::Pending | RefundState::RequiresAction) => {
            let is_new = ours.provider_id.is_none();
            is_new.then_some(Event::RefundPending { refund, provider_id })
        }
        (RefundStatus::Pending, RefundState::Succeeded) => {
            Some(Event::RefundSucceeded { refund, provider_id })
        }
        (RefundStatus::Pending, RefundState::Failed | RefundState::Canceled) => {
            Some(Event::RefundFailed { refund, code: known.code() })
        }
        (RefundStatus::Succeeded, RefundState::Failed | RefundState::Canceled) => {
            Some(Event::RefundReversed { refund, code: known.code() })
        }
        (_, RefundState::Unknown(_))
        | (RefundStatus::Failed, _)
        | (
            RefundStatus::Succeeded,
            RefundState::Pending | RefundState::RequiresAction | RefundState::Succeeded,
        ) => None,
    }
}

fn dispute_event(order: &Order, known: &ProviderDispute) -> Option<Event> {
    let status = *known.status.as_ref().ok()?;
    let total = order.placed.total;
    let before = order.disputes.get(&known.id);
    let funds = before.map_or(known.funds, |before| before.funds.max(known.funds));
    if known.currency != total.currency
        || before.is_some_and(|before| (before.status, before.funds) == (status, funds))
    {
        return None;
    }
    // The withdrawn amount stays the amount of the dispute.
    let withdrawn = before.filter(|before| before.funds != Funds::Untouched);
    let amount = withdrawn.map_or(Money { amount: known.amount, ..total }, |before| before.amount);
    let part = known.reinstated.filter(|part| *part < amount.amount);
    let reinstated = part.map(|part| Money { amount: part, ..total });
    Some(Event::DisputeMoved { dispute: known.id.clone(), amount, status, funds, reinstated })
}

fn unknown(what: &str, id: &str, word: Option<String>) -> Error {
    let word = word.unwrap_or_else(|| "none".into());
    Error::internal(format!("the provider's {what} {id} has an unknown status: {word}"))
}
