//! The index `due`: documents that are not at their end, by when somebody should look at them, whether or
//! not their events and jobs still exist. And what is left of documents that were deleted.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use jiff::Timestamp;
use shared::due::Due;
use shared::fault::point;
use shared::id::TenantId;
use shared::transaction::{self, Sent};
use shared::write::{self, Written};
use shared::{Error, Result};

use super::{Documents, Item, Key, change, key, keys, milliseconds, number, string};
use crate::document::{Document, DocumentId, GONE_KEPT, OVERDUE_AFTER};

/// Over how many partitions of the index documents are spread; one takes 1,000 WRU a second.
pub const DUE_SHARDS: u32 = 8;
impl Documents {
    /// The documents that were due by `now`, in the shards [`DUE_SHARDS`].
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Due {
        Due::by(now, "documents.due", self.client.clone(), self.table.clone())
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
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(document)))
            .condition_expression("#status = :awaiting_upload")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":awaiting_upload", string("awaiting_upload"));
        Ok(matches!(write::send("documents.abandon", request).await?, Written::Made(_)))
    }

    /// `deleting` → gone. A mark stays for [`GONE_KEPT`] after the form has expired: it tells a file that
    /// comes late for a deleted document from one whose record is missing. 4 WRU.
    pub async fn remove(&self, document: &Document) -> Result<()> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key(document.key())))
            .condition_expression("attribute_not_exists(pk) OR #status = :deleting")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":deleting", string("deleting"))
            .build()?;
        let expires = document.upload_expires_at + GONE_KEPT;
        let mut item = gone_key(document.key());
        item.insert("tenant".into(), string(document.tenant));
        item.insert("expires".into(), number(expires.as_second()));
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build()?;
        let writes = vec![
            TransactWriteItem::builder().delete(delete).build(),
            TransactWriteItem::builder().put(put).build(),
        ];
        let token = document.id.to_string();
        match transaction::send("documents.remove", &self.client, &token, writes).await? {
            Sent::Made => Ok(()),
            Sent::Refused { .. } => Err(Error::internal("a document that is not to be deleted")),
        }
    }

    /// The tenant of a document that its owner has deleted; nothing if none is known. 1 RRU.
    pub async fn deleted(&self, document: Key) -> Result<Option<TenantId>> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(gone_key(document)))
            .consistent_read(true);
        let answer = point("documents.deleted", || get.clone().send()).await?;
        let tenant = answer.item.as_ref().and_then(|item| item.get("tenant")?.as_s().ok());
        Ok(tenant.and_then(|tenant| tenant.parse().ok()))
    }
}

/// Adds the attributes that put a document into the index, to be looked at when nothing is heard of it.
pub(super) fn with_due(
    update: UpdateItemFluentBuilder,
    (_, id): Key,
    now: Timestamp,
) -> UpdateItemFluentBuilder {
    update
        .expression_attribute_values(":due_shard", string(shard(id)))
        .expression_attribute_values(":due_at", milliseconds(now + OVERDUE_AFTER))
}

/// Always the same for a document.
pub(super) fn shard(id: DocumentId) -> u32 {
    let sum = |sum: u32, byte: u8| sum.wrapping_mul(31).wrapping_add(byte.into());
    id.to_string().bytes().fold(0, sum) % DUE_SHARDS
}

fn gone_key((owner, id): Key) -> Item {
    keys(format!("USER#{owner}"), format!("GONE#{id}"))
}

/// The key of a document that the index names.
pub(crate) fn named(item: &Item) -> Result<Key> {
    let part = |name: &str, prefix| {
        let text = item.get(name).and_then(|value| value.as_s().ok());
        let text = text.and_then(|text| text.strip_prefix(prefix));
        text.ok_or_else(|| Error::internal("an entry of the index that is no document"))
    };
    Ok((part("pk", "USER#")?.parse()?, part("sk", "DOC#")?.parse()?))
}
