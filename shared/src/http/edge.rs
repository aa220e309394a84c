//! What every request and every answer of the API has in common. [`app`](super::app) puts it around all
//! routes of an endpoint.

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::State;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, Collected};
use lambda_http::http::response::Parts;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};

use super::coding::{self, GZIP, MIN_COMPRESSED_BYTES};
use super::limits::{MAX_BODY_BYTES, body_too_large};
use super::precondition::EditTag;
use super::version::{ARSENAL_VERSION, ApiVersion};
use super::{etag, json, negotiation};
use crate::invocation;
use crate::problem::{Problem, ProblemType};

/// The id of the request: the same as in the log, and as `request_id` in a problem document.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// 406: the request does not accept JSON.
pub(super) const NOT_ACCEPTABLE: ProblemType =
    ProblemType::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", "The answer would be JSON");

/// Headers of all answers. A browser that is made to open an answer runs nothing of it, shows it in no
/// frame, and sends its URL to nobody.
static SECURITY: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Makes the page of a problem. The answer has the status and the headers of the problem too.
pub type ProblemPage = fn(&Problem) -> Response;

/// What an endpoint answers with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Medium {
    /// JSON and problem documents, mostly.
    Json,
    /// Pages for browsers.
    Pages(ProblemPage),
}

/// The problem of an event that is no valid request. [`around`] answers with it.
#[derive(Clone, Debug)]
struct Refused(Problem);

/// A request that only carries the problem of an event to [`around`], which knows what the endpoint answers with.
pub(super) fn refused(problem: Problem) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    request.extensions_mut().insert(Refused(problem));
    request
}

/// Checks a request before any handler sees it, and finishes the answer.
pub(super) async fn around(
    State(medium): State<Medium>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    if let Some(Refused(problem)) = request.extensions_mut().remove() {
        return finished(problem.into_response(), &Asked::nothing(), medium).await;
    }
    let asked = Asked::by(&request);
    let response = match admitted(request, medium).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    finished(response, &asked, medium).await
}

impl Medium {
    /// The answer in the form that the endpoint's callers read.
    fn shown(self, mut response: Response) -> Response {
        let Self::Pages(page_of) = self else { return response };
        let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
        let mut page = page_of(&problem);
        *page.status_mut() = response.status();
        for (name, value) in response.headers() {
            if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH) {
                page.headers_mut().append(name.clone(), value.clone());
            }
        }
        page
    }
}

/// What the finishing of an answer needs of its request.
#[derive(Debug)]
struct Asked {
    /// `None` if the request names none that is served.
    version: Option<ApiVersion>,
    is_read: bool,
    accepts_json: bool,
    accepts_gzip: bool,
    /// `If-None-Match`, and no other header.
    if_none_match: HeaderMap,
}

impl Asked {
    fn by(request: &Request<Body>) -> Self {
        let mut if_none_match = HeaderMap::new();
        for value in request.headers().get_all(header::IF_NONE_MATCH) {
            if_none_match.append(header::IF_NONE_MATCH, value.clone());
        }
        Self {
            version: ApiVersion::of(request.headers()).ok(),
            is_read: is_read(request.method()),
            accepts_json: negotiation::accepts_json(request.headers()),
            accepts_gzip: negotiation::accepts_gzip(request.headers()),
            if_none_match,
        }
    }

    /// Nothing, because the event is not a valid request.
    fn nothing() -> Self {
        let if_none_match = HeaderMap::new();
        Self {
            version: None,
            is_read: false,
            accepts_json: true,
            accepts_gzip: false,
            if_none_match,
        }
    }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn not_acceptable() -> Problem {
    Problem::of(NOT_ACCEPTABLE).field("Accept", "accept application/json")
}

/// The request with its body inflated. A request that changes something is refused before it does if it
/// does not accept JSON.
async fn admitted(request: Request<Body>, medium: Medium) -> Result<Request<Body>, Problem> {
    ApiVersion::of(request.headers())?;
    let takes_answer =
        matches!(medium, Medium::Pages(_)) || negotiation::accepts_json(request.headers());
    if !is_read(request.method()) && !takes_answer {
        return Err(not_acceptable());
    }
    // Without this check, the rejection of axum's own extractors is plain text.
    if request.body().size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Err(body_too_large());
    }
    let is_compressed = coding::is_compressed(request.headers())?;
    let (mut parts, body) = request.into_parts();
    // The length of an event's body is known; headers do not count. Handlers see none that could be wrong.
    for name in [header::CONTENT_ENCODING, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    if !is_compressed {
        return Ok(Request::from_parts(parts, body));
    }
    let body = axum::body::to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| body_too_large())?;
    let inflated = coding::inflate(&body)?;
    Ok(Request::from_parts(parts, Body::from(inflated)))
}

/// The answer with its headers, its tag and its coding.
async fn finished(mut response: Response, asked: &Asked, medium: Medium) -> Response {
    // Some endpoints answer with a page. Only the answer of a handler tells.
    let is_data = response.status().is_success() && json::is_answer(response.headers());
    if is_data && !asked.accepts_json {
        response = not_acceptable().into_response();
    }
    let (mut parts, mut body) = buffered(response, medium).await;
    if json::is_answer(&parts.headers) {
        body = represented(&mut parts, body, asked);
    }
    // A handler that answers with a page sets a policy of its own.
    for (name, value) in &SECURITY {
        parts.headers.entry(name.clone()).or_insert_with(|| value.clone());
    }
    // Answers contain data of users and links that give access. A handler whose answers do not may say so.
    let cache_control = parts.headers.entry(header::CACHE_CONTROL);
    cache_control.or_insert(HeaderValue::from_static("no-store"));
    // A replay has the version of the first answer.
    if let Some(version) = asked.version.and_then(ApiVersion::header) {
        parts.headers.entry(ARSENAL_VERSION).or_insert(version);
    }
    let id = invocation::correlation_id().and_then(|id| HeaderValue::try_from(id).ok());
    if let Some(id) = id {
        parts.headers.insert(X_REQUEST_ID, id);
    }
    Response::from_parts(parts, Body::from(body))
}

/// The parts and the body of an answer, or those of the 500 that replaces it if its body fails.
async fn buffered(response: Response, medium: Medium) -> (Parts, Bytes) {
    let (parts, body) = medium.shown(response).into_parts();
    let error = match body.collect().await {
        Ok(body) => return (parts, body.to_bytes()),
        Err(error) => error,
    };
    tracing::error!(error = %error, "the body of the answer failed");
    let (parts, body) = medium.shown(Problem::internal().into_response()).into_parts();
    let body = body.collect().await.map(Collected::to_bytes);
    (parts, body.unwrap_or_default())
}

/// The representation of a JSON answer that the request asks for: tagged, compressed, or only its tag.
fn represented(parts: &mut Parts, body: Bytes, asked: &Asked) -> Bytes {
    let own = etag::set_by_handler(&parts.headers);
    let is_tagged = asked.is_read && parts.status == StatusCode::OK;
    let edit = parts.extensions.get::<EditTag>();
    let tag = own.clone().or_else(|| is_tagged.then(|| etag::of(&body, edit)));

    // A compressed body would need another tag than the handler's.
    // A handler may have compressed the body itself.
    let is_compressible = own.is_none()
        && body.len() > MIN_COMPRESSED_BYTES
        && !parts.headers.contains_key(header::CONTENT_ENCODING);
    if is_compressible {
        parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    let is_compressed = is_compressible && asked.accepts_gzip;
    if let Some(tag) = &tag {
        let sent = if is_compressed { etag::compressed(tag) } else { tag.clone() };
        if let Ok(sent) = HeaderValue::try_from(sent) {
            parts.headers.insert(header::ETAG, sent);
        }
        if is_tagged && etag::is_known(&asked.if_none_match, tag) {
            parts.status = StatusCode::NOT_MODIFIED;
            parts.headers.remove(header::CONTENT_TYPE);
            return Bytes::new();
        }
    }
    if let Some(EditTag(edit)) = edit.filter(|_| !asked.is_read)
        && let Ok(sent) = HeaderValue::try_from(format!("\"{edit}\""))
    {
        parts.headers.insert(header::ETAG, sent);
    }
    match is_compressed.then(|| coding::compress(&body)) {
        Some(Ok(compressed)) => {
            parts.headers.insert(header::CONTENT_ENCODING, GZIP);
            Bytes::from(compressed)
        }
        _ => body,
    }
}
