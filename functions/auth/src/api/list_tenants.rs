//! `GET /v1/tenants`

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Allowed, Json, StatusCode};
use utoipa::ToSchema;

use super::tenants::ShownTenant;
use super::{Account, account_of};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    contract::route!(handle).with_state(state)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<Tenants>(StatusCode::OK)
}

/// The tenants of a user.
#[derive(Serialize, ToSchema)]
struct Tenants {
    /// The user's own tenant, and then those of which the user is a member, in the order in which they were made.
    tenants: Vec<ShownTenant>,
}

/// Lists the tenants for which the user may act.
#[utoipa::path(get, path = "/v1/tenants")]
async fn handle(State(state): State<System>, user: Allowed<Account>) -> Result<Json<Tenants>> {
    let account = account_of(&state, user.user).await?;
    let mut shared = state.users.tenants(user.user).await?;
    shared.sort_by_key(|(tenant, _)| tenant.id);
    let shared = shared.into_iter().map(|(tenant, member)| ShownTenant::of(&user, tenant, &member));
    let tenants = [ShownTenant::own(&user, &account.user)].into_iter().chain(shared).collect();
    Ok(Json(Tenants { tenants }))
}
