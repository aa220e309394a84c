//! `GET /v1/documents/{document_id}`

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::prefer::{self, Pauses};
use shared::http::{Allowed, Json, Path, SignedIn, StatusCode};
use shared::problem::NOT_FOUND;
use utoipa::ToSchema;

use super::extracted::ExtractedData;
use super::view::View;
use super::{Read, visible};
use crate::document::{Document, DocumentId, Status};
use crate::stage::Text;
use crate::stages::structure::MAX_DATA_BYTES;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<Answer>(StatusCode::OK).waits().refuses(&[NOT_FOUND])
}

/// A document with links to its results.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentWithResults)]
struct Answer {
    #[serde(flatten)]
    document: View,
    /// A link to the clean file. All links are valid for five minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_url: Option<String>,
    /// A link to the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text_url: Option<String>,
    /// Links to the lines with their positions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pages: Vec<Pages>,
    /// The extracted data.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ExtractedData>)]
    data: Option<Value>,
}

/// A link to consecutive pages: one line of JSON for each page.
#[derive(Serialize, ToSchema)]
#[schema(as = PageLink)]
struct Pages {
    /// The first page, from 1.
    from: usize,
    /// The last page.
    to: usize,
    /// The link.
    url: String,
}

/// Shows a document. Another user's document is answered as one that does not exist. With
/// `Prefer: wait=<seconds>` (RFC 7240), the answer waits until the document is finished or the time is over.
#[utoipa::path(get, path = "/v1/documents/{document_id}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Read>,
    Path(id): Path<DocumentId>,
    headers: HeaderMap,
) -> Result<Response> {
    let wait = prefer::wait(&headers);
    let document = when_finished(&state, &user, id, wait.unwrap_or_default()).await?;
    let answer = Json(answer(&state, document).await?).into_response();
    Ok(if wait.is_some() { prefer::applied(answer) } else { answer })
}

/// The document when it is finished, or after `wait`.
async fn when_finished(
    state: &System,
    user: &SignedIn,
    id: DocumentId,
    wait: Duration,
) -> Result<Document> {
    let mut pauses = Pauses::within(wait);
    loop {
        let document = visible(&state.documents, user, id).await?;
        let is_finished = document.status_at(state.clock.now()).is_final();
        if is_finished || !pauses.pause().await {
            return Ok(document);
        }
    }
}

async fn answer(state: &System, document: Document) -> Result<Answer> {
    let (mut file_url, mut text_url, mut pages, mut data) = (None, None, Vec::new(), None);
    if !matches!(document.status, Status::Cancelled | Status::Deleting) {
        file_url = state.objects.file_link(&document).await?;
        let text = document.stages.text.as_ref().and_then(|done| done.result.as_ref());
        if let Some(text) = text {
            text_url = Some(state.objects.text_link(&document, &text.text_key).await?);
            pages = pages_of(state, text).await?;
        }
        let structure = document.stages.structure.as_ref();
        if let Some(found) = structure.and_then(|done| done.result.as_ref())
            && let Some(key) = &found.key
            && let Ok(bytes) = state.objects.fetch(key, MAX_DATA_BYTES).await?
        {
            data = Some(serde_json::from_slice(&bytes)?);
        }
    }
    let document = View::of(document, state.clock.now());
    Ok(Answer { document, file_url, text_url, pages, data })
}

async fn pages_of(state: &System, text: &Text) -> Result<Vec<Pages>> {
    let mut pages = Vec::with_capacity(text.runs.len());
    for run in &text.runs {
        let url = state.objects.result_link(&run.key).await?;
        pages.push(Pages { from: run.from, to: run.to, url });
    }
    Ok(pages)
}
