//! `POST /v1/me/deletion`

use axum::Router;
use axum::extract::State;
use secrecy::SecretString;
use serde::Deserialize;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::limited;
use shared::http::{Allowed, Json, StatusCode};
use shared::problem::Problem;
use utoipa::ToSchema;

use super::account_of;
use super::current_password::{self, checked};
use super::{Account, take_try};
use crate::system::System;
use crate::tenant::STILL_MEMBER;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = current_password::limit(&state);
    limited(contract::route!(handle).with_state(state), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    current_password::described(contract::operation!(handle))
        .answers_nothing(StatusCode::NO_CONTENT)
        .refuses(&[STILL_MEMBER])
}

/// What a deletion needs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Deletion {
    /// The current password.
    #[schema(value_type = String, format = Password)]
    current_password: SecretString,
}

/// Deletes the user's account and ends all sessions. The address may be registered again. Other systems are told by the
/// event `user.deleted`. A member of tenants leaves them first. A wrong current password counts as a failed sign-in.
#[utoipa::path(post, path = "/v1/me/deletion")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Json(Deletion { current_password }): Json<Deletion>,
) -> Result<StatusCode> {
    take_try(&state, &account_of(&state, user.user).await?.user.email).await?;
    retried(async || {
        let account = checked(&state, user.user, current_password.clone()).await?;
        if account.tenants > 0 {
            let detail = format!("You are a member of {}: leave them.", account.tenants);
            return Err(Problem::of(STILL_MEMBER).detail(detail).into());
        }
        let is_deleted = state.users.delete(&account, state.ids.next()).await?;
        Ok(is_deleted.then_some(()))
    })
    .await?;
    tracing::info!(user_id = %user.user, "account deleted");
    Ok(StatusCode::NO_CONTENT)
}
