//! What a caller is told when a request fails: RFC 9457, `application/problem+json`.
//!
//! **Guarantees.** A problem has a stable `type` to decide by, names the fields at fault, and carries
//! the id under which the log has the request. A 5xx says nothing more.
//!
//! ```
//! use shared::http::StatusCode;
//! use shared::problem::Problem;
//!
//! let problem = Problem::new(StatusCode::CONFLICT, "out-of-stock", "There is not enough of it")
//!     .field("items[0].quantity", "2 are left");
//! let document = serde_json::to_value(problem).unwrap();
//! assert_eq!(document["type"], "urn:problem-type:arsenal:out-of-stock");
//! assert_eq!(document["errors"][0]["field"], "items[0].quantity");
//! ```

use axum::response::{IntoResponse, Response};
use lambda_http::http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::invocation;

/// A problem document. Everything in it is for the caller's eyes.
///
/// `type` is `urn:problem-type:arsenal:<slug>`: stable, and what a client should decide by.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Members>);

#[derive(Clone, Debug, Serialize)]
struct Members {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What is wrong with one field of the request.
#[derive(Clone, Debug, Serialize)]
pub struct FieldError {
    /// The field's path, as in `items[2].quantity`.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Problem {
    /// A problem of the type `slug` (kebab case), answered with `status`.
    #[must_use]
    pub fn new(status: StatusCode, slug: &str, title: &'static str) -> Self {
        Self(Box::new(Members {
            kind: format!("urn:problem-type:arsenal:{slug}"),
            title,
            status,
            detail: None,
            errors: Vec::new(),
            request_id: None,
            headers: Vec::new(),
        }))
    }

    /// Says what is wrong this time, and what helps.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Names a field and what is wrong with it.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, detail: impl Into<String>) -> Self {
        self.0.errors.push(FieldError { field: field.into(), detail: detail.into() });
        self
    }

    /// Adds a response header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// 401: the request carries no valid sign-in.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "You are not signed in")
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403: the user lacks `scope`.
    #[must_use]
    pub fn forbidden(scope: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "You may not do this")
            .detail(format!("This needs the scope {scope:?}."))
    }

    /// 404: there is no such `what`, or none that the user may know of.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing")
            .detail(format!("You have no such {what}."))
    }

    /// 500: the cause is in the log, under the request id, and nowhere else.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side")
    }

    /// 503: other requests were in the way of a write for too long.
    #[must_use]
    pub fn conflict() -> Self {
        let title = "Other requests are changing the same data";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "conflicting-writes", title)
            .detail("Send the same request again.")
            .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// The status that the problem is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        self.0.request_id = invocation::current().map(|current| current.correlation_id);
        let mut response = (self.0.status, axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.0.headers.drain(..));
        response
    }
}
