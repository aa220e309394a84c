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

/// Adds a schema of the tenant's own, as `invoice@2`. A version that is there stays as it is: putting
/// the same again changes nothing, and another is refused.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(schema): Path<SchemaRef>,
    Json(document): Json<Value>,
) -> Result<Json<Answer>> {
    user.require(WRITE)?;
    if schemas::is_built_in(&schema.name) {
        let title = "The name is taken by a schema that comes with the system";
        return Err(Problem::new(StatusCode::CONFLICT, "schema-built-in", title).into());
    }
    schemas::check(&schema, &document).map_err(|reason| {
        let title = "The schema is not taken";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-schema", title).detail(reason)
    })?;
    if state.documents.add_schema(user.tenant, &schema, &document.to_string()).await? {
        Ok(Json(Answer { schema }))
    } else {
        let title = "This version is there, and is another";
        Err(Problem::new(StatusCode::CONFLICT, "schema-exists", title)
            .detail("Put it under the next version.")
            .into())
    }
}
