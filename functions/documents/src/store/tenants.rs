//! What belongs to a tenant and not to one document.

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::id::{TenantId, UserId};
use shared::webhook::Webhook;
use shared::write::{self, Written};

use super::{Documents, Item, keys, string};
use crate::document::{Document, DocumentId, Sha256, Status};
use crate::schema::SchemaRef;
use crate::settings::Settings;

/// Changes when documents are read in another way, so that results of before are not used again.
const READING: u32 = 1;

/// Which document has read a file.
#[derive(Serialize, Deserialize)]
struct ReadBy {
    owner: UserId,
    document_id: DocumentId,
}

impl Documents {
    /// What the tenant has set, strongly consistent. 1 RRU.
    pub async fn settings(&self, tenant: TenantId) -> Result<Settings> {
        let item = self.tenant_item(tenant, "SETTINGS".into()).await?;
        Ok(item.map(serde_dynamo::from_item).transpose()?.unwrap_or_default())
    }

    /// Sets what a tenant sets, in place of what was. 1 WRU.
    pub async fn set_settings(&self, tenant: TenantId, settings: &Settings) -> Result<()> {
        let mut item: Item = serde_dynamo::to_item(settings)?;
        item.extend(keys(format!("TENANT#{tenant}"), "SETTINGS".into()));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        write::send("settings.put", put).await?;
        Ok(())
    }

    /// Notes that a tenant's webhook is gone, unless it has been set again since. 1 WRU.
    pub async fn webhook_gone(
        &self,
        tenant: TenantId,
        webhook: &Webhook,
        at: Timestamp,
    ) -> Result<()> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update
            .set_key(Some(keys(format!("TENANT#{tenant}"), "SETTINGS".into())))
            .update_expression("SET webhook.gone_at = :at")
            .condition_expression("webhook.secret = :secret")
            .expression_attribute_values(":secret", string(webhook.secret.expose_secret()))
            .expression_attribute_values(":at", string(at));
        // Refused, the webhook has been set again.
        write::send("settings.webhook_gone", update).await?;
        Ok(())
    }

    /// A tenant's own schema, as JSON. 0.5 RRU for 4 KB.
    pub async fn schema(&self, tenant: TenantId, schema: &SchemaRef) -> Result<Option<String>> {
        let item = self.tenant_item(tenant, schema_key(schema)).await?;
        let document = item.and_then(|mut item| item.remove("document"));
        Ok(document.and_then(|document| document.as_s().cloned().ok()))
    }

    /// Adds a version of a tenant's schema; says whether it is new. 1 WRU for 1 KB.
    pub async fn add_schema(
        &self,
        tenant: TenantId,
        schema: &SchemaRef,
        document: &str,
    ) -> Result<bool> {
        let mut item = keys(format!("TENANT#{tenant}"), schema_key(schema));
        item.insert("document".into(), string(document));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR document = :document")
            .expression_attribute_values(":document", string(document));
        Ok(matches!(write::send("schemas.add", put).await?, Written::Made(_)))
    }

    /// The document of the tenant that has read these bytes before, if it still has its results. 2 RRU.
    pub async fn twin(&self, document: &Document) -> Result<Option<Document>> {
        let Some(sha256) = &document.content_sha256 else { return Ok(None) };
        let item = self.tenant_item(document.tenant, file_key(sha256)).await?;
        let Some(read_by) = item.map(serde_dynamo::from_item::<_, ReadBy>).transpose()? else {
            return Ok(None);
        };
        let twin = self.get((read_by.owner, read_by.document_id)).await?;
        Ok(twin.filter(|twin| twin.id != document.id && twin.status == Status::Ready))
    }

    /// Says that this document has read its file. The last one to say so counts. 1 WRU.
    pub async fn has_read(&self, document: &Document) -> Result<()> {
        let Some(sha256) = &document.content_sha256 else { return Ok(()) };
        let read_by = ReadBy { owner: document.owner, document_id: document.id };
        let mut item: Item = serde_dynamo::to_item(read_by)?;
        item.extend(keys(format!("TENANT#{}", document.tenant), file_key(sha256)));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        write::send("documents.has_read", put).await?;
        Ok(())
    }

    /// The document's results are going away. 1 WRU.
    pub async fn forget_reading(&self, document: &Document) -> Result<()> {
        let Some(sha256) = &document.content_sha256 else { return Ok(()) };
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(keys(format!("TENANT#{}", document.tenant), file_key(sha256))))
            .condition_expression("attribute_not_exists(pk) OR document_id = :id")
            .expression_attribute_values(":id", string(document.id));
        // Refused, another document has read the same file since.
        write::send("documents.forget_reading", delete).await?;
        Ok(())
    }

    async fn tenant_item(&self, tenant: TenantId, sk: String) -> Result<Option<Item>> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(keys(format!("TENANT#{tenant}"), sk)))
            .consistent_read(true);
        Ok(get.send().await?.item)
    }
}

fn schema_key(schema: &SchemaRef) -> String {
    // Zeros in front, so that versions sort.
    format!("SCHEMA#{}#{:010}", schema.name, schema.version)
}

fn file_key(sha256: &Sha256) -> String {
    format!("FILE#{READING}#{}", sha256.as_str())
}
