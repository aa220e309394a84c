//! What looks for malware in files.

mod clamd;

use std::time::Duration;

use sha2::{Digest, Sha256 as Hasher};
use shared::config::var;
use shared::{Error, Result};

pub use clamd::Clamd;

use crate::document::{Document, Sha256};
use crate::objects::{Gone, Objects};

/// The tag that GuardDuty puts on an object when it has scanned it:
/// <https://docs.aws.amazon.com/guardduty/latest/ug/how-malware-protection-for-s3-gdu-works.html>
const GUARDDUTY_TAG: &str = "GuardDutyMalwareScanStatus";
/// The longest that S3 may take to give the next piece of a file. The SDK ends an answer that stands still
/// sooner; this holds whatever it is told.
const MAX_PIECE_TIME: Duration = Duration::from_secs(10);

/// A scanner.
#[derive(Clone, Debug)]
pub enum Scanner {
    /// A clamd, which the file is streamed to.
    Clamd(Clamd),
    /// GuardDuty Malware Protection for S3, which scans by itself and tags what it has scanned.
    GuardDuty,
}

/// What a scanner says of a file. Whatever is not [`Scanned::Clean`] does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// It found nothing.
    Clean,
    /// It found this.
    Infected(String),
    /// It will not look into this file, now or ever.
    Unscannable(String),
    /// It cannot be reached, does not answer, or has not scanned yet: ask again.
    Unavailable,
}

impl Scanner {
    /// The scanner that the environment names: `SCANNER` is `clamd`, at `CLAMD_ADDRESS`, or
    /// `guardduty`.
    pub fn of_environment() -> Result<Self> {
        match var::<String>("SCANNER")?.as_str() {
            "clamd" => Ok(Self::Clamd(Clamd::new(var("CLAMD_ADDRESS")?))),
            "guardduty" => Ok(Self::GuardDuty),
            _ => Err(Error::internal("SCANNER is neither clamd nor guardduty")),
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

    /// Scans a document's upload; gives the SHA-256 of its bytes too, unless it is not clean.
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
        Some("UNSUPPORTED") => Scanned::Unscannable("GuardDuty does not scan such files".into()),
        // `FAILED` and `ACCESS_DENIED` are ours to mend; no tag means that it is at it.
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
    fn only_one_tag_passes_a_file() {
        assert_eq!(verdict_of_tag(Some("NO_THREATS_FOUND")), Scanned::Clean);
        for tag in [None, Some("FAILED"), Some("ACCESS_DENIED"), Some(""), Some("no_threats_found")]
        {
            assert_eq!(verdict_of_tag(tag), Scanned::Unavailable, "{tag:?}");
        }
        assert!(matches!(verdict_of_tag(Some("THREATS_FOUND")), Scanned::Infected(_)));
        assert!(matches!(verdict_of_tag(Some("UNSUPPORTED")), Scanned::Unscannable(_)));
    }
}
