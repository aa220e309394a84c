//! The documents' table.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | a document | `USER#<owner>` | `DOC#<id>`: a user's documents are in the order of creation |
//! | the tombstone of a deleted document | `USER#<owner>` | `GONE#<id>` |
//! | a tenant's settings | `TENANT#<tenant>` | `SETTINGS` |
//! | a tenant's schema | `TENANT#<tenant>` | `SCHEMA#<name>#<version>` |
//! | the delivery of a message to a tenant | `TENANT#<tenant>` | `DELIVERY#<id>`, in the order of the messages |
//! | the last document that was read from the same bytes | `TENANT#<tenant>` | `FILE#<reading>#<SHA-256>` |
//!
//! `expires` is the TTL attribute, in seconds since 1970. An unfinished document is in the index `due`, by
//! `due_shard` and `due_at` (in milliseconds since 1970).

mod due;
mod progress;
mod tenants;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure,
    TransactWriteItem,
};
use jiff::Timestamp;
use shared::id::{TenantId, UserId};
use shared::table::{Item, Table, key, milliseconds, string, text, value};
use shared::write::{self, Written};
use shared::{Error, Result};

pub use due::DUE_SHARDS;
pub(crate) use due::key_from_index;
pub use progress::{End, Ended};

use crate::document::{Document, DocumentId, Entry, UPLOAD_GRACE};
use crate::stage::Stage;

/// A document's key: its owner and its id.
pub type Key = (UserId, DocumentId);

/// The documents' table.
#[derive(Clone, Debug)]
pub struct Documents {
    table: Table,
}

/// The outcome of a conditional change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The change was made. This is the changed document.
    Made(Box<Document>),
    /// The condition failed. This is the unchanged document.
    Refused(Box<Document>),
    /// The document does not exist.
    NoDocument,
}

impl Documents {
    /// The documents in `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { table: Table::new(client, table) }
    }

    /// The write that adds a document in `awaiting_upload`. 3 WRU, in a transaction.
    pub fn creation(&self, document: &Document) -> Result<TransactWriteItem> {
        let mut item = key_of(document.key());
        let due_at = document.upload_expires_at + UPLOAD_GRACE;
        item.insert("due_shard".into(), text(due::shard(document.id)));
        item.insert("due_at".into(), milliseconds(due_at));
        self.table.new_item(item, document)
    }

    /// The document, strongly consistent. 1 RRU for 4 KB.
    pub async fn get(&self, document: Key) -> Result<Option<Document>> {
        self.table.get(key_of(document)).await
    }

    /// Up to `limit` of the owner's documents in a tenant, newest first, starting after `after`; and the start of the
    /// next page, if there is one. Documents that are being deleted are left out. 0.5 RRU for 4 KB of the owner's
    /// documents in all tenants.
    pub async fn list(
        &self,
        (owner, tenant): (UserId, TenantId),
        after: Option<DocumentId>,
        limit: i32,
    ) -> Result<(Vec<Document>, Option<DocumentId>)> {
        let query = self
            .table
            .query(format!("USER#{owner}"), "DOC#")
            .filter_expression("tenant = :tenant AND #status <> :deleting")
            .expression_attribute_values(":tenant", text(tenant))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":deleting", string("deleting"))
            .scan_index_forward(false)
            .set_exclusive_start_key(after.map(|id| key_of((owner, id))));
        let (documents, has_more) = Table::page::<Document>(query, limit).await?;
        let last = documents.last().filter(|_| has_more).map(|last| last.id);
        Ok((documents, last))
    }

    /// `awaiting_upload` → `processing`: records the version of the uploaded file. 4 WRU.
    pub async fn record_upload(
        &self,
        document: Key,
        object_version: &str,
        now: Timestamp,
    ) -> Result<Change> {
        // Old records have the TTL attribute `expires`, from the time before the sweep.
        let update = self
            .update(document)
            .update_expression(
                "SET #status = :processing, uploaded_at = :now, object_version = :version, \
                 due_shard = :due_shard, due_at = :due_at, \
                 history = list_append(history, :history_entry) REMOVE expires, multipart",
            )
            .condition_expression("#status = :awaiting_upload")
            .expression_attribute_values(":processing", string("processing"))
            .expression_attribute_values(":awaiting_upload", string("awaiting_upload"))
            .expression_attribute_values(":version", string(object_version))
            .expression_attribute_values(":now", text(now))
            .expression_attribute_values(":history_entry", history_entry("uploaded", None, now)?);
        let update = due::with_due(update, document, now);
        change("documents.record_upload", update).await
    }

    /// `awaiting_upload`, `processing` → `cancelled`. 4 WRU.
    pub async fn cancel(&self, document: Key, now: Timestamp) -> Result<Change> {
        let update = self
            .update(document)
            .update_expression(
                "SET #status = :cancelled, finished_at = :now, \
                 due_shard = :due_shard, due_at = :due_at, \
                 history = list_append(history, :history_entry) \
                 REMOVE waiting, waiting_since, progress",
            )
            .condition_expression("#status IN (:awaiting_upload, :processing)")
            .expression_attribute_values(":cancelled", string("cancelled"))
            .expression_attribute_values(":awaiting_upload", string("awaiting_upload"))
            .expression_attribute_values(":processing", string("processing"))
            .expression_attribute_values(":now", text(now))
            .expression_attribute_values(":history_entry", history_entry("cancelled", None, now)?);
        change("documents.cancel", due::with_due(update, document, now)).await
    }

    /// Any status → `deleting`. 4 WRU.
    pub async fn mark_deleting(&self, document: Key, now: Timestamp) -> Result<Change> {
        let update = self
            .update(document)
            .update_expression("SET #status = :deleting, due_shard = :due_shard, due_at = :due_at")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":deleting", string("deleting"));
        change("documents.mark_deleting", due::with_due(update, document, now)).await
    }

    /// Removes the results from the record of a cancelled document whose objects are deleted. 3 WRU.
    pub async fn purged(&self, document: Key) -> Result<()> {
        let update = self
            .update(document)
            .update_expression(
                "SET stages = :none REMOVE multipart, clean_version, lease_until, \
                 due_shard, due_at",
            )
            .condition_expression("#status = :cancelled")
            .expression_attribute_values(":none", AttributeValue::M(HashMap::new()))
            .expression_attribute_values(":cancelled", string("cancelled"));
        // If the update is refused, the document is being deleted, and another job does that.
        change("documents.purged", update).await.map(|_| ())
    }

    fn update(&self, document: Key) -> UpdateItemFluentBuilder {
        self.table
            .update(key_of(document))
            .expression_attribute_names("#status", "status")
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld)
    }
}

/// Sends a conditional update; `name` is its fault point. If the answer is lost, the SDK sends the update
/// again. Then the condition fails, and the caller sees from the document that its own change was made.
async fn change(name: &'static str, update: UpdateItemFluentBuilder) -> Result<Change> {
    Ok(match write::send(name, update).await? {
        Written::Made(item) => {
            let item = item.ok_or_else(|| Error::internal("an update returned no item"))?;
            Change::Made(serde_dynamo::from_item(item)?)
        }
        Written::Refused(Some(item)) => Change::Refused(serde_dynamo::from_item(item)?),
        Written::Refused(None) => Change::NoDocument,
    })
}

fn key_of((owner, id): Key) -> Item {
    key(format!("USER#{owner}"), format!("DOC#{id}"))
}

/// The list of one entry to append to a document's history.
fn history_entry(event: &str, stage: Option<Stage>, at: Timestamp) -> Result<AttributeValue> {
    value(&[Entry { at, event: event.to_owned(), stage }])
}
