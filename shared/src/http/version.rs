//! Dated versions of the API: the header `Arsenal-Version`.
//!
//! **Guarantees.** A client that names no version gets the oldest version that is served. A request for a
//! version that is not served, or for two, is refused (400) before a handler runs. Each answer names its
//! version, but not this refusal, nor that of an event that is no valid request ([`request`](super::request)). A
//! replay of an idempotent request names the version of the first answer. An answer in a form that ends has
//! `Deprecation`, `Sunset` and a `Link` to the page of versions: [`Change::answer`] adds them.
//!
//! A [`Change`] is declared next to the handler whose answer changes. The handler makes the new form, and
//! [`Change::answer`] converts it for clients of former versions. The endpoint's part of the
//! [contract](super::contract) names both forms with
//! [`formerly`](super::contract::Operation::formerly).
//!
//! ```
//! use axum::response::Response;
//! use serde::Serialize;
//! use shared::http::version::{ApiVersion, Change};
//!
//! const NAMED: Change = Change::new(ApiVersion::V2026_12_01, "`text` is called `greeting`.");
//!
//! #[derive(Serialize)]
//! struct Greeting {
//!     greeting: &'static str,
//! }
//!
//! /// The form before [`NAMED`].
//! #[derive(Serialize)]
//! struct Former {
//!     text: &'static str,
//! }
//!
//! async fn handle(version: ApiVersion) -> Response {
//!     let answer = Greeting { greeting: "hello" };
//!     NAMED.answer(version, answer, |Greeting { greeting }| Former { text: greeting })
//! }
//! # #[tokio::main]
//! # async fn main() {
//! let former = handle(ApiVersion::OLDEST).await;
//! assert_eq!(former.headers()["arsenal-version"], "2026-11-30");
//! assert_eq!(former.headers()["deprecation"], "@1796083200");
//! assert_eq!(former.headers()["sunset"], "Wed, 01 Dec 2027 00:00:00 GMT");
//! # }
//! ```

use std::fmt;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::Offset;
use lambda_http::http::request::Parts;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::Json;
use crate::problem::{Problem, ProblemType};

/// The header of a request that names a version, and of an answer that names its version.
pub const ARSENAL_VERSION: HeaderName = HeaderName::from_static("arsenal-version");
/// The day since which the form of the answer is deprecated (RFC 9745).
pub const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// The day on which the form of the answer may end (RFC 8594).
pub const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// 400: the request names a version that is not served, or more than one.
pub const UNKNOWN_VERSION: ProblemType = ProblemType::new(
    StatusCode::BAD_REQUEST,
    "unknown-version",
    "This version of the API is not served",
);

/// The page that says what has changed. Its source is docs/VERSIONS.md.
const PAGE: HeaderValue =
    HeaderValue::from_static("</docs/versions.html>; rel=\"deprecation\"; type=\"text/html\"");

/// A version of the API that is served: a day. As an extractor, it is the version of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiVersion {
    /// The first version.
    V2026_11_30,
    /// The records of an order have another form.
    V2026_12_01,
}

impl ApiVersion {
    /// All versions, oldest first.
    pub const SERVED: [Self; 2] = [Self::V2026_11_30, Self::V2026_12_01];
    /// The version of a request that names none.
    pub const OLDEST: Self = Self::SERVED[0];

    /// The day that names the version.
    #[must_use]
    pub fn date(self) -> Date {
        match self {
            Self::V2026_11_30 => date(2026, 11, 30),
            Self::V2026_12_01 => date(2026, 12, 1),
        }
    }

    /// The day until which the version is served at least. `None` for the newest.
    #[must_use]
    pub fn sunset(self) -> Option<Date> {
        match self {
            Self::V2026_11_30 => Some(date(2027, 12, 1)),
            Self::V2026_12_01 => None,
        }
    }

    /// Whether answers of this version have the change.
    #[must_use]
    pub fn has(self, change: &Change) -> bool {
        self >= change.since
    }

    /// The version that the headers of a request name.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut sent = headers.get_all(ARSENAL_VERSION).iter();
        let version = match (sent.next(), sent.next()) {
            (None, _) => Some(Self::OLDEST),
            (Some(name), None) => {
                Self::SERVED.into_iter().find(|known| *name == *known.to_string())
            }
            _ => None,
        };
        let names = Self::SERVED.map(|version| version.to_string()).join(", ");
        version.ok_or_else(|| {
            Problem::of(UNKNOWN_VERSION).field("Arsenal-Version", format!("one of {names}"))
        })
    }

    /// The version as the value of a header.
    pub(super) fn header(self) -> Option<HeaderValue> {
        HeaderValue::try_from(self.to_string()).ok()
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

impl<S: Sync> FromRequestParts<S> for ApiVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.headers)
    }
}

/// A change of an answer that a client of the former version cannot read.
#[derive(Debug)]
pub struct Change {
    since: ApiVersion,
    what: &'static str,
}

impl Change {
    /// A change that the answers have since a version. `what` has changed, in one sentence for developers of
    /// clients.
    ///
    /// # Panics
    /// At compile time, if no served version has the former form: then delete it.
    #[must_use]
    pub const fn new(since: ApiVersion, what: &'static str) -> Self {
        assert!(since as usize > ApiVersion::OLDEST as usize, "the former form is not served");
        Self { since, what }
    }

    /// The first version with the change.
    #[must_use]
    pub fn since(&self) -> ApiVersion {
        self.since
    }

    /// What has changed.
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// The day until which the former form is served at least.
    #[must_use]
    pub fn sunset(&self) -> Option<Date> {
        ApiVersion::SERVED.into_iter().rfind(|version| !version.has(self))?.sunset()
    }

    /// The answer in the form of `version`: `answer`, or what `former` makes of it.
    #[must_use]
    pub fn answer<N, F>(
        &self,
        version: ApiVersion,
        answer: N,
        former: impl FnOnce(N) -> F,
    ) -> Response
    where
        N: Serialize,
        F: Serialize,
    {
        let mut response = if version.has(self) {
            Json(answer).into_response()
        } else {
            let mut response = Json(former(answer)).into_response();
            self.deprecate(response.headers_mut());
            response
        };
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_name(ARSENAL_VERSION));
        headers.extend(version.header().map(|version| (ARSENAL_VERSION, version)));
        response
    }

    fn deprecate(&self, headers: &mut HeaderMap) {
        let since = start(self.since.date()).map(|since| format!("@{}", since.as_second()));
        let printed = |day| DateTimePrinter::new().timestamp_to_rfc9110_string(&start(day)?).ok();
        for (name, text) in [(DEPRECATION, since), (SUNSET, self.sunset().and_then(printed))] {
            let value = text.and_then(|text| HeaderValue::try_from(text).ok());
            headers.extend(value.map(|value| (name, value)));
        }
        headers.append(header::LINK, PAGE);
    }
}

/// The start of a day in UTC.
fn start(day: Date) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(day.to_datetime(jiff::civil::Time::midnight())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_order_and_each_but_the_newest_ends_after_the_next_has_been_served_for_a_year()
     {
        for pair in ApiVersion::SERVED.windows(2) {
            let (former, next) = (pair[0], pair[1]);
            assert!(former < next && former.date() < next.date());
            let year = next.date().saturating_add(jiff::Span::new().years(1));
            assert!(former.sunset().is_some_and(|sunset| sunset >= year), "{former}");
        }
        assert_eq!(ApiVersion::SERVED[ApiVersion::SERVED.len() - 1].sunset(), None);
    }

    #[test]
    fn a_request_has_one_version_that_is_served() {
        for (sent, version) in [
            (&[][..], Some(ApiVersion::V2026_11_30)),
            (&["2026-11-30"], Some(ApiVersion::V2026_11_30)),
            (&["2026-12-01"], Some(ApiVersion::V2026_12_01)),
            (&["2026-12-02"], None),
            (&["2026-12-1"], None),
            (&["latest"], None),
            (&[""], None),
            (&["2026-11-30", "2026-12-01"], None),
            (&["2026-12-01", "2026-12-01"], None),
            (&["2026-12-01,2026-12-01"], None),
        ] {
            let mut headers = HeaderMap::new();
            for text in sent {
                headers.append(ARSENAL_VERSION, HeaderValue::from_static(text));
            }
            let found = ApiVersion::of(&headers);
            assert_eq!(found.as_ref().ok().copied(), version, "{sent:?}");
            assert!(found.map_or_else(|problem| problem.status() == 400, |_| true));
        }
    }
}
