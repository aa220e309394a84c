//! `GET /v1/tenants/{tenant_id}/members`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::page::{Next, Page, cursor};
use shared::http::{Allowed, Json, Path, Query};
use shared::id::TenantId;
use shared::problem::NOT_FOUND;
use utoipa::ToSchema;

use super::Account;
use super::tenants::{ShownMember, own};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).pages::<Members>().refuses(&[NOT_FOUND])
}

/// A page of members.
#[derive(Serialize, ToSchema)]
struct Members {
    /// The members, in the order in which their accounts were made.
    members: Vec<ShownMember>,
    /// The `cursor` parameter for the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the members of a tenant, for a member.
#[utoipa::path(get, path = "/v1/tenants/{tenant_id}/members")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Path(tenant): Path<TenantId>,
    Query(page): Query<Page>,
) -> Result<(Next, Json<Members>)> {
    let (after, limit) = (page.after()?, page.limit()?);
    own(&state, &user, tenant).await?;
    let (found, has_more) = state.users.members(tenant, after, limit).await?;
    let next_cursor = found.last().filter(|_| has_more).map(|last| cursor(last.user));
    let members = found.into_iter().map(ShownMember::from).collect();
    Ok((page.next(next_cursor.as_ref()), Json(Members { members, next_cursor })))
}
