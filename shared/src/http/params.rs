use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::FromRequestParts;
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
        let path = <axum::extract::Path<T> as FromRequestParts<S>>::from_request_parts(parts, state);
        path.await.map(|axum::extract::Path(value)| Self(value)).map_err(|rejection| {
            let (field, detail) = match &rejection {
                PathRejection::FailedToDeserializePathParams(error) => named(error.kind()),
                other => ("path".to_owned(), other.body_text()),
            };
            invalid("The path is not valid").field(field, detail)
        })
    }
}

fn named(kind: &ErrorKind) -> (String, String) {
    match kind {
        ErrorKind::DeserializeError { key, message, .. } => (key.clone(), message.clone()),
        ErrorKind::ParseErrorAtKey { key, expected_type, .. } => {
            (key.clone(), format!("this is no {expected_type}"))
        }
        other => ("path".to_owned(), other.to_string()),
    }
}

/// Parameters in the query string.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        query.map(|axum::extract::Query(value)| Self(value)).map_err(|rejection| {
            invalid("The query is not valid").detail(rejection.body_text())
        })
    }
}

fn invalid(title: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid-parameter", title)
}
