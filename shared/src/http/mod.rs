//! axum on an API Gateway HTTP API (payload format 2.0).
//!
//! **Guarantees.** A request that is not what an endpoint takes is answered with a problem document
//! that names the field, and a failure of ours with one that tells nothing but the request's id. The
//! user is the one that the authorizer established, never one that a request names.
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

pub mod idempotency;
mod json;
pub mod page;
mod params;
pub mod prefer;
pub mod rate_limit;
mod signed_in;

use std::convert::Infallible;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use lambda_http::request::RequestContext;
use lambda_http::{Adapter, Request, RequestExt, service_fn};
use lambda_runtime::Runtime;
use tower::ServiceExt;
use tower::layer::layer_fn;

pub use json::Json;
pub use lambda_http::http::StatusCode;
pub use params::{Path, Query};
pub use signed_in::SignedIn;

use crate::error::Error;
use crate::invocation::{AfterAnswer, Invocation};
use crate::problem::Problem;
use crate::queue::TRACEPARENT;
use crate::telemetry::{Kind, Watch};
use crate::trace::TraceContext;

/// The largest request body taken, in bytes; files go to S3 and not through here.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Completes an endpoint's router: body limit, and problem documents for unknown paths and methods.
pub fn app(router: Router) -> Router {
    router
        .fallback(async || Problem::not_found("path"))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "This path does not take this method",
            )
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// Runs an HTTP function until Lambda ends it.
///
/// # Errors
/// When the Runtime API cannot be reached.
pub async fn serve(router: Router) -> crate::Result<()> {
    let app = app(router);
    let handler = service_fn(move |request: Request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(handle(app, request).await) }
    });
    let runtime = Runtime::new(Adapter::from(handler));
    runtime.layer(layer_fn(AfterAnswer)).run().await.map_err(Error::Internal)
}

async fn handle(app: Router, request: Request) -> Response {
    let api_request_id = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    let header = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok());
    let caller = header.and_then(TraceContext::from_traceparent);
    let mut invocation = Invocation::of(&request.lambda_context(), api_request_id);
    if caller.is_some() {
        invocation = invocation.caused_by(None, caller);
    }
    let work = async {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let watch = Watch::start(Kind::Request);
        let Ok(response) = app.oneshot(request).await;
        let status = response.status();
        tracing::info!(
            method = %method,
            path,
            status = status.as_u16(),
            duration_ms = watch.milliseconds(),
            "request"
        );
        let outcome = match status.as_u16() {
            ..400 => "Success",
            400..500 => "ClientError",
            _ => "ServerError",
        };
        watch.invocation_ended(&invocation, outcome);
        response
    };
    invocation.clone().scope(work).await
}
