//! The schemas of extracted data: four built-in schemas, and those of the tenants.

use extraction::{Schema, SchemaError};
use serde_json::Value;
use shared::Result;
use shared::id::TenantId;

use crate::schema::SchemaRef;
use crate::store::Documents;

/// The version of the built-in schemas.
const BUILT_IN_VERSION: u32 = 1;

/// The tenant's or the built-in schema with this name and version, if it exists. The inner error means that
/// the schema was accepted under earlier rules and is no longer valid.
pub async fn find(
    documents: &Documents,
    tenant: TenantId,
    schema: &SchemaRef,
) -> Result<Option<Result<Schema, SchemaError>>> {
    if let Some(built_in) = Schema::built_in(&schema.name) {
        return Ok(Some(Ok(built_in)).filter(|_| schema.version == BUILT_IN_VERSION));
    }
    let document = documents.schema(tenant, schema).await?;
    Ok(document.map(|document| Schema::register(&schema.name, schema.version, &document)))
}

/// Whether the schema exists for this tenant.
pub async fn exists(documents: &Documents, tenant: TenantId, schema: &SchemaRef) -> Result<bool> {
    if is_built_in(&schema.name) {
        return Ok(schema.version == BUILT_IN_VERSION);
    }
    Ok(documents.schema(tenant, schema).await?.is_some())
}

/// Whether a built-in schema has this name.
#[must_use]
pub fn is_built_in(name: &str) -> bool {
    Schema::built_ins().iter().any(|(built_in, _)| *built_in == name)
}

/// Checks a tenant's schema. The error describes what is wrong.
pub fn check(schema: &SchemaRef, document: &Value) -> Result<(), String> {
    Schema::register(&schema.name, schema.version, &document.to_string())
        .map(|_| ())
        .map_err(|error| error.to_string())
}
