//! `POST /v1/me/totp`

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::{Extension, Router};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::limited;
use shared::http::{Allowed, Json, StatusCode};
use utoipa::ToSchema;

use super::NO_STORE;
use super::account_of;
use super::codes::{SECOND_FACTOR_ON, second_factor_on};
use super::current_password::{self, checked};
use super::recent::{SIGN_IN_TOO_OLD, require_recent};
use super::{Account, require_own_session, session_of, take_try};
use crate::second_factor::{ENROLMENT, Secret};
use crate::store::Totp;
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
        .answers::<Enrolment>(StatusCode::CREATED)
        .header("Cache-Control")
        .refuses(&[SECOND_FACTOR_ON, SIGN_IN_TOO_OLD])
}

/// What an enrolment needs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EnrolmentRequest {
    /// The current password.
    #[schema(value_type = String, format = Password)]
    current_password: SecretString,
}

/// What the user's authenticator app needs. No later answer has it.
#[derive(Serialize, ToSchema)]
struct Enrolment {
    /// The secret in base 32, for a user who types it.
    #[schema(pattern = "^[A-Z2-7]{32}$")]
    secret: String,
    /// The secret as a URI (`otpauth://totp/…`), to be shown as a QR code.
    uri: String,
    /// How long it can be confirmed, in seconds.
    #[schema(minimum = 0)]
    expires_in: u64,
}

/// Begins to set up a second factor: makes a secret for an authenticator app. It is not in force before a code of the app
/// confirms it (`POST /v1/me/totp/confirmation`), within an hour. A second request replaces the first secret. A user with passkeys
/// must have signed in with one, or with a recovery code, within the last ten minutes. A wrong current password counts as a failed sign-in.
#[utoipa::path(post, path = "/v1/me/totp")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    user: Allowed<Account>,
    Json(EnrolmentRequest { current_password }): Json<EnrolmentRequest>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], Json<Enrolment>)> {
    require_own_session(&user)?;
    let session = session_of(&user)?;
    take_try(&state, &account_of(&state, user.user).await?.user.email).await?;
    let account = checked(&state, user.user, current_password).await?;
    require_recent(&state, session, &account).await?;
    let issuer = issuers.current().await?;
    let secret = Secret::generate()?;
    let sealed = issuer.factors()?.seal(user.user, &secret)?;
    let enrolled = Totp::enrolled(&account, sealed, state.clock.now());
    if account.has_totp() || !state.users.enrol(&enrolled).await? {
        return Err(second_factor_on().into());
    }
    tracing::info!(user_id = %user.user, "second factor enrolled");
    let uri = secret.uri(issuer.host(), &account.user.email).expose_secret().to_owned();
    let secret = secret.text().expose_secret().to_owned();
    let enrolment = Enrolment { secret, uri, expires_in: ENROLMENT.as_secs() };
    Ok((StatusCode::CREATED, NO_STORE, Json(enrolment)))
}
