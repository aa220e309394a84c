//! `GET /v1/documents/{document_id}/parts`

use axum::Router;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, Path, SignedIn, StatusCode};
use shared::problem::{NOT_FOUND, Problem, ProblemType};
use utoipa::ToSchema;

use super::{Write, visible};
use crate::document::{Document, DocumentId, Status};
use crate::objects::LINK_LIFETIME;
use crate::store::Documents;
use crate::system::System;
use crate::upload_parts::Parts;

/// The maximum number of parts in one answer.
const MAX_LINKS: usize = 100;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .answers::<Answer>(StatusCode::OK)
        .refuses(&[NOT_FOUND, NOT_UPLOADING])
}

/// 409: there is no multipart upload to continue.
pub(super) const NOT_UPLOADING: ProblemType = ProblemType::new(
    StatusCode::CONFLICT,
    "not-uploading",
    "The document has no open multipart upload",
);

/// The parts of a multipart upload that are missing.
#[derive(Serialize, ToSchema)]
#[schema(as = MissingParts)]
struct Answer {
    /// The number of parts that have arrived.
    arrived: usize,
    /// The first 100 missing parts. If there are none, the client completes the upload.
    missing: Vec<Part>,
}

/// The client puts `size` bytes of the file, from `offset`, to `url`.
#[derive(Serialize, ToSchema)]
#[schema(as = MissingPart)]
struct Part {
    /// The part's number, from 1.
    number: i32,
    /// Where the part begins in the file, in bytes.
    offset: u64,
    /// The part's size, in bytes.
    size: u64,
    /// The URL that takes the part.
    url: String,
    /// When the URL expires.
    expires_at: Timestamp,
}

/// Lists the missing parts. With this list, a client resumes an interrupted upload.
#[utoipa::path(get, path = "/v1/documents/{document_id}/parts")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Write>,
    Path(id): Path<DocumentId>,
) -> Result<Json<Answer>> {
    let now = state.clock.now();
    let (document, upload) = open(&state.documents, (&user, id), now).await?;
    let key = document.key();
    let arrived = state.objects.parts(key, &upload).await?.ok_or_else(not_uploading)?;
    let parts = Parts::of(document.announced.size);
    let mut missing = Vec::new();
    let all_missing = parts.missing(document.announced.size, &arrived);
    for (number, size) in all_missing.into_iter().take(MAX_LINKS) {
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

/// A document with an open multipart upload, and S3's id of the upload.
pub(super) async fn open(
    documents: &Documents,
    (user, id): (&SignedIn, DocumentId),
    now: Timestamp,
) -> Result<(Document, String)> {
    let document = visible(documents, user, id).await?;
    match (document.status_at(now), document.multipart.clone()) {
        (Status::AwaitingUpload, Some(upload)) => Ok((document, upload)),
        _ => Err(not_uploading().into()),
    }
}

fn not_uploading() -> Problem {
    Problem::of(NOT_UPLOADING)
        .detail("The file has arrived, the upload has expired, or the document uses a form.")
}
