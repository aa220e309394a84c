//! `POST /v1/auth/login/passkey/options`

use axum::extract::State;
use axum::{Extension, Router};
use serde::Serialize;
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::{Json, StatusCode};
use utoipa::ToSchema;

use super::passkeys::sign_in;
use super::{NO_STORE, NoStore};
use crate::passkey::challenge::LIFETIME;
use crate::passkey::json::RequestOptions;
use crate::system::System;
use crate::token::Issuers;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    contract::route!(handle).with_state(state).layer(Extension(issuers))
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle).answers::<SignInOptions>(StatusCode::OK).header("Cache-Control")
}

/// What a sign-in by a passkey begins with.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeySignInOptions)]
struct SignInOptions {
    /// What `navigator.credentials.get` takes.
    options: RequestOptions,
    /// How long they can be used, in seconds.
    #[schema(minimum = 0)]
    expires_in: u64,
}

/// Begins a sign-in by a passkey, without an address and without a password. `POST /v1/auth/login/passkey` takes what the
/// authenticator gives for these options. Nothing is stored.
#[utoipa::path(post, path = "/v1/auth/login/passkey/options")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
) -> Result<(NoStore, Json<SignInOptions>)> {
    let options = sign_in(&*issuers.current().await?, state.clock.now())?;
    Ok((NO_STORE, Json(SignInOptions { options, expires_in: LIFETIME.as_secs() })))
}
