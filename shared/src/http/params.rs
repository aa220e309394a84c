use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use lambda_http::http::StatusCode;
use lambda_http::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

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
        let problem = invalid("The path is not valid");
        let PathRejection::FailedToDeserializePathParams(error) = rejection else {
            return Err(problem.detail(rejection.body_text()));
        };
        Err(match error.into_kind() {
            ErrorKind::DeserializeError { key, message, .. } => problem.field(key, message),
            // A path with one parameter is parsed without its name.
            kind => problem.field(only_parameter(parts, state).await, kind.to_string()),
        })
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
        query
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| invalid("The query is not valid").detail(rejection.body_text()))
    }
}

fn invalid(title: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid-parameter", title)
}
