//! `POST /v1/oauth/revoke`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Router};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared::http::StatusCode;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::id::{SessionId, UserId};
use utoipa::ToSchema;

use super::caller::{Credentials, caller};
use super::token::limit;
use crate::authorize::Authorizer;
use crate::form::Fields;
use crate::oauth::application::ApplicationId;
use crate::oauth::error::{Code, Failure, OAuthError};
use crate::session::Reason;
use crate::system::System;
use crate::token::Issuers;

/// The endpoint's router.
pub fn router(state: System, issuers: Issuers, authorizer: Authorizer) -> Router {
    let limit = limit(&state);
    let route = contract::route!(handle).with_state(state);
    limited(route.layer(Extension(issuers)).layer(Extension(authorizer)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers_nothing(StatusCode::OK)
        .fails_with::<OAuthError>(&[StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED])
}

/// The token that ends.
#[derive(Debug, Deserialize, ToSchema)]
struct Revocation {
    /// A refresh token, or an access token.
    #[schema(value_type = Option<String>, format = Password)]
    token: Option<SecretString>,
    #[serde(flatten)]
    #[schema(inline)]
    credentials: Credentials,
}

/// Ends the session of a refresh token or an access token of the application (RFC 7009). Its refresh token is refused at
/// once, and its access token after 60 s at the latest. A token that is of another application, or is good for nothing, gets
/// the same answer. The token of an application that acts for itself cannot be revoked: it ends after 15 minutes.
#[utoipa::path(post, path = "/v1/oauth/revoke")]
async fn handle(
    State(state): State<System>,
    Extension(issuers): Extension<Issuers>,
    Extension(authorizer): Extension<Authorizer>,
    headers: HeaderMap,
    Fields(Revocation { token, credentials }): Fields<Revocation>,
) -> Result<StatusCode, Failure> {
    let application = caller(&state, &headers, credentials).await?.id;
    let token = token.ok_or(OAuthError::new(Code::InvalidRequest, "token is missing"))?;
    let token = token.expose_secret();
    let refresh = issuers.current().await?.refresh().read(token);
    let named = match refresh {
        Some(refresh) => Some((refresh.user, refresh.session)),
        None => of_access_token(&authorizer, token, application).await?,
    };
    if let Some((user, session)) = named {
        end(&state, application, (user, session)).await?;
    }
    Ok(StatusCode::OK)
}

/// The session of an access token of this application.
async fn of_access_token(
    authorizer: &Authorizer,
    token: &str,
    application: ApplicationId,
) -> Result<Option<(UserId, SessionId)>, Failure> {
    let Ok(claims) = authorizer.claims(token).await? else { return Ok(None) };
    let is_theirs = claims.application().is_ok_and(|of| of == Some(application));
    match claims.sid.filter(|_| is_theirs) {
        Some(session) => Ok(Some((claims.sub, session))),
        None if is_theirs => Err(OAuthError::new(
            Code::UnsupportedTokenType,
            "the token of an application that acts for itself ends after 15 minutes",
        )
        .into()),
        None => Ok(None),
    }
}

/// Ends a session, if it is one of this application.
async fn end(
    state: &System,
    application: ApplicationId,
    (user, session): (UserId, SessionId),
) -> Result<(), Failure> {
    let known = state.users.session(user, session).await?;
    if known.is_some_and(|known| known.application_id() == Some(application)) {
        state.users.end_session(user, session, Reason::SignedOut, state.clock.now()).await?;
        tracing::info!(user_id = %user, session_id = %session, "an application ended a session");
    }
    Ok(())
}
