//! Content codings: requests and answers that are compressed with gzip
//! ([RFC 9110, 8.4](https://www.rfc-editor.org/rfc/rfc9110#section-8.4)).

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::json::UNREADABLE_BODY;
use super::limits::{MAX_BODY_BYTES, body_too_large};
use crate::problem::{Problem, ProblemType};

/// The value of `Content-Encoding` and `Accept-Encoding`.
pub(super) const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Bodies up to this size are not compressed, in bytes: they fit into one packet anyway.
pub(super) const MIN_COMPRESSED_BYTES: usize = 1024;

/// 415: the body is in a coding that is not gzip.
pub(super) const UNSUPPORTED_CODING: ProblemType = ProblemType::new(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported-content-encoding",
    "The coding of the body is not supported",
);

/// Whether a request body is compressed.
///
/// # Errors
/// 415 when its coding is not gzip.
pub(super) fn is_compressed(headers: &HeaderMap) -> Result<bool, Problem> {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    let (first, second) = (codings.next(), codings.next());
    let Some(coding) = first else { return Ok(false) };
    let is = |name: &str| coding.as_bytes().eq_ignore_ascii_case(name.as_bytes());
    match second {
        None if is("identity") => Ok(false),
        None if is("gzip") || is("x-gzip") => Ok(true),
        _ => Err(Problem::of(UNSUPPORTED_CODING)
            .field("Content-Encoding", "use gzip, or leave it out")
            .header(header::ACCEPT_ENCODING, GZIP)),
    }
}

/// Inflates a request body. It stops at the first byte over the limit, so that a small body that inflates
/// to a large one takes no more memory and time than a body of the maximum size.
///
/// # Errors
/// 413 when the inflated body is over [`MAX_BODY_BYTES`]; 400 when it is not gzip.
pub(super) fn inflate(body: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut inflated = Vec::new();
    let most = MAX_BODY_BYTES as u64 + 1;
    let read = MultiGzDecoder::new(body).take(most).read_to_end(&mut inflated);
    if inflated.len() > MAX_BODY_BYTES {
        return Err(body_too_large());
    }
    read.map_err(|_| {
        Problem::of(UNREADABLE_BODY).field("body", "this is not gzip, as Content-Encoding says")
    })?;
    Ok(inflated)
}

/// Compresses the body of an answer.
///
/// # Errors
/// Never in practice: memory does not fail.
pub(super) fn compress(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_counted_after_it_is_inflated() {
        for (size, fits) in [(0, true), (MAX_BODY_BYTES, true), (MAX_BODY_BYTES + 1, false)] {
            let body = vec![b'a'; size];
            let inflated = inflate(&compress(&body).unwrap());
            assert_eq!(inflated.map_err(|p| p.status().as_u16()), fits.then_some(body).ok_or(413));
        }
    }

    #[test]
    fn a_bomb_of_many_members_is_refused() {
        let member = compress(&vec![0; MAX_BODY_BYTES]).unwrap();
        assert_eq!(inflate(&member.repeat(100)).unwrap_err().status(), 413);
        // An endless chain of empty members ends with the body.
        let empty = compress(b"").unwrap();
        assert_eq!(inflate(&empty.repeat(MAX_BODY_BYTES / empty.len())).unwrap(), b"");
    }

    #[test]
    fn what_is_not_gzip_is_refused() {
        let whole = compress(b"{}").unwrap();
        let mut damaged = whole.clone();
        damaged[whole.len() - 5] ^= 1;
        let followed = [&whole[..], b"{}"].concat();
        for body in [&b""[..], b"{}", &whole[..whole.len() - 1], &damaged, &followed] {
            assert_eq!(inflate(body).unwrap_err().status(), 400, "{body:?}");
        }
    }
}
