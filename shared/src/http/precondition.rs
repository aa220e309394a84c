//! `If-Match` and `If-None-Match` on edits
//! ([RFC 9110, 13.1](https://www.rfc-editor.org/rfc/rfc9110#section-13.1)).
//!
//! **Guarantee.** No edit replaces an edit that its sender has not seen, if the handler writes under the condition
//! that the thing is still as it was when [`Precondition::check`] passed.
//!
//! | the request has | and | answer |
//! |---|---|---|
//! | `If-Match` with the current tag, or `*` | the thing exists | the edit is made |
//! | `If-Match` with another tag | the edit changes nothing, as when a retry comes | that of the edit |
//! | `If-Match` with another tag | the edit would change something | 412 |
//! | `If-Match` | the thing does not exist | 412 |
//! | `If-None-Match: *` | the thing exists | 412 |
//! | neither | the thing does not exist, or the edit changes nothing | the edit is made |
//! | neither | the edit would change something that exists | 428 |
//!
//! A representation may have more than what an edit replaces: that of a product has the stock. Therefore the
//! tag of an answer to `GET` has two parts, `"<edit>.<representation>"`. `If-Match` compares the first part only, so that a
//! sale does not make an edit of the price fail. `If-None-Match` of a `GET` compares both. The answer to an edit has
//! only the first part.
//!
//! ```
//! use axum::http::Request;
//! use axum::extract::FromRequestParts;
//! use shared::http::{EditTag, Precondition};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let (current, wanted) = (EditTag::of(&"Awl")?, EditTag::of(&"Needle")?);
//! let request = Request::get("/").header("If-Match", "\"4f1c9a\"").body(())?;
//! let precondition = Precondition::from_request_parts(&mut request.into_parts().0, &()).await?;
//! assert_eq!(precondition.check(Some(&current), &wanted).unwrap_err().status(), 412);
//! # Ok::<_, shared::Error>(()) }).unwrap();
//! ```

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponseParts, ResponseParts};
use lambda_http::http::request::Parts;
use lambda_http::http::{HeaderMap, HeaderName, StatusCode, header};
use serde::Serialize;

use super::etag::hash;
use super::params::INVALID_PARAMETER;
use crate::Result;
use crate::problem::{Problem, ProblemType};

/// 412: the thing is not as `If-Match` or `If-None-Match` says.
pub const PRECONDITION_FAILED: ProblemType = ProblemType::new(
    StatusCode::PRECONDITION_FAILED,
    "precondition-failed",
    "It is not as the request expects",
);
/// 428: an edit of something that exists needs `If-Match`.
pub const PRECONDITION_REQUIRED: ProblemType = ProblemType::new(
    StatusCode::PRECONDITION_REQUIRED,
    "precondition-required",
    "The request does not say what it replaces",
);

/// The tag of what an edit replaces. A handler that answers with it gives the answer its `ETag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditTag(pub(super) String);

impl EditTag {
    /// The tag of these fields, which are all that an edit can change.
    ///
    /// # Errors
    /// When they are not JSON.
    pub fn of(fields: &impl Serialize) -> Result<Self> {
        Ok(Self(hash(&serde_json::to_vec(fields)?)))
    }
}

impl IntoResponseParts for EditTag {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

/// What a request expects of the thing that it edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precondition {
    matches: Option<Tags>,
    none_matches: Option<Tags>,
}

/// The tags of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    /// `*`
    Any,
    /// The first parts of strong tags.
    These(Vec<String>),
}

impl Precondition {
    /// Checks an edit: `current` is the tag of what exists, and `wanted` the tag after the edit.
    ///
    /// # Errors
    /// 412 or 428, see the [module](self).
    pub fn check(&self, current: Option<&EditTag>, wanted: &EditTag) -> Result<(), Problem> {
        let changes_something = current.is_some_and(|current| current != wanted);
        if let Some(tags) = &self.none_matches
            && current.is_some_and(|current| tags.have(current))
        {
            let detail = "it exists, or is as the tag says: read it";
            return Err(Problem::of(PRECONDITION_FAILED).field("If-None-Match", detail));
        }
        match (&self.matches, current) {
            (Some(_), None) => Err(Problem::of(PRECONDITION_FAILED)
                .field("If-Match", "it does not exist: leave this header out to create it")),
            (Some(tags), Some(current)) if changes_something && !tags.have(current) => {
                Err(Problem::of(PRECONDITION_FAILED)
                    .field("If-Match", "it was changed since: read it, and edit what it is now"))
            }
            (None, Some(_)) if changes_something => Err(Problem::of(PRECONDITION_REQUIRED)
                .field("If-Match", "it exists: read it, and send the ETag of the answer here")),
            _ => Ok(()),
        }
    }
}

impl Tags {
    fn have(&self, current: &EditTag) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.contains(&current.0),
        }
    }

    /// The tags of a header. `None` if the request does not have it. One without any tag is refused: its client meant
    /// something.
    fn of(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, Problem> {
        let (mut tags, mut is_empty) = (Vec::new(), true);
        for value in headers.get_all(name) {
            let value = value.to_str().map_err(|_| invalid(name))?;
            // A list may have empty elements (RFC 9110, 5.6.1.2).
            for tag in value.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
                if tag == "*" {
                    return Ok(Some(Self::Any));
                }
                is_empty = false;
                let is_weak = tag.starts_with("W/");
                let tag = tag.strip_prefix("W/").unwrap_or(tag);
                let tag = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
                let tag = tag.filter(|tag| !tag.contains('"')).ok_or_else(|| invalid(name))?;
                // A weak tag matches nothing: the comparison for edits is strong.
                let first = tag.split('.').next().filter(|_| !is_weak);
                tags.extend(first.map(str::to_owned));
            }
        }
        match headers.contains_key(name) {
            false => Ok(None),
            true if is_empty => Err(invalid(name)),
            true => Ok(Some(Self::These(tags))),
        }
    }
}

fn invalid(name: &HeaderName) -> Problem {
    let name = if name == header::IF_MATCH { "If-Match" } else { "If-None-Match" };
    Problem::of(INVALID_PARAMETER)
        .field(name, "expected *, or tags in double quotes, separated by commas")
}

impl<S: Sync> FromRequestParts<S> for Precondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self {
            matches: Tags::of(&parts.headers, &header::IF_MATCH)?,
            none_matches: Tags::of(&parts.headers, &header::IF_NONE_MATCH)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::Request;

    use super::*;

    type Headers = &'static [(&'static str, &'static str)];

    fn tag(fields: &str) -> EditTag {
        EditTag::of(&fields).unwrap()
    }

    /// The status of an edit from `current` to "new", with these headers. `OLD` is the tag of "old".
    async fn edited(current: Option<&str>, headers: Headers) -> u16 {
        let mut request = Request::get("/");
        for (name, value) in headers {
            request = request.header(*name, value.replace("OLD", &tag("old").0));
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        let precondition = match Precondition::from_request_parts(&mut parts, &()).await {
            Ok(precondition) => precondition,
            Err(problem) => return problem.status().as_u16(),
        };
        let current = current.map(tag);
        let checked = precondition.check(current.as_ref(), &tag("new"));
        checked.map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[tokio::test]
    async fn an_edit_needs_the_tag_of_what_it_replaces() {
        let cases: [(Option<&str>, Headers, u16); 27] = [
            (None, &[], 200),
            (Some("old"), &[], 428),
            (Some("new"), &[], 200),
            (Some("old"), &[("if-match", "\"OLD\"")], 200),
            (Some("old"), &[("if-match", "\"OLD.4f1c-gzip\"")], 200),
            (Some("old"), &[("if-match", "\"a\", \"OLD\"")], 200),
            (Some("old"), &[("if-match", "\"a\""), ("if-match", "\"OLD\"")], 200),
            (Some("old"), &[("if-match", "*")], 200),
            (Some("old"), &[("if-match", "\"a\"")], 412),
            (Some("old"), &[("if-match", "W/\"OLD\"")], 412),
            (Some("other"), &[("if-match", "\"OLD\"")], 412),
            (Some("new"), &[("if-match", "\"OLD\"")], 200),
            (None, &[("if-match", "\"OLD\"")], 412),
            (None, &[("if-match", "*")], 412),
            (None, &[("if-none-match", "*")], 200),
            (Some("old"), &[("if-none-match", "*")], 412),
            (Some("new"), &[("if-none-match", "*")], 412),
            (Some("old"), &[("if-none-match", "\"OLD\"")], 412),
            (Some("old"), &[("if-none-match", "\"a\"")], 428),
            (Some("old"), &[("if-match", "OLD")], 400),
            (Some("old"), &[("if-match", "\"OLD")], 400),
            (Some("old"), &[("if-match", "")], 400),
            (Some("old"), &[("if-match", "\"OLD\""), ("if-none-match", ",")], 400),
            (None, &[("if-none-match", "")], 400),
            (Some("old"), &[("if-match", "\"a\", , \"OLD\",")], 200),
            (Some("old"), &[("if-match", "\"a\",*")], 200),
            (Some("old"), &[("if-none-match", "a")], 400),
        ];
        for (current, headers, status) in cases {
            assert_eq!(edited(current, headers).await, status, "{current:?} {headers:?}");
        }
    }
}
