use jiff::Timestamp;
use serde::Serialize;

use crate::document::{Document, DocumentId, DocumentName, Failure, Status};
use crate::pdf::Contents;

/// A document as its owner sees it.
#[derive(Serialize)]
pub(super) struct View {
    id: DocumentId,
    name: DocumentName,
    size: u64,
    status: Status,
    created_at: Timestamp,
    upload_expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    uploaded_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Timestamp>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Why>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contents: Option<Contents>,
}

#[derive(Serialize)]
struct Why {
    reason: Failure,
    detail: &'static str,
}

impl View {
    pub(super) fn of(document: Document, now: Timestamp) -> Self {
        Self {
            status: document.status_at(now),
            id: document.id,
            name: document.name,
            size: document.size,
            created_at: document.created_at,
            upload_expires_at: document.upload_expires_at,
            uploaded_at: document.uploaded_at,
            started_at: document.started_at,
            finished_at: document.finished_at,
            attempts: document.attempts,
            failure: document.failure.map(|reason| Why { reason, detail: reason.explanation() }),
            contents: document.contents,
        }
    }
}
