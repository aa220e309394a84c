//! `POST /v1/oauth/introspect`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json, Router};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use shared::http::StatusCode;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::id::{TenantId, UserId};
use utoipa::ToSchema;

use super::caller::{Credentials, caller};
use crate::authorize::Authorizer;
use crate::form::Fields;
use crate::oauth::application::ApplicationKind;
use crate::oauth::error::{Code, Failure, OAuthError};
use crate::system::System;
use crate::token::Claims;

/// How many times as many requests as sign-ins one address may send: a server may ask for each of its own requests.
const REQUESTS: u32 = 200;

/// The endpoint's router.
pub fn router(state: System, authorizer: Authorizer) -> Router {
    let limit = state.per_address("introspections", REQUESTS);
    limited(contract::route!(handle).with_state(state).layer(Extension(authorizer)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<Introspection>(StatusCode::OK)
        .fails_with::<OAuthError>(&[StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED])
}

/// The token that somebody asks about.
#[derive(Debug, Deserialize, ToSchema)]
struct IntrospectionRequest {
    /// An access token.
    #[schema(value_type = Option<String>, format = Password)]
    token: Option<SecretString>,
    #[serde(flatten)]
    #[schema(inline)]
    credentials: Credentials,
}

/// What a token is good for.
#[derive(Debug, Default, Serialize, ToSchema)]
struct Introspection {
    /// Whether the token is good now. If not, nothing else is told.
    active: bool,
    /// The scopes, separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// The application that got the token, or `arsenal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<UserId>,
    /// The tenant that the user acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<TenantId>,
    /// When the token ends, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    /// When the token was issued, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    /// The issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    /// The audience.
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    /// The token's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

impl From<Claims> for Introspection {
    fn from(claims: Claims) -> Self {
        Self {
            active: true,
            scope: Some(claims.scope),
            client_id: Some(claims.client_id),
            sub: Some(claims.sub),
            tenant: Some(claims.tenant),
            exp: Some(claims.exp),
            iat: Some(claims.iat),
            iss: Some(claims.iss),
            aud: Some(claims.aud),
            jti: Some(claims.jti.to_string()),
        }
    }
}

/// Tells whether an access token is good now, and what for (RFC 7662): for a server that gets tokens of other applications.
/// The application that asks must have a secret.
#[utoipa::path(post, path = "/v1/oauth/introspect")]
async fn handle(
    State(state): State<System>,
    Extension(authorizer): Extension<Authorizer>,
    headers: HeaderMap,
    Fields(IntrospectionRequest { token, credentials }): Fields<IntrospectionRequest>,
) -> Result<Json<Introspection>, Failure> {
    let application = caller(&state, &headers, credentials).await?;
    if application.kind != ApplicationKind::Confidential {
        let description = "an application without a secret cannot ask";
        return Err(OAuthError::new(Code::InvalidClient, description).into());
    }
    let token = token.ok_or(OAuthError::new(Code::InvalidRequest, "token is missing"))?;
    let claims = authorizer.claims(token.expose_secret()).await?;
    Ok(Json(claims.map(Introspection::from).unwrap_or_default()))
}
