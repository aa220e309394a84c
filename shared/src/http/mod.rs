//! axum on an API Gateway HTTP API (payload format 2.0).
//!
//! **Guarantees.** The response to an invalid request is a problem document that names the field. The
//! response to an internal failure is a problem document with the request's id and no other detail. The
//! user is always the one that the authorizer established, never one that the request names. No path,
//! query, header or body makes the conversion of an event panic ([`request`]).
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

pub mod contract;
mod event;
pub mod idempotency;
mod json;
pub mod page;
mod params;
pub mod prefer;
pub mod rate_limit;
mod signed_in;
mod words;

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::DefaultBodyLimit;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use lambda_http::IntoResponse as IntoLambdaResponse;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::http::{Request, header};
use lambda_http::service_fn;
use lambda_runtime::{Context, LambdaEvent, Runtime};
use serde_json::Value;
use tower::ServiceExt;
use tower::layer::layer_fn;

pub use event::request;
pub use json::{
    BODY_TOO_LARGE, INVALID_BODY, INVALID_JSON, Json, UNREADABLE_BODY, UNSUPPORTED_MEDIA_TYPE,
};
pub use lambda_http::http::StatusCode;
pub use params::{INVALID_PATH, INVALID_QUERY, Path, Query};
pub use signed_in::SignedIn;

use crate::error::Error;
use crate::invocation::{AfterAnswer, Invocation};
use crate::problem::Problem;
use crate::queue::TRACEPARENT;
use crate::telemetry::{Kind, Watch};
use crate::trace::TraceContext;

/// The maximum size of a request body, in bytes. Clients upload files to S3 instead.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Adds to an endpoint's router a body limit, and problem documents for unknown paths and methods.
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
        .layer(from_fn(async |request: Request<Body>, next: Next| {
            // Without this check, the rejection of axum's own extractors is plain text.
            if request.body().size_hint().lower() > MAX_BODY_BYTES as u64 {
                return json::too_large().into_response();
            }
            next.run(request).await
        }))
}

/// Runs an HTTP function until Lambda ends it.
///
/// # Errors
/// When the Runtime API cannot be reached.
pub async fn serve(router: Router) -> crate::Result<()> {
    let app = app(router);
    let handler = service_fn(move |event: LambdaEvent<Value>| {
        let app = app.clone();
        async move {
            let response = handle(app, event.payload, &event.context).await;
            Ok::<_, Infallible>(answer(response).await)
        }
    });
    let runtime = Runtime::new(handler);
    runtime.layer(layer_fn(AfterAnswer)).run().await.map_err(Error::Internal)
}

/// Converts a response to the format of API Gateway.
async fn answer(response: Response) -> ApiGatewayV2httpResponse {
    let (parts, body) = IntoLambdaResponse::into_response(response).await.into_parts();
    let mut headers = parts.headers;
    let cookies = headers.get_all(header::SET_COOKIE).iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok().map(str::to_owned)).collect();
    headers.remove(header::SET_COOKIE);
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = i64::from(parts.status.as_u16());
    answer.headers = headers;
    answer.cookies = cookies;
    answer.is_base64_encoded = matches!(body, lambda_http::Body::Binary(_));
    answer.body = Some(body);
    answer
}

async fn handle(app: Router, event: Value, context: &Context) -> Response {
    let id = event["requestContext"]["requestId"].as_str().map(str::to_owned);
    let mut invocation = Invocation::of(context, id);
    let request = request(event);
    let header = request.as_ref().ok().and_then(|request| request.headers().get(TRACEPARENT));
    let caller = header.and_then(|value| value.to_str().ok());
    let caller = caller.and_then(TraceContext::from_traceparent);
    if caller.is_some() {
        invocation = invocation.caused_by(None, caller);
    }
    let work = async {
        let watch = Watch::start(Kind::Request);
        let (method, path, response) = match request {
            Ok(request) => {
                let (method, path) = (request.method().clone(), request.uri().path().to_owned());
                let Ok(response) = app.oneshot(request).await;
                (method.to_string(), path, response)
            }
            Err(problem) => (String::new(), String::new(), problem.into_response()),
        };
        let status = response.status();
        tracing::info!(
            method,
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
