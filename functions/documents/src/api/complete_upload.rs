//! `POST /v1/documents/{document_id}/parts/complete`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem, ProblemType};

use super::Write;
use super::upload_parts::{NOT_UPLOADING, open};
use super::view::View;
use crate::document::DocumentId;
use crate::system::System;
use crate::upload_parts::Parts;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<View>(StatusCode::ACCEPTED).refuses(&[
        NOT_FOUND,
        NOT_UPLOADING,
        PARTS_MISSING,
    ])
}

const PARTS_MISSING: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "parts-missing", "Parts are missing");

/// Joins the parts into one file, if all have arrived. Idempotent.
#[utoipa::path(post, path = "/v1/documents/{document_id}/parts/complete")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    Path(id): Path<DocumentId>,
) -> Result<(StatusCode, Json<View>)> {
    let now = state.clock.now();
    let (document, upload) = open(&state.documents, (&user, id), now).await?;
    if let Some(arrived) = state.objects.parts(document.key(), &upload).await? {
        let size = document.announced.size;
        let missing = Parts::of(size).missing(size, &arrived);
        if let Some((number, _)) = missing.first() {
            let detail = format!("{} parts are missing; the first is {number}", missing.len());
            return Err(Problem::of(PARTS_MISSING).detail(detail).into());
        }
        state.objects.complete_parts(document.key(), &upload, arrived).await?;
        tracing::info!(document_id = %id, "upload completed");
    }
    Ok((StatusCode::ACCEPTED, Json(View::of(document, now))))
}
