//! The index `due`: unfinished documents, by the time of their next check. The sweep reads it, so that a lost
//! event or job does not matter. Also the tombstones of deleted documents.

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
use crate::document::{Document, DocumentId, OVERDUE_AFTER, TOMBSTONE_RETENTION};

/// The number of partitions of the index. One partition handles 1,000 WRU per second.
pub const DUE_SHARDS: u32 = 8;

/// The tombstone of a deleted document.
#[derive(Serialize, Deserialize)]
struct Tombstone {
    tenant: TenantId,
    /// Seconds since 1970.
    expires: i64,
}

impl Documents {
    /// The documents due by `now`, in [`DUE_SHARDS`] shards.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Due {
        self.table.due("documents.due", now)
    }

    /// Schedules the document's next check for `at`, unless the document is finished. 3 WRU.
    pub async fn schedule_check(&self, document: Key, at: Timestamp) -> Result<()> {
        let update = self
            .update(document)
            .update_expression("SET due_at = :at")
            .condition_expression("attribute_exists(due_at) AND attribute_exists(#status)")
            .expression_attribute_values(":at", milliseconds(at));
        change("documents.look_again", update).await.map(|_| ())
    }

    /// Deletes the record of an abandoned upload, unless the file has arrived since. Gives whether the
    /// record was deleted. 2 WRU.
    pub async fn abandon(&self, document: Key) -> Result<bool> {
        let request = self
            .table
            .delete(key_of(document))
            .condition_expression("#status = :awaiting_upload")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":awaiting_upload", text("awaiting_upload"));
        Ok(matches!(write::send("documents.abandon", request).await?, Written::Made(_)))
    }

    /// Deletes the record of a document in `deleting`, and adds a tombstone that is kept for
    /// [`TOMBSTONE_RETENTION`] after the form's expiry. The tombstone distinguishes a late file of a deleted
    /// document from a file whose record is missing. 4 WRU.
    pub async fn remove(&self, document: &Document) -> Result<()> {
        let delete = self
            .table
            .deleting(key_of(document.key()))
            .condition_expression("attribute_not_exists(pk) OR #status = :deleting")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":deleting", text("deleting"));
        let expires = document.upload_expires_at + TOMBSTONE_RETENTION;
        let tombstone = Tombstone { tenant: document.tenant, expires: expires.as_second() };
        let put = self.table.putting(tombstone_key(document.key()), &tombstone)?;
        let writes = vec![table::delete(delete)?, table::put(put)?];
        let token = document.id.to_string();
        match self.table.transact("documents.remove", &token, writes).await? {
            Sent::Made => Ok(()),
            Sent::Refused { .. } => Err(Error::internal("the document is not marked for deletion")),
        }
    }

    /// The tenant of a deleted document; `None` if there is no tombstone. 1 RRU.
    pub async fn deleted(&self, document: Key) -> Result<Option<TenantId>> {
        let get = || self.table.get::<Tombstone>(tombstone_key(document));
        Ok(point("documents.deleted", get).await?.map(|tombstone| tombstone.tenant))
    }
}

/// Adds the values that put a document into the index, due [`OVERDUE_AFTER`] after `now`.
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

fn tombstone_key((owner, id): Key) -> Item {
    key(format!("USER#{owner}"), format!("GONE#{id}"))
}

/// The key of a document from an item of the index.
pub(crate) fn key_from_index(item: &Item) -> Result<Key> {
    Ok((key_part(item, "pk", "USER#")?.parse()?, key_part(item, "sk", "DOC#")?.parse()?))
}
