//! Documents and the states that they go through.
//!
//! ```text
//! awaiting_upload ──▶ uploaded ──▶ processing ──▶ ready
//!        │                ▲  │          │   │
//!        ▼                └──┼──────────┘   └────▶ failed
//!     expired           an error of ours             ▲
//!                            └───────────────────────┘
//!                               after four attempts
//! ```
//!
//! A crash leaves `processing` behind; the next attempt takes over when the lease is over. A document
//! that failed because we gave it up goes back to `processing` when an operator redrives its job.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{Id, Kind, TenantId, UserId};

use crate::pdf::{Contents, Refusal};

/// How long an upload form can be used.
pub const UPLOAD_WINDOW: Duration = Duration::from_mins(15);

/// How long the record of an upload that never came is kept after its form has expired.
pub const ABANDONED_KEPT: Duration = Duration::from_hours(24);

/// A document's kind of id.
#[derive(Debug)]
pub enum DocumentKind {}
impl Kind for DocumentKind {
    const PREFIX: &'static str = "doc";
}
/// A document's id.
pub type DocumentId = Id<DocumentKind>;

/// One attempt at processing a document.
#[derive(Debug)]
pub enum AttemptKind {}
impl Kind for AttemptKind {
    const PREFIX: &'static str = "att";
}
/// An attempt's id.
pub type AttemptId = Id<AttemptKind>;

/// A document, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The document's id.
    pub id: DocumentId,
    /// The user whose document it is.
    pub owner: UserId,
    /// The tenant that the user acted for.
    pub tenant: TenantId,
    /// The file's name, as the user gave it. It is shown, and never part of a key.
    pub name: DocumentName,
    /// The file's size in bytes, as the user announced it; S3 takes no other.
    pub size: u64,
    /// Where the document stands.
    pub status: Status,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the upload form expires.
    pub upload_expires_at: Timestamp,
    /// When S3 told of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded_at: Option<Timestamp>,
    /// The version of the file that everything after is about, whatever is uploaded later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_version: Option<String>,
    /// How often processing has been started.
    #[serde(default)]
    pub attempts: u32,
    /// The last attempt, which may finish the document; no other may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// When the last attempt was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Until when the last attempt may still be at work. Kept as a number of milliseconds, which a
    /// condition can compare; RFC 3339 leaves out a zero fraction, and so does not sort.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::millisecond::optional"
    )]
    pub lease_until: Option<Timestamp>,
    /// When it was ready, or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// What is in it, once it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contents: Option<Contents>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Where a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The file has not arrived.
    AwaitingUpload,
    /// The file did not arrive while the form was good. Never stored: it is what a record in
    /// `awaiting_upload` means once the form has expired.
    Expired,
    /// The file is there, and the work is queued.
    Uploaded,
    /// An attempt is under way.
    Processing,
    /// Its contents are known.
    Ready,
    /// It will not be ready; `failure` says why.
    Failed,
}

/// Why a document failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The file is no PDF.
    NotAPdf,
    /// It starts like a PDF, but is damaged or cut off.
    Damaged,
    /// It can be opened with a password only.
    PasswordProtected,
    /// Reading it took more time, memory or text than a document is given.
    TooComplex,
    /// The file was deleted before it was read.
    FileGone,
    /// Every attempt ended in an error of ours. The job is kept for an operator, who can have it
    /// tried again.
    GaveUp,
}

impl Failure {
    /// What the user is told.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        match self {
            Self::NotAPdf => "The file is not a PDF.",
            Self::Damaged => "The file is damaged or incomplete. Export it again and upload that.",
            Self::PasswordProtected => "The file needs a password. Upload it without one.",
            Self::TooComplex => "The file takes too much time or memory to read.",
            Self::FileGone => "The file was deleted before it was read. Upload it again.",
            Self::GaveUp => "We could not process the file. The operators have been told.",
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotAPdf => Self::NotAPdf,
            Refusal::Damaged => Self::Damaged,
            Refusal::PasswordProtected => Self::PasswordProtected,
            Refusal::TooComplex => Self::TooComplex,
        }
    }
}

impl Document {
    /// A document whose file is yet to come.
    #[must_use]
    pub fn announce(
        id: DocumentId,
        (owner, tenant): (UserId, TenantId),
        name: DocumentName,
        size: u64,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            owner,
            tenant,
            name,
            size,
            status: Status::AwaitingUpload,
            created_at: now,
            upload_expires_at: now + UPLOAD_WINDOW,
            uploaded_at: None,
            object_version: None,
            attempts: 0,
            attempt: None,
            started_at: None,
            lease_until: None,
            finished_at: None,
            contents: None,
            failure: None,
        }
    }

    /// Where the document stands at `now`.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> Status {
        match self.status {
            Status::AwaitingUpload if now >= self.upload_expires_at => Status::Expired,
            status => status,
        }
    }
}

/// A file's name: 1 to 255 characters, none of them control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct DocumentName(String);

/// Why a text is not taken as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 255 characters, and no control characters")]
pub struct InvalidName;

impl TryFrom<String> for DocumentName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let name = text.trim();
        let is_valid =
            (1..=255).contains(&name.chars().count()) && !name.contains(char::is_control);
        if is_valid { Ok(Self(name.to_owned())) } else { Err(InvalidName) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_printable() {
        for (text, valid) in [
            ("invoice.pdf", true),
            ("Rechnung Nr. 7 – März.pdf", true),
            ("..", true),
            ("", false),
            ("  ", false),
            ("a\u{0}b", false),
            ("a\nb", false),
        ] {
            assert_eq!(DocumentName::try_from(text.to_owned()).is_ok(), valid, "{text:?}");
        }
        assert!(DocumentName::try_from("é".repeat(255)).is_ok());
        assert!(DocumentName::try_from("é".repeat(256)).is_err());
    }
}
