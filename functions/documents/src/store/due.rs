//! The index `due`: documents that are not at their end, by when somebody should look at them, whether or
//! not their events and jobs still exist. And what is left of documents that were deleted.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::due::{self, Due};
use shared::fault::point;
use shared::id::TenantId;
use shared::table::{self, Item, key, key_part, milliseconds, text};
use shared::transaction::Sent;
use shared::write::{self, Written};
use shared::{Error, Result};

use super::{Documents, Key, change, key_of};
use crate::document::{Document, DocumentId, GONE_KEPT, OVERDUE_AFTER};

/// Over how many partitions of the index documents are spread; one takes 1,000 WRU a second.
pub const DUE_SHARDS: u32 = 8;

/// The mark of a deleted document.
#[derive(Serialize, Deserialize)]
struct Gone {
    tenant: TenantId,
    /// Epoch seconds.
    expires: i64,
}

impl Documents {
    /// The documents that were due by `now`, in the shards [`DUE_SHARDS`].
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Due {
        self.table.due("documents.due", now)
    }

    /// Has the document looked at again at `at`, unless it has come to its end. 3 WRU.
    pub async fn look_again(&self, document: Key, at: Timestamp) -> Result<()> {
        let update = self
            .update(document)
            .update_expression("SET due_at = :at")
            .condition_expression("attribute_exists(due_at) AND attribute_exists(#status)")
            .expression_attribute_values(":at", milliseconds(at));
        change("documents.look_again", update).await.map(|_| ())
    }

    /// The file never came: the record goes, unless the file has come meanwhile. Whether it went. 2 WRU.
    pub async fn abandon(&self, document: Key) -> Result<bool> {
        let request = self
            .table
            .delete(key_of(document))
            .condition_expression("#status = :awaiting_upload")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":awaiting_upload", text("awaiting_upload"));
        Ok(matches!(write::send("documents.abandon", request).await?, Written::Made(_)))
    }

    /// `deleting` → gone. A mark stays for [`GONE_KEPT`] after the form has expired: it tells a file that
    /// comes late for a deleted document from one whose record is missing. 4 WRU.
    pub async fn remove(&self, document: &Document) -> Result<()> {
        let delete = self
            .table
            .deleting(key_of(document.key()))
            .condition_expression("attribute_not_exists(pk) OR #status = :deleting")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":deleting", text("deleting"));
        let expires = document.upload_expires_at + GONE_KEPT;
        let gone = Gone { tenant: document.tenant, expires: expires.as_second() };
        let put = self.table.putting(gone_key(document.key()), &gone)?;
        let writes = vec![table::delete(delete)?, table::put(put)?];
        let token = document.id.to_string();
        match self.table.transact("documents.remove", &token, writes).await? {
            Sent::Made => Ok(()),
            Sent::Refused { .. } => Err(Error::internal("a document that is not to be deleted")),
        }
    }

    /// The tenant of a document that its owner has deleted; nothing if none is known. 1 RRU.
    pub async fn deleted(&self, document: Key) -> Result<Option<TenantId>> {
        let get = || self.table.get::<Gone>(gone_key(document));
        Ok(point("documents.deleted", get).await?.map(|gone| gone.tenant))
    }
}

/// Adds the attributes that put a document into the index, to be looked at when nothing is heard of it.
pub(super) fn with_due(
    update: UpdateItemFluentBuilder,
    (_, id): Key,
    now: Timestamp,
) -> UpdateItemFluentBuilder {
    update
        .expression_attribute_values(":due_shard", text(shard(id)))
        .expression_attribute_values(":due_at", milliseconds(now + OVERDUE_AFTER))
}

/// The document's partition of the index.
pub(super) fn shard(id: DocumentId) -> u32 {
    due::shard(&id.to_string(), DUE_SHARDS)
}

fn gone_key((owner, id): Key) -> Item {
    key(format!("USER#{owner}"), format!("GONE#{id}"))
}

/// The key of a document that the index names.
pub(crate) fn named(item: &Item) -> Result<Key> {
    Ok((key_part(item, "pk", "USER#")?.parse()?, key_part(item, "sk", "DOC#")?.parse()?))
}
