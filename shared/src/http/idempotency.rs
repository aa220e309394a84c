//! `Idempotency-Key`, as the IETF's draft has it
//! ([draft-ietf-httpapi-idempotency-key-header-07](https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07)).
//!
//! **Guarantees.** A request without a key is refused (400). A key belongs to a user and a route. Of
//! all requests with one key, one is worked on at a time, and the others are told to come back (409
//! with `Retry-After`). Once it is answered, each gets that answer, byte for byte, with the header
//! `Idempotent-Replayed: true`, for 24 h; and another path, query or body under the key is refused
//! (422). The order of a JSON body's members and the space between them make no other body of it.
//!
//! [`wrapped`] guards an endpoint that may safely run again. It saves what will be the same next time:
//! answers of 2xx and 3xx, and of 4xx but for 401, 403, 408, 425 and 429. A 5xx is not saved, and the
//! next request tries again; unless its response says that the work [`HadEffects`].
//!
//! ```no_run
//! use axum::{Router, routing::post};
//! use shared::http::idempotency;
//! use shared::idempotency::Records;
//!
//! fn router(records: Records) -> Router {
//!     let router = Router::new().route("/v1/greetings", post(async || "hello"));
//!     idempotency::wrapped(router, records)
//! }
//! ```
//!
//! [`transactional`] guards an endpoint whose handler does the saving, through [`Transaction`].

use std::collections::BTreeMap;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRef, FromRequest, FromRequestParts, MatchedPath, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::BodyExt;
use lambda_http::http::request::Parts;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::SignedIn;
use super::json::is_json;
use crate::clock::Clock;
use crate::idempotency::hash::hex;
use crate::idempotency::{
    Claim, Commit, IdempotencyError, Outcome, Reconciled, Records, Request as Asked, Transactional,
    Wrapped, canonical,
};
use crate::problem::Problem;
use crate::{Error, Result};

/// The header that carries the key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header that says of an answer that it is an earlier one.
pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest key, in characters.
pub const MAX_KEY_LENGTH: usize = 255;
/// The largest body of an answer that is saved, in bytes. An item of DynamoDB has 400 KiB, and a byte
/// may take six when it is escaped.
pub const MAX_SAVED_BYTES: usize = 64 * 1024;

/// The headers that belong to an answer; others belong to its transport.
const SAVED_HEADERS: [HeaderName; 7] = [
    header::CACHE_CONTROL,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::LINK,
    header::LOCATION,
];

/// Says of a response of 5xx, as its extension, that the work has had effects and must not run again.
#[derive(Clone, Copy, Debug)]
pub struct HadEffects;

/// Guards every route of `router`: see the [module](self).
pub fn wrapped(router: Router, records: Records) -> Router {
    router.route_layer(from_fn_with_state(records, wrap))
}

/// Lets the handlers of `router` take a [`Transaction`].
pub fn transactional(router: Router, records: Records) -> Router {
    router.route_layer(from_fn_with_state(records, offer_transaction))
}

impl FromRef<Records> for Clock {
    fn from_ref(records: &Records) -> Self {
        records.clock()
    }
}

async fn wrap(
    State(records): State<Records>,
    request: Request<Body>,
    next: Next,
) -> Result<Response> {
    let (asked, request) = asked(&records, request).await?;
    let mut passing = None;
    let wrapped = Wrapped::new(records);
    let outcome = wrapped.run(&asked, async || {
        let response = next.run(request).await;
        if is_lasting(&response) {
            return Saved::of(response).await;
        }
        passing = Some(response);
        Err(Error::internal("an answer that is not saved"))
    });
    let outcome = outcome.await;
    match (outcome, passing) {
        (Ok(outcome), _) => Ok(outcome.into_response()),
        (Err(IdempotencyError::Failed(_)), Some(response)) => Ok(response),
        (Err(error), _) => Err(error.into_error()),
    }
}

async fn offer_transaction(
    State(records): State<Records>,
    request: Request<Body>,
    next: Next,
) -> Result<Response> {
    let (asked, mut request) = asked(&records, request).await?;
    let transactional = Transactional::new(records);
    request.extensions_mut().insert(Transaction { transactional, asked });
    Ok(next.run(request).await)
}

/// A request's chance to be answered once: an extractor, for handlers behind [`transactional`].
///
/// What the handler answers without it is not saved: refusals of bad input come out the same anyway.
#[derive(Clone, Debug)]
pub struct Transaction {
    transactional: Transactional,
    asked: Asked,
}

impl<S: Sync> FromRequestParts<S> for Transaction {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let transaction = parts.extensions.get().cloned();
        transaction.ok_or_else(|| Error::internal("the route is not behind `transactional`"))
    }
}

impl Transaction {
    /// [`Transactional::commit`], for this request.
    ///
    /// # Errors
    /// [`IdempotencyError`], for [`into_error`](IdempotencyError::into_error).
    pub async fn commit(&self, commit: Commit<Saved>) -> Result<Outcome<Saved>, IdempotencyError> {
        self.transactional.commit(&self.asked, commit).await
    }

    /// [`Transactional::execute`], for this request.
    ///
    /// # Errors
    /// [`IdempotencyError`], for [`into_error`](IdempotencyError::into_error).
    pub async fn execute(
        &self,
        work: impl AsyncFnOnce(&Claim) -> Result<Commit<Saved>>,
        reconcile: impl AsyncFnOnce(&Claim) -> Result<Reconciled<Saved>>,
    ) -> Result<Outcome<Saved>, IdempotencyError> {
        self.transactional.execute(&self.asked, work, reconcile).await
    }
}

/// A response in the form in which it is saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    status: u16,
    headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// In base 64, where it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

impl Saved {
    /// Takes a response in.
    ///
    /// # Errors
    /// When its body is larger than [`MAX_SAVED_BYTES`].
    pub async fn of(response: impl IntoResponse) -> Result<Self> {
        let (parts, body) = response.into_response().into_parts();
        let body = body.collect().await?.to_bytes();
        Self::from_parts(parts.status, &parts.headers, &body)
    }

    fn from_parts(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Result<Self> {
        if body.len() > MAX_SAVED_BYTES {
            let message = format!("an answer of {} bytes is too large to be saved", body.len());
            return Err(Error::internal(message));
        }
        let text = std::str::from_utf8(body).ok();
        let saved = SAVED_HEADERS.iter().filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            Some((name.to_string(), value.to_owned()))
        });
        Ok(Self {
            status: status.as_u16(),
            headers: saved.collect(),
            body: text.map(str::to_owned),
            body_base64: text.is_none().then(|| BASE64_STANDARD.encode(body)),
        })
    }

    fn response(self) -> Result<Response> {
        let body = match (self.body, self.body_base64) {
            (Some(text), _) => text.into_bytes(),
            (None, Some(encoded)) => BASE64_STANDARD.decode(encoded)?,
            (None, None) => Vec::new(),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(self.status)?;
        for (name, value) in self.headers {
            response
                .headers_mut()
                .insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        Ok(response)
    }
}

impl IntoResponse for Outcome<Saved> {
    fn into_response(self) -> Response {
        let replayed = matches!(self, Self::Replayed(_));
        match self.into_inner().response() {
            Ok(mut response) => {
                if replayed {
                    let yes = HeaderValue::from_static("true");
                    response.headers_mut().insert(IDEMPOTENT_REPLAYED, yes);
                }
                response
            }
            Err(error) => error.into_response(),
        }
    }
}

/// Whether the same request would get the same answer again.
fn is_lasting(response: &Response) -> bool {
    match response.status() {
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS => false,
        status if status.is_server_error() => response.extensions().get::<HadEffects>().is_some(),
        _ => true,
    }
}

/// What is asked for, and the request, whose body is whole again.
async fn asked(records: &Records, request: Request<Body>) -> Result<(Asked, Request<Body>)> {
    let (mut parts, body) = request.into_parts();
    let user = SignedIn::from_request_parts(&mut parts, records).await?;
    let key = key(&parts.headers)?;
    let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let route = format!("{} {}", parts.method, route.unwrap_or(parts.uri.path()));

    let request = Request::from_parts(parts, body);
    let (parts, body) = with_body(request).await?;
    let asked =
        Asked::keyed("http", &(user.user, route, key))?.fingerprinted(fingerprint(&parts, &body));
    Ok((asked, Request::from_parts(parts, Body::from(body))))
}

/// Reads the body, up to the limit that the router sets.
async fn with_body(request: Request<Body>) -> Result<(Parts, Bytes)> {
    let (parts, body) = request.into_parts();
    let mut limited = Request::new(body);
    *limited.extensions_mut() = parts.extensions.clone();
    let read = Bytes::from_request(limited, &()).await;
    Ok((parts, read.map_err(super::json::unreadable)?))
}

fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "idempotency-key-missing",
            "This request needs one Idempotency-Key",
        )
        .field("Idempotency-Key", "send a fresh random value, and the same one when you retry"));
    };
    let key = value.to_str().ok().and_then(unquoted);
    key.filter(|key| (1..=MAX_KEY_LENGTH).contains(&key.len())).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "idempotency-key-invalid",
            "The Idempotency-Key is not valid",
        )
        .field("Idempotency-Key", format!("1 to {MAX_KEY_LENGTH} printable ASCII characters"))
    })
}

/// A key as it is meant: bare, or quoted as a string of RFC 9651 is.
fn unquoted(value: &str) -> Option<String> {
    let value = value.trim();
    if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return None;
    }
    let Some(rest) = value.strip_prefix('"') else { return Some(value.to_owned()) };
    let mut inner = rest.strip_suffix('"')?.chars();
    let mut key = String::new();
    while let Some(character) = inner.next() {
        key.push(match character {
            '\\' => inner.next().filter(|escaped| matches!(escaped, '"' | '\\'))?,
            '"' => return None,
            plain => plain,
        });
    }
    Some(key)
}

/// SHA-256 of what the request asks for.
fn fingerprint(parts: &Parts, body: &Bytes) -> String {
    let mut hash = Sha256::new();
    hash.update(parts.method.as_str());
    hash.update(b"\n");
    hash.update(parts.uri.path());
    hash.update(b"\n");
    hash.update(parts.uri.query().unwrap_or_default());
    hash.update(b"\n");
    // What is no JSON is for the handler to refuse.
    match is_json(&parts.headers).then(|| canonical(body)) {
        Some(Ok(json)) => hash.update(json),
        _ => hash.update(body),
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(values: &[&str]) -> Result<String, u16> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        key(&headers).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn a_key_may_be_bare_or_quoted() {
        for (value, key) in [
            ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
            ("\"8e03\"", "8e03"),
            (" 8e03 ", "8e03"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
        ] {
            assert_eq!(keyed(&[value]), Ok(key.to_owned()), "{value}");
        }
        let longest = "k".repeat(MAX_KEY_LENGTH);
        assert_eq!(keyed(&[&longest]), Ok(longest.clone()));
    }

    #[test]
    fn a_missing_or_bad_key_is_refused() {
        let too_long = "k".repeat(MAX_KEY_LENGTH + 1);
        for values in [
            &[][..],
            &["a", "b"],
            &[""],
            &["\"\""],
            &["\"open"],
            &["\"a\"b\""],
            &[r#""a\b""#],
            &[r#""a\""#],
            &["clé"],
            &[&too_long],
        ] {
            assert_eq!(keyed(values), Err(400), "{values:?}");
        }
    }

    fn print(uri: &str, content_type: &str, body: &'static str) -> String {
        let request = Request::post(uri).header(header::CONTENT_TYPE, content_type);
        let (parts, ()) = request.body(()).unwrap().into_parts();
        fingerprint(&parts, &Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn the_fingerprint_is_of_what_is_meant() {
        let json = "application/json";
        let one = print("/v1/orders", json, r#"{"a":1,"b":[1,2]}"#);
        assert_eq!(one, print("/v1/orders", json, "{ \"b\": [1, 2],\n \"a\": 1 }"));
        for other in [
            print("/v1/orders", json, r#"{"a":1,"b":[2,1]}"#),
            print("/v1/orders", json, r#"{"a":1.0,"b":[1,2]}"#),
            print("/v1/orders", json, r#"{"a":1,"b":[1,2]"#),
            print("/v1/orders?x=1", json, r#"{"a":1,"b":[1,2]}"#),
            print("/v1/orders/1", json, r#"{"a":1,"b":[1,2]}"#),
            print("/v1/orders", "text/plain", r#"{"a":1,"b":[1,2]}"#),
        ] {
            assert_ne!(one, other);
        }
    }

    #[tokio::test]
    async fn a_saved_response_is_the_same_byte_for_byte() {
        for body in [&b"{\"a\":1}\n"[..], b"", b"\xff\x00", "\u{feff}é".as_bytes()] {
            let headers = [("content-type", "text/x"), ("location", "/v1/x"), ("x-other", "1")];
            let saved = Saved::of((StatusCode::CREATED, headers, body)).await.unwrap();
            let json = serde_json::to_string(&saved).unwrap();
            let saved: Saved = serde_json::from_str(&json).unwrap();
            let response = Outcome::Replayed(saved).into_response();
            assert_eq!(response.status(), 201);
            assert_eq!(response.headers()["content-type"], "text/x");
            assert_eq!(response.headers()["location"], "/v1/x");
            assert_eq!(response.headers()["idempotent-replayed"], "true");
            assert!(!response.headers().contains_key("x-other"));
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), body);
        }
    }

    #[tokio::test]
    async fn what_is_too_large_is_not_saved() {
        assert!(Saved::of("x".repeat(MAX_SAVED_BYTES)).await.is_ok());
        assert!(Saved::of("x".repeat(MAX_SAVED_BYTES + 1)).await.is_err());
        // The worst that a body can be.
        let escaped = Saved::of("\u{1}".repeat(MAX_SAVED_BYTES)).await.unwrap();
        assert!(serde_json::to_string(&escaped).unwrap().len() < 400 * 1024);
    }
}
