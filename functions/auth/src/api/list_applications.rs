//! `GET /v1/applications`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::page::{Next, Page, cursor};
use shared::http::{Allowed, Json, Query};
use shared::scopes::Admin;
use utoipa::ToSchema;

use crate::oauth::application::Application;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).pages::<Applications>()
}

/// A page of applications.
#[derive(Serialize, ToSchema)]
struct Applications {
    /// The applications, newest first.
    applications: Vec<Application>,
    /// The `cursor` parameter for the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the applications, newest first.
#[utoipa::path(get, path = "/v1/applications")]
async fn handle(
    State(state): State<System>,
    _: Allowed<Admin>,
    Query(page): Query<Page>,
) -> Result<(Next, Json<Applications>)> {
    let (before, limit) = (page.after()?, page.limit()?);
    let (applications, has_more) = state.users.applications(before, limit).await?;
    let next_cursor = applications.last().filter(|_| has_more).map(|last| cursor(last.id));
    Ok((page.next(next_cursor.as_ref()), Json(Applications { applications, next_cursor })))
}
