//! Malware scanners.

mod clamd;

use std::time::Duration;

use sha2::{Digest, Sha256 as Hasher};
use shared::config::var;
use shared::{Error, Result};

pub use clamd::Clamd;

use crate::document::{Document, Sha256};
use crate::objects::{Gone, Objects};

/// The tag that GuardDuty adds to an object after a scan:
/// <https://docs.aws.amazon.com/guardduty/latest/ug/how-malware-protection-for-s3-gdu-works.html>
const GUARDDUTY_TAG: &str = "GuardDutyMalwareScanStatus";
/// The maximum time until S3 sends the next piece of a file. The SDK ends a stalled answer sooner; this limit
/// holds for any configuration of the SDK.
const MAX_PIECE_TIME: Duration = Duration::from_secs(10);

/// A scanner.
#[derive(Clone, Debug)]
pub enum Scanner {
    /// A clamd server. The file is streamed to it.
    Clamd(Clamd),
    /// GuardDuty Malware Protection for S3. It scans new objects by itself and tags them.
    GuardDuty,
}

/// A scanner's result. Only [`Scanned::Clean`] lets a file pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// The scanner found no malware.
    Clean,
    /// The scanner found this malware.
    Infected(String),
    /// The scanner cannot scan this file, for this reason. A retry does not help.
    Unscannable(String),
    /// The scanner cannot be reached, does not answer, or has not scanned the file yet. Retry later.
    Unavailable,
}

impl Scanner {
    /// The scanner that the environment configures: `SCANNER` is `guardduty`, or `clamd` with its host and
    /// port in `CLAMD_ADDRESS`.
    pub fn from_environment() -> Result<Self> {
        match var::<String>("SCANNER")?.as_str() {
            "clamd" => Ok(Self::Clamd(Clamd::new(var("CLAMD_ADDRESS")?))),
            "guardduty" => Ok(Self::GuardDuty),
            _ => Err(Error::internal("SCANNER is not one of clamd, guardduty")),
        }
    }

    /// The scanner's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Clamd(_) => "clamd",
            Self::GuardDuty => "guardduty",
        }
    }

    /// Scans a document's upload. If the file is clean, the SHA-256 of its bytes is given too.
    pub async fn scan(
        &self,
        objects: &Objects,
        document: &Document,
    ) -> Result<Result<(Scanned, Option<Sha256>), Gone>> {
        match self {
            Self::Clamd(clamd) => clamd.scan(objects, document).await,
            Self::GuardDuty => {
                let tag = match objects.upload_tag(document, GUARDDUTY_TAG).await? {
                    Ok(tag) => tag,
                    Err(gone) => return Ok(Err(gone)),
                };
                let scanned = verdict_of_tag(tag.as_deref());
                if scanned != Scanned::Clean {
                    return Ok(Ok((scanned, None)));
                }
                let hashed = hash(objects, document).await?;
                Ok(hashed.map(|sha256| (scanned, Some(sha256))))
            }
        }
    }
}

fn verdict_of_tag(tag: Option<&str>) -> Scanned {
    match tag {
        Some("NO_THREATS_FOUND") => Scanned::Clean,
        Some("THREATS_FOUND") => Scanned::Infected("GuardDuty.ThreatsFound".into()),
        Some("UNSUPPORTED") => Scanned::Unscannable("GuardDuty does not support the file".into()),
        // `FAILED` and `ACCESS_DENIED` are errors on our side. Without a tag, the scan is not finished.
        _ => Scanned::Unavailable,
    }
}

async fn hash(objects: &Objects, document: &Document) -> Result<Result<Sha256, Gone>> {
    let mut object = match objects.stream(document).await? {
        Ok(object) => object,
        Err(gone) => return Ok(Err(gone)),
    };
    let mut hasher = Hasher::new();
    while let Some(piece) = tokio::time::timeout(MAX_PIECE_TIME, object.body.try_next()).await?? {
        hasher.update(&piece);
    }
    Ok(Ok(Sha256::from(<[u8; 32]>::from(hasher.finalize()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_tag_value_means_clean() {
        assert_eq!(verdict_of_tag(Some("NO_THREATS_FOUND")), Scanned::Clean);
        for tag in [None, Some("FAILED"), Some("ACCESS_DENIED"), Some(""), Some("no_threats_found")]
        {
            assert_eq!(verdict_of_tag(tag), Scanned::Unavailable, "{tag:?}");
        }
        assert!(matches!(verdict_of_tag(Some("THREATS_FOUND")), Scanned::Infected(_)));
        assert!(matches!(verdict_of_tag(Some("UNSUPPORTED")), Scanned::Unscannable(_)));
    }
}
