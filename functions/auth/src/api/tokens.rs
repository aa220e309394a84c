use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;
use shared::Result;
use shared::http::Json;
use utoipa::ToSchema;

use crate::session::Session;
use crate::system::System;
use crate::token::{Issuer, LIFETIME};
use crate::user::User;

/// The tokens of a session: the answer of an OAuth 2.0 token endpoint (RFC 6749, section 5.1).
#[derive(Serialize, ToSchema)]
pub(super) struct TokenResponse {
    /// The access token, a JSON Web Token.
    access_token: String,
    token_type: TokenType,
    /// The access token's lifetime, in seconds.
    expires_in: u64,
    /// The user's scopes, separated by spaces.
    scope: String,
    /// The token for the next refresh, good once. Keep it as secret as a password.
    refresh_token: String,
    /// The time after which the session ends if it is not refreshed, in seconds.
    refresh_expires_in: u64,
}

/// How the token is sent (RFC 6750).
#[derive(Serialize, ToSchema)]
enum TokenType {
    Bearer,
}

/// The answer with tokens, which no cache keeps.
pub(super) type Tokens = ([(HeaderName, HeaderValue); 1], Json<TokenResponse>);

/// The tokens of `session` at `now`. The scopes are those of the user's roles now.
pub(super) fn tokens(
    system: &System,
    issuer: &Issuer,
    user: &User,
    session: &Session,
    now: Timestamp,
) -> Result<Tokens> {
    let left = session.ends_at().duration_since(now).as_secs();
    let response = TokenResponse {
        access_token: issuer.issue(user, session.id, &system.ids, now)?,
        token_type: TokenType::Bearer,
        expires_in: LIFETIME.as_secs(),
        scope: user.scope(),
        refresh_token: issuer.refresh().write(&session.token()).expose_secret().to_owned(),
        refresh_expires_in: u64::try_from(left).unwrap_or_default(),
    };
    Ok(([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(response)))
}
