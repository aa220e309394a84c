//! `PUT /v1/document-schemas/{schema}`

use axum::Router;
use axum::extract::State;
use axum::routing::put;
use serde::Serialize;
use serde_json::Value;
use shared::Result;
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::problem::Problem;

use super::WRITE;
use crate::schema::SchemaRef;
use crate::schemas;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/document-schemas/{schema}", put(handle)).with_state(state)
}

#[derive(Serialize)]
struct Answer {
    schema: SchemaRef,
}

/// Adds a version of a tenant's schema, such as `delivery-note@2`. An existing version never changes: putting
/// the same schema again does nothing, and a different one is refused.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(schema): Path<SchemaRef>,
    Json(document): Json<Value>,
) -> Result<Json<Answer>> {
    user.require(WRITE)?;
    if schemas::is_built_in(&schema.name) {
        let title = "A built-in schema has this name";
        return Err(Problem::new(StatusCode::CONFLICT, "schema-built-in", title).into());
    }
    schemas::check(&schema, &document).map_err(|reason| {
        let title = "The schema is not valid";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-schema", title).detail(reason)
    })?;
    if state.documents.add_schema(user.tenant, &schema, &document.to_string()).await? {
        Ok(Json(Answer { schema }))
    } else {
        let title = "This version exists with other content";
        Err(Problem::new(StatusCode::CONFLICT, "schema-exists", title)
            .detail("Put it under the next version.")
            .into())
    }
}
