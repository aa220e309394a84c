//! The stage `scan`: a file passes only if the scanner found it clean.

use std::time::Duration;

use jiff::Timestamp;
use shared::Result;
use shared::lease::AttemptId;
use shared::program::Environment;

use super::serve::serve;
use super::{Verdict, Work};
use crate::document::Document;
use crate::objects::Objects;
use crate::scanner::{Scanned, Scanner};
use crate::stage::{Rejection, Scan, Stage, Waiting};
use crate::system;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let objects = system::objects(environment)?;
    let scanner = Scanner::from_environment()?;
    let work = ScanFile { objects, scanner };
    serve(environment, work).await
}

/// The stage's dependencies.
#[derive(Clone, Debug)]
pub struct ScanFile {
    /// The bucket.
    pub objects: Objects,
    /// The scanner.
    pub scanner: Scanner,
}

impl Work for ScanFile {
    const STAGE: Stage = Stage::Scan;
    /// The time to send the largest file to clamd and to wait for the answer.
    const TIME_LIMIT: Duration = Duration::from_secs(280);
    type Found = Scan;

    async fn attempt(
        &self,
        document: &Document,
        _: AttemptId,
        _: Timestamp,
    ) -> Result<Verdict<Scan>> {
        let Ok((scanned, sha256)) = self.scanner.scan(&self.objects, document).await? else {
            return Ok(Verdict::Gone);
        };
        let engine = self.scanner.name().to_owned();
        let found = Scan { engine, signature: None };
        match (scanned, sha256) {
            (Scanned::Clean, Some(sha256)) => {
                if document.announced.sha256.as_ref().is_some_and(|announced| *announced != sha256)
                {
                    return Ok(Verdict::Rejected(Rejection::ChecksumMismatch, Some(found)));
                }
                let Ok(version) = self.objects.release_from_quarantine(document).await? else {
                    return Ok(Verdict::Gone);
                };
                Ok(Verdict::Clean { found, sha256, version })
            }
            (Scanned::Infected(signature), _) => {
                tracing::error!(document_id = %document.id, owner = %document.owner,
                    tenant = %document.tenant, signature, "malware was uploaded");
                metrics::counter!("DocumentsInfected").increment(1);
                let found = Scan { signature: Some(signature.clone()), ..found };
                Ok(Verdict::Rejected(Rejection::Infected { signature }, Some(found)))
            }
            (Scanned::Unscannable(detail), _) => {
                Ok(Verdict::Rejected(Rejection::Unscannable { detail }, Some(found)))
            }
            (Scanned::Unavailable | Scanned::Clean, _) => Ok(Verdict::Waiting(Waiting::Scanner)),
        }
    }
}
