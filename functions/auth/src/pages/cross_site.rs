//! Refuses forms that another site makes a browser send.
//!
//! **Guarantee.** A browser that says where a request comes from sends a form only from our own page. `Sec-Fetch-Site`
//! ([Fetch Metadata](https://www.w3.org/TR/fetch-metadata/)) says so in all browsers since March 2023, and no page can
//! change it; `Origin` says so in older ones. A request with neither comes from no browser that we know, and its sender
//! could send any header.
//!
//! Our pages have the referrer policy `no-referrer`, with which a browser sends `Origin: null` ([Fetch,
//! 3.2](https://fetch.spec.whatwg.org/#origin-header)). So do pages that hide who they are. So `null` counts only where
//! `Sec-Fetch-Site` tells the two apart.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use lambda_http::request::RequestContext;
use shared::problem::{FORBIDDEN, Problem};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Passes what changes nothing, and what comes from our own pages.
pub(super) async fn check(request: Request, next: Next) -> Result<Response, Problem> {
    if request.method().is_safe() || is_ours(request.headers(), domain(&request)) {
        return Ok(next.run(request).await);
    }
    tracing::warn!("a form of another site is refused");
    Err(Problem::of(FORBIDDEN).detail(
        "The form was sent from another site. Open the page here, and send the form from it.",
    ))
}

/// The domain that API Gateway got the request for: its own, or a custom one.
fn domain(request: &Request) -> Option<&str> {
    match request.extensions().get() {
        Some(RequestContext::ApiGatewayV2(context)) => context.domain_name.as_deref(),
        _ => None,
    }
}

fn is_ours(headers: &HeaderMap, domain: Option<&str>) -> bool {
    let hosts = [headers.get(HOST).and_then(text), domain];
    let is_host = |origin: &str| {
        let host = origin.split_once("://").map(|(_, host)| host);
        host.is_some_and(|host| hosts.iter().flatten().any(|ours| host.eq_ignore_ascii_case(ours)))
    };
    let origin = headers.get(ORIGIN).map(|origin| text(origin).unwrap_or_default());
    match headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => {
            origin.is_none_or(|origin| origin == "null" || is_host(origin))
        }
        Some(_) => false,
        None => origin.is_none_or(is_host),
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}
