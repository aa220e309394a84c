//! Runs an extraction: calls the model for each chunk, repairs answers within the budget, then merges and checks the
//! whole.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Page;
use crate::answer::{self, Tidy};
use crate::chunk::{Chunk, halve, pack, tokens};
use crate::config::Price;
use crate::ground::DocumentIndex;
use crate::merge::{Tree, judge, merge, value};
use crate::model::{Completion, Model, ModelError, Request, Stop, Usage};
use crate::prompt::{self, RejectedAnswer};
use crate::result::{Extraction, Outcome, Warning};
use crate::schema::{Schema, Violation};

/// The limits of one extraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Text per call, in tokens as estimated from its characters. Default 6,000. Use 4,000 for a model with a context
    /// of 8,192 tokens, and 600 for a small one.
    pub chunk_tokens: u64,
    /// Maximum answer of a call, in tokens. Default 4,000.
    pub answer_tokens: u32,
    /// Maximum calls per part: the first one and the repairs. Default 3.
    pub attempts: u32,
    /// Input and output tokens of all calls. A call that may exceed it is not made. Default 200,000.
    pub total_tokens: u64,
    /// Maximum parts of a document. Default 40.
    pub chunks: usize,
    /// Maximum text of a document, in bytes. Default 2 MiB.
    pub text_bytes: usize,
    /// Maximum concurrent calls. Default 4; use 1 for a server that handles one request at a time.
    pub parallel: usize,
    /// Total time, in seconds. Default 600.
    pub seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            chunk_tokens: 6_000,
            answer_tokens: 4_000,
            attempts: 3,
            total_tokens: 200_000,
            chunks: 40,
            text_bytes: 2 << 20,
            parallel: 4,
            seconds: 600,
        }
    }
}

/// Extracts data from documents: a model, its limits, and its price.
#[derive(Clone)]
pub struct Extractor {
    model: Arc<dyn Model>,
    limits: Limits,
    price: Option<Price>,
}

/// Maximum number of times that a chunk is halved: at most eight parts.
const MAX_HALVINGS: u32 = 3;

/// The result of the calls for a part.
enum PartResult {
    Answered(PartAnswer),
    /// The answer was cut off, and the part can be split in halves.
    TooLong,
}

/// The data of one part.
struct PartAnswer {
    chunk: Chunk,
    value: Option<Value>,
    warnings: Vec<Warning>,
    broken: bool,
    out_of_budget: bool,
}

impl Extractor {
    /// An extractor for any number of documents.
    #[must_use]
    pub fn new(model: Arc<dyn Model>, limits: Limits, price: Option<Price>) -> Self {
        Self { model, limits, price }
    }

    /// Maximum tokens of one extraction: [`Limits::total_tokens`].
    #[must_use]
    pub fn most_tokens(&self) -> u64 {
        self.limits.total_tokens
    }

    /// The same extractor, with a limit of `tokens` in total per extraction.
    #[must_use]
    pub fn limited_to(&self, tokens: u64) -> Self {
        Self { limits: Limits { total_tokens: tokens, ..self.limits }, ..self.clone() }
    }

    /// Extracts the data of one document. Nothing is kept for the next document.
    ///
    /// A call is not retried after a [`ModelError`]. The caller's queue retries the whole document, if
    /// [`Outcome::is_retryable`].
    pub async fn extract(&self, schema: &Schema, pages: &[Page]) -> Result<Extraction, Outcome> {
        let bytes = pages.iter().fold(0usize, |sum, page| sum.saturating_add(page.text.len()));
        if bytes > self.limits.text_bytes {
            return Err(Outcome::TooLong);
        }
        let chunks = pack(pages, self.limits.chunk_tokens);
        if chunks.is_empty() {
            return Err(Outcome::NoText);
        }
        if chunks.len() > self.limits.chunks {
            return Err(Outcome::TooLong);
        }
        let run = Run {
            extractor: self,
            schema,
            pages,
            for_model: schema.for_model(self.model.dialect()),
            restore: !prompt::has_stand_ins(pages),
            ledger: Ledger { limit: self.limits.total_tokens, state: Mutex::default() },
        };
        let results = run.ask_all(chunks);
        let answers = match tokio::time::timeout(Duration::from_secs(self.limits.seconds), results)
            .await
        {
            Ok(Ok(answers)) => answers,
            Ok(Err(error)) => return Err(Outcome::Model { error, usage: run.ledger.state().used }),
            Err(_) => return Err(Outcome::OutOfTime { usage: run.ledger.state().used }),
        };
        run.assemble(answers)
    }
}

/// The extraction of one document.
struct Run<'a> {
    extractor: &'a Extractor,
    schema: &'a Schema,
    pages: &'a [Page],
    for_model: Value,
    restore: bool,
    ledger: Ledger,
}

impl Run<'_> {
    async fn ask_all(&self, chunks: Vec<Chunk>) -> Result<Vec<PartAnswer>, ModelError> {
        let parallel = self.extractor.limits.parallel.max(1);
        let results = stream::iter(chunks.into_iter().map(|chunk| self.ask(chunk)));
        let answers: Vec<Vec<PartAnswer>> = results.buffered(parallel).try_collect().await?;
        Ok(answers.into_iter().flatten().collect())
    }

    /// Gets the data of a chunk, in halves if the question or the answer is too long for the model.
    async fn ask(&self, chunk: Chunk) -> Result<Vec<PartAnswer>, ModelError> {
        let (mut waiting, mut answers) = (vec![(chunk, 0)], Vec::new());
        while let Some((chunk, halvings)) = waiting.pop() {
            let halves = if halvings < MAX_HALVINGS { halve(&chunk, self.pages) } else { None };
            match (self.ask_until_it_fits(chunk, halves.is_some()).await, halves) {
                (Ok(PartResult::TooLong) | Err(ModelError::TooLong), Some((first, second))) => {
                    waiting.push((second, halvings + 1));
                    waiting.push((first, halvings + 1));
                }
                (Ok(PartResult::Answered(answer)), _) => answers.push(answer),
                (Ok(PartResult::TooLong), None) => return Err(ModelError::TooLong),
                (Err(error), _) => return Err(error),
            }
        }
        Ok(answers)
    }

    /// Calls the model for one part until the answer fits the schema, or the attempts or the budget are used up.
    async fn ask_until_it_fits(
        &self,
        chunk: Chunk,
        can_halve: bool,
    ) -> Result<PartResult, ModelError> {
        let mut previous: Option<Attempt> = None;
        // The best answer so far: a repair may be worse.
        let mut best: Option<Attempt> = None;
        let mut out_of_budget = false;
        for _ in 0..self.extractor.limits.attempts.max(1) {
            let Some(completion) = self.call(&chunk, previous.as_ref()).await? else {
                out_of_budget = true;
                break;
            };
            let attempt = self.read(completion);
            if attempt.cut_off && can_halve {
                return Ok(PartResult::TooLong);
            }
            let fits = attempt.fits();
            tracing::debug!(
                fits,
                cut_off = attempt.cut_off,
                violations = attempt.violations.len(),
                "a model answered"
            );
            if best.as_ref().is_none_or(|best| attempt.badness() < best.badness()) {
                best = Some(attempt.clone());
            }
            if fits {
                break;
            }
            previous = Some(attempt);
        }
        Ok(PartResult::Answered(self.part_answer(chunk, best, out_of_budget)))
    }

    fn part_answer(&self, chunk: Chunk, best: Option<Attempt>, out_of_budget: bool) -> PartAnswer {
        let page = chunk.parts.first().map_or(0, |part| self.pages[part.page].number);
        let broken = best.as_ref().is_some_and(|best| !best.fits());
        let mut answer =
            PartAnswer { chunk, value: None, warnings: Vec::new(), broken, out_of_budget };
        let Some(best) = best else {
            answer.warnings.push(Warning::Unread { page });
            return answer;
        };
        if best.unknown > 0 {
            answer.warnings.push(Warning::UnknownProperties { page, count: best.unknown });
        }
        if best.cut_off {
            answer.warnings.push(Warning::CutOff { page });
        }
        match best.value {
            None => answer.warnings.push(Warning::NoAnswer { page }),
            Some(value) => {
                let (value, count) = answer::cut(value, self.schema);
                if count > 0 {
                    answer.warnings.push(Warning::Cut { page, count });
                }
                answer.value = Some(value);
            }
        }
        answer
    }

    /// Makes one call; `None` if it may exceed the budget.
    async fn call(
        &self,
        chunk: &Chunk,
        previous: Option<&Attempt>,
    ) -> Result<Option<Completion>, ModelError> {
        let wrong = previous.map(|attempt| RejectedAnswer {
            answer: &attempt.text,
            cut_off: attempt.cut_off,
            violations: attempt.value.as_ref().map(|_| attempt.violations.as_slice()),
        });
        let prompt = prompt::prompt(self.schema, self.pages, chunk, wrong.as_ref());
        let max_tokens = self.extractor.limits.answer_tokens;
        // Providers also count the schema as input.
        let input =
            tokens(&prompt.system) + tokens(&prompt.user) + tokens(&self.for_model.to_string());
        let reserved = input.saturating_add(max_tokens.into());
        if !self.ledger.reserve(reserved) {
            return Ok(None);
        }
        let request = Request {
            system: prompt.system,
            user: prompt.user,
            schema_name: self.schema.id().to_owned(),
            schema: self.for_model.clone(),
            max_tokens,
        };
        let result = self.extractor.model.complete(&request).await;
        let usage = match &result {
            Ok(completion) => completion.usage.unwrap_or_else(|| Usage {
                input_tokens: input,
                output_tokens: tokens(&completion.text),
                estimated: true,
            }),
            Err(_) => Usage::default(),
        };
        self.ledger.settle(reserved, usage);
        result.map(Some)
    }

    fn read(&self, completion: Completion) -> Attempt {
        let whole = answer::parse(&completion.text);
        // After a complete object there may be blanks until the limit.
        let cut_off = whole.is_none() && completion.stop == Stop::MaxTokens;
        let value = if cut_off { answer::salvage(&completion.text) } else { whole };
        let mut tidy = Tidy { restore: self.restore, unknown: 0 };
        let value = value.map(|value| {
            tidy.tidy(value, self.schema.root()).unwrap_or_else(|| Value::Object(Map::new()))
        });
        let violations =
            value.as_ref().map(|value| self.schema.violations_of_part(value)).unwrap_or_default();
        Attempt { text: completion.text, cut_off, value, violations, unknown: tidy.unknown }
    }

    fn assemble(&self, answers: Vec<PartAnswer>) -> Result<Extraction, Outcome> {
        let document_index = DocumentIndex::new(self.pages);
        let root = Some(self.schema.root());
        let (mut warnings, mut trees) = (Vec::new(), Vec::new());
        let (mut broken, mut out_of_budget) = (false, false);
        let chunks = u32::try_from(answers.len()).unwrap_or(u32::MAX);
        for answer in answers {
            warnings.extend(answer.warnings);
            broken |= answer.broken;
            out_of_budget |= answer.out_of_budget;
            trees.extend(
                answer.value.map(|value| judge(value, root, &document_index, &answer.chunk.parts)),
            );
        }
        let tree = merge(trees, root, "", &mut warnings)
            .unwrap_or_else(|| Tree::Object(BTreeMap::default()));
        let mut fields = Vec::new();
        let value = value(&tree, "", &mut fields);
        let violations = self.schema.violations(&value);
        let state = self.ledger.state();
        let extraction = Extraction {
            schema: self.schema.id().to_owned(),
            schema_version: self.schema.version(),
            model: self.extractor.model.name().to_owned(),
            value,
            fields,
            violations,
            warnings,
            usage: state.used,
            cost_micro_usd: self.extractor.price.map(|price| price.of(state.used)),
            calls: state.calls,
            chunks,
        };
        if out_of_budget {
            Err(Outcome::OutOfBudget(Box::new(extraction)))
        } else if broken || !extraction.violations.is_empty() {
            Err(Outcome::Invalid(Box::new(extraction)))
        } else {
            Ok(extraction)
        }
    }
}

/// One parsed answer.
#[derive(Clone)]
struct Attempt {
    text: String,
    cut_off: bool,
    value: Option<Value>,
    violations: Vec<Violation>,
    unknown: usize,
}

impl Attempt {
    fn fits(&self) -> bool {
        self.value.is_some() && !self.cut_off && self.violations.is_empty()
    }

    /// Lower is better.
    fn badness(&self) -> impl Ord + use<> {
        (self.value.is_none(), self.cut_off, self.violations.len())
    }
}

/// The tokens of one extraction. A call reserves its maximum before it is made, so that concurrent calls do not exceed
/// the budget together.
struct Ledger {
    limit: u64,
    state: Mutex<LedgerState>,
}

#[derive(Default)]
struct LedgerState {
    used: Usage,
    reserved: u64,
    calls: u32,
}

impl Ledger {
    // No code can panic while it holds the lock.
    fn state(&self) -> MutexGuard<'_, LedgerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self, tokens: u64) -> bool {
        let mut state = self.state();
        let sum = state.used.total().saturating_add(state.reserved).saturating_add(tokens);
        if sum > self.limit {
            return false;
        }
        state.reserved += tokens;
        state.calls += 1;
        true
    }

    fn settle(&self, reserved: u64, usage: Usage) {
        let mut state = self.state();
        state.reserved -= reserved;
        state.used += usage;
    }
}
