use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::limits::body_too_large;
use super::{shape, words};
use crate::problem::{Problem, ProblemType};

/// 415: the header `Content-Type` is not that of JSON.
pub const UNSUPPORTED_MEDIA_TYPE: ProblemType = ProblemType::new(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported-media-type",
    "The body is not JSON",
);
/// 400: the body is not complete, or not in the encoding that it claims.
pub const UNREADABLE_BODY: ProblemType =
    ProblemType::new(StatusCode::BAD_REQUEST, "unreadable-body", "The body could not be read");
/// 422: a field of the body is missing, unknown or invalid.
pub const INVALID_BODY: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-body",
    "The body is not what this endpoint takes",
);
/// 400: the body is not JSON.
pub const INVALID_JSON: ProblemType =
    ProblemType::new(StatusCode::BAD_REQUEST, "invalid-json", "The body is not valid JSON");

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";

/// A JSON body of a request or a response. An invalid request body gives a problem that names the field;
/// so does one that nests deeper than [`MAX_JSON_DEPTH`](super::MAX_JSON_DEPTH), or has a string longer than
/// [`MAX_JSON_STRING_BYTES`](super::MAX_JSON_STRING_BYTES).
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_of(request.headers(), JSON) {
            return Err(
                Problem::of(UNSUPPORTED_MEDIA_TYPE).field("Content-Type", format!("send {JSON}"))
            );
        }
        parse(&checked(request, state).await?).map(Self)
    }
}

/// The body, within the limits of JSON.
pub(super) async fn checked<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let body = Bytes::from_request(request, state).await.map_err(unreadable)?;
    shape::check(&body)?;
    Ok(body)
}

/// Whether the body is of this media type. API Gateway joins two headers of one name with a comma; two content types are none.
pub(super) fn is_of(headers: &HeaderMap, media_type: &str) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let value = value.to_str().ok().filter(|value| !value.contains(','));
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
}

/// Whether an answer is JSON or a problem document.
pub(super) fn is_answer(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    matches!(content_type, Some(b"application/json" | b"application/problem+json"))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn unreadable(rejection: BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return body_too_large();
    }
    Problem::of(ProblemType { status: rejection.status(), ..UNREADABLE_BODY })
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // serde takes a list for a struct, field by field: `[]` would be one whose fields all have a default.
    if body.trim_ascii_start().starts_with(b"[")
        && serde_json::from_slice::<IgnoredAny>(body).is_ok()
    {
        return Err(Problem::of(INVALID_BODY).field(".", "expected an object"));
    }
    try_parse(body).map_err(problem)
}

/// The problem of a name in the body that a `T` does not have.
pub(super) fn unknown_name<T: DeserializeOwned>(body: &[u8]) -> Option<Problem> {
    let invalid = try_parse::<T>(body).err()?;
    invalid.error.to_string().starts_with("unknown ").then(|| problem(invalid))
}

/// Why a body is invalid, and the field.
struct Invalid {
    field: String,
    error: serde_json::Error,
}

fn try_parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Invalid> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Invalid { field: field(&error), error: error.into_inner() })?;
    let end = deserializer.end().map_err(|error| Invalid { field: String::new(), error });
    end.map(|()| value)
}

fn problem(Invalid { field, error }: Invalid) -> Problem {
    if error.is_data() {
        return Problem::of(INVALID_BODY).field(field, words::plain(&error.to_string()));
    }
    Problem::of(INVALID_JSON).detail(if error.is_eof() {
        "The body ends before the JSON does.".to_owned()
    } else {
        let (line, column) = (error.line(), error.column());
        format!("The error is in line {line}, near character {column}.")
    })
}

/// The path of the invalid field. For a missing or an unknown field, serde reports the path of the
/// object; this appends the field.
fn field(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = error.path().to_string();
    let message = error.inner().to_string();
    let name = words::field(&message).map(str::to_owned);
    let whole = match name {
        Some(name) if path == "." => name,
        Some(name) if !path.ends_with(&name) => format!("{path}.{name}"),
        _ => path,
    };
    words::short(&whole)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[expect(dead_code, reason = "only parsed")]
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Item {
        #[expect(dead_code, reason = "only parsed")]
        quantity: u32,
    }

    fn refused(body: &str) -> Value {
        serde_json::to_value(parse::<Order>(body.as_bytes()).unwrap_err()).unwrap()
    }

    #[test]
    fn a_problem_names_the_invalid_field() {
        for (body, field) in [
            ("{}", "items"),
            (r#"{"items":[{"quantity":1},{"quantity":-1}]}"#, "items[1].quantity"),
            (r#"{"items":[{}]}"#, "items[0].quantity"),
            (r#"{"items":[],"note":1}"#, "note"),
            (r#"{"items":[{"quantity":1,"colour":1}]}"#, "items[0].colour"),
        ] {
            let problem = refused(body);
            assert_eq!(problem["status"], 422, "{body}");
            assert_eq!(problem["errors"][0]["field"], field, "{body}");
        }
    }

    #[test]
    fn a_problem_has_the_field_and_the_expected_value() {
        assert_eq!(
            refused(r#"{"items":"none"}"#),
            json!({
                "type": "/docs/problems/invalid-body",
                "title": "The body is not what this endpoint takes",
                "status": 422,
                "errors": [{
                    "field": "items",
                    "detail": "expected an array",
                }],
            })
        );
    }

    /// serde reads a list as a struct.
    #[test]
    fn a_list_is_no_object() {
        #[derive(Debug, Deserialize)]
        struct Options {
            #[expect(dead_code, reason = "only parsed")]
            #[serde(default)]
            emergency: bool,
        }
        assert!(parse::<Options>(b"{}").is_ok());
        for body in ["[]", " [true]"] {
            let problem = serde_json::to_value(parse::<Options>(body.as_bytes()).unwrap_err());
            assert_eq!(problem.unwrap()["status"], 422, "{body}");
        }
        assert_eq!(refused("[")["type"], "/docs/problems/invalid-json");
    }

    #[test]
    fn broken_json_is_not_a_field_error() {
        for body in ["", "{", r#"{"items":[]} extra"#, "\u{0}"] {
            assert_eq!(refused(body)["type"], "/docs/problems/invalid-json", "{body:?}");
        }
    }
}
