use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::BodyExt;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::http::version::{ARSENAL_VERSION, ApiVersion, DEPRECATION, SUNSET};
use crate::idempotency::Outcome;
use crate::{Error, Result};

/// The header that marks an answer as the saved answer of an earlier request.
pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The maximum size of a saved body, in bytes. An item of DynamoDB has up to 400 KiB, and a byte may
/// take six bytes when it is escaped.
pub const MAX_SAVED_BYTES: usize = 64 * 1024;

/// The headers that are saved; other headers belong to the transport.
static SAVED_HEADERS: [HeaderName; 9] = [
    header::CACHE_CONTROL,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::LINK,
    header::LOCATION,
    DEPRECATION,
    SUNSET,
];

/// An extension of a 5xx response: the work has had effects and must not run again, so the response is
/// saved.
#[derive(Clone, Copy, Debug)]
pub struct HadEffects;

/// A response in its saved form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    status: u16,
    headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// The body in base64, if it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

impl Saved {
    /// Converts a response to its saved form.
    ///
    /// # Errors
    /// When its body is larger than [`MAX_SAVED_BYTES`].
    pub async fn of(response: impl IntoResponse) -> Result<Self> {
        Ok(Self::with_response(response.into_response()).await?.0)
    }

    /// Converts a response to its saved form, and also gives the complete response back.
    pub(super) async fn with_response(response: Response) -> Result<(Self, Response)> {
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        let saved = Self::from_parts(parts.status, &parts.headers, &body)?;
        Ok((saved, Response::from_parts(parts, Body::from(body))))
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

    /// Keeps the version, so that replays name the version of this answer's form.
    pub(super) fn in_version(mut self, version: ApiVersion) -> Self {
        self.headers.insert(ARSENAL_VERSION.to_string(), version.to_string());
        self
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

/// Whether the answer is saved: whether a retry would get the same one.
pub(super) fn is_lasting(response: &Response) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

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
    async fn a_body_that_is_too_large_is_not_saved() {
        assert!(Saved::of("x".repeat(MAX_SAVED_BYTES)).await.is_ok());
        assert!(Saved::of("x".repeat(MAX_SAVED_BYTES + 1)).await.is_err());
        // The body whose escaped form is longest.
        let escaped = Saved::of("\u{1}".repeat(MAX_SAVED_BYTES)).await.unwrap();
        assert!(serde_json::to_string(&escaped).unwrap().len() < 400 * 1024);
    }
}
