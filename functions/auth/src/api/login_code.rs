//! `POST /v1/auth/login/code`

use axum::extract::State;
use axum::{Extension, Router};
use secrecy::SecretString;
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::http::{Json, StatusCode};
use utoipa::ToSchema;

use super::PASSWORD_LOCKED;
use super::codes::{SECOND_FACTOR_LOCKED, WRONG_CODE};
use super::sign_in::{INVALID_CHALLENGE, begun, checked_code};
use super::tokens::{TokenResponse, Tokens, tokens};
use crate::second_factor::Code;
use crate::session::Client;
use crate::system::System;
use crate::token::Issuers;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    let limit = limit(&state);
    limited(contract::route!(handle).with_state(state).layer(Extension(issuers)), limit)
}

/// The limit of codes, by the API and by the pages together.
pub(crate) fn limit(state: &System) -> Limit {
    state.per_address("sign-in-codes", 1)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<TokenResponse>(StatusCode::OK)
        .header("Cache-Control")
        .refuses(&[INVALID_CHALLENGE, WRONG_CODE, SECOND_FACTOR_LOCKED, PASSWORD_LOCKED])
}

/// The challenge of a sign-in, and a code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Answered {
    /// The challenge that the sign-in got.
    #[schema(value_type = String, format = Password)]
    challenge: SecretString,
    code: Code,
}

/// Signs a user in who has a second factor: answers the challenge of `POST /v1/auth/login` with a code of the app or a
/// recovery code. A code is good once. A wrong one counts as a wrong password.
#[utoipa::path(post, path = "/v1/auth/login/code")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    client: Client,
    Json(Answered { challenge, code }): Json<Answered>,
) -> Result<Tokens> {
    let issuer = issuers.current().await?;
    let account = checked_code(&state, &issuer, &challenge, &code).await?;
    let session = begun(&state, &account, client).await?;
    tokens(&state, &issuer, &account.user.in_own_tenant(), &session, session.created_at)
}
