//! `PUT /v1/document-schemas/{schema}`

use axum::Router;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use super::Write;
use crate::schema::SchemaRef;
use crate::schemas;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<Answer>(StatusCode::OK).refuses(&[
        SCHEMA_BUILT_IN,
        INVALID_SCHEMA,
        SCHEMA_EXISTS,
    ])
}

const SCHEMA_BUILT_IN: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "schema-built-in", "A built-in schema has this name");
const INVALID_SCHEMA: ProblemType =
    ProblemType::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-schema", "The schema is not valid");
const SCHEMA_EXISTS: ProblemType = ProblemType::new(
    StatusCode::CONFLICT,
    "schema-exists",
    "This version exists with other content",
);

/// The data to extract, in a subset of JSON Schema 2020-12: objects with named properties, arrays of one kind of item,
/// scalars, enumerations, `anyOf`, and `$ref` into its own `$defs`.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = DataSchema, value_type = std::collections::BTreeMap<String, Value>)]
struct DataSchema(Map<String, Value>);

/// A stored schema.
#[derive(Serialize, ToSchema)]
#[schema(as = StoredSchema)]
struct Answer {
    schema: SchemaRef,
}

/// Adds a version of a tenant's schema, such as `delivery-note@2`. An existing version never changes: putting
/// the same schema again does nothing, and a different one is refused.
#[utoipa::path(put, path = "/v1/document-schemas/{schema}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    Path(schema): Path<SchemaRef>,
    Json(DataSchema(document)): Json<DataSchema>,
) -> Result<Json<Answer>> {
    if schemas::is_built_in(&schema.name) {
        return Err(Problem::of(SCHEMA_BUILT_IN).into());
    }
    let document = Value::Object(document);
    schemas::check(&schema, &document)
        .map_err(|reason| Problem::of(INVALID_SCHEMA).detail(reason))?;
    if state.documents.add_schema(user.tenant, &schema, &document.to_string()).await? {
        Ok(Json(Answer { schema }))
    } else {
        Err(Problem::of(SCHEMA_EXISTS).detail("Put it under the next version.").into())
    }
}
