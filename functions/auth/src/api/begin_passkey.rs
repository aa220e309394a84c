//! `POST /v1/me/passkeys/options`

use axum::extract::State;
use axum::{Extension, Router};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::limited;
use shared::http::{Allowed, Json, StatusCode};
use utoipa::ToSchema;

use super::passkeys::{By, TOO_MANY_PASSKEYS};
use super::recent::SIGN_IN_TOO_OLD;
use super::{Account, current_password, require_own_session, session_of};
use super::{NO_STORE, NoStore};
use crate::passkey::challenge::LIFETIME;
use crate::passkey::json::CreationOptions;
use crate::system::System;
use crate::token::Issuers;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers) -> Router {
    let limit = current_password::limit(&state);
    limited(contract::route!(handle).with_state(state).layer(Extension(issuers)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    current_password::described(contract::operation!(handle))
        .answers::<EnrolmentOptions>(StatusCode::OK)
        .header("Cache-Control")
        .refuses(&[TOO_MANY_PASSKEYS, SIGN_IN_TOO_OLD])
}

/// What a new passkey needs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyEnrolmentRequest)]
struct EnrolmentRequest {
    /// The current password.
    #[schema(value_type = String, format = Password)]
    current_password: SecretString,
}

/// What a new passkey begins with.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyEnrolmentOptions)]
struct EnrolmentOptions {
    /// What `navigator.credentials.create` takes.
    options: CreationOptions,
    /// How long they can be used, in seconds.
    #[schema(minimum = 0)]
    expires_in: u64,
}

/// Begins to add a passkey. `POST /v1/me/passkeys` takes what the authenticator gives for these options, in the same session. A
/// user with a second factor must have signed in within the last ten minutes. A wrong current password counts as a failed
/// sign-in.
#[utoipa::path(post, path = "/v1/me/passkeys/options")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    user: Allowed<Account>,
    Json(EnrolmentRequest { current_password }): Json<EnrolmentRequest>,
) -> Result<(NoStore, Json<EnrolmentOptions>)> {
    require_own_session(&user)?;
    let by = By { user: user.user, session: session_of(&user)? };
    let options = by.begins(&state, &*issuers.current().await?, current_password).await?;
    Ok((NO_STORE, Json(EnrolmentOptions { options, expires_in: LIFETIME.as_secs() })))
}
