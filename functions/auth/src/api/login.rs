//! `POST /v1/auth/login`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::http::{Json, StatusCode};
use utoipa::ToSchema;

use super::NO_STORE;
use super::PASSWORD_LOCKED;
use super::passkeys::second_step;
use super::sign_in::{Checked, INVALID_CREDENTIALS, begun, checked_password};
use super::tokens::{TokenResponse, tokens};
use crate::email::Email;
use crate::passkey::json::RequestOptions;
use crate::second_factor::challenge::LIFETIME;
use crate::session::Client;
use crate::system::System;
use crate::token::Issuers;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    let limit = limit(&state);
    limited(contract::route!(handle).with_state(state).layer(Extension(issuers)), limit)
}

/// The limit of sign-ins, by the API and by the pages together.
pub(crate) fn limit(state: &System) -> Limit {
    state.per_address("sign-ins", 1)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<TokenResponse>(StatusCode::OK)
        .answers::<CodeNeeded>(StatusCode::ACCEPTED)
        .header("Cache-Control")
        .refuses(&[INVALID_CREDENTIALS, PASSWORD_LOCKED])
}

/// A user's e-mail address and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    email: Email,
    /// The password.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// The password is right, and the user has a second factor.
#[derive(Serialize, ToSchema)]
struct CodeNeeded {
    /// What the request with the code needs (`POST /v1/auth/login/code`). Keep it as secret as a password.
    challenge: String,
    /// How long it can be used, in seconds.
    #[schema(minimum = 0)]
    expires_in: u64,
    /// What `navigator.credentials.get` takes, for `POST /v1/auth/login/passkey` instead. Absent if the user has no passkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    passkey: Option<RequestOptions>,
}

/// Signs a user in: begins a session, which lasts up to 30 days, and ends after 14 days without a refresh. A user with a
/// second factor gets a challenge instead, which `POST /v1/auth/login/code` answers with a code, or `POST
/// /v1/auth/login/passkey` with a passkey. After ten
/// wrong passwords and codes in a row for one address, each next try has to wait longer, up to 15 minutes. After 100, no
/// password is accepted until it is reset.
#[utoipa::path(post, path = "/v1/auth/login")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    client: Client,
    Json(Credentials { email, password }): Json<Credentials>,
) -> Result<Response> {
    let checked = checked_password(&state, &email, password).await?;
    let issuer = issuers.current().await?;
    let account = match checked {
        Checked::Account(account) => account,
        Checked::Challenge { challenge, has_passkeys } => {
            let passkey = has_passkeys
                .then(|| second_step(&issuer, &challenge, state.clock.now()))
                .transpose()?;
            let challenge = issuer.challenges().write(&challenge).expose_secret().to_owned();
            let needed = CodeNeeded { challenge, expires_in: LIFETIME.as_secs(), passkey };
            return Ok((StatusCode::ACCEPTED, NO_STORE, Json(needed)).into_response());
        }
    };
    let session = begun(&state, &account, client).await?;
    Ok(tokens(&state, &issuer, &account.user.in_own_tenant(), &session, session.created_at)?
        .into_response())
}
