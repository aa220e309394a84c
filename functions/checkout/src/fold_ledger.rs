//! Adds new ledger entries to the balances.

use shared::Result;
use shared::batch::{BatchResponse, Consumer, Message, SqsEvent};
use shared::id::Ids;
use shared::invocation::Invocation;
use shared::lease::AttemptId;
use shared::program::Environment;

use crate::ledger::Entry;
use crate::queues::{self, Fold};
use crate::store::{MAX_FOLDED, Store};
use crate::system;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = FoldLedger { store: system::store(environment)?, ids: environment.ids() };
    let jobs = queues::ledger(system::ledger(environment)?, environment.dead_letters()?);
    shared::invocation::run(async |batch, invocation| task.batch(&jobs, batch, &invocation).await)
        .await
}

/// The dependencies of the task.
#[derive(Clone, Debug)]
pub struct FoldLedger {
    /// The checkout's table.
    pub store: Store,
    /// The source of new ids.
    pub ids: Ids,
}

impl FoldLedger {
    /// Adds the entries of a batch to the balances, together: each transaction updates the same accounts.
    pub async fn batch(
        &self,
        jobs: &Consumer,
        batch: SqsEvent,
        invocation: &Invocation,
    ) -> Result<BatchResponse> {
        let handler = async |messages: Vec<Message<Fold>>| {
            let entry = |Message { body: Fold::V1 { entry }, .. }| entry;
            let entries: Vec<Entry> = messages.into_iter().map(entry).collect();
            Ok(self.fold(&entries).await?)
        };
        Box::pin(jobs.consume_together(batch, invocation, handler)).await
    }

    /// Adds entries to the balances. An entry that comes twice counts once.
    pub async fn fold(&self, entries: &[Entry]) -> Result<()> {
        for entries in entries.chunks(MAX_FOLDED) {
            let token: AttemptId = self.ids.next();
            self.store.fold(&token.to_string()[4..], entries).await?;
        }
        Ok(())
    }
}
