use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use lambda_http::http::StatusCode;
use lambda_http::http::request::Parts;
use serde::de::DeserializeOwned;

use super::words;
use crate::problem::{Problem, ProblemType};

/// 400: a parameter in the path or in the query is unknown or not valid.
pub const INVALID_PARAMETER: ProblemType =
    ProblemType::new(StatusCode::BAD_REQUEST, "invalid-parameter", "A parameter is not valid");

/// Parameters in the path, such as an [`Id`](crate::id::Id).
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        let rejection = match path {
            Ok(axum::extract::Path(value)) => return Ok(Self(value)),
            Err(rejection) => rejection,
        };
        let problem = Problem::of(INVALID_PARAMETER);
        let PathRejection::FailedToDeserializePathParams(error) = rejection else {
            return Err(problem);
        };
        let (key, message) = match error.into_kind() {
            ErrorKind::DeserializeError { key, message, .. } => (Some(key), words::plain(&message)),
            ErrorKind::ParseErrorAtKey { key, expected_type, .. } => {
                (Some(key), format!("expected {}", words::expected(expected_type)))
            }
            ErrorKind::ParseError { expected_type, .. }
            | ErrorKind::ParseErrorAtIndex { expected_type, .. } => {
                (None, format!("expected {}", words::expected(expected_type)))
            }
            ErrorKind::InvalidUtf8InPathParam { key } => (Some(key), "this is not UTF-8".into()),
            ErrorKind::Message(message) => (None, words::plain(&message)),
            _ => (None, "expected another value".into()),
        };
        let key = match key {
            Some(key) => key,
            // A path with one parameter is parsed without its name.
            None => only_parameter(parts, state).await,
        };
        Err(problem.field(key, message))
    }
}

async fn only_parameter<S: Send + Sync>(parts: &mut Parts, state: &S) -> String {
    let parameters = RawPathParams::from_request_parts(parts, state).await.ok();
    let first = parameters.as_ref().and_then(|parameters| parameters.iter().next());
    first.map_or("path", |(name, _)| name).to_owned()
}

/// Parameters in the query string.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        let axum::extract::Query(value) = query.map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let (path, message) = text.split_once(": ").unwrap_or(("", text));
            let name = words::field(message).unwrap_or(path).to_owned();
            let problem = Problem::of(INVALID_PARAMETER);
            if name.is_empty() {
                problem.detail(words::plain(message))
            } else {
                problem.field(name, words::plain(message))
            }
        })?;
        Ok(Self(value))
    }
}
