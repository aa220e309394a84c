//! Takes an order from where it stands to its end, one step after the other.
//!
//! A worker **claims** the order with a lease, does the next step, and writes what came of it as one
//! event, together with everything that must change with it: stock, ledger. What the next step is
//! follows from the events alone ([`Order::next`]), so that whoever comes after a crash goes on where
//! it was. A step that may have been tried before asks the provider what stands before it asks for
//! anything.

mod declines;
mod refund;

use std::time::Duration;

use aws_sdk_dynamodb::types::TransactWriteItem;
use inventory::{Inventory, reservation};
use jiff::Timestamp;
use shared::batch::Failure as Trouble;
use shared::clock::Clock;
use shared::fault::point;
use shared::id::Ids;
use shared::{Error, Result};

use self::declines::{can_confirm, declined, not_created};
use crate::ledger::{Movement, Outcome, Resolution, Transfer};
use crate::order::{Event, Order, OrderId, PaymentId, Reason, State, Step};
use crate::payments::{self, Payment, PaymentError, Status, Stripe};
use crate::store::{Appended, Claimed, Held, Store};

/// How long a step may take: three requests to the provider, and what is written of them. None is begun
/// that could outlast the worker's lease.
pub const STEP_TIME: Duration = Duration::from_secs(3 * payments::TIME_LIMIT.as_secs() + 5);

/// What moves orders.
#[derive(Clone, Debug)]
pub struct Saga {
    /// The checkout's table.
    pub store: Store,
    /// The stock.
    pub inventory: Inventory,
    /// The provider.
    pub payments: Stripe,
    /// The time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
}

/// What came of a step.
enum Came {
    /// This happened; it is written with these.
    Of(Event, Vec<TransactWriteItem>),
    /// Nothing yet: the provider is at it, or the customer. The sweeper or the provider's webhook has it
    /// looked at again.
    Waiting,
}

impl Came {
    fn event(event: Event) -> Self {
        Self::Of(event, Vec::new())
    }
}

impl Saga {
    /// Takes the order as far as it goes, until `until` at the latest.
    pub async fn advance(&self, id: OrderId, until: Timestamp) -> Result<(), Trouble> {
        self.go_on(id, until, false).await
    }

    /// The same; if `compares`, an order without a next step is compared with what the provider has.
    async fn go_on(&self, id: OrderId, until: Timestamp, compares: bool) -> Result<(), Trouble> {
        let attempt = self.ids.next();
        let mut held = match self.store.claim(id, attempt, self.clock.now(), until).await? {
            Claimed::Held(held) => *held,
            Claimed::Busy { retry_after } => {
                return Err(Trouble::retry_after(format!("another is at {id}"), retry_after));
            }
            Claimed::Nothing => return Ok(()),
        };
        if held.order.next().is_none() {
            if compares || held.order.awaits_refund() {
                return self.compare(held).await;
            }
            // It was looked at for nothing.
            return Ok(self.let_go(&held, None).await?);
        }
        while let Some(step) = held.order.next() {
            if self.clock.now() + STEP_TIME > held.until {
                self.let_go(&held, None).await?;
                return Err(Trouble::retry_after("no time for another step", Duration::ZERO));
            }
            let (event, writes) = match self.step(&held, step).await {
                Ok(Came::Of(event, writes)) => (event, writes),
                Ok(Came::Waiting) => return Ok(self.let_go(&held, None).await?),
                Err(error) => return Err(self.failed(&held, error).await?),
            };
            let name = event.name();
            match self.append(&held, event, writes).await? {
                Appended::Made(next) => {
                    tracing::info!(order_id = %id, event = name, "happened");
                    held = *next;
                }
                Appended::Refused => {
                    // The customer was faster, or another worker: the order is not what we took it for.
                    self.let_go(&held, None).await?;
                    return Err(Trouble::retry_after(format!("{id} has moved"), Duration::ZERO));
                }
            }
        }
        // The last event took the lease away. Whoever takes it now has the comparison refused.
        if compares { self.compare(held).await } else { Ok(()) }
    }

    /// Appends an event to the order's history. If it is not written, the order is let go of; if nobody
    /// knows whether it is, the lease runs out.
    async fn append(
        &self,
        held: &Held,
        event: Event,
        writes: Vec<TransactWriteItem>,
    ) -> Result<Appended, Trouble> {
        match self.store.append(held, event, writes, self.clock.now()).await {
            Err(error @ Error::Conflict(_)) => Err(self.failed(held, error).await?),
            appended => Ok(appended?),
        }
    }

    /// Lets go of the order, and says why.
    async fn failed(&self, held: &Held, error: Error) -> Result<Trouble> {
        let (id, trail) = (held.order.id, error.trail());
        tracing::warn!(order_id = %id, error = trail, "a step came to nothing, for now");
        // If this fails too, the lease runs out.
        self.let_go(held, Some(trail)).await?;
        Ok(error.into())
    }

    async fn let_go(&self, held: &Held, trouble: Option<String>) -> Result<()> {
        self.store.release(held, trouble, self.clock.now()).await
    }

    async fn step(&self, held: &Held, step: Step) -> Result<Came> {
        let order = &held.order;
        if order.can_cancel() && self.clock.now() >= order.placed.expires_at {
            return Ok(Came::event(Event::CancelRequested { reason: Reason::Expired }));
        }
        match step {
            Step::CreatePayment => self.create(held).await,
            Step::Authorise(payment) => self.authorise(held, &payment).await,
            Step::AwaitMeans(None) => Ok(Came::Waiting),
            // The customer's browser may have confirmed it by itself.
            Step::AwaitMeans(Some(payment)) => self.authorised(order, self.look(&payment).await?),
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

    async fn create(&self, held: &Held) -> Result<Came> {
        let (order, key) = (&held.order, key(held, "create"));
        let (id, means) = (order.id, order.payment_method());
        let create = || self.payments.create(id, order.placed.total, means, &key);
        match point("payments.create", create).await {
            Ok(payment) => Ok(Came::event(Event::PaymentCreated { payment: payment.id })),
            Err(PaymentError::Unknown(error)) => Err(error),
            Err(refused) => Ok(Came::event(not_created(order, refused))),
        }
    }

    async fn authorise(&self, held: &Held, id: &PaymentId) -> Result<Came> {
        let order = &held.order;
        let was_tried = held.attempts > 1 || order.state == State::ActionRequired;
        let known = if was_tried { Some(self.look(id).await?) } else { None };
        let payment = match known {
            Some(payment) if !can_confirm(order, payment.status) => payment,
            _ => {
                let (key, means) = (key(held, "confirm"), order.means.as_deref());
                let confirm = || self.payments.confirm(id, means, &key);
                match point("payments.confirm", confirm).await {
                    Ok(payment) => payment,
                    Err(PaymentError::Declined(code)) => {
                        return Ok(Came::event(declined(order, code)));
                    }
                    // It was confirmed before, or cannot be.
                    Err(PaymentError::Refused { code, .. }) => {
                        let payment = self.look(id).await?;
                        if can_confirm(order, payment.status) {
                            // The request names nothing but the means of payment.
                            return Ok(Came::event(declined(order, code)));
                        }
                        payment
                    }
                    Err(PaymentError::Unknown(error)) => return Err(error),
                }
            }
        };
        self.authorised(order, payment)
    }

    /// What a payment's status means for an order that waits for its money to be held.
    fn authorised(&self, order: &Order, payment: Payment) -> Result<Came> {
        Ok(match payment.status {
            // Somebody may have taken it at the provider: the stock decides what follows.
            Status::RequiresCapture | Status::Succeeded => {
                let total = order.placed.total;
                if (payment.amount, payment.currency) != (total.amount, total.currency) {
                    // Somebody has changed it at the provider. What is held is let go.
                    let code = "amount_changed".into();
                    return Ok(Came::event(Event::PaymentDeclined { code }));
                }
                let movement = Movement::payment(order.id, total);
                let transfer = Transfer { movement, pending: true, at: self.clock.now() };
                Came::Of(Event::PaymentAuthorised, vec![self.store.transfer(&transfer)?])
            }
            Status::RequiresAction
            | Status::RequiresConfirmation
            | Status::RequiresPaymentMethod
                if order.state == State::PaymentRequired =>
            {
                Came::Waiting
            }
            Status::RequiresAction if order.state == State::ActionRequired => Came::Waiting,
            Status::RequiresAction => Came::event(Event::ActionRequired),
            Status::Processing => Came::Waiting,
            Status::RequiresPaymentMethod => {
                let code = payment.decline.unwrap_or_else(|| "unknown".into());
                Came::event(declined(order, code))
            }
            // No other means can be used for it.
            Status::Canceled => Came::event(Event::PaymentDeclined { code: "canceled".into() }),
            other @ Status::RequiresConfirmation => {
                return Err(unexpected("not to be authorised", other));
            }
        })
    }

    /// The stock becomes the order's for good. If it no longer holds it, the order has come too late.
    async fn start_capture(&self, order: &Order) -> Result<Came> {
        let now = self.clock.now();
        let mut writes = Vec::new();
        for reservation in self.inventory.reservations(&order.id.to_string()).await? {
            if reservation.status != reservation::Status::Held || reservation.expires_at <= now {
                return Ok(Came::event(Event::CancelRequested { reason: Reason::Expired }));
            }
            writes.extend(self.inventory.commit(&reservation, now)?);
        }
        Ok(Came::Of(Event::CaptureStarted, writes))
    }

    async fn capture(&self, held: &Held, id: &PaymentId) -> Result<Came> {
        let known = if held.attempts > 1 { Some(self.look(id).await?) } else { None };
        let payment = match known {
            Some(payment) if payment.status != Status::RequiresCapture => payment,
            _ => {
                let key = key(held, "capture");
                match point("payments.capture", || self.payments.capture(id, &key)).await {
                    Ok(payment) => payment,
                    Err(PaymentError::Declined(_) | PaymentError::Refused { .. }) => {
                        self.look(id).await?
                    }
                    Err(PaymentError::Unknown(error)) => return Err(error),
                }
            }
        };
        match payment.status {
            Status::Succeeded if payment.taken() != held.order.placed.total.amount => {
                // Somebody has taken a part of it at the provider. That goes back.
                Ok(Came::event(Event::CaptureFailed { code: "captured_in_part".into() }))
            }
            Status::Succeeded => {
                let posted = self.resolution(&held.order, Outcome::Posted)?;
                Ok(Came::Of(Event::PaymentCaptured, vec![posted]))
            }
            Status::Canceled | Status::RequiresPaymentMethod => {
                let code = payment.decline.unwrap_or_else(|| "canceled".into());
                Ok(Came::event(Event::CaptureFailed { code }))
            }
            Status::Processing => Ok(Came::Waiting),
            other => Err(unexpected("not to be captured", other)),
        }
    }

    async fn confirm(&self, order: &Order) -> Result<Came> {
        let mut writes = Vec::new();
        for reservation in self.inventory.reservations(&order.id.to_string()).await? {
            writes.extend(self.inventory.consume(&reservation)?);
        }
        Ok(Came::Of(Event::Confirmed, writes))
    }

    async fn void(&self, held: &Held, id: Option<&PaymentId>) -> Result<Came> {
        if let Some(id) = id {
            let mut payment = self.look(id).await?;
            if !matches!(payment.status, Status::Canceled | Status::Processing | Status::Succeeded)
            {
                let key = key(held, "cancel");
                payment = match point("payments.cancel", || self.payments.cancel(id, &key)).await {
                    Ok(payment) => payment,
                    Err(PaymentError::Declined(_) | PaymentError::Refused { .. }) => {
                        self.look(id).await?
                    }
                    Err(PaymentError::Unknown(error)) => return Err(error),
                };
            }
            match payment.status {
                Status::Canceled => {}
                Status::Processing => return Ok(Came::Waiting),
                Status::Succeeded => return self.give_back(&held.order, &payment),
                other => return Err(unexpected("not to be voided", other)),
            }
        }
        let order = &held.order;
        let voided = order.was_authorised.then(|| self.resolution(order, Outcome::Voided));
        Ok(Came::Of(Event::PaymentVoided, voided.transpose()?.into_iter().collect()))
    }

    async fn release(&self, order: &Order) -> Result<Came> {
        let mut writes = Vec::new();
        for reservation in self.inventory.reservations(&order.id.to_string()).await? {
            writes.extend(self.inventory.release(&reservation)?);
        }
        let customer = order.placed.customer;
        let mut cart = point("carts.get", || self.store.cart(customer)).await?;
        let not_in_cart = cart.take_back(&order.placed.lines);
        if !not_in_cart.is_empty() {
            tracing::info!(order_id = %order.id, ?not_in_cart, "the cart cannot take back all");
        }
        writes.push(self.store.cart_put(customer, &cart)?);
        Ok(Came::Of(Event::Cancelled { not_in_cart }, writes))
    }

    async fn look(&self, id: &PaymentId) -> Result<Payment> {
        Ok(point("payments.retrieve", || self.payments.retrieve(id)).await?)
    }

    fn resolution(&self, order: &Order, outcome: Outcome) -> Result<TransactWriteItem> {
        let movement = Movement::payment(order.id, order.placed.total);
        self.store.resolution(&Resolution { movement, outcome, at: self.clock.now() })
    }
}

/// The key of a step that the payment's own state guards. Another attempt has another: it has asked
/// what stands, and must not be answered with a failure that the provider has kept from the first. So
/// has another means of payment.
fn key(held: &Held, step: &str) -> String {
    let step = match held.order.declines {
        0 => format!("{step}/{}", held.attempts),
        declines => format!("{step}/{declines}/{}", held.attempts),
    };
    payments::key(held.order.id, &step)
}

fn unexpected(what: &str, status: Status) -> Error {
    Error::internal(format!("the provider's payment is {what}: {status:?}"))
}
