//! `POST /v1/auth/login`

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Extension, Router};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::http::rate_limit::limited;
use shared::http::{Json, StatusCode};
use shared::problem::Problem;

use crate::email::Email;
use crate::password;
use crate::system::System;
use crate::token::{Issuer, LIFETIME};

/// The endpoint's router.
pub fn router(state: System, issuer: Issuer) -> Router {
    let limit = state.per_address("sign-ins");
    let router = Router::new().route("/v1/auth/login", post(handle)).with_state(state);
    limited(router.layer(Extension(issuer)), limit)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    email: Email,
    password: SecretString,
}

/// The answer of an OAuth 2.0 token endpoint (RFC 6749, section 5.1).
#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
}

async fn handle(
    State(state): State<System>,
    Extension(issuer): Extension<Issuer>,
    Json(credentials): Json<Credentials>,
) -> Result<impl IntoResponse> {
    let account = state.users.by_email(&credentials.email).await?;
    let (user, password_hash) = account.map(|known| (known.user, known.password_hash)).unzip();
    let is_right = password::verify(credentials.password, password_hash).await?;
    let user = user.filter(|_| is_right).ok_or_else(invalid_credentials)?;

    let access_token = issuer.issue(&user, &state.ids, state.clock.now())?;
    tracing::info!(user_id = %user.id, "signed in");
    let token = TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: LIFETIME.as_secs(),
        scope: user.scope(),
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(token)))
}

/// The same response for an unknown address and a wrong password, so that it does not reveal which
/// addresses have an account.
fn invalid_credentials() -> Problem {
    let title = "The e-mail address or the password is wrong";
    Problem::new(StatusCode::UNAUTHORIZED, "invalid-credentials", title)
}
