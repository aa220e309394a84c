//! `DELETE /v1/documents/{document_id}`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Path, StatusCode};
use shared::problem::NOT_FOUND;

use super::{Write, own};
use crate::document::DocumentId;
use crate::queues::Job;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers_nothing(StatusCode::NO_CONTENT).refuses(&[NOT_FOUND])
}

/// Deletes a document in any status, with its file and all results. The document is invisible at once; its
/// objects in the bucket are deleted soon after.
#[utoipa::path(delete, path = "/v1/documents/{document_id}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    Path(id): Path<DocumentId>,
) -> Result<StatusCode> {
    let key = own(&state.documents, &user, id).await?.key();
    // Queue the job first: in the other order, a crash in between would leave a mark without a job.
    state.queues.purge()?.send(&Job::of(key)).await?;
    // If the update is refused, another request has deleted the document.
    state.documents.mark_deleting(key, state.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
