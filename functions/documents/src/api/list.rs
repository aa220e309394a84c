//! `GET /v1/documents`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::page::{self, Next, cursor};
use shared::http::{Allowed, Json, Query};
use utoipa::ToSchema;

use super::Read;
use super::view::View;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).pages::<Page>()
}

/// A page of documents.
#[derive(Serialize, ToSchema)]
#[schema(as = Documents)]
struct Page {
    /// The documents, newest first, without their history and stages.
    documents: Vec<View>,
    /// The `cursor` of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the user's own documents in the tenant that the user acts for, newest first.
#[utoipa::path(get, path = "/v1/documents")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Read>,
    Query(query): Query<page::Page>,
) -> Result<(Next, Json<Page>)> {
    let (documents, last) =
        state.documents.list((user.user, user.tenant), query.after()?, query.limit()?).await?;
    let next_cursor = last.map(cursor);
    let now = state.clock.now();
    let documents = documents.into_iter().map(|found| View::of(found, now).brief()).collect();
    Ok((query.next(next_cursor.as_ref()), Json(Page { documents, next_cursor })))
}
