//! A rate limit in front of a route.
//!
//! **Guarantees.** Those of [`rate_limit`](crate::rate_limit). Every response has the limit and the
//! remaining requests, in the headers `RateLimit-Policy` and `RateLimit` of
//! [draft-ietf-httpapi-ratelimit-headers-10](https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10),
//! unless DynamoDB does not answer: then the route's choice applies ([`Unavailable`]). A refusal is a 429
//! with `Retry-After`.
//!
//! ```no_run
//! use axum::{Router, routing::post};
//! use shared::http::rate_limit::{Limit, limited};
//! use shared::rate_limit::{Quota, RateLimiter};
//! use std::time::Duration;
//!
//! fn router(limiter: RateLimiter) -> Router {
//!     let quota = Quota::new("greetings", 60, Duration::from_mins(1));
//!     let router = Router::new().route("/v1/greetings", post(async || "hello"));
//!     limited(router, Limit::per_user(quota, limiter))
//! }
//! ```

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use lambda_http::http::request::Parts;
use lambda_http::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use lambda_http::request::RequestContext;

use super::SignedIn;
use crate::clock::Clock;
use crate::problem::{Problem, ProblemType};
use crate::rate_limit::{Decision, Quota, RateLimiter};
use crate::{Error, Result};

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// 429: the subject has sent too many requests.
pub const TOO_MANY_REQUESTS: ProblemType = ProblemType::new(
    StatusCode::TOO_MANY_REQUESTS,
    "too-many-requests",
    "There are too many requests",
);
/// 503: the limiter does not answer, and the limit protects against guessing.
pub const UNAVAILABLE: ProblemType = ProblemType::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "temporarily-unavailable",
    "The service is temporarily unavailable",
);

/// A route's limit.
#[derive(Clone, Debug)]
pub struct Limit {
    /// The limiter.
    pub limiter: RateLimiter,
    /// The number of requests in a window of time.
    pub quota: Quota,
    /// Who is limited.
    pub subject: Subject,
    /// What happens if the limiter is unavailable.
    pub unavailable: Unavailable,
}

impl Limit {
    /// A quota for each signed-in user. If the limiter is unavailable, requests are admitted.
    #[must_use]
    pub fn per_user(quota: Quota, limiter: RateLimiter) -> Self {
        Self { limiter, quota, subject: Subject::User, unavailable: Unavailable::Admit }
    }
}

/// Who is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The signed-in user.
    User,
    /// The source IP address of the request, from API Gateway.
    SourceIp,
}

/// What happens to requests when the limiter is unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// They are admitted ("fail open"). For a limit that serves fairness.
    Admit,
    /// They are refused with 503 ("fail closed"). For a limit that protects against guessing.
    Refuse,
}

/// Limits every route of `router`.
pub fn limited(router: Router, limit: Limit) -> Router {
    router.route_layer(from_fn_with_state(limit, check))
}

impl FromRef<Limit> for Clock {
    fn from_ref(limit: &Limit) -> Self {
        limit.limiter.clock()
    }
}

async fn check(State(limit): State<Limit>, request: Request<Body>, next: Next) -> Result<Response> {
    let (mut parts, body) = request.into_parts();
    let subject = limit.subject.of(&mut parts, &limit).await?;
    let decision = match limit.limiter.admit(&limit.quota, &subject).await {
        Ok(decision) => decision,
        Err(error) => {
            let quota = limit.quota.name;
            tracing::error!(error = error.trail(), quota, "rate limiter is unavailable");
            return match limit.unavailable {
                Unavailable::Admit => Ok(next.run(Request::from_parts(parts, body)).await),
                Unavailable::Refuse => Err(unavailable().into()),
            };
        }
    };
    let mut response = if decision.is_admitted {
        next.run(Request::from_parts(parts, body)).await
    } else {
        too_many(&decision).into_response()
    };
    let Quota { name, limit, window } = limit.quota;
    let window = window.as_secs();
    let headers = [
        (RATELIMIT_POLICY, format!("\"{name}\";q={limit};w={window}")),
        (RATELIMIT, format!("\"{name}\";r={};t={}", decision.remaining, seconds(decision.reset))),
    ];
    for (name, value) in headers {
        // Appended: the handler may have set these headers for limits of its own.
        response.headers_mut().append(name, HeaderValue::try_from(value)?);
    }
    Ok(response)
}

impl Subject {
    async fn of(self, parts: &mut Parts, limit: &Limit) -> Result<String> {
        match self {
            Self::User => Ok(SignedIn::from_request_parts(parts, limit).await?.user.to_string()),
            Self::SourceIp => match parts.extensions.get() {
                Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone(),
                _ => None,
            }
            .ok_or_else(|| Error::internal("the request has no source address")),
        }
    }
}

fn too_many(decision: &Decision) -> Problem {
    let seconds = seconds(decision.retry_after).max(1);
    Problem::of(TOO_MANY_REQUESTS)
        .detail(format!("Try again in {seconds} s."))
        .header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

fn unavailable() -> Problem {
    Problem::of(UNAVAILABLE).header(header::RETRY_AFTER, HeaderValue::from(5))
}

/// Whole seconds, rounded up.
fn seconds(time: std::time::Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
