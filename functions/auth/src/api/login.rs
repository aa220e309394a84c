//! `POST /v1/auth/login`

use axum::extract::State;
use axum::{Extension, Router};
use secrecy::SecretString;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Json, StatusCode};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use super::tokens::{TokenResponse, Tokens, tokens};
use crate::email::Email;
use crate::password;
use crate::session::{Client, Session};
use crate::system::System;
use crate::token::Issuers;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    let limit = state.per_address("sign-ins", 1);
    limited(contract::route!(handle).with_state(state).layer(Extension(issuers)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<TokenResponse>(StatusCode::OK)
        .header("Cache-Control")
        .refuses(&[INVALID_CREDENTIALS])
}

/// The same for an unknown address and a wrong password, so that it does not reveal which addresses have
/// an account.
const INVALID_CREDENTIALS: ProblemType = ProblemType::new(
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

/// Signs a user in: begins a session, which lasts up to 30 days, and ends after 14 days without a refresh.
#[utoipa::path(post, path = "/v1/auth/login")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    client: Client,
    Json(credentials): Json<Credentials>,
) -> Result<Tokens> {
    let account = state.users.by_email(&credentials.email).await?;
    let password_hash = account.as_ref().map(|known| known.password_hash.clone());
    let is_right = password::verify(credentials.password, password_hash).await?;
    let account = account.filter(|_| is_right);
    let account = account.ok_or_else(|| Problem::of(INVALID_CREDENTIALS))?;

    let (user, now, issuer) = (&account.user, state.clock.now(), issuers.current().await?);
    // In the epoch of the password that was checked: a change of the password meanwhile ends it.
    let session = Session::begun(state.ids.next(), user, account.epoch, client, now);
    state.users.begin_session(&session).await?;
    tracing::info!(user_id = %user.id, session_id = %session.id, "signed in");
    tokens(&state, &issuer, user, &session, now)
}
