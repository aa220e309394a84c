//! Data of a tenant that does not belong to one document.

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::id::{TenantId, UserId};
use shared::table::{Item, key, string, text, value};
use shared::webhook::{self, Place};
use shared::write::{self, Written};

use super::Documents;
use crate::document::{Document, DocumentId, Sha256, Status};
use crate::schema::SchemaRef;
use crate::settings::Settings;

/// The version of the code that reads documents. A new version does not reuse results of an old one.
const READING: u32 = 1;

/// The document that last read a file.
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
    /// The tenant's settings, strongly consistent. 1 RRU.
    pub async fn settings(&self, tenant: TenantId) -> Result<Settings> {
        Ok(self.table.get(settings_key(tenant)).await?.unwrap_or_default())
    }

    /// The store of webhooks and their deliveries.
    #[must_use]
    pub fn webhooks(&self) -> webhook::Store {
        webhook::Store::new(self.table.clone())
    }

    /// The keys of a tenant's webhook and its deliveries.
    #[must_use]
    pub fn place(tenant: TenantId) -> Place {
        let partition = tenant_partition(tenant);
        Place { endpoint: (partition.clone(), SETTINGS.to_owned()), deliveries: partition }
    }

    /// Replaces the settings `before` by `settings`. Returns `false`, without a write, if they
    /// changed since `before` was read. Keeps what deliveries record in an unchanged webhook. 1 WRU.
    pub async fn set_settings(
        &self,
        tenant: TenantId,
        before: &Settings,
        settings: &Settings,
    ) -> Result<bool> {
        let Settings { policy, require_pdfa, webhook, edits: _ } = settings;
        let update = self
            .table
            .update(settings_key(tenant))
            .expression_attribute_values(":policy", value(policy)?)
            .expression_attribute_values(":require_pdfa", value(require_pdfa)?)
            .expression_attribute_values(":next", value(&(before.edits + 1))?);
        let set = "SET policy = :policy, require_pdfa = :require_pdfa, edits = :next";
        let update = match webhook {
            None => update.update_expression(format!("{set} REMOVE webhook")),
            same if *same == before.webhook => update.update_expression(set),
            Some(webhook) => update
                .update_expression(format!("{set}, webhook = :webhook"))
                .expression_attribute_values(":webhook", value(webhook)?),
        };
        let (update, is_same) = match before.edits {
            0 => (update, "attribute_not_exists(edits)"),
            edits => {
                (update.expression_attribute_values(":edits", value(&edits)?), "edits = :edits")
            }
        };
        let update = match &before.webhook {
            Some(before) => update
                .condition_expression(format!("{is_same} AND webhook.secret = :before"))
                .expression_attribute_values(":before", string(before.secret.expose_secret())),
            None => {
                update.condition_expression(format!("{is_same} AND attribute_not_exists(webhook)"))
            }
        };
        Ok(matches!(write::send("settings.put", update).await?, Written::Made(_)))
    }

    /// A tenant's own schema, as JSON. 1 RRU per 4 KB.
    pub async fn schema(&self, tenant: TenantId, schema: &SchemaRef) -> Result<Option<String>> {
        let stored = self.table.get::<StoredSchema>(schema_key(tenant, schema)).await?;
        Ok(stored.map(|stored| stored.document))
    }

    /// Adds a version of a tenant's schema. Returns `false` if the version exists with another text.
    /// 1 WRU per 1 KB.
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

    /// The tenant's earlier document with the same bytes, if it still has its results. 2 RRU.
    pub async fn twin(&self, document: &Document) -> Result<Option<Document>> {
        let Some(sha256) = &document.content_sha256 else { return Ok(None) };
        let read_by = self.table.get::<ReadBy>(file_key(document.tenant, sha256)).await?;
        let Some(read_by) = read_by else { return Ok(None) };
        let twin = self.get((read_by.owner, read_by.document_id)).await?;
        Ok(twin.filter(|twin| twin.id != document.id && twin.status == Status::Ready))
    }

    /// Records that this document has read its file. The last write wins. 1 WRU.
    pub async fn has_read(&self, document: &Document) -> Result<()> {
        let Some(sha256) = &document.content_sha256 else { return Ok(()) };
        let read_by = ReadBy { owner: document.owner, document_id: document.id };
        let put = self.table.put(file_key(document.tenant, sha256), &read_by)?;
        write::send("documents.has_read", put).await?;
        Ok(())
    }

    /// Removes the record that this document has read its file, before its results are deleted. 1 WRU.
    pub async fn forget_reading(&self, document: &Document) -> Result<()> {
        let Some(sha256) = &document.content_sha256 else { return Ok(()) };
        let delete = self
            .table
            .delete(file_key(document.tenant, sha256))
            .condition_expression("attribute_not_exists(pk) OR document_id = :id")
            .expression_attribute_values(":id", text(document.id));
        // If the condition fails, another document has read the same file since.
        write::send("documents.forget_reading", delete).await?;
        Ok(())
    }
}

const SETTINGS: &str = "SETTINGS";

fn tenant_partition(tenant: TenantId) -> String {
    format!("TENANT#{tenant}")
}

fn settings_key(tenant: TenantId) -> Item {
    key(tenant_partition(tenant), SETTINGS)
}

fn schema_key(tenant: TenantId, schema: &SchemaRef) -> Item {
    // Leading zeros make versions sort.
    let SchemaRef { name, version, .. } = schema;
    key(tenant_partition(tenant), format!("SCHEMA#{name}#{version:010}"))
}

fn file_key(tenant: TenantId, sha256: &Sha256) -> Item {
    key(tenant_partition(tenant), format!("FILE#{READING}#{}", sha256.as_str()))
}
