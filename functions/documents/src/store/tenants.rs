//! What belongs to a tenant and not to one document.

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::id::{TenantId, UserId};
use shared::table::{Item, key, text};
use shared::webhook::Webhook;
use shared::write::{self, Written};

use super::Documents;
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

/// A tenant's own schema.
#[derive(Serialize, Deserialize)]
struct StoredSchema {
    /// JSON.
    document: String,
}

impl Documents {
    /// What the tenant has set, strongly consistent. 1 RRU.
    pub async fn settings(&self, tenant: TenantId) -> Result<Settings> {
        Ok(self.table.get(settings_key(tenant)).await?.unwrap_or_default())
    }

    /// Sets what a tenant sets, in place of what was. 1 WRU.
    pub async fn set_settings(&self, tenant: TenantId, settings: &Settings) -> Result<()> {
        write::send("settings.put", self.table.put(settings_key(tenant), settings)?).await?;
        Ok(())
    }

    /// Notes that a tenant's webhook is gone, unless it has been set again since. 1 WRU.
    pub async fn webhook_gone(
        &self,
        tenant: TenantId,
        webhook: &Webhook,
        at: Timestamp,
    ) -> Result<()> {
        let update = self
            .table
            .update(settings_key(tenant))
            .update_expression("SET webhook.gone_at = :at")
            .condition_expression("webhook.secret = :secret")
            .expression_attribute_values(":secret", text(webhook.secret.expose_secret()))
            .expression_attribute_values(":at", text(at));
        // Refused, the webhook has been set again.
        write::send("settings.webhook_gone", update).await?;
        Ok(())
    }

    /// A tenant's own schema, as JSON. 1 RRU for 4 KB.
    pub async fn schema(&self, tenant: TenantId, schema: &SchemaRef) -> Result<Option<String>> {
        let stored = self.table.get::<StoredSchema>(schema_key(tenant, schema)).await?;
        Ok(stored.map(|stored| stored.document))
    }

    /// Adds a version of a tenant's schema; says whether it is new. 1 WRU for 1 KB.
    pub async fn add_schema(
        &self,
        tenant: TenantId,
        schema: &SchemaRef,
        document: &str,
    ) -> Result<bool> {
        let stored = StoredSchema { document: document.to_owned() };
        let put = self
            .table
            .put(schema_key(tenant, schema), &stored)?
            .condition_expression("attribute_not_exists(pk) OR document = :document")
            .expression_attribute_values(":document", text(document));
        Ok(matches!(write::send("schemas.add", put).await?, Written::Made(_)))
    }

    /// The document of the tenant that has read these bytes before, if it still has its results. 2 RRU.
    pub async fn twin(&self, document: &Document) -> Result<Option<Document>> {
        let Some(sha256) = &document.content_sha256 else { return Ok(None) };
        let read_by = self.table.get::<ReadBy>(file_key(document.tenant, sha256)).await?;
        let Some(read_by) = read_by else { return Ok(None) };
        let twin = self.get((read_by.owner, read_by.document_id)).await?;
        Ok(twin.filter(|twin| twin.id != document.id && twin.status == Status::Ready))
    }

    /// Says that this document has read its file. The last one to say so counts. 1 WRU.
    pub async fn has_read(&self, document: &Document) -> Result<()> {
        let Some(sha256) = &document.content_sha256 else { return Ok(()) };
        let read_by = ReadBy { owner: document.owner, document_id: document.id };
        let put = self.table.put(file_key(document.tenant, sha256), &read_by)?;
        write::send("documents.has_read", put).await?;
        Ok(())
    }

    /// The document's results are going away. 1 WRU.
    pub async fn forget_reading(&self, document: &Document) -> Result<()> {
        let Some(sha256) = &document.content_sha256 else { return Ok(()) };
        let delete = self
            .table
            .delete(file_key(document.tenant, sha256))
            .condition_expression("attribute_not_exists(pk) OR document_id = :id")
            .expression_attribute_values(":id", text(document.id));
        // Refused, another document has read the same file since.
        write::send("documents.forget_reading", delete).await?;
        Ok(())
    }
}

fn settings_key(tenant: TenantId) -> Item {
    key(format!("TENANT#{tenant}"), "SETTINGS")
}

fn schema_key(tenant: TenantId, schema: &SchemaRef) -> Item {
    // Zeros in front, so that versions sort.
    let SchemaRef { name, version, .. } = schema;
    key(format!("TENANT#{tenant}"), format!("SCHEMA#{name}#{version:010}"))
}

fn file_key(tenant: TenantId, sha256: &Sha256) -> Item {
    key(format!("TENANT#{tenant}"), format!("FILE#{READING}#{}", sha256.as_str()))
}
