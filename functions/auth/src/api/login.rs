//! `POST /v1/auth/login`

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::response::IntoResponse;
use axum::{Extension, Router};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::contract::{self, Operation};
use shared::http::rate_limit::{Subject, Unavailable, limited};
use shared::http::{Json, StatusCode};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use crate::email::Email;
use crate::password;
use crate::system::System;
use crate::token::{Issuer, LIFETIME};

/// The endpoint's router.
pub fn router(state: System, issuer: Issuer) -> Router {
    let limit = state.per_address("sign-ins");
    limited(contract::route!(handle).with_state(state).layer(Extension(issuer)), limit)
}

/// The endpoint's part of the contract.
pub fn operation() -> Operation {
    contract::operation!(handle)
        .limited(Subject::SourceIp, Unavailable::Refuse)
        .answers::<TokenResponse>(StatusCode::OK)
        .header("Cache-Control")
        .refuses(&[INVALID_CREDENTIALS])
}

/// The same for an unknown address and a wrong password, so that it does not reveal which addresses have
/// an account.
const INVALID_CREDENTIALS: ProblemType = ProblemType::new(
    StatusCode::UNAUTHORIZED,
    "invalid-credentials",
    "The e-mail address or the password is wrong",
);

/// A user's e-mail address and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    email: Email,
    /// The password.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// The answer of an OAuth 2.0 token endpoint (RFC 6749, section 5.1).
#[derive(Serialize, ToSchema)]
struct TokenResponse {
    /// The access token, a JSON Web Token.
    access_token: String,
    token_type: TokenType,
    /// The token's lifetime, in seconds.
    expires_in: u64,
    /// The user's scopes, separated by spaces.
    scope: String,
}

/// How the token is sent (RFC 6750).
#[derive(Serialize, ToSchema)]
enum TokenType {
    Bearer,
}

/// Signs a user in.
#[utoipa::path(post, path = "/v1/auth/login")]
async fn handle(
    State(state): State<System>,
    Extension(issuer): Extension<Issuer>,
    Json(credentials): Json<Credentials>,
) -> Result<impl IntoResponse> {
    let account = state.users.by_email(&credentials.email).await?;
    let (user, password_hash) = account.map(|known| (known.user, known.password_hash)).unzip();
    let is_right = password::verify(credentials.password, password_hash).await?;
    let user = user.filter(|_| is_right).ok_or_else(|| {
        Problem::of(INVALID_CREDENTIALS)
            .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    })?;

    let access_token = issuer.issue(&user, &state.ids, state.clock.now())?;
    tracing::info!(user_id = %user.id, "signed in");
    let token = TokenResponse {
        access_token,
        token_type: TokenType::Bearer,
        expires_in: LIFETIME.as_secs(),
        scope: user.scope(),
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(token)))
}
