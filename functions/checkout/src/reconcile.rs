//! Compares the provider's books with ours: every movement of the provider's has an entry in the ledger.
//!
//! A movement that has none is kept as *open*, and its order's worker compares the order with what the
//! provider has: a refund or a dispute that nobody told us of becomes an event with an entry of its own. What
//! is still open at the next run nobody has explained; an alarm is raised as long as there is any. Everything
//! may be done twice: a movement is judged by the ledger alone, and is open once.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use shared::Result;
use shared::clock::Clock;
use shared::fault::point;
use shared::program::Environment;
use shared::queue::Queue;

use crate::ledger::{Cause, DisputeMove, Entry, Outcome, Resolution};
use crate::money::Money;
use crate::order::{Order, OrderId, PaymentId, RefundStatus};
use crate::payments::movements::{Kind, Moved, Window};
use crate::payments::{PaymentError, Stripe};
use crate::queues::Advance;
use crate::store::{Cursor, Open, Store};
use crate::system;

/// How long before the invocation's end no further page is begun.
const MARGIN: Duration = Duration::from_secs(20);
/// How old movements are when they are looked at: a worker may be at younger ones.
const QUIET: Duration = Duration::from_mins(15);
/// How far a window reaches back into the one before it: the provider may show a movement late.
const OVERLAP: Duration = Duration::from_hours(2);
/// How far the first window reaches back.
const FIRST: Duration = Duration::from_hours(24 * 30);

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = Reconcile {
        store: system::store(environment)?,
        payments: system::payments(environment).await?,
        orders: system::orders(environment)?,
        clock: environment.clock.clone(),
    };
    shared::invocation::run(async |_: Value, invocation| {
        task.handle(invocation.deadline).await.map(|_| ())
    })
    .await
}

/// What the task needs.
#[derive(Clone, Debug)]
pub struct Reconcile {
    /// The checkout's table.
    pub store: Store,
    /// The provider.
    pub payments: Stripe,
    /// The queue of orders that are to be advanced.
    pub orders: Queue,
    /// The time.
    pub clock: Clock,
}

/// What came of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// How many movements were looked at.
    pub movements: usize,
    /// How many are open that the next run will judge again.
    pub waiting: usize,
    /// How many nobody can explain.
    pub unexplained: usize,
}

/// What is thought of a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// The ledger has it.
    Explained,
    /// The provider has not decided on it.
    Undecided,
    /// The ledger does not have it; the order's worker may find out why.
    Missing(PaymentId),
    /// No worker can explain it.
    Unexplained(String),
}

impl Reconcile {
    /// Looks again at what is open, and at the provider's movements up to a quarter of an hour ago. What a
    /// run has no time for, the next one does.
    ///
    /// # Errors
    /// When the provider or the table does not answer. The next run goes on where this one was.
    pub async fn handle(&self, until: Timestamp) -> Result<Reconciled> {
        let mut found = Reconciled::default();
        let outcome = self.compare(until, &mut found).await;
        tracing::info!(?found, "compared with the provider's books");
        metrics::counter!("MovementsUnexplained").increment(found.unexplained as u64);
        outcome.map(|()| found)
    }

    async fn compare(&self, until: Timestamp, found: &mut Reconciled) -> Result<()> {
        let mut open = HashSet::new();
        for known in point("reconcile.open", || self.store.open_movements()).await? {
            open.insert(known.moved.id.clone());
            if self.has_time(until) {
                self.judge_again(known, found).await?;
            } else {
                // It was open an hour ago and has not been judged since.
                found.unexplained += 1;
            }
        }
        let mut cursor = match point("reconcile.cursor", || self.store.cursor()).await? {
            Some(cursor) => cursor,
            None => Cursor { window: self.window(self.clock.now() - FIRST), after: None },
        };
        if cursor.after.is_none() {
            cursor.window = self.window(cursor.window.from);
        }
        while self.has_time(until) {
            let read = || self.payments.movements(cursor.window, cursor.after.as_deref());
            let (page, has_more) = point("reconcile.movements", read).await?;
            for moved in page.iter().filter(|moved| !open.contains(&moved.id)) {
                self.judge_first(moved, found).await?;
            }
            found.movements += page.len();
            if has_more {
                cursor.after = page.last().map(|last| last.id.clone());
            } else {
                let from = cursor.window.to - OVERLAP;
                cursor = Cursor { window: Window { from, ..cursor.window }, after: None };
            }
            self.store.keep_cursor(&cursor).await?;
            if !has_more {
                break;
            }
        }
        Ok(())
    }

    fn has_time(&self, until: Timestamp) -> bool {
        self.clock.now() + MARGIN <= until
    }

    fn window(&self, from: Timestamp) -> Window {
        Window { from, to: (self.clock.now() - QUIET).max(from) }
    }

    async fn judge_first(&self, moved: &Moved, found: &mut Reconciled) -> Result<()> {
        let verdict = self.judge(moved).await?;
        if verdict == Verdict::Explained {
            return Ok(());
        }
        match &verdict {
            Verdict::Unexplained(_) => found.unexplained += 1,
            _ => found.waiting += 1,
        }
        // The note comes first and the job after it: a crash in between costs an hour.
        self.keep(moved, &verdict, self.clock.now()).await?;
        self.wake(verdict).await
    }

    async fn judge_again(&self, open: Open, found: &mut Reconciled) -> Result<()> {
        let verdict = self.judge(&open.moved).await?;
        match &verdict {
            Verdict::Explained => {
                tracing::info!(movement = open.moved.id, why = open.why, "is explained");
                return self.store.close(&open.moved).await;
            }
            Verdict::Undecided => found.waiting += 1,
            // A worker has had an hour for it.
            Verdict::Missing(_) | Verdict::Unexplained(_) => found.unexplained += 1,
        }
        self.keep(&open.moved, &verdict, open.since).await?;
        self.wake(verdict).await
    }

    async fn keep(&self, moved: &Moved, verdict: &Verdict, since: Timestamp) -> Result<()> {
        let why = match verdict {
            Verdict::Unexplained(why) => why.clone(),
            Verdict::Undecided => "the provider has not decided on it".into(),
            _ => "the ledger does not have it".into(),
        };
        tracing::warn!(movement = moved.id, source = moved.source, why, "is not explained");
        let open = Open { moved: moved.clone(), why, since };
        self.store.keep_open(&open).await
    }

    async fn wake(&self, verdict: Verdict) -> Result<()> {
        let Verdict::Missing(payment) = verdict else { return Ok(()) };
        self.orders.send(&Advance::V2 { payment }).await
    }

    async fn judge(&self, moved: &Moved) -> Result<Verdict> {
        let unexplained = |why: &str| Ok(Verdict::Unexplained(why.into()));
        match &moved.kind {
            Kind::OfTheAccount => return Ok(Verdict::Explained),
            Kind::Unknown(word) => return unexplained(&format!("{word} is no kind that is known")),
            _ => {}
        }
        let Some(payment) = &moved.payment else { return unexplained("it is about no payment") };
        let Some(order) = self.order_of(moved, payment).await? else {
            return unexplained("the payment is of no order");
        };
        let order = point("reconcile.order", || self.store.order(order)).await?;
        let Some(order) = order.filter(|order| order.payment.as_ref() == Some(payment)) else {
            return unexplained("the payment is not the one of its order");
        };
        let entries = point("reconcile.entries", || self.store.entries(order.id)).await?;
        Ok(match entry_of(moved, &order, &entries) {
            Some(amount) if amount == moved.money => Verdict::Explained,
            Some(amount) => {
                Verdict::Unexplained(format!("{} moved, and the ledger has {amount}", moved.money))
            }
            None => undecided(moved, &order).unwrap_or_else(|| Verdict::Missing(payment.clone())),
        })
    }

    /// The order that a payment was made for, by what the movement says or else by the payment.
    async fn order_of(&self, moved: &Moved, payment: &PaymentId) -> Result<Option<OrderId>> {
        if moved.order.is_some() {
            return Ok(moved.order);
        }
        match point("payments.retrieve", || self.payments.retrieve(payment)).await {
            Ok(payment) => Ok(payment.order),
            Err(PaymentError::Unknown(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }
}

/// How much the ledger has of a movement, if it has it.
fn entry_of(moved: &Moved, order: &Order, entries: &[Entry]) -> Option<Money> {
    let is_it = |cause: &Cause| match (&moved.kind, cause) {
        (Kind::Charge, Cause::Payment | Cause::CapturedByHand) => true,
        (Kind::Refund, Cause::Found(_, id)) => *id == moved.source,
        (Kind::Refund, Cause::Refund(refund)) => {
            let recorded = order.refunds.get(refund).and_then(|it| it.provider_id.as_ref());
            moved.refund == Some(*refund) && recorded.is_none_or(|id| *id == moved.source)
        }
        (Kind::RefundFailure, Cause::Reversal(refund)) => {
            let ours = moved.refund.map(|refund| refund.to_string());
            *refund == moved.source || Some(refund) == ours.as_ref()
        }
        (Kind::Dispute, Cause::Dispute(id, DisputeMove::Withdrawn))
        | (Kind::DisputeReversal, Cause::Dispute(id, DisputeMove::Reinstated)) => {
            *id == moved.source
        }
        _ => false,
    };
    let counts = |entry: &&Entry| match entry {
        Entry::Transfer(transfer) => !transfer.pending,
        Entry::Resolution(Resolution { outcome, .. }) => *outcome == Outcome::Posted,
    };
    let mut entries = entries.iter().filter(counts).map(Entry::movement);
    entries.find(|entry| is_it(&entry.cause)).map(|entry| entry.amount)
}

/// What is thought of a refund that the ledger does not have, because it is not final or has never been: a
/// provider may move the money before, and back when it fails.
fn undecided(moved: &Moved, order: &Order) -> Option<Verdict> {
    if !matches!(moved.kind, Kind::Refund | Kind::RefundFailure) {
        return None;
    }
    let refund = order.refunds.get(&moved.refund?)?;
    let is_it = refund.provider_id.as_ref().is_none_or(|id| *id == moved.source);
    match refund.status {
        _ if !is_it => None,
        RefundStatus::Pending => Some(Verdict::Undecided),
        RefundStatus::Failed => Some(Verdict::Explained),
        RefundStatus::Succeeded => None,
    }
}
