//! The stage `pdfa`: checks conformance to the PDF/A flavour that the document claims, or else to 2b.

use std::time::Duration;

use jiff::Timestamp;
use shared::lease::AttemptId;
use shared::program::Environment;
use shared::{Error, Result};

use super::serve::{sandbox, serve};
use super::{Verdict, Work, parser_limits};
use crate::document::Document;
use crate::objects::Objects;
use crate::sandbox::{AnswerOnly, ChildEnded, Sandbox, Task};
use crate::stage::{Conformance, Rejection, Stage};
use crate::store::Documents;
use crate::system;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let documents = system::documents(environment)?;
    let objects = system::objects(environment)?;
    let work = CheckPdfa { documents, objects, sandbox: sandbox()? };
    serve(environment, work).await
}

/// The stage's dependencies.
#[derive(Clone, Debug)]
pub struct CheckPdfa {
    /// The documents' table, for the tenant's settings and earlier results.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// Reads files.
    pub sandbox: Sandbox,
}

impl Work for CheckPdfa {
    const STAGE: Stage = Stage::Pdfa;
    const TIME_LIMIT: Duration = Duration::from_secs(90);
    type Found = Conformance;

    async fn attempt(
        &self,
        document: &Document,
        _: AttemptId,
        _: Timestamp,
    ) -> Result<Verdict<Conformance>> {
        let settings = self.documents.settings(document.tenant).await?;
        let judge = |found: Conformance, passed: fn(Conformance) -> Verdict<Conformance>| {
            if settings.require_pdfa && !(found.conforming && found.claimed.is_some()) {
                let flavour = found.flavour.clone();
                return Verdict::Rejected(Rejection::NotPdfa { flavour }, Some(found));
            }
            passed(found)
        };
        if let Some(twin) = self.documents.twin(document).await?
            && let Some(found) = twin.stages.pdfa.and_then(|done| done.result)
        {
            return Ok(judge(found, Verdict::Reused));
        }
        let mut file = self.objects.clean(document);
        match self.sandbox.run(&Task::Pdfa, &mut file, &mut AnswerOnly).await? {
            ChildEnded::Answered(answer) => {
                Ok(judge(serde_json::from_slice(&answer)?, Verdict::Passed))
            }
            ChildEnded::Limited(limit) => Ok(parser_limits(document, limit)),
            ChildEnded::Gone => Ok(Verdict::Gone),
            ChildEnded::Stopped => Err(Error::internal("the reader stopped without an answer")),
        }
    }
}
