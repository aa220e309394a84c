//! `GET /v1/audit`

use axum::{Extension, Router};
use serde::Serialize;
use shared::Result;
use shared::audit::{AuditLog, Chain, Entry};
use shared::http::contract::{self, Operation};
use shared::http::page::{Next, Page, cursor};
use shared::http::{Allowed, Json, Query};
use shared::scopes::AuditRead;
use utoipa::ToSchema;

use crate::system::System;

/// The endpoint's router.
pub fn router(state: System, log: AuditLog) -> Router {
    contract::route!(handle).with_state(state).layer(Extension(log))
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).pages::<AuditEntries>()
}

/// A page of the audit log.
#[derive(Serialize, ToSchema)]
struct AuditEntries {
    /// The entries, newest first.
    entries: Vec<Entry>,
    /// The `cursor` parameter for the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the audit log of the user's tenant, newest first: accounts created and deleted, sign-ins, ends of
/// sessions, changes and resets of passwords, changes of roles, second factors and API keys. An entry is there some seconds after what it tells.
#[utoipa::path(get, path = "/v1/audit")]
async fn handle(
    Extension(log): Extension<AuditLog>,
    user: Allowed<AuditRead>,
    Query(page): Query<Page>,
) -> Result<(Next, Json<AuditEntries>)> {
    let (before, limit) = (page.after()?, page.limit()?);
    let (entries, has_more) = log.entries(Chain::Tenant(user.tenant), before, limit).await?;
    let next_cursor = entries.last().filter(|_| has_more).map(|last| cursor(last.number));
    Ok((page.next(next_cursor.as_ref()), Json(AuditEntries { entries, next_cursor })))
}
