//! `POST /v1/tenants`

use axum::Router;
use axum::extract::State;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, Json, StatusCode};
use shared::scopes::TenantRole;
use utoipa::ToSchema;

use super::tenants::{ShownTenant, refused};
use super::{Account, account_of, require_own_session};
use crate::store::Joined;
use crate::system::System;
use crate::tenant::{Given, Member, TOO_MANY_TENANTS, Tenant, TenantName};

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = state.per_user();
    limited(contract::route!(handle).with_state(state), limit)
}

/// What can be done with a tenant that was made.
const OF_TENANT: [&str; 3] = ["auth-list-members", "auth-invite", "auth-list-invitations"];

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::User, Unavailable::Admit)
        .answers::<ShownTenant>(StatusCode::CREATED)
        .links(&OF_TENANT, "tenant_id", "$response.body#/id")
        .refuses(&[TOO_MANY_TENANTS])
}

/// The tenant that the user wants.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TenantRequest {
    name: TenantName,
}

/// Makes a tenant that several users share, with the user as its owner. A user is a member of at most 20 tenants.
#[utoipa::path(post, path = "/v1/tenants")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Json(TenantRequest { name }): Json<TenantRequest>,
) -> Result<(StatusCode, Json<ShownTenant>)> {
    require_own_session(&user)?;
    let email = account_of(&state, user.user).await?.user.email;
    let (now, by) = (state.clock.now(), user.user);
    let tenant = Tenant::new(state.ids.next(), name, by, now);
    let (role, given) = (TenantRole::Owner, Given { by, at: now });
    let member = Member { tenant: tenant.id, user: by, email, role, joined_at: now, given };
    match state.users.create_tenant(&tenant, &member).await? {
        Joined::Made => {}
        other => return Err(refused(other)),
    }
    tracing::info!(user_id = %by, tenant = %tenant.id, "tenant created");
    Ok((StatusCode::CREATED, Json(ShownTenant::of(&user, tenant, &member))))
}
