//! Adds new ledger entries to the balances.

use serde_json::Value;
use shared::Result;
use shared::batch::{ChangeKind, StreamEvent};
use shared::id::Ids;
use shared::lease::AttemptId;
use shared::program::Environment;

use crate::ledger::Entry;
use crate::store::{MAX_FOLDED, Store};
use crate::system;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = FoldLedger { store: system::store(environment)?, ids: environment.ids() };
    shared::invocation::run(async |batch, _| task.handle(&batch).await).await
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
    /// Folds the new entries in a batch of the table's stream. The batch fails or succeeds as a whole.
    /// An entry that is delivered twice is folded once.
    pub async fn handle(&self, batch: &StreamEvent) -> Result<()> {
        let inserted = batch.changes::<Value>()?.into_iter();
        let inserted = inserted.filter(|change| change.kind == ChangeKind::Insert);
        let items = inserted.filter_map(|change| Store::entry(change.new?).transpose());
        self.fold(&items.collect::<Result<Vec<_>>>()?).await
    }

    /// Adds entries to the balances.
    pub async fn fold(&self, entries: &[Entry]) -> Result<()> {
        for entries in entries.chunks(MAX_FOLDED) {
            let token: AttemptId = self.ids.next();
            self.store.fold(&token.to_string()[4..], entries).await?;
        }
        Ok(())
    }
}
