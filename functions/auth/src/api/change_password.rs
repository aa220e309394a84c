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
use shared::id::UserId;
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use super::{Account, PASSWORD_LOCKED, check_for, session_of, take_try};
use crate::password::{self, NewPassword};
use crate::session::Client;
use crate::store::{self, Changed, How, PasswordSet};
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

pub(super) const WRONG_PASSWORD: ProblemType = ProblemType::new(
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
    client: Client,
    Json(PasswordChange { current_password, new_password }): Json<PasswordChange>,
) -> Result<StatusCode> {
    let session = session_of(&user)?;
    let email = account_of(&state, user.user).await?.user.email;
    check_for(&new_password, &email, "new_password")?;
    take_try(&state, &email).await?;
    retried(async || {
        let account = checked(&state, user.user, current_password.clone()).await?;
        let new_hash = password::hash(new_password.clone()).await?;
        let set = PasswordSet { at: state.clock.now(), how: How::Changed, client: client.clone() };
        let (new, attempt) = ((new_hash.as_str(), &set), state.ids.next());
        match state.users.change_password(&account, new, session, attempt).await? {
            Changed::Made => Ok(Some(())),
            Changed::Account => Ok(None),
            Changed::Session => Err(Problem::unauthenticated().into()),
        }
    })
    .await?;
    tracing::info!(user_id = %user.user, "password changed");
    Ok(StatusCode::NO_CONTENT)
}

/// The account of a user.
///
/// # Errors
/// 401 when it does not exist any more.
pub(super) async fn account_of(state: &System, user: UserId) -> Result<store::Account> {
    Ok(state.users.account(user).await?.ok_or_else(Problem::unauthenticated)?)
}

/// The account of a user who knows the current password, which clears the count of tries.
///
/// # Errors
/// 401 when the account does not exist any more, and 422 for another password.
pub(super) async fn checked(
    state: &System,
    user: UserId,
    current_password: SecretString,
) -> Result<store::Account> {
    let account = account_of(state, user).await?;
    if !password::verify(current_password, Some(account.password_hash.clone())).await? {
        let detail = "it is not the current password";
        return Err(Problem::of(WRONG_PASSWORD).field("current_password", detail).into());
    }
    state.users.clear_tries(&account.user.email).await?;
    Ok(account)
}
