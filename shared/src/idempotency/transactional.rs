use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ulid::Ulid;

use super::record::Record;
use super::records::{Claim, Claimed, Keep, When};
use super::{IdempotencyError, Outcome, Records, Request};
use crate::Error;
use crate::transaction::{self, Sent};

/// How many items a transaction may change besides the record.
const MAX_WRITES: usize = transaction::MAX_ITEMS - 1;

/// For money: what is written, what is answered and what is published change together or not at all.
///
/// - [`commit`](Self::commit) is for work whose effects are all in DynamoDB. There is no claim and so
///   nothing to reconcile: one transaction is the whole of it. 2 WRU for each item.
/// - [`execute`](Self::execute) is for work that does something outside, such as charging a card,
///   before it writes. A claim is made first. If a run dies in between, its claim is never simply run
///   again: `reconcile` is asked what happened.
#[derive(Clone, Debug)]
pub struct Transactional {
    records: Records,
}

/// An answer, and everything that is written with it: business items and outgoing events.
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

    /// Adds a write: 99 at most, each to another item.
    #[must_use]
    pub fn write(mut self, write: TransactWriteItem) -> Self {
        self.writes.push(write);
        self
    }
}

/// What `reconcile` has found out about a run that never ended.
#[derive(Clone, Debug)]
pub enum Reconciled<T> {
    /// The work took effect outside; this is what was left to write.
    Happened(Commit<T>),
    /// It took no effect, and will take none. The work is done now.
    DidNotHappen,
}

impl Transactional {
    /// Work whose records are in `records`.
    #[must_use]
    pub fn new(records: Records) -> Self {
        Self { records }
    }

    /// The answer that is saved for the request, if there is one: to be asked for before a request is
    /// refused for how things stand, which it may itself have brought about. 1 RRU for 4 KB.
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

    /// Makes all of `commit`'s writes and saves its answer, unless that is done.
    ///
    /// # Errors
    /// [`IdempotencyError`]; `Refused` when a condition among the writes does not hold.
    pub async fn commit<T: Serialize + DeserializeOwned>(
        &self,
        request: &Request,
        commit: Commit<T>,
    ) -> Result<Outcome<T>, IdempotencyError> {
        let owner = Ulid::generate().to_string();
        self.transact(request, &owner, When::Unclaimed, commit).await
    }

    /// Claims the request, does `work`, then makes its writes and saves its answer, unless that is
    /// done or under way. `reconcile` is called instead of `work` after a run that never ended.
    ///
    /// Give outside services [`Claim::id`] as their idempotency key. An error of `work` or `reconcile`
    /// leaves the claim to be reconciled by the next attempt, for nobody knows what took effect.
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
            // Refused by its record, the run has stalled, and another has taken over.
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
            return Err(Error::internal("a transaction of more than 100 items").into());
        }
        let data = serde_json::to_string(&answer)?;
        let completion = self.records.completion(request, owner, &data, when)?;
        let mut items = vec![TransactWriteItem::builder().update(completion).build()];
        items.extend(writes);
        let sent =
            transaction::send("idempotency.transact", &self.records.client, owner, items).await?;
        match sent {
            Sent::Made => Ok(Outcome::New(answer)),
            // The answer of the run that was faster.
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
