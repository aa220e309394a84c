//! `GET /v1/stock/{sku}/movements`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::page::{self, Next, cursor};
use shared::http::{Allowed, Json, Path, Query};
use shared::problem::{NOT_FOUND, Problem};
use utoipa::ToSchema;

use super::Admin;
use crate::movement::Movement;
use crate::sku::Sku;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    let operation = contract::operation!(handle);
    operation.pages::<Page>().refuses(&[NOT_FOUND])
}

/// A page of movements.
#[derive(Serialize, ToSchema)]
#[schema(as = Movements)]
struct Page {
    /// The movements, newest first.
    movements: Vec<Movement>,
    /// The `cursor` parameter for the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists a product's movements, newest first.
#[utoipa::path(get, path = "/v1/stock/{sku}/movements")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Admin>,
    Path(sku): Path<Sku>,
    Query(request): Query<page::Page>,
) -> Result<(Next, Json<Page>)> {
    let before = request.after()?;
    let (movements, next) = state.inventory.movements(&sku, before, request.limit()?).await?;
    if movements.is_empty() && before.is_none() {
        return Err(Problem::not_found("stock").into());
    }
    let next_cursor = next.map(cursor);
    Ok((request.next(next_cursor.as_ref()), Json(Page { movements, next_cursor })))
}
