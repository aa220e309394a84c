use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ulid::Ulid;

use super::record::Record;
use super::records::{Claim, Claimed, Keep, When};
use super::{IdempotencyError, Outcome, Records, Request};
use crate::Error;
use crate::transaction::{self, Sent};

/// The maximum number of writes besides the record.
const MAX_WRITES: usize = transaction::MAX_ITEMS - 1;

/// For money: the writes, the answer and the events are made in one transaction.
///
/// - [`commit`](Self::commit) is for work whose effects are all in DynamoDB. It is one transaction,
///   without a claim, so there is nothing to reconcile. 2 WRU for each item.
/// - [`execute`](Self::execute) is for work with an external effect before the writes, such as a charge
///   of a card. It makes a claim first. If a run dies after that, the next run calls `reconcile` instead
///   of the work, to find out what happened.
#[derive(Clone, Debug)]
pub struct Transactional {
    records: Records,
}

/// An answer and its writes: business items and outgoing events.
#[derive(Clone, Debug)]
pub struct Commit<T> {
    answer: T,
    writes: Vec<TransactWriteItem>,
}

impl<T> Commit<T> {
    /// An answer without writes.
    #[must_use]
    pub fn new(answer: T) -> Self {
        Self { answer, writes: Vec::new() }
    }

    /// Adds a write. At most 99 writes, each to a different item.
    #[must_use]
    pub fn write(mut self, write: TransactWriteItem) -> Self {
        self.writes.push(write);
        self
    }

    /// Changes the answer.
    #[must_use]
    pub fn map(self, change: impl FnOnce(T) -> T) -> Self {
        Self { answer: change(self.answer), writes: self.writes }
    }
}

/// The result of `reconcile` for a run that did not end.
#[derive(Clone, Debug)]
pub enum Reconciled<T> {
    /// The external effect happened; this is the commit that is still missing.
    Happened(Commit<T>),
    /// The external effect did not happen and will not happen. The work runs now.
    DidNotHappen,
}

impl Transactional {
    /// Work whose records are in `records`.
    #[must_use]
    pub fn new(records: Records) -> Self {
        Self { records }
    }

    /// The saved answer of the request, if there is one. Check it before you refuse a request because of
    /// the current state: an earlier execution of the same request may be the cause of that state.
    /// 1 RRU for 4 KB.
    ///
    /// # Errors
    /// [`IdempotencyError`]
    pub async fn answered<T: DeserializeOwned>(
        &self,
        request: &Request,
    ) -> Result<Option<T>, IdempotencyError> {
        let answer = self.records.answer(request).await?;
        Ok(answer.map(|answer| serde_json::from_str(&answer)).transpose()?)
    }

    /// Makes all writes of `commit` and saves its answer, if the request has no saved answer.
    ///
    /// # Errors
    /// [`IdempotencyError`]; `Refused` when a condition of the writes does not hold.
    pub async fn commit<T: Serialize + DeserializeOwned>(
        &self,
        request: &Request,
        commit: Commit<T>,
    ) -> Result<Outcome<T>, IdempotencyError> {
        let owner = Ulid::generate().to_string();
        self.transact(request, &owner, When::Unclaimed, commit).await
    }

    /// Claims the request, runs `work`, then makes its writes and saves its answer, if the request is
    /// neither done nor in progress. After a run that did not end, it calls `reconcile` first, and `work`
    /// only if the result is [`Reconciled::DidNotHappen`].
    ///
    /// Pass [`Claim::id`] to external services as their idempotency key. After an error of `work` or
    /// `reconcile`, it is unknown what took effect, so the next attempt reconciles.
    ///
    /// # Errors
    /// [`IdempotencyError`]; an error of `work` or `reconcile` as `Failed`.
    pub async fn execute<T: Serialize + DeserializeOwned>(
        &self,
        request: &Request,
        work: impl AsyncFnOnce(&Claim) -> Result<Commit<T>, Error>,
        reconcile: impl AsyncFnOnce(&Claim) -> Result<Reconciled<T>, Error>,
    ) -> Result<Outcome<T>, IdempotencyError> {
        let (claim, earlier) = match self.records.claim(request, Keep::AsEvidence).await? {
            Claimed::Completed(answer) => {
                return Ok(Outcome::Replayed(serde_json::from_str(&answer)?));
            }
            Claimed::First(claim) => (claim, false),
            Claimed::After(claim) => (claim, true),
        };
        let run = async {
            let found = if earlier { reconcile(&claim).await? } else { Reconciled::DidNotHappen };
            let commit = match found {
                Reconciled::Happened(commit) => commit,
                Reconciled::DidNotHappen => {
                    self.records.check(&claim)?;
                    work(&claim).await?
                }
            };
            // If the record refuses the transaction, this run has stalled and another has taken over.
            self.transact(request, claim.owner(), When::Held, commit).await
        };
        let outcome = run.await;
        if let Err(IdempotencyError::Failed(_) | IdempotencyError::Refused { .. }) = outcome {
            self.records.end(&claim).await;
        }
        outcome
    }

    /// One transaction: the answer and all writes.
    async fn transact<T: Serialize + DeserializeOwned>(
        &self,
        request: &Request,
        owner: &str,
        when: When,
        commit: Commit<T>,
    ) -> Result<Outcome<T>, IdempotencyError> {
        let Commit { answer, writes } = commit;
        if writes.len() > MAX_WRITES {
            return Err(Error::internal("a transaction has more than 100 items").into());
        }
        let data = serde_json::to_string(&answer)?;
        let completion = self.records.completion(request, owner, &data, when)?;
        let mut items = vec![TransactWriteItem::builder().update(completion).build()];
        items.extend(writes);
        let sent =
            transaction::send("idempotency.transact", &self.records.client, owner, items).await?;
        match sent {
            Sent::Made => Ok(Outcome::New(answer)),
            // Another run was first; this is its answer.
            Sent::Refused { index: 0, item } => {
                let item = item.ok_or_else(|| Error::internal("the record is gone"))?;
                let answer = self.records.settled(Record::from_item(item)?, request)?;
                Ok(Outcome::Replayed(serde_json::from_str(&answer)?))
            }
            Sent::Refused { index, item } => {
                Err(IdempotencyError::Refused { index: index - 1, item })
            }
        }
    }
}
