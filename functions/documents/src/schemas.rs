//! The schemas that data is extracted in: four that come with the system, and a tenant's own.

use extraction::{Schema, SchemaError};
use serde_json::Value;
use shared::Result;
use shared::id::TenantId;

use crate::schema::SchemaRef;
use crate::store::Documents;

/// The version of the schemas that come with the system.
const BUILT_IN_VERSION: u32 = 1;

/// A schema by its name and version, if this tenant has one; an error inside if it was accepted under
/// earlier rules and is not valid under today's.
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

/// Whether there is such a schema for this tenant.
pub async fn exists(documents: &Documents, tenant: TenantId, schema: &SchemaRef) -> Result<bool> {
    if is_built_in(&schema.name) {
        return Ok(schema.version == BUILT_IN_VERSION);
    }
    Ok(documents.schema(tenant, schema).await?.is_some())
}

/// Whether a schema of this name comes with the system.
#[must_use]
pub fn is_built_in(name: &str) -> bool {
    Schema::built_ins().iter().any(|(built_in, _)| *built_in == name)
}

/// Checks a tenant's schema; says what is wrong with it.
pub fn check(schema: &SchemaRef, document: &Value) -> Result<(), String> {
    Schema::register(&schema.name, schema.version, &document.to_string())
        .map(|_| ())
        .map_err(|error| error.to_string())
}
