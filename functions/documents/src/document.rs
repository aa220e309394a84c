//! Documents and their states.
//!
//! ```text
//! awaiting_upload ──▶ processing ──▶ ready | rejected | failed
//!        │                │
//!     expired         cancelled          deleting: from any state
//! ```
//!
//! While a document is `processing`, it passes through the [`Stage`]s in order. An attempt that crashes
//! leaves a lease; when the lease ends, the next attempt takes over. A document that failed with
//! [`Failure::GaveUp`] goes back to `processing` when an operator redrives its job.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{Id, Kind, TenantId, UserId};
use shared::lease::{self, AttemptId};
use shared::policy::Owned;
use utoipa::ToSchema;

use crate::schema::SchemaRef;
use crate::stage::{Failure, Progress, Rejection, Stage, Stages, Waiting};

/// How long an upload form is valid.
pub const UPLOAD_WINDOW: Duration = Duration::from_mins(15);

/// How long a multipart upload is open.
pub const MULTIPART_WINDOW: Duration = Duration::from_hours(24);

/// How long after the form's expiry the sweep first checks for a file whose event was lost.
pub const UPLOAD_GRACE: Duration = Duration::from_mins(10);

/// How long the record of an abandoned upload is kept after its form has expired.
pub const ABANDONED_RETENTION: Duration = Duration::from_hours(24);

/// How long a document may be without activity before its job is queued again.
pub const OVERDUE_AFTER: Duration = Duration::from_hours(1);

/// How long the tombstone of a deleted document is kept after its form has expired. This is longer than an
/// event of S3 is kept: 14 days in its queue and 14 days in the dead-letter queue.
pub const TOMBSTONE_RETENTION: Duration = Duration::from_hours(31 * 24);

/// The kind of a document's id.
#[derive(Debug)]
pub enum DocumentKind {}
impl Kind for DocumentKind {
    const PREFIX: &'static str = "doc";
}
/// A document's id.
pub type DocumentId = Id<DocumentKind>;

/// A document, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The document's id.
    pub id: DocumentId,
    /// The user who owns the document.
    pub owner: UserId,
    /// The tenant that the user acted for.
    pub tenant: TenantId,
    /// What the user announced.
    #[serde(flatten)]
    pub announced: Announced,
    /// Whether the tenant's webhook is called when the document is ready, rejected or failed.
    #[serde(default)]
    pub webhook: bool,
    /// The stored status; [`Document::status_at`] gives the current one.
    pub status: Status,
    /// The current stage, or the last one.
    pub stage: Stage,
    /// When the record was created.
    pub created_at: Timestamp,
    /// When the upload form or the multipart upload expires.
    pub upload_expires_at: Timestamp,
    /// S3's id of the multipart upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multipart: Option<String>,
    /// When the upload was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded_at: Option<Timestamp>,
    /// The version of the upload that all stages use. Later uploads do not change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_version: Option<String>,
    /// The version of the clean copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean_version: Option<String>,
    /// The SHA-256 of the file, computed during the scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<Sha256>,
    /// The number of attempts at the current stage, without those that ended in waiting.
    #[serde(default)]
    pub attempts: u32,
    /// The number of consecutive failed attempts. Each claim adds 1. It is reset to 0 when the document
    /// waits, when an attempt stops with its progress saved, and when the next stage begins.
    #[serde(default)]
    pub failed_attempts: u32,
    /// How many times the file has terminated its reader process in this stage.
    #[serde(default)]
    pub deaths: u32,
    /// The last attempt. Only this attempt may end the stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    /// When the last attempt was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When the last attempt's lease ends. Stored as a number of milliseconds, which a condition can
    /// compare. RFC 3339 text does not sort, because it omits a zero fraction.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::millisecond::optional"
    )]
    pub lease_until: Option<Timestamp>,
    /// What the document waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// When this wait began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// The saved progress of a stage that continues in another invocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The results of the stages.
    #[serde(default)]
    pub stages: Stages,
    /// When the document became ready, rejected, failed or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Why the document was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
    /// Why the document failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The document's events, oldest first.
    #[serde(default)]
    pub history: Vec<Entry>,
}

/// What a user announces about a file before the upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Announced {
    /// The file's name. It is for display, and never part of a key.
    pub name: DocumentName,
    /// The file's size in bytes. S3 refuses any other size.
    pub size: u64,
    /// The file's SHA-256. A file with another hash is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// The schema of the data to extract. Without one, no data is extracted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaRef>,
}

/// An event in a document's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DocumentEvent)]
pub struct Entry {
    /// The event's time.
    pub at: Timestamp,
    /// The event's name: `announced`, `uploaded`, `passed`, `waiting`, `rejected`, `ready` and so on.
    pub event: String,
    /// The event's stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
}

/// A document's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DocumentStatus)]
pub enum Status {
    /// The file has not arrived.
    AwaitingUpload,
    /// The file did not arrive in time. Never stored: it means `awaiting_upload` after the form's expiry.
    Expired,
    /// The document is in one of the stages.
    Processing,
    /// The scanner is unavailable. Never stored: it means `processing` while waiting for the scanner.
    ScanPending,
    /// The language model is unavailable. Never stored.
    ModelPending,
    /// The tenant's daily budget of model tokens is used up. Never stored.
    BudgetPending,
    /// All stages are done.
    Ready,
    /// The document is refused; `rejection` gives the reason.
    Rejected,
    /// Processing failed on our side; `failure` gives the reason.
    Failed,
    /// The owner cancelled it. The file and all results are deleted, or will be soon.
    Cancelled,
    /// The document is being deleted. Nobody can see it.
    Deleting,
}

impl Status {
    /// Whether the document is finished.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Expired | Self::Ready | Self::Rejected | Self::Failed | Self::Cancelled
        )
    }
}

impl Owned for Document {
    fn owner(&self) -> UserId {
        self.owner
    }

    fn tenant(&self) -> TenantId {
        self.tenant
    }
}

impl Document {
    /// Creates a document in `awaiting_upload`.
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

    /// The status at `now`, including those that are never stored.
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

    /// How long the last attempt's lease still lasts at `now`; zero if it has ended.
    #[must_use]
    pub fn lease_left(&self, now: Timestamp) -> Duration {
        lease::left(self.lease_until, now)
    }

    /// When the current wait began, if it is for `what`.
    #[must_use]
    pub fn waiting_for(&self, what: Waiting) -> Option<Timestamp> {
        self.waiting_since.filter(|_| self.waiting == Some(what))
    }

    /// The time of the last activity.
    #[must_use]
    pub fn last_activity(&self) -> Timestamp {
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(pattern = "^[0-9a-f]{64}$")]
pub struct Sha256(String);

/// The text is not a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 has 64 hexadecimal digits")]
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

/// The announced file name, for display.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(max_length = 255, example = "statement.pdf")]
pub struct DocumentName(String);

/// Why a text is not a valid file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// It is empty or too long.
    #[error("a name has 1 to 255 characters")]
    Length,
    /// It contains a path.
    #[error("a name must not contain a path: no / and no \\, and not . or ..")]
    Path,
    /// It contains an invisible character that can change how the name is displayed.
    #[error("a name must not contain control characters, line breaks or text direction marks")]
    Control,
}

/// Whether a character is invisible and can make a name look like another: control characters, line
/// and paragraph separators, and the directional formatting characters of the Unicode bidirectional
/// algorithm (UAX #9, section 2).
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
