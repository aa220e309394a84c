use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::document::{Announced, Document, DocumentId, Entry, Sha256, Status};
use crate::stage::{Failure, Rejection, Stage, Stages, Waiting};

/// A document as its owner sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Document)]
pub struct View {
    id: DocumentId,
    #[serde(flatten)]
    announced: Announced,
    status: Status,
    /// When the document was announced.
    created_at: Timestamp,
    /// When the upload form or the multipart upload expires.
    upload_expires_at: Timestamp,
    /// When the upload was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    uploaded_at: Option<Timestamp>,
    /// The current stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<Wait>,
    /// The number of pages read so far, during the stage `text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pages_read: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_sha256: Option<Sha256>,
    /// When the document became ready, rejected, failed or cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<Explained<Rejection>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Explained<FailureReason>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stages: Option<Stages>,
    /// The document's events, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<Entry>,
}

/// What the document waits for.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Wait {
    r#for: Waiting,
    /// When this wait began.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
}

/// Why the document has not become ready.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Explained<T> {
    #[serde(flatten)]
    reason: T,
    /// The reason, for people.
    explanation: &'static str,
}

/// Why the document failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct FailureReason {
    reason: Failure,
}

impl View {
    /// The view of a document at `now`.
    #[must_use]
    pub fn of(document: Document, now: Timestamp) -> Self {
        let status = document.status_at(now);
        let waiting =
            document.waiting.map(|waiting| Wait { r#for: waiting, since: document.waiting_since });
        let failure = document.failure.map(|reason| Explained {
            explanation: explain_failure(reason),
            reason: FailureReason { reason },
        });
        let rejection = document
            .rejection
            .map(|reason| Explained { explanation: explain_rejection(&reason), reason });
        Self {
            status,
            id: document.id,
            announced: document.announced,
            created_at: document.created_at,
            upload_expires_at: document.upload_expires_at,
            uploaded_at: document.uploaded_at,
            stage: (document.status == Status::Processing).then_some(document.stage),
            waiting,
            pages_read: document.progress.map(|progress| progress.pages),
            content_sha256: document.content_sha256,
            finished_at: document.finished_at,
            rejection,
            failure,
            stages: Some(without_keys(document.stages)),
            history: document.history,
        }
    }

    /// The view for a list: without history and stages.
    #[must_use]
    pub(super) fn brief(mut self) -> Self {
        self.history.clear();
        self.stages = None;
        self
    }
}

/// Removes the keys of objects: the bucket's layout is internal.
fn without_keys(mut stages: Stages) -> Stages {
    if let Some(text) = stages.text.as_mut().and_then(|done| done.result.as_mut()) {
        text.text_key.clear();
        text.runs.clear();
    }
    if let Some(found) = stages.structure.as_mut().and_then(|done| done.result.as_mut()) {
        found.key = None;
    }
    stages
}

fn explain_failure(failure: Failure) -> &'static str {
    match failure {
        Failure::FileGone => "The file was deleted before it was read. Upload it again.",
        Failure::GaveUp => "We could not process the file. The operators are informed.",
    }
}

fn explain_rejection(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::Invalid { .. } => {
            "The file cannot be read, or it contains something that your policy refuses."
        }
        Rejection::ChecksumMismatch => {
            "The file's SHA-256 is not the announced one. Upload the file again."
        }
        Rejection::ParserLimits { .. } => "The file takes too much time or memory to read.",
        Rejection::Infected { .. } => "There is malware in the file. It is kept from everybody.",
        Rejection::Unscannable { .. } => "The file could not be scanned for malware.",
        Rejection::NotPdfa { .. } => {
            "Your policy requires PDF/A. The file does not conform to it, or claims a part of it that \
             we cannot check."
        }
        Rejection::TooMuchText => "The file has more than 16 MiB of text.",
    }
}
