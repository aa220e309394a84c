//! `GET /v1/api-keys`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::page::{Next, Page, cursor};
use shared::http::{Allowed, Json, Query};
use utoipa::ToSchema;

use super::api_keys::Shown;
use super::{Account, require_session};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).pages::<ApiKeys>()
}

/// A page of API keys.
#[derive(Serialize, ToSchema)]
struct ApiKeys {
    /// The keys, newest first, also those whose secret has expired.
    api_keys: Vec<Shown>,
    /// The `cursor` parameter for the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the user's API keys, newest first, without their secrets.
#[utoipa::path(get, path = "/v1/api-keys")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Query(page): Query<Page>,
) -> Result<(Next, Json<ApiKeys>)> {
    require_session(&user)?;
    let (before, limit) = (page.after()?, page.limit()?);
    let (found, has_more) = state.users.api_keys(user.user, before, limit).await?;
    let next_cursor = found.last().filter(|_| has_more).map(|last| cursor(last.id));
    let now = state.clock.now();
    let api_keys = found.into_iter().map(|key| Shown::at(now, key)).collect();
    Ok((page.next(next_cursor.as_ref()), Json(ApiKeys { api_keys, next_cursor })))
}
