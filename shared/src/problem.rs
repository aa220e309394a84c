//! The response to a request that fails: a problem document of RFC 9457, `application/problem+json`.
//!
//! **Guarantees.** A problem has a stable `type` for clients to check, names the invalid fields, and has
//! the id of the request in the log. A 5xx has no other details.
//!
//! Each type of problem is a constant. The handler makes problems of it, and the endpoint's part of the
//! [contract](crate::http::contract) lists it, so that its status, slug and title are written once.
//!
//! ```
//! use shared::http::StatusCode;
//! use shared::problem::{Problem, ProblemType};
//!
//! const OUT_OF_STOCK: ProblemType =
//!     ProblemType::new(StatusCode::CONFLICT, "out-of-stock", "There is not enough of it");
//!
//! let problem = Problem::of(OUT_OF_STOCK).field("items[0].quantity", "2 are left");
//! let document = serde_json::to_value(problem).unwrap();
//! assert_eq!(document["type"], "/docs/problems/out-of-stock");
//! assert_eq!(document["errors"][0]["field"], "items[0].quantity");
//! ```

use axum::response::{IntoResponse, Response};
use lambda_http::http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::invocation;

/// What the types of all problems begin with; the slug follows. A type is the path of its page, on the
/// host of the API.
pub const TYPES: &str = "/docs/problems/";

/// 401: the request has no valid access token.
pub const UNAUTHENTICATED: ProblemType =
    ProblemType::new(StatusCode::UNAUTHORIZED, "unauthenticated", "You are not signed in");
/// 403: the user lacks a scope.
pub const FORBIDDEN: ProblemType =
    ProblemType::new(StatusCode::FORBIDDEN, "forbidden", "You may not do this");
/// 404: a thing does not exist, or the user may not know that it exists.
pub const NOT_FOUND: ProblemType =
    ProblemType::new(StatusCode::NOT_FOUND, "not-found", "Not found");
/// 500: the cause is only in the log, with the request's id.
pub const INTERNAL: ProblemType =
    ProblemType::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "An internal error occurred");
/// 503: a write conflicted with other requests in all attempts.
pub const CONFLICTING_WRITES: ProblemType = ProblemType::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "conflicting-writes",
    "Other requests are changing the same data",
);

/// A type of problem, which all its problems share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProblemType {
    /// The HTTP status.
    pub status: StatusCode,
    /// The end of the `type`, in kebab case.
    pub slug: &'static str,
    /// The title.
    pub title: &'static str,
}

impl ProblemType {
    /// The type `slug` (kebab case), with its HTTP status.
    #[must_use]
    pub const fn new(status: StatusCode, slug: &'static str, title: &'static str) -> Self {
        Self { status, slug, title }
    }
}

/// A problem document. The caller sees everything in it.
///
/// `type` is `/docs/problems/<slug>`, where its page is. It is stable; clients check it to tell problems
/// apart.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Members>);

/// A problem of RFC 9457: why the request is refused, or has failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Members {
    /// The type, for programs to check. It is stable.
    #[serde(rename = "type")]
    #[schema(pattern = "^/docs/problems/[a-z0-9-]+$")]
    kind: String,
    /// What problems of this type have in common, for people.
    title: &'static str,
    /// The HTTP status.
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16, minimum = 400, maximum = 599)]
    status: StatusCode,
    /// The error in this request, and what the caller can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The fields that are not valid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The id of the request in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// An error in one field of the request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's path, such as `items[2].quantity`.
    pub field: String,
    /// The error.
    pub detail: String,
}

impl Problem {
    /// A problem of the type `slug` (kebab case), with the HTTP status `status`.
    #[must_use]
    pub fn new(status: StatusCode, slug: &str, title: &'static str) -> Self {
        Self(Box::new(Members {
            kind: format!("{TYPES}{slug}"),
            title,
            status,
            detail: None,
            errors: Vec::new(),
            request_id: None,
            headers: Vec::new(),
        }))
    }

    /// A problem of a type. A 401 asks for an access token (RFC 9110, 15.5.2).
    #[must_use]
    pub fn of(ProblemType { status, slug, title }: ProblemType) -> Self {
        let problem = Self::new(status, slug, title);
        if status == StatusCode::UNAUTHORIZED {
            return problem.header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        problem
    }

    /// Sets the detail: the error in this request, and what the caller can do.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds an error in a field.
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

    /// 401: the request has no valid access token.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::of(UNAUTHENTICATED)
    }

    /// 403: the user lacks `scope`.
    #[must_use]
    pub fn forbidden(scope: &str) -> Self {
        Self::of(FORBIDDEN).detail(format!("This needs the scope {scope:?}."))
    }

    /// 404: `what` does not exist, or the user may not know that it exists.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::of(NOT_FOUND)
            .detail(format!("This {what} does not exist, or you have no access to it."))
    }

    /// 500: the cause is only in the log, with the request's id.
    #[must_use]
    pub fn internal() -> Self {
        Self::of(INTERNAL)
    }

    /// 503: a write conflicted with other requests in all attempts.
    #[must_use]
    pub fn conflict() -> Self {
        Self::of(CONFLICTING_WRITES)
            .detail("Send the same request again.")
            .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Whether the problem is of this type.
    #[must_use]
    pub fn is(&self, kind: ProblemType) -> bool {
        self.0.kind.strip_prefix(TYPES) == Some(kind.slug)
    }

    /// What problems of its type have in common.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.0.title
    }

    /// The error in this request, and what the caller can do: see [`detail`](Self::detail).
    #[must_use]
    pub fn explanation(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The first error in a field: see [`field`](Self::field).
    #[must_use]
    pub fn error_of(&self, field: &str) -> Option<&str> {
        let error = self.0.errors.iter().find(|error| error.field == field);
        error.map(|error| error.detail.as_str())
    }

    /// The HTTP status of the response.
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
        self.0.request_id = invocation::correlation_id();
        let mut response = (self.0.status, axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.0.headers.drain(..));
        // For an endpoint of pages, which shows the problem in another form: see `http::page_app`.
        response.extensions_mut().insert(self);
        response
    }
}
