//! `GET /v1/documents`

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::clock::Clock;
use shared::http::{Json, Query, SignedIn, StatusCode};
use shared::problem::Problem;

use super::view::View;
use super::{READ, has_clock};
use crate::document::DocumentId;
use crate::store::Documents;

/// How many documents a page has unless the request says otherwise.
const DEFAULT_LIMIT: i32 = 20;
/// The most that a page has.
const MAX_LIMIT: i32 = 100;

/// What the endpoint needs.
#[derive(Clone)]
pub struct List {
    /// The documents' table.
    pub documents: Documents,
    /// The time.
    pub clock: Clock,
}
has_clock!(List);

/// The endpoint's router.
pub fn router(state: List) -> Router {
    Router::new().route("/v1/documents", get(handle)).with_state(state)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    limit: Option<i32>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct Page {
    documents: Vec<View>,
    /// To be given as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The user's own documents, newest first.
async fn handle(
    State(state): State<List>,
    user: SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page>> {
    user.require(READ)?;
    let limit = wanted.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(invalid("limit", format!("from 1 to {MAX_LIMIT}")).into());
    }
    let after = wanted.cursor.as_deref().map(decode).transpose()?;

    let (documents, last) = state.documents.list(user.user, after, limit).await?;
    let next_cursor = last.map(encode);
    let now = state.clock.now();
    let documents = documents.into_iter().map(|found| View::of(found, now).brief()).collect();
    Ok(Json(Page { documents, next_cursor }))
}

fn encode(id: DocumentId) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id.to_string())
}

/// A cursor only ever points into the caller's own documents, so it needs no signature.
fn decode(cursor: &str) -> Result<DocumentId, Problem> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| invalid("cursor", "take it from next_cursor of the page before"))
}

fn invalid(field: &str, detail: impl Into<String>) -> Problem {
    let title = "The query is not valid";
    Problem::new(StatusCode::BAD_REQUEST, "invalid-parameter", title).field(field, detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::id::Ids;

    use super::*;

    #[test]
    fn a_cursor_comes_back_as_itself() {
        let id = Ids::random(Clock::System).next();
        assert_eq!(decode(&encode(id)).unwrap(), id);
    }

    proptest! {
        #[test]
        fn any_other_cursor_is_refused(text in ".*") {
            prop_assert!(decode(&text).is_err());
        }
    }
}
