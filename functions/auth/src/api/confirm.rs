//! `POST /v1/auth/confirm`

use axum::Router;
use axum::extract::State;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Json, StatusCode};
use shared::problem::{Problem, ProblemType};

use super::check_for;
use super::links::{ChosenPassword, INVALID_LINK, confirmations, invalid_link};
use crate::link::Purpose;
use crate::password;
use crate::session::Client;
use crate::store::{Account, How, PasswordSet, Used};
use crate::system::System;
use crate::user::User;

/// The endpoint's router.
pub fn router(state: System) -> Router {
    let limit = confirmations(&state);
    limited(contract::route!(handle).with_state(state), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<User>(StatusCode::CREATED)
        .refuses(&[EMAIL_TAKEN, INVALID_LINK])
}

/// Another user has the address.
pub(crate) const EMAIL_TAKEN: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "email-taken", "There is an account with this address");

/// Creates an account, with the address that the link was sent to and a tenant of the user's own.
#[utoipa::path(post, path = "/v1/auth/confirm")]
async fn handle(
    State(state): State<System>,
    client: Client,
    Json(chosen): Json<ChosenPassword>,
) -> Result<(StatusCode, Json<User>)> {
    let user = confirm(&state, chosen, client).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

/// Creates the account of a link.
pub(crate) async fn confirm(
    state: &System,
    chosen: ChosenPassword,
    client: Client,
) -> Result<User> {
    let ChosenPassword { token, password } = chosen;
    let now = state.clock.now();
    let link = state.users.link(&token, now).await?;
    let link = link.filter(|link| link.purpose == Purpose::Register).ok_or_else(invalid_link)?;
    check_for(&password, &link.email, "password")?;
    let password_hash = Some(password::hash(password).await?);
    let user = User::register(link.email, &state.ids, now);
    let password_set = PasswordSet { at: now, how: How::Registered, client };
    let account = Account {
        user: user.clone(),
        password_hash,
        epoch: 0,
        password_set,
        second_factor: None,
        tenants: 0,
        passkeys: 0,
    };
    match state.users.create(&token, &account).await? {
        Used::Made => {
            tracing::info!(user_id = %user.id, "registered");
            Ok(user)
        }
        Used::InvalidLink => Err(invalid_link().into()),
        Used::Account => {
            Err(Problem::of(EMAIL_TAKEN).detail("Sign in, or reset the password.").into())
        }
    }
}
