//! The schemas that data is extracted in: four that come with the system, and a tenant's own.

use extraction::Schema;
use serde_json::Value;
use shared::id::TenantId;
use shared::{Error, Result};

use crate::schema::SchemaRef;
use crate::store::Documents;

/// The version of the schemas that come with the system.
const BUILT_IN_VERSION: u32 = 1;

/// A schema by its name and version, if there is one for this tenant.
pub async fn find(
    documents: &Documents,
    tenant: TenantId,
    schema: &SchemaRef,
) -> Result<Option<Schema>> {
    if let Some(built_in) = Schema::built_in(&schema.name) {
        return Ok(Some(built_in).filter(|_| schema.version == BUILT_IN_VERSION));
    }
    let Some(document) = documents.schema(tenant, schema).await? else { return Ok(None) };
    let registered = Schema::register(&schema.name, schema.version, &document);
    // It was checked when it came.
    Ok(Some(registered.map_err(|error| Error::internal(error.to_string()))?))
}

/// Whether a schema of this name comes with the system.
#[must_use]
pub fn is_built_in(name: &str) -> bool {
    Schema::built_in(name).is_some()
}

/// Checks a tenant's schema; says what is wrong with it.
pub fn check(schema: &SchemaRef, document: &Value) -> Result<(), String> {
    Schema::register(&schema.name, schema.version, &document.to_string())
        .map(|_| ())
        .map_err(|error| error.to_string())
}
