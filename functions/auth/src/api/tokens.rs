use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;
use shared::Result;
use shared::http::Json;
use shared::scopes::TenantRole;
use utoipa::ToSchema;

use super::{NO_STORE, NoStore};
use crate::session::Session;
use crate::system::System;
use crate::token::{Issuer, LIFETIME, Subject};
use crate::user::Actor;

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
pub(super) enum TokenType {
    Bearer,
}

/// The answer with tokens, which no cache keeps.
pub(super) type Tokens = (NoStore, Json<TokenResponse>);

/// An access token of `session` with these scopes at `now`.
pub(super) fn access(
    system: &System,
    issuer: &Issuer,
    (session, role, scope): (&Session, Option<TenantRole>, &str),
    now: Timestamp,
) -> Result<String> {
    let subject = Subject {
        user: session.user,
        tenant: session.tenant,
        role,
        session: Some(session.id),
        application: session.application_id(),
        scope: scope.to_owned(),
    };
    issuer.issue(subject, &system.ids, now)
}

/// How long a session lasts from `now` if it is not refreshed, in seconds.
pub(super) fn left(session: &Session, now: Timestamp) -> u64 {
    u64::try_from(session.ends_at().duration_since(now).as_secs()).unwrap_or_default()
}

/// The tokens of `session` at `now`, for the tenant that it acts for. The scopes are those of the user's roles now.
pub(super) fn tokens(
    system: &System,
    issuer: &Issuer,
    actor: &Actor,
    session: &Session,
    now: Timestamp,
) -> Result<Tokens> {
    let scope = actor.scopes().join(" ");
    let response = TokenResponse {
        access_token: access(system, issuer, (session, actor.role(), &scope), now)?,
        token_type: TokenType::Bearer,
        expires_in: LIFETIME.as_secs(),
        scope,
        refresh_token: issuer.refresh().write(&session.token()).expose_secret().to_owned(),
        refresh_expires_in: left(session, now),
    };
    Ok((NO_STORE, Json(response)))
}
