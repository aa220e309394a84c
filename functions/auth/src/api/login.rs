//! `POST /v1/auth/login`

use axum::extract::State;
use axum::{Extension, Router};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::http::{Json, StatusCode};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use super::tokens::{TokenResponse, Tokens, tokens};
use super::{PASSWORD_LOCKED, take_try};
use crate::email::Email;
use crate::password;
use crate::session::{Client, Session};
use crate::store::Account;
use crate::system::System;
use crate::token::Issuers;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    let limit = limit(&state);
    limited(contract::route!(handle).with_state(state).layer(Extension(issuers)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<TokenResponse>(StatusCode::OK)
        .header("Cache-Control")
        .refuses(&[INVALID_CREDENTIALS, PASSWORD_LOCKED])
}

/// The same for an unknown address and a wrong password, so that it does not reveal which addresses have
/// an account.
pub(crate) const INVALID_CREDENTIALS: ProblemType = ProblemType::new(
    StatusCode::UNAUTHORIZED,
    "invalid-credentials",
    "The e-mail address or the password is wrong",
);

/// A user's e-mail address and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    email: Email,
    /// The password.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// Signs a user in: begins a session, which lasts up to 30 days, and ends after 14 days without a refresh. After ten
/// wrong passwords in a row for one address, each next try has to wait longer, up to 15 minutes. After 100, no password
/// is accepted until it is reset.
#[utoipa::path(post, path = "/v1/auth/login")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    client: Client,
    Json(Credentials { email, password }): Json<Credentials>,
) -> Result<Tokens> {
    let account = checked(&state, &email, password).await?;
    let (user, now, issuer) = (&account.user, state.clock.now(), issuers.current().await?);
    let session = begin_session(&state, &account, client, now).await?;
    tokens(&state, &issuer, user, &session, now)
}

/// The limit of sign-ins, by the API and by the pages together.
pub(crate) fn limit(state: &System) -> Limit {
    state.per_address("sign-ins", 1)
}

/// The account of the address, if the password is right.
///
/// # Errors
/// 401 [`INVALID_CREDENTIALS`]; 429 or 403 after too many wrong passwords.
pub(crate) async fn checked(
    state: &System,
    email: &Email,
    password: SecretString,
) -> Result<Account> {
    // Up to the refusal, known and unknown addresses cost the same requests and one hash.
    take_try(state, email).await?;
    let account = state.users.by_email(email).await?;
    let stored = account.as_ref().map(|known| known.password_hash.clone());
    let is_right = password::verify(password.clone(), stored).await?;
    let account = account.filter(|_| is_right);
    let account = account.ok_or_else(|| Problem::of(INVALID_CREDENTIALS))?;

    state.users.clear_tries(email).await?;
    upgrade(state, &account, password).await?;
    Ok(account)
}

/// Begins a session of a user whose password was checked.
pub(crate) async fn begin_session(
    state: &System,
    account: &Account,
    client: Client,
    now: Timestamp,
) -> Result<Session> {
    // In the epoch of the password that was checked: a change of the password meanwhile ends it.
    let session = Session::begun(state.ids.next(), &account.user, account.epoch, client, now);
    state.users.begin_session(&session).await?;
    tracing::info!(user_id = %account.user.id, session_id = %session.id, "signed in");
    Ok(session)
}

/// Replaces a hash with former parameters. If that fails, the next sign-in does it.
async fn upgrade(state: &System, account: &Account, password: SecretString) -> Result<()> {
    if let Some(hash) = password::upgraded(password, &account.password_hash).await? {
        let user_id = account.user.id;
        match state.users.replace_hash(account, &hash).await {
            Ok(is_replaced) => tracing::info!(%user_id, is_replaced, "hash with former parameters"),
            Err(error) => tracing::warn!(%user_id, error = error.trail(), "hash is not replaced"),
        }
    }
    Ok(())
}
