//! Documents and the states that they go through.
//!
//! ```text
//! awaiting_upload ──▶ processing ──▶ ready | rejected | failed
//!        │                │
//!     expired         cancelled          deleting: from anywhere
//! ```
//!
//! While it is `processing`, a document is in one [`Stage`] after the other. A crash leaves a lease
//! behind; the next attempt takes over when that is over. A document that failed because we gave it up
//! goes back to `processing` when an operator redrives its job.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{Id, Kind, TenantId, UserId};
use shared::lease::{self, AttemptId};

use crate::schema::SchemaRef;
use crate::stage::{Failure, Progress, Rejection, Stage, Stages, Waiting};

/// How long an upload form can be used.
pub const UPLOAD_WINDOW: Duration = Duration::from_mins(15);

/// How long a file can be uploaded in parts.
pub const MULTIPART_WINDOW: Duration = Duration::from_hours(24);

/// When it is first looked whether a file has come that nobody told of: after its form has expired.
pub const UPLOAD_GRACE: Duration = Duration::from_mins(10);

/// How long the record of an upload that never came is kept after its form has expired.
pub const ABANDONED_KEPT: Duration = Duration::from_hours(24);

/// How long nothing is heard of a document that is on its way before its job is queued again.
pub const OVERDUE_AFTER: Duration = Duration::from_hours(1);

/// How long it is remembered that a document was deleted, after its form has expired: longer than S3's
/// events are kept, which is 14 days in their queue and 14 days among the dead letters.
pub const GONE_KEPT: Duration = Duration::from_hours(31 * 24);

/// A document's kind of id.
#[derive(Debug)]
pub enum DocumentKind {}
impl Kind for DocumentKind {
    const PREFIX: &'static str = "doc";
}
/// A document's id.
pub type DocumentId = Id<DocumentKind>;

/// A document, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The document's id.
    pub id: DocumentId,
    /// The user whose document it is.
    pub owner: UserId,
    /// The tenant that the user acted for.
    pub tenant: TenantId,
    /// What the user announced.
    #[serde(flatten)]
    pub announced: Announced,
    /// Whether the tenant wants to be told of the end.
    #[serde(default)]
    pub webhook: bool,
    /// Where the document stands.
    pub status: Status,
    /// The stage that it is in, or ended in.
    pub stage: Stage,
    /// When the record was made.
    pub created_at: Timestamp,
    /// Until when the file can be uploaded.
    pub upload_expires_at: Timestamp,
    /// S3's id of an upload in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multipart: Option<String>,
    /// When S3 told of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded_at: Option<Timestamp>,
    /// The version of the upload that everything after is about, whatever is uploaded later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_version: Option<String>,
    /// The version of the copy that was found to be clean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean_version: Option<String>,
    /// The SHA-256 of the file as it was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<Sha256>,
    /// How often the stage has been started.
    #[serde(default)]
    pub attempts: u32,
    /// How many attempts in a row have failed. Each claim adds 1. It is 0 again when the document waits, when
    /// an attempt stops with its progress saved, and when the next stage begins.
    #[serde(default)]
    pub failed_attempts: u32,
    /// How often the file has ended the process that reads it, in this stage.
    #[serde(default)]
    pub deaths: u32,
    /// The last attempt, which may end the stage; no other may.
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
    /// What it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Since when it has waited for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// How far a stage has come that goes on in another invocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What the stages have found.
    #[serde(default)]
    pub stages: Stages,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What has happened to it, oldest first.
    #[serde(default)]
    pub history: Vec<Entry>,
}

/// What a user says of a file before it comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// The file's name. It is shown, and never part of a key.
    pub name: DocumentName,
    /// The file's size in bytes; S3 takes no other.
    pub size: u64,
    /// Its SHA-256; a file with another is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// The schema that its data is wanted in; none is extracted without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaRef>,
}

/// A thing that happened to a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What: `announced`, `uploaded`, `passed`, `waiting`, `rejected`, `ready` and so on.
    pub event: String,
    /// The stage that it happened in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
}

/// Where a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The file has not arrived.
    AwaitingUpload,
    /// The file did not arrive in time. Never stored: it is what a record in `awaiting_upload` means
    /// once the form has expired.
    Expired,
    /// It is on its way through the stages.
    Processing,
    /// The scanner is down. Never stored: it is what `processing` means while it is.
    ScanPending,
    /// The language model is down. Never stored either.
    ModelPending,
    /// The tenant's budget of the model's tokens is used up until the next day. Never stored either.
    BudgetPending,
    /// Everything is known.
    Ready,
    /// It is not taken; `rejection` says why.
    Rejected,
    /// It will not be ready; `failure` says why.
    Failed,
    /// Its owner has cancelled it. The file and all results are being deleted, or are.
    Cancelled,
    /// It is being deleted, and is nobody's to see.
    Deleting,
}

impl Status {
    /// Whether nothing more will come.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Expired | Self::Ready | Self::Rejected | Self::Failed | Self::Cancelled
        )
    }
}

impl Document {
    /// A document whose file is yet to come.
    #[must_use]
    pub fn announce(
        id: DocumentId,
        (owner, tenant): (UserId, TenantId),
        announced: Announced,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            owner,
            tenant,
            announced,
            webhook: false,
            status: Status::AwaitingUpload,
            stage: Stage::Validate,
            created_at: now,
            upload_expires_at: now + UPLOAD_WINDOW,
            multipart: None,
            uploaded_at: None,
            object_version: None,
            clean_version: None,
            content_sha256: None,
            attempts: 0,
            failed_attempts: 0,
            deaths: 0,
            attempt: None,
            started_at: None,
            lease_until: None,
            waiting: None,
            waiting_since: None,
            progress: None,
            stages: Stages::default(),
            finished_at: None,
            rejection: None,
            failure: None,
            history: vec![Entry { at: now, event: "announced".into(), stage: None }],
        }
    }

    /// Where the document stands at `now`.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> Status {
        match (self.status, self.waiting) {
            (Status::AwaitingUpload, _) if now >= self.upload_expires_at => Status::Expired,
            (Status::Processing, Some(Waiting::Scanner)) => Status::ScanPending,
            (Status::Processing, Some(Waiting::Model)) => Status::ModelPending,
            (Status::Processing, Some(Waiting::Budget)) => Status::BudgetPending,
            (status, _) => status,
        }
    }

    /// How long an attempt may still be at work on it, from `now` on.
    #[must_use]
    pub fn lease_left(&self, now: Timestamp) -> Duration {
        lease::left(self.lease_until, now)
    }

    /// Since when it has waited for `what`, without having waited for anything else since.
    #[must_use]
    pub fn waiting_for(&self, what: Waiting) -> Option<Timestamp> {
        self.waiting_since.filter(|_| self.waiting == Some(what))
    }

    /// When something was last heard of it.
    #[must_use]
    pub fn last_heard_of(&self) -> Timestamp {
        let last = self.history.last().map(|entry| entry.at);
        [self.uploaded_at, self.started_at, last]
            .into_iter()
            .flatten()
            .fold(self.created_at, Ord::max)
    }

    /// The document's key.
    #[must_use]
    pub fn key(&self) -> (UserId, DocumentId) {
        (self.owner, self.id)
    }
}

/// A SHA-256, as 64 hexadecimal digits in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Sha256(String);

/// Why a text is not taken as a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is written as 64 hexadecimal digits")]
pub struct InvalidSha256;

impl Sha256 {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sha256 {
    type Error = InvalidSha256;

    fn try_from(text: String) -> Result<Self, InvalidSha256> {
        let is_valid = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_valid { Ok(Self(text.to_ascii_lowercase())) } else { Err(InvalidSha256) }
    }
}

impl From<[u8; 32]> for Sha256 {
    fn from(digest: [u8; 32]) -> Self {
        let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        Self(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
    }
}

/// A file's name, as it was announced: see [`DocumentName::try_from`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocumentName(String);

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// It is empty, or too long.
    #[error("a name has 1 to 255 characters")]
    Length,
    /// It has a path in it.
    #[error("a name is that of a file, without a path: it has no / and no \\, and is not . or ..")]
    Path,
    /// It has a character that is not shown, or that changes how others are shown.
    #[error("a name has no control characters, line breaks or marks of text direction")]
    Control,
}

/// Whether a character is not shown itself, and can make a name look like another: controls, line
/// and paragraph separators, and the directional formatting characters of the Unicode bidirectional
/// algorithm (UAX #9, 2).
fn is_deceptive(character: char) -> bool {
    let directional = matches!(character,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    directional || character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

impl DocumentName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DocumentName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let name = text.trim();
        if !(1..=255).contains(&name.chars().count()) {
            return Err(InvalidName::Length);
        }
        if name.contains(['/', '\\']) || matches!(name, "." | "..") {
            return Err(InvalidName::Path);
        }
        if name.contains(is_deceptive) {
            return Err(InvalidName::Control);
        }
        Ok(Self(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_printable() {
        use InvalidName::{Control, Length, Path};
        for text in ["invoice.pdf", "Rechnung Nr. 7 – März.pdf", "..pdf", "חשבונית.pdf", "a b"]
        {
            assert!(DocumentName::try_from(text.to_owned()).is_ok(), "{text:?}");
        }
        for (text, error) in [
            ("", Length),
            ("  ", Length),
            (".", Path),
            ("..", Path),
            ("../../etc/passwd", Path),
            ("..\\invoice.pdf", Path),
            ("a\u{0}b", Control),
            ("a\nb", Control),
            ("a\u{2028}b", Control),
            ("invoice\u{202e}fdp.exe", Control),
            ("\u{2066}a\u{2069}", Control),
            ("a\u{200f}", Control),
        ] {
            assert_eq!(DocumentName::try_from(text.to_owned()), Err(error), "{text:?}");
        }
        assert!(DocumentName::try_from("é".repeat(255)).is_ok());
        assert!(DocumentName::try_from("é".repeat(256)).is_err());
    }
}
