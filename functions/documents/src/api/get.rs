//! `GET /v1/documents/{document_id}`

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::get;
use serde::Serialize;
use shared::Result;
use shared::clock::Clock;
use shared::http::{Json, Path, SignedIn};
use shared::problem::Problem;

use super::READ;
use super::view::View;
use crate::document::{DocumentId, Status};
use crate::objects::Objects;
use crate::store::Documents;

/// What the endpoint needs.
#[derive(Clone)]
pub struct Get {
    /// The documents' table.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// The time.
    pub clock: Clock,
}

impl FromRef<Get> for Clock {
    fn from_ref(state: &Get) -> Self {
        state.clock.clone()
    }
}

/// The endpoint's router.
pub fn router(state: Get) -> Router {
    Router::new().route("/v1/documents/{document_id}", get(handle)).with_state(state)
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    document: View,
    /// Where the text can be downloaded, for five minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    text_url: Option<String>,
}

/// Somebody else's document is answered as one that does not exist.
async fn handle(
    State(state): State<Get>,
    user: SignedIn,
    Path(id): Path<DocumentId>,
) -> Result<Json<Answer>> {
    user.require(READ)?;
    let document = state.documents.get(user.user, id).await?;
    let document = document.ok_or_else(|| Problem::not_found("document"))?;
    let text_url = match document.attempt {
        Some(attempt) if document.status == Status::Ready => {
            Some(state.objects.text_link(&document, attempt).await?)
        }
        _ => None,
    };
    Ok(Json(Answer { document: View::of(document, state.clock.now()), text_url }))
}
