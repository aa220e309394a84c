//! axum on an API Gateway HTTP API (payload format 2.0).
//!
//! **Guarantees.** The response to an invalid request is a problem document that names the field. The
//! response to an internal failure is a problem document with the request's id and no other detail. The
//! user is always the one that the authorizer established, never one that the request names. No path,
//! query, header or body makes the conversion of an event panic ([`request`]). No answer of a handler makes
//! the conversion to API Gateway's format fail ([`answer`]).
//!
//! [`app`] gives these to every endpoint:
//!
//! | request | answer |
//! |---|---|
//! | any | `X-Request-Id`, which is the problem's `request_id` and the log's `correlation_id`; `Cache-Control: no-store` unless the handler sets it; headers that keep browsers from using it as a page |
//! | `Arsenal-Version` with a version that is not served | 400; otherwise the answer has the header, and the form of that [`version`] |
//! | a method that the path does not take | 405 with `Allow`; `OPTIONS` gets 204 with `Allow` |
//! | `HEAD` | that of `GET`, without the body |
//! | `Accept` without JSON | 406 if the answer would be JSON; before the handler runs, unless it is a `GET` |
//! | a body that is not JSON, or in a coding that is not gzip | 415 |
//! | a body compressed with gzip | that of the inflated body |
//! | `GET`, answered with 200 and JSON | a strong `ETag` of the body unless the handler sets one; 304 if `If-None-Match` has it |
//! | an edit, in a handler that takes a [`Precondition`] | 428 without `If-Match`, 412 with another tag than the current one |
//! | `Accept-Encoding: gzip` | compressed, if it is JSON and over 1 KB; `Vary` names the header |
//! | over a limit | 413, 414, 431, or 422 for JSON; the problem names the field |
//!
//! The limits are [`MAX_BODY_BYTES`], [`MAX_URL_BYTES`], [`MAX_HEADERS`], [`MAX_HEADER_BYTES`],
//! [`MAX_JSON_DEPTH`] and [`MAX_JSON_STRING_BYTES`].
//!
//! [`page_app`] gives them to an endpoint whose answers are pages for browsers. There each problem is a page, with the
//! same status and headers, and `Accept` needs no JSON.
//!
//! API Gateway calls a function only for the methods of its routes, and answers other methods itself with
//! 404. So a function gets `HEAD` only with a route for it, and never gets `OPTIONS`: API Gateway answers it
//! by the rules for CORS in the template. Its own answers (401 and 403 of the authorizer, 404, 413, 429, 431,
//! 503) are no problem documents, and cannot be made ones in an HTTP API.
//!
//! ```no_run
//! # #[tokio::main]
//! # async fn main() -> shared::Result<()> {
//! use axum::{Router, routing::post};
//! use shared::http::{Json, StatusCode};
//!
//! #[derive(serde::Deserialize)]
//! struct Greeting {
//!     name: String,
//! }
//!
//! let greet = async |Json(greeting): Json<Greeting>| (StatusCode::CREATED, greeting.name);
//! shared::http::serve(Router::new().route("/v1/greetings", post(greet))).await
//! # }
//! ```

mod answer;
mod coding;
pub mod contract;
mod edge;
mod etag;
mod event;
pub mod idempotency;
mod json;
mod limits;
mod merge_patch;
mod negotiation;
pub mod page;
mod params;
pub mod precondition;
pub mod prefer;
pub mod rate_limit;
mod shape;
mod signed_in;
pub mod version;
mod words;

use std::convert::Infallible;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse as _;
use lambda_http::http::Method;
use lambda_http::service_fn;
use lambda_runtime::{LambdaEvent, Runtime};
use serde_json::Value;
use tower::layer::layer_fn;

pub use answer::answer;
pub use edge::{ProblemPage, X_REQUEST_ID};
pub use event::request;
pub use json::{INVALID_BODY, INVALID_JSON, Json, UNREADABLE_BODY, UNSUPPORTED_MEDIA_TYPE};
pub use lambda_http::http::StatusCode;
pub use limits::{
    BODY_TOO_LARGE, MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_HEADERS, MAX_JSON_DEPTH,
    MAX_JSON_STRING_BYTES, MAX_URL_BYTES,
};
pub use merge_patch::MergePatch;
pub use negotiation::accepts_gzip;
pub use params::{INVALID_PARAMETER, Path, Query};
pub use precondition::{EditTag, PRECONDITION_FAILED, PRECONDITION_REQUIRED, Precondition};
pub use signed_in::{Allowed, SignedIn};

use self::edge::Medium;
use crate::error::Error;
use crate::invocation::AfterAnswer;
use crate::problem::{Problem, ProblemType};

/// 405: the path does not take the method.
const METHOD_NOT_ALLOWED: ProblemType = ProblemType::new(
    StatusCode::METHOD_NOT_ALLOWED,
    "method-not-allowed",
    "This path does not take this method",
);

/// Adds to an endpoint's router what all endpoints have: see the [module](self).
pub fn app(router: Router) -> Router {
    edged(router, Medium::Json)
}

/// An [`app`] whose answers are pages for browsers. `page_of` makes the page of a problem.
pub fn page_app(router: Router, page_of: ProblemPage) -> Router {
    edged(router, Medium::Pages(page_of))
}

fn edged(router: Router, medium: Medium) -> Router {
    router
        .fallback(async || Problem::not_found("path"))
        .method_not_allowed_fallback(async |method: Method| {
            // The router adds Allow to both.
            if method == Method::OPTIONS {
                return StatusCode::NO_CONTENT.into_response();
            }
            Problem::of(METHOD_NOT_ALLOWED).into_response()
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(medium, edge::around))
}

/// Runs an HTTP function until Lambda ends it.
///
/// # Errors
/// When the Runtime API cannot be reached.
pub async fn serve(router: Router) -> crate::Result<()> {
    run(app(router)).await
}

/// Runs an HTTP function of pages until Lambda ends it: see [`page_app`].
///
/// # Errors
/// When the Runtime API cannot be reached.
pub async fn serve_pages(router: Router, page_of: ProblemPage) -> crate::Result<()> {
    run(page_app(router, page_of)).await
}

async fn run(app: Router) -> crate::Result<()> {
    let handler = service_fn(move |event: LambdaEvent<Value>| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(answer(app, event.payload, &event.context).await) }
    });
    let runtime = Runtime::new(handler);
    runtime.layer(layer_fn(AfterAnswer)).run().await.map_err(Error::Internal)
}
