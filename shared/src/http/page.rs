//! Pages of lists: `?limit=20&cursor=…`. The next page is named twice: as `next_cursor` in the body, and in the
//! header `Link`.
//!
//! **Guarantee.** After a page with a cursor, the next page is not empty, unless its entries are deleted in
//! between.

use std::convert::Infallible;
use std::fmt::Display;
use std::str::FromStr;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use axum::response::{IntoResponseParts, ResponseParts};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lambda_http::http::{HeaderValue, header};
use serde::Deserialize;
use utoipa::ToSchema;

use super::INVALID_PARAMETER;
use crate::Result;
use crate::problem::Problem;
use crate::table::Item;

/// The maximum number of entries of a page if the request sets none.
const DEFAULT_LIMIT: i32 = 20;
/// The highest limit that a request may set.
pub const MAX_LIMIT: i32 = 100;

/// How many items the next query evaluates when a filter has left out some.
const FILTERED_AT_ONCE: i32 = 1_000;

/// The query parameters that select a page.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The maximum number of entries.
    #[schema(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i32>,
    /// The `next_cursor` of the previous page. Absent for the first page.
    #[schema(example = "MjA")]
    cursor: Option<String>,
}

impl Page {
    /// The maximum number of entries: 1 to [`MAX_LIMIT`].
    ///
    /// # Errors
    /// 400 when it is out of this range.
    pub fn limit(&self) -> Result<i32, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if (1..=MAX_LIMIT).contains(&limit) {
            return Ok(limit);
        }
        Err(invalid("limit", format!("from 1 to {MAX_LIMIT}")))
    }

    /// The link to the next page, of the same size, if this page has a `next_cursor`. It is relative to the
    /// URL of this page.
    #[must_use]
    pub fn next(&self, next_cursor: Option<&String>) -> Next {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        let link =
            next_cursor.map(|cursor| format!("<?limit={limit}&cursor={cursor}>; rel=\"next\""));
        Next(link.and_then(|link| HeaderValue::try_from(link).ok()))
    }

    /// The entry after which the page starts; `None` for the first page.
    ///
    /// # Errors
    /// 400 when the cursor is invalid.
    pub fn after<T: FromStr>(&self) -> Result<Option<T>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let after = text.and_then(|text| text.parse().ok());
        after
            .map(Some)
            .ok_or_else(|| invalid("cursor", "use the next_cursor of the previous page".into()))
    }
}

/// The cursor of the page after the entry `last`. It needs no signature: it is only a position in a list
/// that the caller may read.
pub fn cursor(last: impl Display) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(last.to_string())
}

/// Reads a page: up to `limit` items of a query, in its order, and whether there are more. If the query's
/// filter leaves items out, it reads on until the page is full. It reads one item more than `limit`,
/// because a full page may be the last.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn read(query: QueryFluentBuilder, limit: i32) -> Result<(Vec<Item>, bool)> {
    let wanted = usize::try_from(limit)?;
    let (mut items, mut query) = (Vec::new(), query.limit(limit.saturating_add(1)));
    loop {
        let answer = query.clone().send().await?;
        items.extend(answer.items.unwrap_or_default());
        let next = answer.last_evaluated_key;
        if items.len() > wanted || next.is_none() {
            break;
        }
        query = query.set_exclusive_start_key(next).limit(FILTERED_AT_ONCE);
    }
    let has_more = items.len() > wanted;
    items.truncate(wanted);
    Ok((items, has_more))
}

/// The header `Link` of a page that is not the last ([RFC 8288](https://www.rfc-editor.org/rfc/rfc8288)).
#[derive(Clone, Debug)]
pub struct Next(Option<HeaderValue>);

impl IntoResponseParts for Next {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.headers_mut().extend(self.0.map(|link| (header::LINK, link)));
        Ok(parts)
    }
}

fn invalid(field: &str, detail: String) -> Problem {
    Problem::of(INVALID_PARAMETER).field(field, detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Clock;
    use crate::id::{Ids, UserId};

    fn after(cursor: String) -> Result<Option<UserId>, Problem> {
        Page { limit: None, cursor: Some(cursor) }.after()
    }

    #[test]
    fn a_cursor_parses_to_its_entry() {
        let id: UserId = Ids::random(Clock::System).next();
        assert_eq!(after(cursor(id)).unwrap(), Some(id));
    }

    #[test]
    fn a_page_has_1_to_100_entries() {
        for (limit, taken) in [
            (None, Some(20)),
            (Some(1), Some(1)),
            (Some(100), Some(100)),
            (Some(0), None),
            (Some(101), None),
            (Some(-1), None),
        ] {
            assert_eq!(Page { limit, cursor: None }.limit().ok(), taken);
        }
    }

    proptest! {
        #[test]
        fn any_other_cursor_is_refused(text in ".*") {
            prop_assert!(after(text).is_err());
        }
    }
}
