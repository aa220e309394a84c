//! `GET /v1/documents/{document_id}/parts`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::http::{Json, Path, SignedIn, StatusCode};
use shared::problem::Problem;

use super::WRITE;
use crate::document::{Document, DocumentId, Status};
use crate::objects::LINK_LIFETIME;
use crate::store::{Documents, Key};
use crate::system::System;
use crate::upload_parts::Parts;

/// How many parts are handed out at once.
const MAX_LINKS: usize = 100;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/documents/{document_id}/parts", get(handle)).with_state(state)
}

#[derive(Serialize)]
struct Answer {
    /// How many parts have arrived.
    arrived: usize,
    /// Those that have not, up to a hundred. When there are none, complete the upload.
    missing: Vec<Part>,
}

/// Put so many bytes of the file, from `offset` on, to `url`.
#[derive(Serialize)]
struct Part {
    number: i32,
    offset: u64,
    size: u64,
    url: String,
    expires_at: Timestamp,
}

/// What is left to upload. An upload that was cut off goes on from here.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(id): Path<DocumentId>,
) -> Result<Json<Answer>> {
    user.require(WRITE)?;
    let now = state.clock.now();
    let (document, upload) = open(&state.documents, (user.user, id), now).await?;
    let key = document.key();
    let arrived = state.objects.parts(key, &upload).await?.ok_or_else(over)?;
    let parts = Parts::of(document.announced.size);
    let mut missing = Vec::new();
    let wanted = parts.missing(document.announced.size, &arrived);
    for (number, size) in wanted.into_iter().take(MAX_LINKS) {
        missing.push(Part {
            number,
            offset: u64::try_from(number - 1)? * parts.part_size,
            size,
            url: state.objects.part_link(key, &upload, (number, size)).await?,
            expires_at: now + LINK_LIFETIME,
        });
    }
    Ok(Json(Answer { arrived: arrived.len(), missing }))
}

/// A document whose file is being uploaded in parts, and S3's id of the upload.
pub(super) async fn open(
    documents: &Documents,
    key: Key,
    now: Timestamp,
) -> Result<(Document, String)> {
    let document = documents.get(key).await?.filter(|found| found.status != Status::Deleting);
    let document = document.ok_or_else(|| Problem::not_found("document"))?;
    match (document.status_at(now), document.multipart.clone()) {
        (Status::AwaitingUpload, Some(upload)) => Ok((document, upload)),
        _ => Err(over().into()),
    }
}

fn over() -> Problem {
    Problem::new(StatusCode::CONFLICT, "not-uploading", "No upload in parts is open")
        .detail("The document has its file, has expired, or was announced for a form.")
}
