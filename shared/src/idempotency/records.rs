use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure, Update,
};
use jiff::Timestamp;
use ulid::Ulid;

use super::record::{COMPLETED, IN_PROGRESS, Item, Record};
use super::{IdempotencyError, LONGEST_RUN, Request};
use crate::clock::Clock;
use crate::lease::GRACE;
use crate::write::{self, Written};
use crate::{Error, Result, invocation};

/// The condition of a claim: there is no record, or the record has expired, or its run has died. The
/// expression ends inside a parenthesis: if payloads are compared, [`SAME_PAYLOAD`] adds to the last case.
const CLAIMABLE: &str = "attribute_not_exists(id) \
    OR (#expiration < :now AND (#status = :completed OR attribute_not_exists(in_progress_expiration))) \
    OR (#status = :in_progress AND in_progress_expiration < :now_ms";
const SAME_PAYLOAD: &str = " AND (#expiration < :now OR attribute_not_exists(validation) \
    OR validation = :validation)";

/// How long an answer is kept.
const ANSWER_KEPT: Duration = Duration::from_hours(24);

/// How long a claim is kept that only `reconcile` may end: in effect, for ever.
const EVIDENCE_KEPT: Duration = Duration::from_hours(100 * 365 * 24);

/// The table of records.
#[derive(Clone, Debug)]
pub struct Records {
    pub(super) client: Client,
    pub(super) table: String,
    pub(super) clock: Clock,
}

/// The right to do the work of a request, until it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    request: Request,
    owner: String,
    until: Timestamp,
}

impl Claim {
    /// The request's id. It is the same in every attempt: pass it to external services as their
    /// idempotency key.
    #[must_use]
    pub fn id(&self) -> &str {
        self.request.id()
    }

    /// The run that holds the claim. Each attempt has its own.
    pub(super) fn owner(&self) -> &str {
        &self.owner
    }
}

/// How long the record of a claim is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// As long as an answer.
    AsAnswer,
    /// Until an attempt reconciles it.
    AsEvidence,
}

/// The condition for saving an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// The run is the last that claimed the request.
    Owned,
    /// The run is the last that claimed the request, and has not saved an answer.
    Held,
    /// No run has a claim on the request, and there is no answer.
    Unclaimed,
}

/// The outcome of a claim.
#[derive(Debug)]
pub(super) enum Claimed {
    /// The claim succeeded; no other run has started the work.
    First(Claim),
    /// The claim succeeded; another run has, or may have, started the work and not ended it.
    After(Claim),
    /// The work is done; its answer, in JSON.
    Completed(String),
}

impl Records {
    /// The records in `table`, whose partition key is `id`. Answers are kept for 24 h.
    #[must_use]
    pub fn new(client: Client, table: String, clock: Clock) -> Self {
        Self { client, table, clock }
    }

    /// The clock that decides whether records and claims have expired.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Claims a request until [`GRACE`] after the deadline of the invocation, or for [`LONGEST_RUN`] outside
    /// an invocation. 1 WRU.
    pub(super) async fn claim(
        &self,
        request: &Request,
        keep: Keep,
    ) -> Result<Claimed, IdempotencyError> {
        let now = self.clock.now();
        let left = invocation::current().map_or(LONGEST_RUN, |current| current.remaining() + GRACE);
        let owner = Ulid::generate().to_string();
        let claim = Claim { request: request.clone(), owner, until: now + left };
        let expiration = match keep {
            Keep::AsAnswer => now + ANSWER_KEPT,
            Keep::AsEvidence => now + EVIDENCE_KEPT,
        };
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", string(&request.id))
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#expiration", "expiration")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#data", "data")
            .expression_attribute_values(":completed", string(COMPLETED))
            .expression_attribute_values(":in_progress", string(IN_PROGRESS))
            .expression_attribute_values(":owner", string(&claim.owner))
            .expression_attribute_values(":expiration", number(expiration.as_second()))
            .expression_attribute_values(":until", number(claim.until.as_millisecond()))
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":now_ms", number(now.as_millisecond()))
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let set = "SET #status = :in_progress, #expiration = :expiration, #owner = :owner, \
            in_progress_expiration = :until";
        update = match &request.validation {
            Some(validation) => update
                .update_expression(format!("{set}, validation = :validation REMOVE #data"))
                .condition_expression(format!("{CLAIMABLE}{SAME_PAYLOAD})"))
                .expression_attribute_values(":validation", string(validation)),
            None => update
                .update_expression(format!("{set} REMOVE #data, validation"))
                .condition_expression(format!("{CLAIMABLE})")),
        };

        match write::send("idempotency.claim", update).await? {
            Written::Made(item) => Ok(match item.map(Record::from_item).transpose()? {
                Some(earlier) if !earlier.is_completed => Claimed::After(claim),
                _ => Claimed::First(claim),
            }),
            Written::Refused(item) => self.refused(claim, item),
        }
    }

    /// Interprets the record that made a claim fail.
    fn refused(&self, claim: Claim, item: Option<Item>) -> Result<Claimed, IdempotencyError> {
        let record = Record::from_item(item.ok_or_else(|| Error::internal("no record"))?)?;
        if record.owner.as_ref() == Some(&claim.owner) {
            // The answer to this run's own claim was lost, and the SDK sent the claim again. The old
            // record is overwritten, so it is unknown whether another run started the work before.
            return Ok(Claimed::After(claim));
        }
        self.settled(record, &claim.request).map(Claimed::Completed)
    }

    /// The answer in the record of another run.
    pub(super) fn settled(
        &self,
        record: Record,
        request: &Request,
    ) -> Result<String, IdempotencyError> {
        if request.validation.is_some() && record.validation != request.validation {
            return Err(IdempotencyError::OtherPayload);
        }
        if record.is_completed {
            // Powertools omits `data` if the handler returns nothing.
            return Ok(record.data.unwrap_or_else(|| "null".to_owned()));
        }
        let until = record.in_progress_expiration.map(Timestamp::from_millisecond);
        Err(self.busy(until.and_then(Result::ok).unwrap_or_else(|| self.clock.now())))
    }

    fn busy(&self, until: Timestamp) -> IdempotencyError {
        let after = until.duration_since(self.clock.now()).try_into().unwrap_or_default();
        IdempotencyError::InProgress { until, after }
    }

    /// The update that saves an answer, in JSON.
    pub(super) fn completion(
        &self,
        request: &Request,
        owner: &str,
        data: &str,
        when: When,
    ) -> Result<Update> {
        let now = self.clock.now();
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("id", string(&request.id))
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#expiration", "expiration")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#data", "data")
            .expression_attribute_values(":completed", string(COMPLETED))
            .expression_attribute_values(":owner", string(owner))
            .expression_attribute_values(":data", string(data))
            .expression_attribute_values(":expiration", number((now + ANSWER_KEPT).as_second()))
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let set = "SET #status = :completed, #data = :data, #expiration = :expiration, \
            #owner = :owner";
        update = match &request.validation {
            Some(validation) => update
                .update_expression(format!("{set}, validation = :validation"))
                .expression_attribute_values(":validation", string(validation)),
            None => update.update_expression(set),
        };
        update = match when {
            When::Owned => update.condition_expression("#owner = :owner"),
            When::Held => update
                .condition_expression("#owner = :owner AND #status = :in_progress")
                .expression_attribute_values(":in_progress", string(IN_PROGRESS)),
            When::Unclaimed => update
                .condition_expression(
                    "attribute_not_exists(id) OR (#status = :completed AND #expiration < :now)",
                )
                .expression_attribute_values(":now", number(now.as_second())),
        };
        Ok(update.build()?)
    }

    /// Saves an answer, in JSON, if no other run has claimed the request since. Otherwise gives the answer
    /// of that run. 1 WRU for 1 KB.
    pub(super) async fn complete(
        &self,
        claim: &Claim,
        data: &str,
    ) -> Result<Option<String>, IdempotencyError> {
        let change = self.completion(&claim.request, &claim.owner, data, When::Owned)?;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(change.key))
            .update_expression(change.update_expression)
            .set_condition_expression(change.condition_expression)
            .set_expression_attribute_names(change.expression_attribute_names)
            .set_expression_attribute_values(change.expression_attribute_values)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        match write::send("idempotency.complete", update).await? {
            Written::Made(_) => Ok(None),
            Written::Refused(Some(item)) => {
                self.settled(Record::from_item(item)?, &claim.request).map(Some)
            }
            Written::Refused(None) => Err(self.busy(self.clock.now())),
        }
    }

    /// The saved answer of a request, if there is one. 1 RRU for 4 KB.
    pub(super) async fn answer(
        &self,
        request: &Request,
    ) -> Result<Option<String>, IdempotencyError> {
        let get = self.client.get_item().table_name(&self.table).key("id", string(&request.id));
        let answer = get.consistent_read(true).send().await?;
        let Some(item) = answer.item else { return Ok(None) };
        let expires = item.get("expiration").and_then(|expires| expires.as_n().ok()?.parse().ok());
        if expires.is_none_or(|expires: i64| expires < self.clock.now().as_second()) {
            return Ok(None);
        }
        self.settled(Record::from_item(item)?, request).map(Some)
    }

    /// Fails if a claim has expired: a stalled run must not start work that the next run may be doing.
    pub(super) fn check(&self, claim: &Claim) -> Result<(), IdempotencyError> {
        if self.clock.now() < claim.until { Ok(()) } else { Err(self.busy(claim.until)) }
    }

    /// Deletes a claim that is still held, so that the next run can claim at once. 1 WRU.
    pub(super) async fn release(&self, claim: &Claim) {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("id", string(claim.id()))
            .condition_expression("#owner = :owner AND #status = :in_progress")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":owner", string(&claim.owner))
            .expression_attribute_values(":in_progress", string(IN_PROGRESS));
        // If this fails, the claim expires by itself.
        if let Err(error) = write::send("idempotency.release", delete).await {
            tracing::warn!(error = error.trail(), "release of a claim failed");
        }
    }

    /// Ends a claim that is still held, and keeps its record for the next run to reconcile. 1 WRU.
    pub(super) async fn end(&self, claim: &Claim) {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", string(claim.id()))
            .update_expression("SET in_progress_expiration = :over")
            .condition_expression("#owner = :owner AND #status = :in_progress")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":owner", string(&claim.owner))
            .expression_attribute_values(":in_progress", string(IN_PROGRESS))
            .expression_attribute_values(":over", number(0));
        if let Err(error) = write::send("idempotency.end", update).await {
            tracing::warn!(error = error.trail(), "end of a claim failed");
        }
    }
}

pub(super) fn string(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(super) fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
