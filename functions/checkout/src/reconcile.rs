//! Reconciliation: checks that every movement at the provider has an entry in the ledger.
//!
//! A movement without an entry is stored as *open*, and a job makes a worker compare its order with the
//! provider's records. A refund or a dispute without an event gets an event and a ledger entry. A movement
//! that is still open in the next run counts as unexplained; an alarm is raised while there is one. All of
//! this is idempotent: only the ledger decides about a movement, and each movement has one item.

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
use crate::payments::movements::{Kind, ProviderMovement, Window};
use crate::payments::{PaymentError, Stripe};
use crate::queues::Advance;
use crate::store::{Cursor, OpenMovement, Store};
use crate::system;

/// No page is started later than this before the end of the invocation.
const MARGIN: Duration = Duration::from_secs(20);
/// The minimum age of a movement. A worker may still be processing a younger one.
const MIN_AGE: Duration = Duration::from_mins(15);
/// The overlap of a window with the one before. The provider may list a movement late.
const OVERLAP: Duration = Duration::from_hours(2);
/// The length of the first window.
const FIRST_WINDOW: Duration = Duration::from_hours(24 * 30);

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    environment.connect().await;
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

/// The dependencies of the task.
#[derive(Clone, Debug)]
pub struct Reconcile {
    /// The checkout's table.
    pub store: Store,
    /// The provider.
    pub payments: Stripe,
    /// The queue of orders to advance.
    pub orders: Queue,
    /// The clock.
    pub clock: Clock,
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReconcileReport {
    /// The number of movements that were read.
    pub movements: usize,
    /// The number of open movements that the next run checks again.
    pub waiting: usize,
    /// The number of unexplained movements.
    pub unexplained: usize,
}

/// The verdict on a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// The ledger has an entry for it, or needs none.
    Explained,
    /// The outcome of its refund is open at the provider.
    Undecided,
    /// The ledger has no entry. The worker of the order of this payment may add it.
    Missing(PaymentId),
    /// No worker can explain it. The text is the reason.
    Unexplained(String),
}

impl Reconcile {
    /// Checks the open movements again, then the provider's movements up to 15 minutes ago, until `until`. The
    /// next run continues from there.
    ///
    /// # Errors
    /// When the provider or the table does not respond. The next run continues from there.
    pub async fn handle(&self, until: Timestamp) -> Result<ReconcileReport> {
        let mut found = ReconcileReport::default();
        let outcome = self.compare(until, &mut found).await;
        tracing::info!(?found, "compared with the provider's balance transactions");
        metrics::counter!("MovementsUnexplained").increment(found.unexplained as u64);
        outcome.map(|()| found)
    }

    async fn compare(&self, until: Timestamp, found: &mut ReconcileReport) -> Result<()> {
        let mut open = HashSet::new();
        for known in point("reconcile.open", || self.store.open_movements()).await? {
            open.insert(known.moved.id.clone());
            if self.has_time(until) {
                self.check_again(known, found).await?;
            } else {
                // It was open in the last run, and there is no time to check it again.
                found.unexplained += 1;
            }
        }
        let mut cursor = match point("reconcile.cursor", || self.store.cursor()).await? {
            Some(cursor) => cursor,
            None => Cursor { window: self.window(self.clock.now() - FIRST_WINDOW), after: None },
        };
        if cursor.after.is_none() {
            cursor.window = self.window(cursor.window.from);
        }
        while self.has_time(until) {
            let read = || self.payments.movements(cursor.window, cursor.after.as_deref());
            let (page, has_more) = point("reconcile.movements", read).await?;
            for movement in page.iter().filter(|movement| !open.contains(&movement.id)) {
                self.check_first(movement, found).await?;
            }
            found.movements += page.len();
            if has_more {
                cursor.after = page.last().map(|last| last.id.clone());
            } else {
                let from = cursor.window.to - OVERLAP;
                cursor = Cursor { window: Window { from, ..cursor.window }, after: None };
            }
            self.store.put_cursor(&cursor).await?;
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
        Window { from, to: (self.clock.now() - MIN_AGE).max(from) }
    }

    async fn check_first(
        &self,
        movement: &ProviderMovement,
        found: &mut ReconcileReport,
    ) -> Result<()> {
        let verdict = self.verdict_on(movement).await?;
        if verdict == Verdict::Explained {
            return Ok(());
        }
        match &verdict {
            Verdict::Unexplained(_) => found.unexplained += 1,
            _ => found.waiting += 1,
        }
        // The item is written before the job. After a crash in between, the next run sends the job.
        self.store_open(movement, &verdict, self.clock.now()).await?;
        self.queue_order(verdict).await
    }

    async fn check_again(&self, open: OpenMovement, found: &mut ReconcileReport) -> Result<()> {
        let verdict = self.verdict_on(&open.moved).await?;
        match &verdict {
            Verdict::Explained => {
                tracing::info!(
                    movement = open.moved.id,
                    why = open.why,
                    "the movement is explained now"
                );
                return self.store.delete_open(&open.moved).await;
            }
            Verdict::Undecided => found.waiting += 1,
            // A worker had the time since the last run to add the entry.
            Verdict::Missing(_) | Verdict::Unexplained(_) => found.unexplained += 1,
        }
        self.store_open(&open.moved, &verdict, open.since).await?;
        self.queue_order(verdict).await
    }

    async fn store_open(
        &self,
        movement: &ProviderMovement,
        verdict: &Verdict,
        since: Timestamp,
    ) -> Result<()> {
        let why = match verdict {
            Verdict::Unexplained(why) => why.clone(),
            Verdict::Undecided => "the outcome of the refund is open".into(),
            _ => "the ledger has no entry".into(),
        };
        tracing::warn!(
            movement = movement.id,
            source = movement.source,
            why,
            "the movement is open"
        );
        let open = OpenMovement { moved: movement.clone(), why, since };
        self.store.put_open(&open).await
    }

    async fn queue_order(&self, verdict: Verdict) -> Result<()> {
        let Verdict::Missing(payment) = verdict else { return Ok(()) };
        self.orders.send(&Advance::V2 { payment }).await
    }

    async fn verdict_on(&self, movement: &ProviderMovement) -> Result<Verdict> {
        let unexplained = |why: &str| Ok(Verdict::Unexplained(why.into()));
        match &movement.kind {
            Kind::OfTheAccount => return Ok(Verdict::Explained),
            Kind::Unknown(word) => return unexplained(&format!("unknown kind: {word}")),
            _ => {}
        }
        let Some(payment) = &movement.payment else { return unexplained("it has no payment") };
        let Some(order) = self.order_of(movement, payment).await? else {
            return unexplained("the payment has no order");
        };
        let order = point("reconcile.order", || self.store.order(order)).await?;
        let Some(order) = order.filter(|order| order.payment.as_ref() == Some(payment)) else {
            return unexplained("the order has another payment");
        };
        let entries = point("reconcile.entries", || self.store.entries(order.id)).await?;
        Ok(match entry_of(movement, &order, &entries) {
            Some(amount) if amount == movement.money => Verdict::Explained,
            Some(amount) => Verdict::Unexplained(format!(
                "the provider has {}, the ledger has {amount}",
                movement.money
            )),
            None => {
                undecided(movement, &order).unwrap_or_else(|| Verdict::Missing(payment.clone()))
            }
        })
    }

    /// The order of a movement, from the movement's metadata or else from the payment's.
    async fn order_of(
        &self,
        movement: &ProviderMovement,
        payment: &PaymentId,
    ) -> Result<Option<OrderId>> {
        if movement.order.is_some() {
            return Ok(movement.order);
        }
        match point("payments.retrieve", || self.payments.retrieve(payment)).await {
            Ok(payment) => Ok(payment.order),
            Err(PaymentError::Unknown(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }
}

/// The amount of the ledger's entry for a movement, if there is one.
fn entry_of(movement: &ProviderMovement, order: &Order, entries: &[Entry]) -> Option<Money> {
    let is_match = |cause: &Cause| match (&movement.kind, cause) {
        (Kind::Charge, Cause::Payment | Cause::CapturedByHand) => true,
        (Kind::Refund, Cause::FoundRefund(_, id)) => *id == movement.source,
        (Kind::Refund, Cause::Refund(refund)) => {
            let recorded = order.refunds.get(refund).and_then(|it| it.provider_id.as_ref());
            movement.refund == Some(*refund) && recorded.is_none_or(|id| *id == movement.source)
        }
        (Kind::RefundFailure, Cause::Reversal(refund)) => {
            let ours = movement.refund.map(|refund| refund.to_string());
            *refund == movement.source || Some(refund) == ours.as_ref()
        }
        (Kind::Dispute, Cause::Dispute(id, DisputeMove::Withdrawn))
        | (Kind::DisputeReversal, Cause::Dispute(id, DisputeMove::Reinstated)) => {
            *id == movement.source
        }
        _ => false,
    };
    let counts = |entry: &&Entry| match entry {
        Entry::Transfer(transfer) => !transfer.pending,
        Entry::Resolution(Resolution { outcome, .. }) => *outcome == Outcome::Posted,
    };
    let mut entries = entries.iter().filter(counts).map(Entry::movement);
    entries.find(|entry| is_match(&entry.cause)).map(|entry| entry.amount)
}

/// The verdict on a refund without a ledger entry, if the refund is pending or has failed. The provider may
/// move the money of a pending refund, and move it back if the refund fails.
fn undecided(movement: &ProviderMovement, order: &Order) -> Option<Verdict> {
    if !matches!(movement.kind, Kind::Refund | Kind::RefundFailure) {
        return None;
    }
    let refund = order.refunds.get(&movement.refund?)?;
    let is_match = refund.provider_id.as_ref().is_none_or(|id| *id == movement.source);
    match refund.status {
        _ if !is_match => None,
        RefundStatus::Pending => Some(Verdict::Undecided),
        RefundStatus::Failed => Some(Verdict::Explained),
        RefundStatus::Succeeded => None,
    }
}
