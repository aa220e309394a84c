//! axum on an API Gateway HTTP API (payload format 2.0).

pub mod idempotency;
mod json;
mod params;
mod signed_in;

use std::convert::Infallible;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt, service_fn};
use tower::ServiceExt;

pub use json::Json;
pub use lambda_http::http::StatusCode;
pub use params::{Path, Query};
pub use signed_in::SignedIn;

use crate::error::Error;
use crate::invocation::Invocation;
use crate::problem::Problem;

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
    lambda_http::run(service_fn(move |request: Request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(handle(app, request).await) }
    }))
    .await
    .map_err(Error::Internal)
}

async fn handle(app: Router, request: Request) -> Response {
    let api_request_id = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    let invocation = Invocation::of(&request.lambda_context(), api_request_id);
    let work = async {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let start = std::time::Instant::now();
        let Ok(response) = app.oneshot(request).await;
        tracing::info!(
            method = %method,
            path,
            status = response.status().as_u16(),
            duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            "request"
        );
        response
    };
    invocation.scope(work).await
}
