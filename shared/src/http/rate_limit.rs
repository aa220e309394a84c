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

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

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
use crate::rate_limit::{Quota, RateLimiter};
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
    /// The source IP address of the request, from API Gateway. For IPv6, its /64 network.
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
        too_many(decision.retry_after).into_response()
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
            Self::SourceIp => {
                let address = match parts.extensions.get() {
                    Some(RequestContext::ApiGatewayV2(context)) => {
                        context.http.source_ip.as_deref()
                    }
                    _ => None,
                };
                address.and_then(network).ok_or_else(|| {
                    Error::internal("the request has no source address, or a malformed one")
                })
            }
        }
    }
}

/// The bits of an IPv6 address that name its network.
const NETWORK: Ipv6Addr = Ipv6Addr::new(0xffff, 0xffff, 0xffff, 0xffff, 0, 0, 0, 0);

/// Who sends from an IP address: the IPv4 address, or the /64 network of the IPv6 address. A provider gives a customer
/// at least a /64 (RFC 6177, section 2), from which each request may have another address. The spellings of an address
/// are one, and an IPv4 address that is mapped to IPv6 (RFC 4291, section 2.5.5.2) is the IPv4 address.
fn network(address: &str) -> Option<String> {
    Some(match address.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{}/64", address & NETWORK),
    })
}

/// 429: the request may be sent again after this time, rounded up to whole seconds.
#[must_use]
pub fn too_many(retry_after: Duration) -> Problem {
    let seconds = seconds(retry_after).max(1);
    Problem::of(TOO_MANY_REQUESTS)
        .detail(format!("Try again in {seconds} s."))
        .header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

fn unavailable() -> Problem {
    Problem::of(UNAVAILABLE).header(header::RETRY_AFTER, HeaderValue::from(5))
}

/// Whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_spellings_of_an_address_are_one_subject() {
        for v4 in
            ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:cb00:7107", "0:0:0:0:0:ffff:cb00:7107"]
        {
            assert_eq!(network(v4).as_deref(), Some("203.0.113.7"), "{v4}");
        }
        for v6 in [
            "2001:db8::1",
            "2001:DB8:0:0:0:0:0:1",
            "2001:0db8:0000:0000:ffff::",
            "2001:db8::7.7.7.7",
        ] {
            assert_eq!(network(v6).as_deref(), Some("2001:db8::/64"), "{v6}");
        }
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
        assert_ne!(network("203.0.113.7"), network("203.0.113.8"));
        // It is not the IPv4 address: only ::ffff/96 is.
        assert_eq!(network("::203.0.113.7").as_deref(), Some("::/64"));
    }

    #[test]
    fn what_is_no_address_is_no_subject() {
        for text in
            ["", "test", "203.0.113", "203.0.113.7:80", "[::1]", "fe80::1%eth0", "::/64", " ::1"]
        {
            assert_eq!(network(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn addresses_of_one_network_are_one_subject(address: u128, other: u64) {
            let (one, other) = (Ipv6Addr::from(address), Ipv6Addr::from(address >> 64 << 64 | u128::from(other)));
            if one.to_ipv4_mapped().is_none() && other.to_ipv4_mapped().is_none() {
                prop_assert_eq!(network(&one.to_string()), network(&other.to_string()));
            }
            let next = Ipv6Addr::from(address.wrapping_add(1 << 64));
            prop_assert_ne!(network(&one.to_string()), network(&next.to_string()));
        }
    }
}
