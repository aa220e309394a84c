//! Conversion of an event of an API Gateway HTTP API (payload format 2.0) to a request.
//!
//! **Guarantees.** Every event gives a request or a problem document; no event makes the function panic.
//! The caller's headers have no effect on the path. The value of a path parameter cannot address
//! another resource.
//!
//! API Gateway decodes `rawPath` and `pathParameters`, passes `rawQueryString` unchanged, and puts
//! a named stage before `rawPath`. So the path is built from the template in `routeKey` and the
//! parameters, each percent-encoded into one segment. `rawPath` without the stage is used only for an
//! event without a template (`$default`) or without the template's parameters.

use std::collections::HashMap;
use std::fmt::Write as _;

use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
use lambda_http::http::uri::PathAndQuery;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use lambda_http::request::RequestContext;
use serde::Deserialize;
use serde_json::Value;

use super::json::UNREADABLE_BODY;
use super::limits::{check_headers, check_url};
use super::params::INVALID_PARAMETER;
use crate::problem::{Problem, ProblemType};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    route_key: Option<String>,
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    cookies: Option<Vec<String>>,
    headers: Option<HashMap<String, String>>,
    path_parameters: Option<HashMap<String, String>>,
    request_context: ApiGatewayV2httpRequestContext,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

/// Converts an event to a request.
///
/// # Errors
/// 400 when the event has no valid request: a header that HTTP does not allow, a body that is not base64,
/// a path parameter with a percent sign. 414 and 431 when the URL or the headers are over their limits.
pub fn request(event: Value) -> Result<Request<Body>, Problem> {
    let mut event: Event = serde_json::from_value(event).map_err(|error| {
        tracing::warn!(%error, "event is not an HTTP request");
        invalid()
    })?;
    let given = event.headers.take().unwrap_or_default();
    let cookies = event.cookies.take().unwrap_or_default();
    check_headers(&given, &cookies)?;
    let uri = uri(&event)?;
    let headers = headers(given, &cookies)?;
    let body = body(event.body.unwrap_or_default(), event.is_base64_encoded == Some(true))?;
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = event.request_context.http.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request.extensions_mut().insert(RequestContext::ApiGatewayV2(event.request_context));
    Ok(request)
}

/// 400: the event has no valid request.
pub(super) const INVALID_REQUEST: ProblemType =
    ProblemType::new(StatusCode::BAD_REQUEST, "invalid-request", "The request is not valid");

fn invalid() -> Problem {
    Problem::of(INVALID_REQUEST)
}

fn uri(event: &Event) -> Result<Uri, Problem> {
    let route = event.route_key.as_deref().or(event.request_context.route_key.as_deref());
    let template = route.and_then(|route| route.split_once(' ')).map(|(_, template)| template);
    let parameters = event.path_parameters.as_ref();
    let routed = template.map(|template| addressed(template, parameters)).transpose()?.flatten();
    let mut target = routed.unwrap_or_else(|| {
        let path = event.raw_path.as_deref().unwrap_or("/");
        encoded(without_stage(path, event.request_context.stage.as_deref()), is_in_path)
    });
    if !target.starts_with('/') {
        target.insert(0, '/');
    }
    if let Some(query) = event.raw_query_string.as_deref().filter(|query| !query.is_empty()) {
        target.push('?');
        target.push_str(&encoded(query, is_in_query));
    }
    let query = target.split_once('?').map_or(0, |(_, query)| query.len());
    check_url(target.len(), if query * 2 > target.len() { "query" } else { "path" })?;
    let target = PathAndQuery::try_from(target)
        .map_err(|_| invalid().detail("The path or the query is not valid."))?;
    Ok(Uri::from(target))
}

/// The path from the template and the parameters; `None` if a parameter is missing.
fn addressed(
    template: &str,
    parameters: Option<&HashMap<String, String>>,
) -> Result<Option<String>, Problem> {
    let mut path = String::new();
    for segment in template.split('/').skip(1) {
        path.push('/');
        let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
            path.push_str(&encoded(segment, is_in_segment));
            continue;
        };
        let rest = name.strip_suffix('+');
        let name = rest.unwrap_or(name);
        let Some(value) = parameters.and_then(|parameters| parameters.get(name)) else {
            return Ok(None);
        };
        // It is ambiguous: API Gateway may have decoded the percent sign, or left it encoded.
        if value.contains('%') {
            return Err(
                Problem::of(INVALID_PARAMETER).field(name, "a percent sign is not allowed here")
            );
        }
        let is_kept = if rest.is_some() { is_in_path } else { is_in_segment };
        path.push_str(&encoded(value, is_kept));
    }
    Ok(Some(path))
}

fn without_stage<'a>(path: &'a str, stage: Option<&str>) -> &'a str {
    let Some(stage) = stage.filter(|stage| *stage != "$default") else { return path };
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage));
    rest.filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(path)
}

fn encoded(text: &str, is_kept: fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_kept(byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Whether a byte is not encoded in a segment of a path (RFC 3986, `pchar`).
fn is_in_segment(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

fn is_in_path(byte: u8) -> bool {
    byte == b'/' || is_in_segment(byte)
}

/// Whether a byte is not encoded in a query. `%` is kept, because the query arrives encoded.
fn is_in_query(byte: u8) -> bool {
    b"%/?".contains(&byte) || is_in_segment(byte)
}

/// API Gateway writes names in lower case and joins the values of one name with commas. So a name that comes
/// twice is none of its, and which value counted would be chance.
fn headers(given: HashMap<String, String>, cookies: &[String]) -> Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
        let Some((parsed, value)) = parsed.zip(HeaderValue::try_from(value).ok()) else {
            return Err(invalid().field(name, "not a valid HTTP header"));
        };
        if headers.insert(parsed, value).is_some() {
            return Err(invalid().field(name, "this header is present more than once"));
        }
    }
    if !cookies.is_empty() {
        let cookies = HeaderValue::try_from(cookies.join("; "))
            .map_err(|_| invalid().field("cookie", "not a valid HTTP header"))?;
        headers.insert(header::COOKIE, cookies);
    }
    Ok(headers)
}

fn body(body: String, is_base64: bool) -> Result<Vec<u8>, Problem> {
    if !is_base64 {
        return Ok(body.into_bytes());
    }
    BASE64_STANDARD
        .decode(body)
        .map_err(|_| Problem::of(UNREADABLE_BODY).detail("The body is not base64."))
}
