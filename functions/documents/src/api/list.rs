//! `GET /v1/documents`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde::Serialize;
use shared::Result;
use shared::http::page::{self, cursor};
use shared::http::{Json, Query, SignedIn};

use super::READ;
use super::view::View;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/documents", get(handle)).with_state(state)
}

#[derive(Serialize)]
struct Page {
    documents: Vec<View>,
    /// The `cursor` of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The user's own documents, newest first.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Query(query): Query<page::Page>,
) -> Result<Json<Page>> {
    user.require(READ)?;
    let (documents, last) = state.documents.list(user.user, query.after()?, query.limit()?).await?;
    let next_cursor = last.map(cursor);
    let now = state.clock.now();
    let documents = documents.into_iter().map(|found| View::of(found, now).brief()).collect();
    Ok(Json(Page { documents, next_cursor }))
}
