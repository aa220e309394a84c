//! The stage `validate`: checks that the file is a readable PDF that the tenant's policy allows.

use std::time::Duration;

use jiff::Timestamp;
use shared::lease::AttemptId;
use shared::program::Environment;
use shared::{Error, Result};

use super::serve::{sandbox, serve};
use super::{Verdict, Work, parser_limits};
use crate::document::Document;
use crate::objects::Objects;
use crate::reading::Inspected;
use crate::sandbox::{AnswerOnly, ChildEnded, Sandbox, Task};
use crate::stage::{Rejection, Stage, Validation};
use crate::store::Documents;
use crate::system;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let documents = system::documents(environment)?;
    let objects = system::objects(environment)?;
    let work = Validate { documents, objects, sandbox: sandbox()? };
    serve(environment, work).await
}

/// The stage's dependencies.
#[derive(Clone, Debug)]
pub struct Validate {
    /// The documents' table, for the tenant's policy.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// Reads files.
    pub sandbox: Sandbox,
}

impl Work for Validate {
    const STAGE: Stage = Stage::Validate;
    const TIME_LIMIT: Duration = Duration::from_secs(90);
    type Found = Validation;

    async fn attempt(
        &self,
        document: &Document,
        _: AttemptId,
        _: Timestamp,
    ) -> Result<Verdict<Validation>> {
        let settings = self.documents.settings(document.tenant).await?;
        let task = Task::Inspect(settings.policy);
        let mut file = self.objects.upload(document);
        let answer = match self.sandbox.run(&task, &mut file, &mut AnswerOnly).await? {
            ChildEnded::Answered(answer) => answer,
            ChildEnded::Limited(limit) => return Ok(parser_limits(document, limit)),
            ChildEnded::Gone => return Ok(Verdict::Gone),
            ChildEnded::Stopped => {
                return Err(Error::internal("the reader stopped without an answer"));
            }
        };
        Ok(match serde_json::from_slice(&answer)? {
            Inspected::Accepted(found) => Verdict::Passed(found),
            Inspected::Refused { reasons, found } => {
                Verdict::Rejected(Rejection::Invalid { reasons }, found)
            }
        })
    }
}
