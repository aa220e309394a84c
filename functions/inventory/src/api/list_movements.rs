//! `GET /v1/stock/{sku}/movements`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde::Serialize;
use shared::Result;
use shared::http::page::{self, cursor};
use shared::http::{Json, Path, Query, SignedIn};
use shared::problem::Problem;

use super::ADMIN;
use crate::movement::Movement;
use crate::sku::Sku;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    Router::new().route("/v1/stock/{sku}/movements", get(handle)).with_state(state)
}

#[derive(Serialize)]
struct Page {
    movements: Vec<Movement>,
    /// The `cursor` parameter for the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A product's movements, newest first.
async fn handle(
    State(state): State<System>,
    user: SignedIn,
    Path(sku): Path<Sku>,
    Query(request): Query<page::Page>,
) -> Result<Json<Page>> {
    user.require(ADMIN)?;
    let before = request.after()?;
    let (movements, next) = state.inventory.movements(&sku, before, request.limit()?).await?;
    if movements.is_empty() && before.is_none() {
        return Err(Problem::not_found("stock").into());
    }
    Ok(Json(Page { movements, next_cursor: next.map(cursor) }))
}
