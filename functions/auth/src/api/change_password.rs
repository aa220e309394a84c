//! `POST /v1/me/password`

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use secrecy::SecretString;
use serde::Deserialize;
use shared::Result;
use shared::conflict::retried;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::http::{Allowed, Json, StatusCode};
use shared::id::UserId;
use shared::problem::{Problem, ProblemType};
use shared::rate_limit::Quota;
use utoipa::ToSchema;

use super::{Account, session_of};
use crate::password::{self, NewPassword};
use crate::session::Client;
use crate::store::{Changed, How, PasswordSet};
use crate::system::System;

/// The changes that a user may try at once, and in each [`WINDOW`] after: each try hashes twice, and may
/// guess the password.
const TRIES: u32 = 5;
const WINDOW: Duration = Duration::from_mins(5);

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = tries(&state);
    limited(contract::route!(handle).with_state(state), limit)
}

/// The limit of tries of the current password.
pub(super) fn tries(state: &System) -> Limit {
    Limit {
        limiter: state.limiter.clone(),
        quota: Quota::new("password-changes", TRIES, WINDOW),
        subject: Subject::User,
        unavailable: Unavailable::Refuse,
    }
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::User, Unavailable::Refuse)
        .answers_nothing(StatusCode::NO_CONTENT)
        .refuses(&[WRONG_PASSWORD])
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

/// Changes the password and ends all other sessions of the user.
#[utoipa::path(post, path = "/v1/me/password")]
async fn handle(
    State(state): State<System>,
    user: Allowed<Account>,
    client: Client,
    Json(PasswordChange { current_password, new_password }): Json<PasswordChange>,
) -> Result<StatusCode> {
    let session = session_of(&user)?;
    let new_hash = password::hash(new_password).await?;
    retried(async || {
        let account = checked(&state, user.user, current_password.clone()).await?;
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

/// The account of a user who knows the current password.
///
/// # Errors
/// 401 when the account does not exist any more, and 422 for another password.
pub(super) async fn checked(
    state: &System,
    user: UserId,
    current_password: SecretString,
) -> Result<crate::store::Account> {
    let account = state.users.account(user).await?.ok_or_else(Problem::unauthenticated)?;
    if password::verify(current_password, Some(account.password_hash.clone())).await? {
        return Ok(account);
    }
    let detail = "it is not the current password";
    Err(Problem::of(WRONG_PASSWORD).field("current_password", detail).into())
}
