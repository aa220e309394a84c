//! The body of a form: `application/x-www-form-urlencoded`
//! ([WHATWG URL](https://url.spec.whatwg.org/#application/x-www-form-urlencoded)).

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use percent_encoding::percent_decode;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::http::contract::{Extractor, Operation};
use shared::http::{BODY_TOO_LARGE, UNREADABLE_BODY, UNSUPPORTED_MEDIA_TYPE};
use shared::problem::{Problem, ProblemType};
use utoipa::ToSchema;

use crate::oauth::error::{Code, Failure, OAuthError};

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// 415: neither a browser that sends one of our forms nor a client of OAuth has another content type.
const NO_FORM: ProblemType =
    ProblemType { title: "This takes only a form", ..UNSUPPORTED_MEDIA_TYPE };

/// The fields of a form that was sent. Unknown ones are ignored.
///
/// It has passwords, so it is never printed.
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// The fields of a body, or of a query.
    ///
    /// # Errors
    /// 400 when it is not UTF-8, or has a field twice. A replacement character instead would set a password that nobody
    /// typed; and which of two passwords counts would be chance.
    pub fn of(encoded: &[u8]) -> Result<Self, Problem> {
        let unreadable = |detail| Problem::of(UNREADABLE_BODY).detail(detail);
        if percent_decode(encoded).decode_utf8().is_err() {
            return Err(unreadable("The form is not UTF-8."));
        }
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(unreadable("The form has a field more than once."));
            }
        }
        Ok(Self(fields))
    }

    /// The text of a field. One that is missing is empty, as one that nobody filled in.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The fields with such names, as the body of a form.
    pub fn encoded(&self, is_kept: impl Fn(&str) -> bool) -> String {
        let kept = self.0.iter().filter(|(name, _)| is_kept(name));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
    }

    /// The text of a field with a secret.
    #[must_use]
    pub fn secret(&self, name: &str) -> SecretString {
        self.text(name).into()
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let essence = content_type.and_then(|it| it.split(';').next()).unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case(MEDIA_TYPE) {
            return Err(Problem::of(NO_FORM).detail("Open the page again, and send its form. A program sends application/x-www-form-urlencoded."));
        }
        // The edge has read the body, which is in memory: it can only be too large.
        let body = Bytes::from_request(request, state).await;
        Self::of(&body.map_err(|_| Problem::of(BODY_TOO_LARGE))?)
    }
}

/// The fields of a form that a client of OAuth sends, as a `T` whose fields are optional texts. Empty fields count as absent
/// ([RFC 6749, 3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2)), and unknown ones are ignored.
#[derive(Debug)]
pub struct Fields<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Fields<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let form = Form::from_request(request, state).await.map_err(|problem| {
            if problem.is(UNREADABLE_BODY) {
                return Failure::from(UNREADABLE_FORM);
            }
            problem.into()
        })?;
        let fields = form.0.into_iter().filter(|(_, text)| !text.is_empty());
        let fields = fields.map(|(name, text)| (name, Value::from(text))).collect();
        let fields = T::deserialize(Value::Object(fields));
        Ok(Self(fields.map_err(|_| Failure::from(UNREADABLE_FORM))?))
    }
}

const UNREADABLE_FORM: OAuthError =
    OAuthError::new(Code::InvalidRequest, "the form is not UTF-8, or has a parameter twice");

impl<T: ToSchema> Extractor for Fields<T> {
    fn describe(operation: &mut Operation) {
        operation.take_form::<T>();
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
