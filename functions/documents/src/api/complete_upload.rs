//! `POST /v1/documents/{document_id}/parts/complete`

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use shared::Result;
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::problem::Problem;

use super::WRITE;
use super::upload_parts::open;
use super::view::View;
use crate::document::DocumentId;
use crate::system::System;
use crate::upload_parts::Parts;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new()
        .route("/v1/documents/{document_id}/parts/complete", post(handle))
        .with_state(state)
}

/// Joins the parts into one file, if all have arrived. Idempotent.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(id): Path<DocumentId>,
) -> Result<(StatusCode, Json<View>)> {
    user.require(WRITE)?;
    let now = state.clock.now();
    let (document, upload) = open(&state.documents, (user.user, id), now).await?;
    if let Some(arrived) = state.objects.parts(document.key(), &upload).await? {
        let size = document.announced.size;
        let missing = Parts::of(size).missing(size, &arrived);
        if let Some((number, _)) = missing.first() {
            let detail = format!("{} parts are missing; the first is {number}", missing.len());
            return Err(Problem::new(StatusCode::CONFLICT, "parts-missing", "Parts are missing")
                .detail(detail)
                .into());
        }
        state.objects.complete_parts(document.key(), &upload, arrived).await?;
        tracing::info!(document_id = %id, "upload completed");
    }
    Ok((StatusCode::ACCEPTED, Json(View::of(document, now))))
}
