//! `POST /v1/me/password`

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
use super::{Account, check_for, session_of, take_try};
use crate::password::{self, NewPassword};
use crate::session::Client;
use crate::store::{Changed, How, PasswordSet};
use crate::system::System;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = current_password::limit(&state);
    limited(contract::route!(handle).with_state(state), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    current_password::described(contract::operation!(handle))
        .answers_nothing(StatusCode::NO_CONTENT)
}

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
