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

/// Ends a document that is on its way; its file and its results are deleted. Doing it twice is doing it
/// once.
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
    // First the job: were it the other way round, a crash in between would leave a mark without one.
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
    let title = "The document has come to its end";
    Problem::new(StatusCode::CONFLICT, "document-finished", title)
        .detail("It can be deleted, but there is nothing to cancel.")
}
