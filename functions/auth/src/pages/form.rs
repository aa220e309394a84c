//! The body of a form: `application/x-www-form-urlencoded`
//! ([WHATWG URL](https://url.spec.whatwg.org/#application/x-www-form-urlencoded)).

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use percent_encoding::percent_decode;
use secrecy::SecretString;
use shared::http::{BODY_TOO_LARGE, UNREADABLE_BODY, UNSUPPORTED_MEDIA_TYPE};
use shared::problem::{Problem, ProblemType};

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// 415: a browser that sends one of our forms has another content type.
const NO_FORM: ProblemType =
    ProblemType { title: "This page takes only its own form", ..UNSUPPORTED_MEDIA_TYPE };

/// The fields of a form that was sent. Unknown ones are ignored.
///
/// It has passwords, so it is never printed.
pub(super) struct Form(HashMap<String, String>);

impl Form {
    /// The fields of a body, or of a query.
    ///
    /// # Errors
    /// 400 when it is not UTF-8, or has a field twice. A replacement character instead would set a password that nobody
    /// typed; and which of two passwords counts would be chance.
    pub(super) fn of(encoded: &[u8]) -> Result<Self, Problem> {
        let unreadable = |detail| Problem::of(UNREADABLE_BODY).detail(detail);
        if percent_decode(encoded).decode_utf8().is_err() {
            return Err(unreadable("The form is not UTF-8."));
        }
        let mut fields = HashMap::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(unreadable("The form has a field more than once."));
            }
        }
        Ok(Self(fields))
    }

    /// The text of a field. One that is missing is empty, as one that nobody filled in.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The text of a field with a secret.
    pub(super) fn secret(&self, name: &str) -> SecretString {
        self.text(name).into()
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let essence = content_type.and_then(|it| it.split(';').next()).unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case(MEDIA_TYPE) {
            return Err(Problem::of(NO_FORM).detail("Open the page again, and send its form."));
        }
        // The edge has read the body, which is in memory: it can only be too large.
        let body = Bytes::from_request(request, state).await;
        Self::of(&body.map_err(|_| Problem::of(BODY_TOO_LARGE))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_keeps_its_exact_text() {
        let form = Form::of(b"password=%20a+%2B%26%3D%C3%A9%00%0D%0A+&email=&empty").ok().unwrap();
        assert_eq!(form.text("password"), " a +&=é\0\r\n ");
        assert_eq!((form.text("email"), form.text("empty"), form.text("none")), ("", "", ""));
    }

    #[test]
    fn a_form_that_could_be_read_in_two_ways_is_refused() {
        for body in [&b"a=%FF"[..], b"a=%C3", b"%80=a", b"a=%C3&b=%A9", b"a=\xff"] {
            assert!(Form::of(body).is_err(), "{body:?}");
        }
        for body in [&b"a=1&a=1"[..], b"a&a=2", b"%61=1&a=2", b"=1&=2"] {
            assert!(Form::of(body).is_err(), "{body:?}");
        }
    }
}
