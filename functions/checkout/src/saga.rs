//! Advances an order to its end, one step after the other.
//!
//! A worker **claims** the order with a lease, executes the next step, and writes the outcome as one
//! event. The same transaction writes the changes of stock and ledger. The events alone determine the
//! next step ([`Order::next`]), so a worker continues an order after another worker crashed. If a step
//! may have been tried before, the worker reads the payment from the provider first.

mod declines;
mod refund;

use std::time::Duration;

use aws_sdk_dynamodb::types::TransactWriteItem;
use inventory::{Inventory, reservation};
use jiff::Timestamp;
use shared::batch::Failure;
use shared::clock::Clock;
use shared::fault::point;
use shared::id::Ids;
use shared::{Error, Result};

use self::declines::{can_confirm, declined, not_created};
use crate::ledger::{Movement, Outcome, Resolution, Transfer};
use crate::order::{Event, Order, OrderId, PaymentId, Reason, State, Step};
use crate::payments::{self, Payment, PaymentError, Status, Stripe};
use crate::store::{AppendOutcome, ClaimOutcome, HeldOrder, Store};

/// The time limit of a step: three requests to the provider, and the writes. A worker does not start a
/// step that could outlast its lease.
pub const STEP_TIME: Duration = Duration::from_secs(3 * payments::TIME_LIMIT.as_secs() + 5);

/// Advances orders.
#[derive(Clone, Debug)]
pub struct Saga {
    /// The checkout's table.
    pub store: Store,
    /// The stock.
    pub inventory: Inventory,
    /// The provider.
    pub payments: Stripe,
    /// The clock.
    pub clock: Clock,
    /// Generates ids.
    pub ids: Ids,
}

/// The outcome of a step.
enum StepOutcome {
    /// The event, and the writes of the same transaction.
    Event(Event, Vec<TransactWriteItem>),
    /// The provider or the customer has to act first. The sweeper or the provider's webhook queues the order
    /// again.
    Waiting,
}

impl StepOutcome {
    fn event(event: Event) -> Self {
        Self::Event(event, Vec::new())
    }
}

impl Saga {
    /// Advances the order until no step is left or it must wait for the provider or the customer. Stops at `until`.
    pub async fn advance(&self, id: OrderId, until: Timestamp) -> Result<(), Failure> {
        self.run_steps(id, until, false).await
    }

    /// Advances the order. If `compares`, or if the order only waits for a refund, it then compares the
    /// order's refunds and disputes with the provider's records.
    async fn run_steps(
        &self,
        id: OrderId,
        until: Timestamp,
        compares: bool,
    ) -> Result<(), Failure> {
        let attempt = self.ids.next();
        let mut held = match self.store.claim(id, attempt, self.clock.now(), until).await? {
            ClaimOutcome::Held(held) => *held,
            ClaimOutcome::Busy { retry_after } => {
                return Err(Failure::retry_after(
                    format!("another worker holds {id}"),
                    retry_after,
                ));
            }
            ClaimOutcome::NotFound => return Ok(()),
        };
        if held.order.next().is_none() {
            if compares || held.order.awaits_refund() {
                return self.compare(held).await;
            }
            // Nothing to do.
            return Ok(self.release_lease(&held, None).await?);
        }
        while let Some(step) = held.order.next() {
            if self.clock.now() + STEP_TIME > held.until {
                self.release_lease(&held, None).await?;
                return Err(Failure::retry_after("no time for another step", Duration::ZERO));
            }
            let (event, writes) = match self.step(&held, step).await {
                Ok(StepOutcome::Event(event, writes)) => (event, writes),
                Ok(StepOutcome::Waiting) => return Ok(self.release_lease(&held, None).await?),
                Err(error) => return Err(self.release_failed(&held, error).await?),
            };
            let name = event.name();
            match self.append(&held, event, writes).await? {
                AppendOutcome::Made(next) => {
                    tracing::info!(order_id = %id, event = name, "event appended");
                    held = *next;
                }
                AppendOutcome::Refused => {
                    // The customer or another worker changed the order in the meantime.
                    self.release_lease(&held, None).await?;
                    return Err(Failure::retry_after(format!("{id} has changed"), Duration::ZERO));
                }
            }
        }
        // The last event removed the lease. If another worker claims the order now, the append of the
        // comparison is refused.
        if compares { self.compare(held).await } else { Ok(()) }
    }

    /// Appends an event to the order's history. If conflicts prevent the write, releases the lease. If it is
    /// unknown whether the event was written, the lease expires.
    async fn append(
        &self,
        held: &HeldOrder,
        event: Event,
        writes: Vec<TransactWriteItem>,
    ) -> Result<AppendOutcome, Failure> {
        match self.store.append(held, event, writes, self.clock.now()).await {
            Err(error @ Error::Conflict(_)) => Err(self.release_failed(held, error).await?),
            appended => Ok(appended?),
        }
    }

    /// Releases the lease and stores the error.
    async fn release_failed(&self, held: &HeldOrder, error: Error) -> Result<Failure> {
        let (id, trail) = (held.order.id, error.trail());
        tracing::warn!(order_id = %id, error = trail, "a step failed and will be retried");
        // If this fails too, the lease expires.
        self.release_lease(held, Some(trail)).await?;
        Ok(error.into())
    }

    async fn release_lease(&self, held: &HeldOrder, trouble: Option<String>) -> Result<()> {
        self.store.release(held, trouble, self.clock.now()).await
    }

    async fn step(&self, held: &HeldOrder, step: Step) -> Result<StepOutcome> {
        let order = &held.order;
        if order.can_cancel() && self.clock.now() >= order.placed.expires_at {
            return Ok(StepOutcome::event(Event::CancelRequested { reason: Reason::Expired }));
        }
        match step {
            Step::CreatePayment => self.create(held).await,
            Step::Authorise(payment) => self.authorise(held, &payment).await,
            Step::AwaitMeans(None) => Ok(StepOutcome::Waiting),
            // The customer's browser may have confirmed the payment.
            Step::AwaitMeans(Some(payment)) => {
                self.authorised(order, self.retrieve(&payment).await?)
            }
            Step::StartCapture => self.start_capture(order).await,
            Step::Capture(payment) => self.capture(held, &payment).await,
            Step::Confirm => self.confirm(order).await,
            Step::Void(payment) => self.void(held, payment.as_ref()).await,
            Step::Release => self.release(order).await,
            Step::Refund(payment, refund, amount) => {
                self.refund(order, &payment, (refund, amount)).await
            }
        }
    }

    async fn create(&self, held: &HeldOrder) -> Result<StepOutcome> {
        let (order, key) = (&held.order, key(held, "create"));
        let (id, means) = (order.id, order.payment_method());
        let create = || self.payments.create(id, order.placed.total, means, &key);
        match point("payments.create", create).await {
            Ok(payment) => Ok(StepOutcome::event(Event::PaymentCreated { payment: payment.id })),
            Err(PaymentError::Unknown(error)) => Err(error),
            Err(refused) => Ok(StepOutcome::event(not_created(order, refused))),
        }
    }

    async fn authorise(&self, held: &HeldOrder, id: &PaymentId) -> Result<StepOutcome> {
        let order = &held.order;
        let was_tried = held.attempts > 1 || order.state == State::ActionRequired;
        let known = if was_tried { Some(self.retrieve(id).await?) } else { None };
        let payment = match known {
            Some(payment) if !can_confirm(order, payment.status) => payment,
            _ => {
                let (key, means) = (key(held, "confirm"), order.means.as_deref());
                let confirm = || self.payments.confirm(id, means, &key);
                match point("payments.confirm", confirm).await {
                    Ok(payment) => payment,
                    Err(PaymentError::Declined(code)) => {
                        return Ok(StepOutcome::event(declined(order, code)));
                    }
                    // An earlier attempt confirmed the payment, or it cannot be confirmed.
                    Err(PaymentError::Refused { code, .. }) => {
                        let payment = self.retrieve(id).await?;
                        if can_confirm(order, payment.status) {
                            // The payment method is the only parameter of the request, so it is the cause.
                            return Ok(StepOutcome::event(declined(order, code)));
                        }
                        payment
                    }
                    Err(PaymentError::Unknown(error)) => return Err(error),
                }
            }
        };
        self.authorised(order, payment)
    }

    /// The outcome for an order that waits for authorisation, by the payment's status.
    fn authorised(&self, order: &Order, payment: Payment) -> Result<StepOutcome> {
        Ok(match payment.status {
            // Somebody may have captured the payment at the provider. The next step checks the stock.
            Status::RequiresCapture | Status::Succeeded => {
                let total = order.placed.total;
                if (payment.amount, payment.currency) != (total.amount, total.currency) {
                    // Somebody changed the amount at the provider. The payment is voided.
                    let code = "amount_changed".into();
                    return Ok(StepOutcome::event(Event::PaymentDeclined { code }));
                }
                let movement = Movement::payment(order.id, total);
                let transfer = Transfer { movement, pending: true, at: self.clock.now() };
                StepOutcome::Event(Event::PaymentAuthorised, vec![self.store.transfer(&transfer)?])
            }
            Status::RequiresAction
            | Status::RequiresConfirmation
            | Status::RequiresPaymentMethod
                if order.state == State::PaymentRequired =>
            {
                StepOutcome::Waiting
            }
            Status::RequiresAction if order.state == State::ActionRequired => StepOutcome::Waiting,
            Status::RequiresAction => StepOutcome::event(Event::ActionRequired),
            Status::Processing => StepOutcome::Waiting,
            Status::RequiresPaymentMethod => {
                let code = payment.decline.unwrap_or_else(|| "unknown".into());
                StepOutcome::event(declined(order, code))
            }
            // A cancelled payment takes no other payment method.
            Status::Canceled => {
                StepOutcome::event(Event::PaymentDeclined { code: "canceled".into() })
            }
            other @ Status::RequiresConfirmation => {
                return Err(unexpected("authorise", other));
            }
        })
    }

    /// Commits the order's stock. If a reservation has expired or is released, the order is cancelled.
    async fn start_capture(&self, order: &Order) -> Result<StepOutcome> {
        let now = self.clock.now();
        let mut writes = Vec::new();
        for reservation in self.inventory.reservations(&order.id.to_string()).await? {
            if reservation.status != reservation::Status::Held || reservation.expires_at <= now {
                return Ok(StepOutcome::event(Event::CancelRequested { reason: Reason::Expired }));
            }
            writes.extend(self.inventory.commit(&reservation, now)?);
        }
        Ok(StepOutcome::Event(Event::CaptureStarted, writes))
    }

    async fn capture(&self, held: &HeldOrder, id: &PaymentId) -> Result<StepOutcome> {
        let known = if held.attempts > 1 { Some(self.retrieve(id).await?) } else { None };
        let payment = match known {
            Some(payment) if payment.status != Status::RequiresCapture => payment,
            _ => {
                let key = key(held, "capture");
                match point("payments.capture", || self.payments.capture(id, &key)).await {
                    Ok(payment) => payment,
                    Err(PaymentError::Declined(_) | PaymentError::Refused { .. }) => {
                        self.retrieve(id).await?
                    }
                    Err(PaymentError::Unknown(error)) => return Err(error),
                }
            }
        };
        match payment.status {
            Status::Succeeded if payment.captured() != held.order.placed.total.amount => {
                // Somebody captured a part of the amount at the provider. We refund it.
                Ok(StepOutcome::event(Event::CaptureFailed { code: "captured_in_part".into() }))
            }
            Status::Succeeded => {
                let posted = self.resolution(&held.order, Outcome::Posted)?;
                Ok(StepOutcome::Event(Event::PaymentCaptured, vec![posted]))
            }
            Status::Canceled | Status::RequiresPaymentMethod => {
                let code = payment.decline.unwrap_or_else(|| "canceled".into());
                Ok(StepOutcome::event(Event::CaptureFailed { code }))
            }
            Status::Processing => Ok(StepOutcome::Waiting),
            other => Err(unexpected("capture", other)),
        }
    }

    async fn confirm(&self, order: &Order) -> Result<StepOutcome> {
        let mut writes = Vec::new();
        for reservation in self.inventory.reservations(&order.id.to_string()).await? {
            writes.extend(self.inventory.consume(&reservation)?);
        }
        Ok(StepOutcome::Event(Event::Confirmed, writes))
    }

    async fn void(&self, held: &HeldOrder, id: Option<&PaymentId>) -> Result<StepOutcome> {
        if let Some(id) = id {
            let mut payment = self.retrieve(id).await?;
            if !matches!(payment.status, Status::Canceled | Status::Processing | Status::Succeeded)
            {
                let key = key(held, "cancel");
                payment = match point("payments.cancel", || self.payments.cancel(id, &key)).await {
                    Ok(payment) => payment,
                    Err(PaymentError::Declined(_) | PaymentError::Refused { .. }) => {
                        self.retrieve(id).await?
                    }
                    Err(PaymentError::Unknown(error)) => return Err(error),
                };
            }
            match payment.status {
                Status::Canceled => {}
                Status::Processing => return Ok(StepOutcome::Waiting),
                Status::Succeeded => return self.refund_capture(&held.order, &payment),
                other => return Err(unexpected("void", other)),
            }
        }
        let order = &held.order;
        let voided = order.was_authorised.then(|| self.resolution(order, Outcome::Voided));
        Ok(StepOutcome::Event(Event::PaymentVoided, voided.transpose()?.into_iter().collect()))
    }

    async fn release(&self, order: &Order) -> Result<StepOutcome> {
        let mut writes = Vec::new();
        for reservation in self.inventory.reservations(&order.id.to_string()).await? {
            writes.extend(self.inventory.release(&reservation)?);
        }
        let customer = (order.placed.customer, order.placed.tenant);
        let mut cart = point("carts.get", || self.store.cart(customer)).await?;
        let not_in_cart = cart.take_back(&order.placed.lines);
        if !not_in_cart.is_empty() {
            tracing::info!(order_id = %order.id, ?not_in_cart, "some lines do not fit into the cart");
        }
        writes.push(self.store.cart_write(customer, &cart)?);
        Ok(StepOutcome::Event(Event::Cancelled { not_in_cart }, writes))
    }

    async fn retrieve(&self, id: &PaymentId) -> Result<Payment> {
        Ok(point("payments.retrieve", || self.payments.retrieve(id)).await?)
    }

    fn resolution(&self, order: &Order, outcome: Outcome) -> Result<TransactWriteItem> {
        let movement = Movement::payment(order.id, order.placed.total);
        self.store.resolution(&Resolution { movement, outcome, at: self.clock.now() })
    }
}

/// The idempotency key of a step on a payment. The payment's state at the provider prevents a repetition,
/// so each attempt and each payment method has its own key: the provider stores failures under the key,
/// and a new attempt must not get the stored failure.
fn key(held: &HeldOrder, step: &str) -> String {
    let step = match held.order.declines {
        0 => format!("{step}/{}", held.attempts),
        declines => format!("{step}/{declines}/{}", held.attempts),
    };
    payments::key(held.order.id, &step)
}

fn unexpected(action: &str, status: Status) -> Error {
    Error::internal(format!("cannot {action} a payment with status {status:?}"))
}
