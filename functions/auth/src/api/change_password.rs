//! `POST /v1/me/password`

use axum::Router;
use axum::extract::State;
use secrecy::SecretString;
use serde::Deserialize;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Allowed, Json, StatusCode};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use super::{Account, PASSWORD_LOCKED, check_for, session_of, take_try};
use crate::password::{self, NewPassword};
use crate::store::Changed;
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = state.per_address("password-changes", 1);
    limited(contract::route!(handle).with_state(state), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers_nothing(StatusCode::NO_CONTENT)
        .refuses(&[WRONG_PASSWORD, PASSWORD_LOCKED])
}

const WRONG_PASSWORD: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "wrong-password",
    "The current password is another one",
);

/// The current password, and the next.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The current password.
    #[schema(value_type = String, format = Password)]
    current_password: SecretString,
    new_password: NewPassword,
}

/// Changes the password and ends all other sessions of the user. A wrong current password counts as a failed sign-in.
#[utoipa::path(post, path = "/v1/me/password")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    Json(PasswordChange { current_password, new_password }): Json<PasswordChange>,
) -> Result<StatusCode> {
    let session = session_of(&user)?;
    let email =
        state.users.account(user.user).await?.ok_or_else(Problem::unauthenticated)?.user.email;
    check_for(&new_password, &email, "new_password")?;
    take_try(&state, &email).await?;
    retried(async || {
        let account = state.users.account(user.user).await?;
        let account = account.ok_or_else(Problem::unauthenticated)?;
        let stored = Some(account.password_hash.clone());
        if !password::verify(current_password.clone(), stored).await? {
            let detail = "it is not the current password";
            return Err(Problem::of(WRONG_PASSWORD).field("current_password", detail).into());
        }
        state.users.clear_tries(&email).await?;
        let new_hash = password::hash(new_password.clone()).await?;
        let (attempt, now) = (state.ids.next(), state.clock.now());
        match state.users.change_password(&account, &new_hash, session, attempt, now).await? {
            Changed::Made => Ok(Some(())),
            Changed::Account => Ok(None),
            Changed::Session => Err(Problem::unauthenticated().into()),
        }
    })
    .await?;
    tracing::info!(user_id = %user.user, "password changed");
    Ok(StatusCode::NO_CONTENT)
}
