//! `POST /v1/documents/{document_id}/parts/complete`

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use shared::Result;
use shared::clock::Clock;
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::problem::Problem;

use super::upload_parts::open;
use super::view::View;
use super::{WRITE, has_clock};
use crate::document::DocumentId;
use crate::objects::Objects;
use crate::store::Documents;
use crate::upload_parts::Parts;

/// What the endpoint needs.
#[derive(Clone, Debug)]
pub struct CompleteUpload {
    /// The documents' table.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// The time.
    pub clock: Clock,
}
has_clock!(CompleteUpload);

/// The endpoint's router.
pub fn router(state: CompleteUpload) -> Router {
    Router::new()
        .route("/v1/documents/{document_id}/parts/complete", post(handle))
        .with_state(state)
}

/// Makes one file of the parts, when all are there. Doing it twice is doing it once.
async fn handle(
    State(state): State<CompleteUpload>,
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
            let detail = format!("{} parts are missing, the first is {number}", missing.len());
            return Err(Problem::new(StatusCode::CONFLICT, "parts-missing", "Parts are missing")
                .detail(detail)
                .into());
        }
        state.objects.complete_parts(document.key(), &upload, arrived).await?;
        tracing::info!(document_id = %id, "upload completed");
    }
    Ok((StatusCode::ACCEPTED, Json(View::of(document, now))))
}
