//! `POST /v1/documents/{document_id}/cancel`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem, ProblemType};

use super::view::View;
use super::{Write, visible};
use crate::document::{DocumentId, Status};
use crate::queues::Job;
use crate::store::Change;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<View>(StatusCode::OK)
        .refuses(&[NOT_FOUND, DOCUMENT_FINISHED])
}

const DOCUMENT_FINISHED: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "document-finished", "The document is finished");

/// Cancels an unfinished document. Its file and its results are deleted. Idempotent.
#[utoipa::path(post, path = "/v1/documents/{document_id}/cancel")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    Path(id): Path<DocumentId>,
) -> Result<Json<View>> {
    let found = visible(&state.documents, &user, id).await?;
    let (key, now) = (found.key(), state.clock.now());
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
    Problem::of(DOCUMENT_FINISHED).detail("A finished document can be deleted, but not cancelled.")
}
