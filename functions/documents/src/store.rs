//! The documents' table: `pk = USER#<owner>`, `sk = DOC#<id>`, so that a user's documents stand
//! together, in the order of their creation. `expires` is the TTL attribute, in epoch seconds.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure,
    TransactWriteItem,
};
use jiff::Timestamp;
use shared::id::UserId;
use shared::{Error, Result};

use crate::document::{ABANDONED_KEPT, AttemptId, Document, DocumentId, Failure};
use crate::pdf::Contents;

type Item = HashMap<String, AttributeValue>;

/// The documents' table.
#[derive(Clone, Debug)]
pub struct Documents {
    client: Client,
    table: String,
}

/// What came of a conditional change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was made, and this is the document now.
    Made(Box<Document>),
    /// The document is in another state, this one, and was left alone.
    Refused(Box<Document>),
    /// There is no such document.
    NoDocument,
}

impl Documents {
    /// The documents in `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The write that adds a document whose file is yet to come. 2 WRU, in a transaction.
    pub fn creation(&self, document: &Document) -> Result<TransactWriteItem> {
        let mut item: Item = serde_dynamo::to_item(document)?;
        item.extend(key(document.owner, document.id));
        let expires = document.upload_expires_at + ABANDONED_KEPT;
        item.insert("expires".into(), AttributeValue::N(expires.as_second().to_string()));
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The document, strongly consistent. 1 RRU for 4 KB.
    pub async fn get(&self, owner: UserId, id: DocumentId) -> Result<Option<Document>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(owner, id)))
            .consistent_read(true)
            .send()
            .await?;
        Ok(answer.item.map(serde_dynamo::from_item).transpose()?)
    }

    /// Up to `limit` of the owner's documents, newest first, starting after `after`; and whether
    /// there are more. 0.5 RRU for 4 KB of documents.
    pub async fn list(
        &self,
        owner: UserId,
        after: Option<DocumentId>,
        limit: i32,
    ) -> Result<(Vec<Document>, bool)> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", string(format!("USER#{owner}")))
            .scan_index_forward(false)
            .set_exclusive_start_key(after.map(|id| key(owner, id)))
            .limit(limit)
            .send()
            .await?;
        let more = answer.last_evaluated_key.is_some();
        Ok((serde_dynamo::from_items(answer.items.unwrap_or_default())?, more))
    }

    /// `awaiting_upload` → `uploaded`: the file has arrived, as this version. 1 WRU.
    pub async fn record_upload(
        &self,
        owner: UserId,
        id: DocumentId,
        object_version: &str,
        now: Timestamp,
    ) -> Result<Change> {
        let update = self
            .update(owner, id)
            .update_expression(
                "SET #status = :uploaded, uploaded_at = :now, object_version = :version \
                 REMOVE expires",
            )
            .condition_expression("#status = :awaiting_upload")
            .expression_attribute_values(":uploaded", string("uploaded"))
            .expression_attribute_values(":awaiting_upload", string("awaiting_upload"))
            .expression_attribute_values(":version", string(object_version))
            .expression_attribute_values(":now", string(now));
        change(update).await
    }

    /// → `processing`, if no other attempt is at it: from `uploaded`, from an attempt whose lease
    /// has run out, or from `gave_up`. 1 WRU.
    pub async fn claim(
        &self,
        (owner, id): (UserId, DocumentId),
        attempt: AttemptId,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Change> {
        let update = self
            .update(owner, id)
            .update_expression(
                "SET #status = :processing, attempt = :attempt, started_at = :now, \
                 lease_until = :until ADD attempts :one REMOVE failure, finished_at",
            )
            .condition_expression(
                "#status = :uploaded \
                 OR (#status = :processing AND lease_until < :now_ms) \
                 OR (#status = :failed AND failure = :gave_up)",
            )
            .expression_attribute_values(":uploaded", string("uploaded"))
            .expression_attribute_values(":processing", string("processing"))
            .expression_attribute_values(":failed", string("failed"))
            .expression_attribute_values(":gave_up", string("gave_up"))
            .expression_attribute_values(":attempt", string(attempt))
            .expression_attribute_values(":now", string(now))
            .expression_attribute_values(":now_ms", milliseconds(now))
            .expression_attribute_values(":until", milliseconds(lease_until))
            .expression_attribute_values(":one", AttributeValue::N("1".into()));
        change(update).await
    }

    /// `processing` → `uploaded`: the attempt that holds the document lets go of it, for the next to
    /// try at once and not only when the lease is over. 1 WRU.
    pub async fn release(
        &self,
        (owner, id): (UserId, DocumentId),
        attempt: AttemptId,
    ) -> Result<Change> {
        let update = self
            .update(owner, id)
            .update_expression("SET #status = :uploaded REMOVE lease_until")
            .condition_expression("#status = :processing AND attempt = :attempt")
            .expression_attribute_values(":uploaded", string("uploaded"))
            .expression_attribute_values(":processing", string("processing"))
            .expression_attribute_values(":attempt", string(attempt));
        change(update).await
    }

    /// `processing` → `ready`, by the attempt that holds the document. 1 WRU for 1 KB.
    pub async fn finish(
        &self,
        (owner, id): (UserId, DocumentId),
        attempt: AttemptId,
        contents: &Contents,
        now: Timestamp,
    ) -> Result<Change> {
        let update = self
            .update(owner, id)
            .update_expression(
                "SET #status = :ready, contents = :contents, finished_at = :now \
                 REMOVE lease_until",
            )
            .condition_expression("#status = :processing AND attempt = :attempt")
            .expression_attribute_values(":ready", string("ready"))
            .expression_attribute_values(":processing", string("processing"))
            .expression_attribute_values(":attempt", string(attempt))
            .expression_attribute_values(":contents", serde_dynamo::to_attribute_value(contents)?)
            .expression_attribute_values(":now", string(now));
        change(update).await
    }

    /// `processing` → `failed`, by the attempt that holds the document. 1 WRU.
    pub async fn fail(
        &self,
        (owner, id): (UserId, DocumentId),
        attempt: AttemptId,
        failure: Failure,
        now: Timestamp,
    ) -> Result<Change> {
        let update = self
            .failed(owner, id, failure, now)?
            .condition_expression("#status = :processing AND attempt = :attempt")
            .expression_attribute_values(":processing", string("processing"))
            .expression_attribute_values(":attempt", string(attempt));
        change(update).await
    }

    /// `uploaded`, or `processing` with a lease that has run out → `failed` with
    /// [`Failure::GaveUp`]. 1 WRU.
    pub async fn give_up(&self, owner: UserId, id: DocumentId, now: Timestamp) -> Result<Change> {
        let update = self
            .failed(owner, id, Failure::GaveUp, now)?
            .condition_expression(
                "#status = :uploaded OR (#status = :processing AND lease_until < :now_ms)",
            )
            .expression_attribute_values(":now_ms", milliseconds(now))
            .expression_attribute_values(":uploaded", string("uploaded"))
            .expression_attribute_values(":processing", string("processing"));
        change(update).await
    }

    fn failed(
        &self,
        owner: UserId,
        id: DocumentId,
        failure: Failure,
        now: Timestamp,
    ) -> Result<UpdateItemFluentBuilder> {
        Ok(self
            .update(owner, id)
            .update_expression(
                "SET #status = :failed, failure = :failure, finished_at = :now \
                 REMOVE lease_until",
            )
            .expression_attribute_values(":failed", string("failed"))
            .expression_attribute_values(":failure", serde_dynamo::to_attribute_value(failure)?)
            .expression_attribute_values(":now", string(now)))
    }

    fn update(&self, owner: UserId, id: DocumentId) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(owner, id)))
            .expression_attribute_names("#status", "status")
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld)
    }
}

/// Sends a conditional update. The SDK may send one twice, when the first answer was lost; then the
/// second is refused, and the caller sees from the document that the change is its own.
async fn change(update: UpdateItemFluentBuilder) -> Result<Change> {
    match update.send().await {
        Ok(answer) => {
            let item = answer.attributes.ok_or_else(|| Error::internal("an update gave no item"))?;
            Ok(Change::Made(serde_dynamo::from_item(item)?))
        }
        Err(error) => match error.into_service_error() {
            aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(
                refused,
            ) => match refused.item {
                Some(item) => Ok(Change::Refused(serde_dynamo::from_item(item)?)),
                None => Ok(Change::NoDocument),
            },
            other => Err(other.into()),
        },
    }
}

fn key(owner: UserId, id: DocumentId) -> Item {
    HashMap::from([
        ("pk".to_owned(), string(format!("USER#{owner}"))),
        ("sk".to_owned(), string(format!("DOC#{id}"))),
    ])
}

fn milliseconds(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millisecond().to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "callers pass literals and fresh strings")]
fn string(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}
