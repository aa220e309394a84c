//! `DELETE /v1/me/identities/{identity_id}`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, Path, StatusCode};
use shared::problem::{NOT_FOUND, Problem};

use super::{Account, require_own_session};
use crate::identity::IdentityId;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = state.per_user();
    limited(contract::route!(handle).with_state(state), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::User, Unavailable::Admit)
        .answers_nothing(StatusCode::NO_CONTENT)
        .refuses(&[NOT_FOUND])
}

/// Removes an identity: nobody signs in with it any more. Sessions that have begun with it go on. A user without a password can
/// choose one by mail (`POST /v1/auth/forgot-password`).
#[utoipa::path(delete, path = "/v1/me/identities/{identity_id}")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Path(id): Path<IdentityId>,
) -> Result<StatusCode> {
    require_own_session(&user)?;
    let unknown = || Problem::not_found("identity");
    let identity = state.users.identity(user.user, id).await?.ok_or_else(unknown)?;
    if !state.users.remove_identity(&identity, state.ids.next()).await? {
        return Err(unknown().into());
    }
    tracing::info!(user_id = %user.user, identity = %id, "identity removed");
    Ok(StatusCode::NO_CONTENT)
}
