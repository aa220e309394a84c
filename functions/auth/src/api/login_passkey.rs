//! `POST /v1/auth/login/passkey`

use axum::extract::State;
use axum::{Extension, Router};
use serde::Deserialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Limit, Subject, Unavailable, limited};
use shared::http::{Json, StatusCode};
use utoipa::ToSchema;

use super::passkeys::{PASSKEY_REFUSED, checked_passkey};
use super::sign_in::begun;
use super::tokens::{TokenResponse, Tokens, tokens};
use crate::passkey::json::UsedCredential;
use crate::session::Client;
use crate::system::System;
use crate::token::Issuers;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    let limit = limit(&state);
    limited(contract::route!(handle).with_state(state).layer(Extension(issuers)), limit)
}

/// The limit of sign-ins by a passkey, by the API and by the pages together.
pub(crate) fn limit(state: &System) -> Limit {
    state.per_address("passkey-sign-ins", 1)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<TokenResponse>(StatusCode::OK)
        .header("Cache-Control")
        .refuses(&[PASSKEY_REFUSED])
}

/// What the authenticator gives for the options of a sign-in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeySignIn)]
struct SignIn {
    credential: UsedCredential,
}

/// Signs a user in by a passkey: for the options of `POST /v1/auth/login/passkey/options`, or for those of `POST
/// /v1/auth/login` after the password. The answer of an authenticator is good once.
#[utoipa::path(post, path = "/v1/auth/login/passkey")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    client: Client,
    Json(SignIn { credential }): Json<SignIn>,
) -> Result<Tokens> {
    let issuer = issuers.current().await?;
    let account = checked_passkey(&state, &issuer, &credential, &client).await?;
    let session = begun(&state, &account, client).await?;
    tokens(&state, &issuer, &account.user.in_own_tenant(), &session, session.created_at)
}
