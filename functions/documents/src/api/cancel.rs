//! `POST /v1/documents/{document_id}/cancel`

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use shared::Result;
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::problem::Problem;

use super::WRITE;
use super::view::View;
use crate::document::{DocumentId, Status};
use crate::queues::Job;
use crate::store::Change;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/documents/{document_id}/cancel", post(handle)).with_state(state)
}

/// Cancels an unfinished document. Its file and its results are deleted. Idempotent.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(id): Path<DocumentId>,
) -> Result<Json<View>> {
    user.require(WRITE)?;
    let (key, now) = ((user.user, id), state.clock.now());
    let found = state.documents.get(key).await?;
    let found = found.filter(|found| found.status != Status::Deleting);
    let found = found.ok_or_else(|| Problem::not_found("document"))?;
    if matches!(found.status, Status::Ready | Status::Rejected | Status::Failed) {
        return Err(finished().into());
    }
    // Queue the job first: in the other order, a crash in between would leave a mark without a job.
    state.queues.purge()?.send(&Job::of(key)).await?;
    match state.documents.cancel(key, now).await? {
        Change::Made(document) => Ok(Json(View::of(*document, now))),
        Change::Refused(document) if document.status == Status::Cancelled => {
            Ok(Json(View::of(*document, now)))
        }
        Change::Refused(_) => Err(finished().into()),
        Change::NoDocument => Err(Problem::not_found("document").into()),
    }
}

fn finished() -> Problem {
    let title = "The document is finished";
    Problem::new(StatusCode::CONFLICT, "document-finished", title)
        .detail("A finished document can be deleted, but not cancelled.")
}
