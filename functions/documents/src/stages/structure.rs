//! The stage `structure`: a language model extracts data that fits the announced schema.

use std::time::Duration;

use extraction::model::ModelError;
use extraction::{Extraction, Extractor, Field, Grounding, Outcome, Page};
use jiff::Timestamp;
use shared::budget::{Budget, Budgets, Exceeded};
use shared::config::var;
use shared::lease::AttemptId;
use shared::program::Environment;
use shared::{Error, Result};

use super::serve::serve;
use super::text::MAX_TEXT_BYTES;
use super::{LONGEST_WAIT, Verdict, Work};
use crate::allowance::MODEL_TOKENS;
use crate::document::Document;
use crate::model;
use crate::objects::{Objects, structure_key};
use crate::schema::SchemaRef;
use crate::schemas;
use crate::stage::{Problem, Stage, Structure, Waiting};
use crate::store::Documents;
use crate::system;

/// The maximum size of the data in bytes. `GET` answers with all of it, and Lambda limits a response to 6 MB.
pub const MAX_DATA_BYTES: u64 = 4 << 20;

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let documents = system::documents(environment)?;
    let objects = system::objects(environment)?;
    let extractor = model::from_environment(&environment.aws)?;
    let budgets = system::budgets(environment)?;
    let daily_tokens = var("DAILY_MODEL_TOKENS")?;
    let work = ExtractStructure { documents, objects, extractor, budgets, daily_tokens };
    serve(environment, work).await
}

/// The stage's dependencies.
#[derive(Clone)]
pub struct ExtractStructure {
    /// The documents' table, for schemas and earlier results.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// Calls the model.
    pub extractor: Extractor,
    /// Counts the tokens of tenants.
    pub budgets: Budgets,
    /// The tokens of a tenant per day.
    pub daily_tokens: u64,
}

/// The tokens that all calls used.
fn tokens(outcome: &std::result::Result<Extraction, Outcome>) -> u64 {
    match outcome {
        Ok(extraction) => extraction.usage.total(),
        Err(Outcome::Invalid(partial) | Outcome::OutOfBudget(partial)) => partial.usage.total(),
        Err(Outcome::Model { usage, .. } | Outcome::OutOfTime { usage }) => usage.total(),
        Err(Outcome::NoText | Outcome::TooLong) => 0,
    }
}

/// The verdict if the tenant's tokens are used up: the document waits. After [`LONGEST_WAIT`] it passes
/// without data.
fn out_of_budget(
    document: &Document,
    wanted: &SchemaRef,
    exceeded: &Exceeded,
) -> Verdict<Structure> {
    tracing::warn!(document_id = %document.id, tenant = %document.tenant,
        "the token budget is used up");
    metrics::counter!("BudgetsExceeded").increment(1);
    let since = document.waiting_for(Waiting::Budget).unwrap_or(exceeded.at);
    let time = Duration::try_from(exceeded.at.duration_since(since)).unwrap_or_default();
    if time > LONGEST_WAIT {
        return Verdict::Passed(Structure::new(wanted, Some(Problem::Budget)));
    }
    Verdict::Waiting(Waiting::Budget)
}

impl Work for ExtractStructure {
    const STAGE: Stage = Stage::Structure;
    /// The time of all model calls together.
    const TIME_LIMIT: Duration = Duration::from_secs(280);
    type Found = Structure;

    async fn attempt(
        &self,
        document: &Document,
        attempt: AttemptId,
        _: Timestamp,
    ) -> Result<Verdict<Structure>> {
        let verdict = self.structure(document, attempt).await?;
        if matches!(verdict, Verdict::Passed(_) | Verdict::Skipped) {
            // From now on, documents with the same bytes reuse these results.
            self.documents.has_read(document).await?;
        }
        Ok(verdict)
    }
}

impl ExtractStructure {
    async fn structure(
        &self,
        document: &Document,
        attempt: AttemptId,
    ) -> Result<Verdict<Structure>> {
        let Some(wanted) = &document.announced.schema else { return Ok(Verdict::Skipped) };
        let key = structure_key(document.key(), attempt);
        if let Some(found) = self.reuse(document, &key).await? {
            return Ok(Verdict::Reused(found));
        }
        let schema = schemas::find(&self.documents, document.tenant, wanted).await?;
        let schema = match schema.ok_or_else(|| Error::internal(format!("no schema {wanted}")))? {
            Ok(schema) => schema,
            Err(error) => {
                tracing::warn!(%wanted, %error, "the schema is no longer valid");
                return Ok(Verdict::Passed(Structure::new(wanted, Some(Problem::Schema))));
            }
        };
        let Some(pages) = self.pages(document).await? else { return Ok(Verdict::Gone) };

        let tenant = document.tenant.to_string();
        let budget = Budget { name: MODEL_TOKENS, limit: self.daily_tokens };
        // Reserve the maximum for this document. Unused tokens are given back afterwards.
        let most = self.extractor.most_tokens().min(self.daily_tokens);
        let taken = match self.budgets.take(&tenant, (budget, most)).await? {
            Ok(taken) => taken,
            Err(exceeded) => return Ok(out_of_budget(document, wanted, &exceeded)),
        };
        let outcome = self.extractor.limited_to(most).extract(&schema, &pages).await;
        if let Err(error) = self.budgets.settle(&taken, tokens(&outcome)).await {
            // The data is paid for, so it is kept. All reserved tokens stay counted.
            tracing::warn!(error = error.trail(), "the unused tokens were not given back");
        }
        let (extraction, problem) = match outcome {
            Ok(extraction) => (Some(extraction), None),
            Err(Outcome::Model { error, .. }) if error.is_retryable() => {
                tracing::warn!(%error, "the model is unavailable");
                return Ok(Verdict::Waiting(Waiting::Model));
            }
            Err(Outcome::NoText) => return Ok(Verdict::Skipped),
            // Keep the values that fit the schema.
            Err(Outcome::Invalid(partial)) => (Some(*partial), Some(Problem::Incomplete)),
            Err(Outcome::OutOfBudget(partial)) => (Some(*partial), Some(Problem::Budget)),
            Err(Outcome::TooLong) => (None, Some(Problem::TooLong)),
            Err(Outcome::Model { error: ModelError::TooLong, .. }) => {
                (None, Some(Problem::TooLong))
            }
            Err(Outcome::Model { error: ModelError::Refused, .. }) => {
                (None, Some(Problem::Refused))
            }
            // No answer in time, or an error on our side: retry.
            Err(error) => return Err(error.into()),
        };
        let mut found = Structure::new(wanted, problem);
        if let Some(extraction) = extraction {
            let body = serde_json::to_vec(&extraction)?;
            if body.len() as u64 > MAX_DATA_BYTES {
                found.problem = Some(Problem::TooLarge);
            } else {
                self.objects.store(&key, "application/json", body).await?;
                found.key = Some(key);
            }
            let grounded = |field: &&Field| field.grounding == Grounding::Grounded;
            found.values = extraction.fields.len();
            found.grounded = extraction.fields.iter().filter(grounded).count();
            found.input_tokens = extraction.usage.input_tokens;
            found.output_tokens = extraction.usage.output_tokens;
            found.cost_microusd = extraction.cost_micro_usd;
            found.model = Some(extraction.model);
        }
        Ok(Verdict::Passed(found))
    }

    /// Copies the data of another document of the tenant with the same bytes and the same schema.
    async fn reuse(&self, document: &Document, key: &str) -> Result<Option<Structure>> {
        let wanted = document.announced.schema.as_ref().map(ToString::to_string);
        let twin = self.documents.twin(document).await?;
        let found = twin.and_then(|twin| twin.stages.structure?.result);
        let is_same =
            |found: &Structure| found.problem.is_none() && Some(&found.schema) == wanted.as_ref();
        let Some(mut found) = found.filter(is_same) else { return Ok(None) };
        if let Some(from) = found.key.replace(key.to_owned())
            && self.objects.copy(&from, key).await?.is_err()
        {
            // The other document is being deleted, so this one is processed itself.
            return Ok(None);
        }
        Ok(Some(found))
    }

    /// The document's pages; `None` if the text was deleted.
    async fn pages(&self, document: &Document) -> Result<Option<Vec<Page>>> {
        let text = document.stages.text.as_ref().and_then(|done| done.result.as_ref());
        let text = text.ok_or_else(|| Error::internal("the document has no text"))?;
        let Ok(bytes) = self.objects.fetch(&text.text_key, MAX_TEXT_BYTES as u64).await? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes)?;
        // A form feed ends each page.
        let pages = (1..).zip(text.split_terminator('\u{c}'));
        Ok(Some(pages.map(|(number, text)| Page { number, text: text.to_owned() }).collect()))
    }
}
