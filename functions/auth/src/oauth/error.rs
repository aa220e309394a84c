//! Refusals in the words of OAuth: `{"error": …, "error_description": …}`
//! ([RFC 6749, 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)). Clients of the standard read these, and no problem
//! documents. All other refusals of the same endpoints, such as those of a rate limit, are problems.

use axum::Json;
use axum::http::header::{HeaderValue, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::Error;
use shared::http::StatusCode;
use shared::problem::Problem;
use utoipa::ToSchema;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OAuthErrorCode)]
pub enum Code {
    /// The user has not allowed it.
    AccessDenied,
    /// The user has not decided yet: ask again after the interval.
    AuthorizationPending,
    /// The user has not allowed it, and the application does not want the user to be asked.
    ConsentRequired,
    /// The device code has ended: begin again.
    ExpiredToken,
    /// The application is unknown, or its secret is another one.
    InvalidClient,
    /// The code or the refresh token is good for nothing.
    InvalidGrant,
    /// A parameter is missing, twice, or wrong.
    InvalidRequest,
    /// No scope is left that the application may have.
    InvalidScope,
    /// Nobody is signed in, and the application does not want the user to be asked.
    LoginRequired,
    /// The parameter `request` is not supported.
    RequestNotSupported,
    /// The parameter `request_uri` is not supported.
    RequestUriNotSupported,
    /// The device asks too often: wait 5 seconds more from now on.
    SlowDown,
    /// The application is not registered for this way.
    UnauthorizedClient,
    /// This service does not know the way to get tokens.
    UnsupportedGrantType,
    /// Only `code` is supported.
    UnsupportedResponseType,
    /// Such a token cannot be revoked.
    UnsupportedTokenType,
}

/// An error of OAuth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OAuthError {
    /// What is wrong, for the program.
    pub error: Code,
    /// What to do about it, for the person who writes the program.
    pub error_description: &'static str,
}

impl OAuthError {
    /// The error with its explanation, which has only characters that RFC 6749 allows.
    #[must_use]
    pub const fn new(error: Code, error_description: &'static str) -> Self {
        Self { error, error_description }
    }

    /// The name of the error.
    #[must_use]
    pub fn name(&self) -> String {
        let name = serde_json::to_value(self.error).ok();
        name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        if self.error != Code::InvalidClient {
            return (StatusCode::BAD_REQUEST, Json(self)).into_response();
        }
        let challenge = [(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"arsenal\""))];
        (StatusCode::UNAUTHORIZED, challenge, Json(self)).into_response()
    }
}

/// Why a request of OAuth has no answer.
#[derive(Debug)]
pub enum Failure {
    /// It is refused in the words of the standard.
    Refused(OAuthError),
    /// It has a problem that every endpoint may have, or an error on our side.
    Other(Error),
}

impl From<OAuthError> for Failure {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Other(problem.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(error) => {
                tracing::info!(error = error.name(), reason = error.error_description, "refused");
                error.into_response()
            }
            Self::Other(error) => error.into_response(),
        }
    }
}
