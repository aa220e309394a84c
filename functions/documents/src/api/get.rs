//! `GET /v1/documents/{document_id}`

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use serde_json::Value;
use shared::Result;
use shared::clock::Clock;
use shared::http::{Json, Path, SignedIn};
use shared::problem::Problem;
use tokio::time::Instant;

use super::view::View;
use super::{READ, has_clock};
use crate::document::{Document, DocumentId, Status};
use crate::objects::Objects;
use crate::stage::Text;
use crate::stages::structure::MAX_DATA_BYTES;
use crate::store::{Documents, Key};

/// The longest that a request waits; API Gateway gives up after 30 s.
pub const MAX_WAIT: Duration = Duration::from_secs(20);
/// How often the record is looked at meanwhile, at first and at last.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// What the endpoint needs.
#[derive(Clone, Debug)]
pub struct Get {
    /// The documents' table.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// The time.
    pub clock: Clock,
}
has_clock!(Get);

/// The endpoint's router.
pub fn router(state: Get) -> Router {
    Router::new().route("/v1/documents/{document_id}", get(handle)).with_state(state)
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    document: View,
    /// Where the file can be downloaded, once it was found to be clean; for five minutes, as all links.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_url: Option<String>,
    /// Where the text can be downloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    text_url: Option<String>,
    /// Where the lines with their positions can be downloaded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pages: Vec<Pages>,
    /// What was extracted.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

/// Some pages in a row: a page a line, as JSON.
#[derive(Serialize)]
struct Pages {
    from: usize,
    to: usize,
    url: String,
}

/// Somebody else's document is answered as one that does not exist. With `Prefer: wait=<seconds>`
/// (RFC 7240) the answer waits until the document has come to its end, or until the time is over.
async fn handle(
    State(state): State<Get>,
    user: SignedIn,
    Path(id): Path<DocumentId>,
    headers: HeaderMap,
) -> Result<Response> {
    user.require(READ)?;
    let wait = preferred_wait(&headers);
    let document = state.at_its_end((user.user, id), wait.unwrap_or_default()).await?;
    let mut answer = Json(state.answer(document).await?).into_response();
    if wait.is_some() {
        const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
        answer.headers_mut().insert(APPLIED, HeaderValue::from_static("wait"));
    }
    Ok(answer)
}

/// How long the caller would wait, if it says so.
fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
    let mut preferences = values.flat_map(|value| value.split([',', ';']));
    let seconds = preferences.find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').parse())
    });
    Some(Duration::from_secs(seconds?.ok()?).min(MAX_WAIT))
}

impl Get {
    async fn at_its_end(&self, key: Key, wait: Duration) -> Result<Document> {
        let (until, mut pause) = (Instant::now() + wait, LOOK_EVERY.0);
        loop {
            let found = self.documents.get(key).await?;
            let found = found.filter(|found| found.status != Status::Deleting);
            let document = found.ok_or_else(|| Problem::not_found("document"))?;
            let is_over = document.status_at(self.clock.now()).is_final();
            if is_over || Instant::now() + pause > until {
                return Ok(document);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LOOK_EVERY.1);
        }
    }

    async fn answer(&self, document: Document) -> Result<Answer> {
        let (mut file_url, mut text_url, mut pages, mut data) = (None, None, Vec::new(), None);
        if !matches!(document.status, Status::Cancelled | Status::Deleting) {
            file_url = self.objects.file_link(&document).await?;
            let text = document.stages.text.as_ref().and_then(|done| done.result.as_ref());
            if let Some(text) = text {
                text_url = Some(self.objects.result_link(&text.text_key).await?);
                pages = self.pages(text).await?;
            }
            let structure = document.stages.structure.as_ref();
            if let Some(found) = structure.and_then(|done| done.result.as_ref())
                && let Some(key) = &found.key
                && let Ok(bytes) = self.objects.fetch(key, MAX_DATA_BYTES).await?
            {
                data = Some(serde_json::from_slice(&bytes)?);
            }
        }
        let document = View::of(document, self.clock.now());
        Ok(Answer { document, file_url, text_url, pages, data })
    }

    async fn pages(&self, text: &Text) -> Result<Vec<Pages>> {
        let mut pages = Vec::with_capacity(text.runs.len());
        for run in &text.runs {
            let url = self.objects.result_link(&run.key).await?;
            pages.push(Pages { from: run.from, to: run.to, url });
        }
        Ok(pages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_asked_for_as_rfc_7240_has_it() {
        for (header, seconds) in [
            ("wait=5", Some(5)),
            ("respond-async, wait=10", Some(10)),
            ("respond-async; wait = \"7\"", Some(7)),
            ("Wait=3600", Some(20)),
            ("wait=0", Some(0)),
            ("wait", None),
            ("wait=-1", None),
            ("wait=soon", None),
            ("return=minimal", None),
        ] {
            let headers = HeaderMap::from_iter([(
                HeaderName::from_static("prefer"),
                HeaderValue::from_static(header),
            )]);
            assert_eq!(preferred_wait(&headers), seconds.map(Duration::from_secs), "{header}");
        }
    }
}
