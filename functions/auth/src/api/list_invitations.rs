//! `GET /v1/tenants/{tenant_id}/invitations`

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
use super::invitations::Shown;
use super::tenants::{own, require};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).pages::<Invitations>().refuses(&[NOT_FOUND])
}

/// A page of invitations.
#[derive(Serialize, ToSchema)]
struct Invitations {
    /// The invitations, in no particular order.
    invitations: Vec<Shown>,
    /// The `cursor` parameter for the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the invitations of a tenant that are still good, for a manager or an owner.
#[utoipa::path(get, path = "/v1/tenants/{tenant_id}/invitations")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Path(tenant): Path<TenantId>,
    Query(page): Query<Page>,
) -> Result<(Next, Json<Invitations>)> {
    let (after, limit) = (page.after()?, page.limit()?);
    require(&own(&state, &user, tenant).await?, None, None)?;
    let now = state.clock.now();
    let (found, has_more) = state.users.invitations(tenant, after, limit, now).await?;
    let next_cursor = found.last().filter(|_| has_more).map(|last| cursor(last.id()));
    let invitations = found.into_iter().map(Shown::from).collect();
    Ok((page.next(next_cursor.as_ref()), Json(Invitations { invitations, next_cursor })))
}
