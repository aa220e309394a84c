use axum::body::Bytes;
use lambda_http::http::request::Parts;
use lambda_http::http::{HeaderMap, HeaderName, StatusCode};
use sha2::{Digest, Sha256};

use crate::http::json::{self, JSON};
use crate::idempotency::canonical;
use crate::idempotency::hash::hex;
use crate::problem::{Problem, ProblemType};

/// 400: the request has no key, or several.
pub const KEY_MISSING: ProblemType = ProblemType::new(
    StatusCode::BAD_REQUEST,
    "idempotency-key-missing",
    "This request needs one Idempotency-Key",
);
/// 400: the key is too long or has characters that are not allowed.
pub const KEY_INVALID: ProblemType = ProblemType::new(
    StatusCode::BAD_REQUEST,
    "idempotency-key-invalid",
    "The Idempotency-Key is not valid",
);

/// The header that carries the key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest key, in characters.
pub const MAX_KEY_LENGTH: usize = 255;

/// The key that a request carries.
pub(super) fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::of(KEY_MISSING).field(
            "Idempotency-Key",
            "send a new random value, and the same value when you retry",
        ));
    };
    let key = value.to_str().ok().and_then(unquoted);
    key.filter(|key| (1..=MAX_KEY_LENGTH).contains(&key.len())).ok_or_else(|| {
        Problem::of(KEY_INVALID).field(
            "Idempotency-Key",
            format!("1 to {MAX_KEY_LENGTH} printable ASCII characters, quoted if one is a comma"),
        )
    })
}

/// The value of a key, which is bare or quoted as a string of RFC 9651. `None` if it is invalid.
fn unquoted(value: &str) -> Option<String> {
    let value = value.trim();
    if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return None;
    }
    let Some(rest) = value.strip_prefix('"') else {
        // API Gateway joins two headers with a comma: two keys are no key.
        return Some(value.to_owned()).filter(|value| !value.contains(','));
    };
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

/// SHA-256 of the method, path, query and body, in hex. A JSON body is hashed in canonical form.
pub(super) fn fingerprint(parts: &Parts, body: &Bytes) -> String {
    let mut hash = Sha256::new();
    hash.update(parts.method.as_str());
    hash.update(b"\n");
    hash.update(parts.uri.path());
    hash.update(b"\n");
    hash.update(parts.uri.query().unwrap_or_default());
    hash.update(b"\n");
    // Invalid JSON is hashed as bytes; the handler refuses it.
    match json::is_of(&parts.headers, JSON).then(|| canonical(body)) {
        Some(Ok(json)) => hash.update(json),
        _ => hash.update(body),
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use lambda_http::http::{HeaderValue, Request, header};

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
            ("\"a,b\"", "a,b"),
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
            &["a,b"],
            &["a,a"],
            &["\"a\",\"b\""],
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
    fn the_fingerprint_ignores_the_form_of_json() {
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
}
