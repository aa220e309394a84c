//! The limits of a request, and the problems of a request over one of them.
//!
//! API Gateway has limits too, and answers a request over one of them itself, not with a problem document:
//! 10 MB for a body, 10,240 bytes for the request line and the values of the headers together. Lambda
//! takes events and answers of up to 6 MB.

use std::collections::HashMap;

use lambda_http::http::StatusCode;

use crate::problem::{Problem, ProblemType};

/// The maximum size of a request body, in bytes, before and after it is inflated. Clients upload files
/// to S3 instead.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// The maximum length of a path and its query, percent-encoded, in bytes.
pub const MAX_URL_BYTES: usize = 8_000;
/// The maximum number of headers, with those that API Gateway adds.
pub const MAX_HEADERS: usize = 100;
/// The maximum size of all headers and cookies, names and values, in bytes.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;
/// The maximum nesting of arrays and objects in a JSON body.
pub const MAX_JSON_DEPTH: usize = 32;
/// The maximum length of a string or of the name of a member in a JSON body, in bytes.
pub const MAX_JSON_STRING_BYTES: usize = 16 * 1024;

/// 413: the body is over [`MAX_BODY_BYTES`].
pub const BODY_TOO_LARGE: ProblemType =
    ProblemType::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large");
/// 414: the path and its query are over [`MAX_URL_BYTES`].
pub(super) const URL_TOO_LONG: ProblemType =
    ProblemType::new(StatusCode::URI_TOO_LONG, "url-too-long", "The URL is too long");
/// 431: the headers are over [`MAX_HEADERS`] or [`MAX_HEADER_BYTES`].
pub(super) const HEADERS_TOO_LARGE: ProblemType = ProblemType::new(
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    "headers-too-large",
    "The headers are too large",
);

/// Checks the headers of an event.
pub(super) fn check_headers(
    headers: &HashMap<String, String>,
    cookies: &[String],
) -> Result<(), Problem> {
    let problem = || Problem::of(HEADERS_TOO_LARGE);
    if headers.len() > MAX_HEADERS {
        let detail = format!("a request has at most {MAX_HEADERS} headers");
        return Err(problem().field("headers", detail));
    }
    let cookies = ("cookie", cookies.iter().map(String::len).sum());
    let sizes = headers.iter().map(|(name, value)| (name.as_str(), name.len() + value.len()));
    let sizes: Vec<(&str, usize)> = sizes.chain([cookies]).collect();
    if sizes.iter().map(|(_, size)| size).sum::<usize>() <= MAX_HEADER_BYTES {
        return Ok(());
    }
    let largest = sizes.into_iter().max_by_key(|(_, size)| *size);
    let name = largest.map_or("headers", |(name, _)| name).chars().take(100).collect::<String>();
    let detail = format!("all headers together have at most {MAX_HEADER_BYTES} bytes");
    Err(problem().field(name, detail))
}

/// Checks a path and its query; `field` is the longer of them.
pub(super) fn check_url(length: usize, field: &str) -> Result<(), Problem> {
    if length <= MAX_URL_BYTES {
        return Ok(());
    }
    Err(Problem::of(URL_TOO_LONG)
        .field(field, format!("path and query together have at most {MAX_URL_BYTES} bytes")))
}

/// 413: the body is over [`MAX_BODY_BYTES`].
pub(super) fn body_too_large() -> Problem {
    Problem::of(BODY_TOO_LARGE)
        .field("body", format!("a body has at most {MAX_BODY_BYTES} bytes, also when inflated"))
}
