//! The stage `text`: extracts the text page by page, with the positions of the lines. It writes to S3 after
//! every few pages. For a long document, the next invocation continues at the page where this one stopped.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;
use shared::clock::Clock;
use shared::lease::AttemptId;
use shared::program::Environment;
use shared::{Error, Result};

use super::serve::{sandbox, serve};
use super::{Verdict, Work, parser_limits};
use crate::document::Document;
use crate::objects::{Objects, text_key};
use crate::reading::{Described, ReadPage, TextRead};
use crate::sandbox::{ChildEnded, ItemSink, Sandbox, Task};
use crate::stage::{EXCERPT_CHARACTERS, PageRun, Progress, Rejection, Stage, Text};
use crate::store::{Change, Documents};
use crate::system;

/// The maximum text of a document, in bytes.
pub const MAX_TEXT_BYTES: usize = 16 << 20;
/// A run of pages is written when its lines with positions and its text have this many bytes.
const RUN_BYTES: usize = 4 << 20;
/// The time that an invocation keeps for writing its last run: two files and the progress.
const RESERVE: Duration = Duration::from_mins(1);

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let documents = system::documents(environment)?;
    let objects = system::objects(environment)?;
    let clock = environment.clock.clone();
    let work = ExtractText { documents, objects, sandbox: sandbox()?, clock };
    serve(environment, work).await
}

/// The stage's dependencies.
#[derive(Clone, Debug)]
pub struct ExtractText {
    /// The documents' table, for progress and earlier results.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// Reads files.
    pub sandbox: Sandbox,
    /// The clock.
    pub clock: Clock,
}

impl Work for ExtractText {
    const STAGE: Stage = Stage::Text;
    /// The maximum time of an attempt. Another attempt continues after it.
    const TIME_LIMIT: Duration = Duration::from_secs(110);
    type Found = Text;

    async fn attempt(
        &self,
        document: &Document,
        attempt: AttemptId,
        until: Timestamp,
    ) -> Result<Verdict<Text>> {
        if let Some(text) = self.reuse(document, attempt).await? {
            return Ok(Verdict::Reused(text));
        }
        let progress = document.progress.clone().unwrap_or_default();
        let (before, mut file) = (progress.pages, self.objects.clean(document));
        let (stop_at, run) = (until - RESERVE, Run::default());
        let mut writer = Writer { stage: self, document, attempt, stop_at, progress, run };
        let task = Task::Text { skip: before };
        let ended = self.sandbox.run(&task, &mut file, &mut writer).await?;
        tracing::debug!(fetched = file.fetched, size = file.size(), "ranges read");
        if writer.progress.text_bytes > MAX_TEXT_BYTES {
            return Ok(Verdict::Rejected(Rejection::TooMuchText, None));
        }
        writer.flush().await?;
        match ended {
            ChildEnded::Answered(answer) => match serde_json::from_slice(&answer)? {
                TextRead::Read(described) => Ok(Verdict::Passed(writer.finish(described).await?)),
                TextRead::Refused(reason) => {
                    let reasons = vec![reason];
                    Ok(Verdict::Rejected(Rejection::Invalid { reasons }, None))
                }
            },
            ChildEnded::Gone => Ok(Verdict::Gone),
            // The pages read so far are saved. Another attempt reads the rest.
            ChildEnded::Stopped => Ok(Verdict::Unfinished),
            ChildEnded::Limited(_) if writer.progress.pages > before => Ok(Verdict::Unfinished),
            ChildEnded::Limited(limit) => Ok(parser_limits(document, limit)),
        }
    }
}

impl ExtractText {
    /// Copies the text of another document of the tenant with the same bytes.
    async fn reuse(&self, document: &Document, attempt: AttemptId) -> Result<Option<Text>> {
        let twin = self.documents.twin(document).await?;
        let Some(mut text) = twin.and_then(|twin| twin.stages.text?.result) else {
            return Ok(None);
        };
        let keys =
            std::iter::once(&mut text.text_key).chain(text.runs.iter_mut().map(|r| &mut r.key));
        for key in keys {
            let name = key.rsplit('/').next().unwrap_or_default();
            let own = text_key(document.key(), attempt, name);
            if self.objects.copy(key, &own).await?.is_err() {
                // The other document is being deleted, so this one is processed itself.
                return Ok(None);
            }
            *key = own;
        }
        Ok(Some(text))
    }
}

/// Pages that are not written yet.
#[derive(Default)]
struct Run {
    pages: usize,
    lines: Vec<u8>,
    text: Vec<u8>,
}

/// Collects pages into runs, and writes them.
struct Writer<'a> {
    stage: &'a ExtractText,
    document: &'a Document,
    attempt: AttemptId,
    /// When to stop and leave the rest to the next invocation.
    stop_at: Timestamp,
    progress: Progress,
    run: Run,
}

impl ItemSink for Writer<'_> {
    /// Adds a page. Stops the reader if there is too much text or no time left.
    async fn accept(&mut self, item: Vec<u8>) -> Result<ControlFlow<()>> {
        let page: ReadPage = serde_json::from_slice(&item)?;
        let progress = &mut self.progress;
        progress.words += page.text.split_whitespace().count();
        progress.unknown_glyphs += page.unknown_glyphs;
        progress.guessed_glyphs += page.guessed_glyphs;
        // A form feed ends each page.
        progress.text_bytes += page.text.len() + 1;
        let room = EXCERPT_CHARACTERS.saturating_sub(progress.excerpt.chars().count());
        progress.excerpt.extend(page.text.chars().chain(['\u{c}']).take(room));
        if progress.text_bytes > MAX_TEXT_BYTES {
            return Ok(ControlFlow::Break(()));
        }
        self.run.pages += 1;
        self.run.text.extend_from_slice(page.text.as_bytes());
        self.run.text.push(b'\x0c');
        self.run.lines.extend_from_slice(page.layout.get().as_bytes());
        self.run.lines.push(b'\n');
        if self.run.lines.len() + self.run.text.len() >= RUN_BYTES {
            self.flush().await?;
        }
        let is_late = self.stage.clock.now() >= self.stop_at;
        Ok(if is_late { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

impl Writer<'_> {
    /// Writes the run and saves the progress. Each attempt writes under its own keys, so that an attempt that
    /// stalled cannot overwrite another's objects.
    async fn flush(&mut self) -> Result<()> {
        let run = std::mem::take(&mut self.run);
        if run.pages == 0 {
            return Ok(());
        }
        let from = self.progress.pages + 1;
        let to = self.progress.pages + run.pages;
        let key = |kind| {
            text_key(self.document.key(), self.attempt, &format!("{from:06}-{to:06}.{kind}"))
        };
        let (lines_key, stored) = (key("jsonl"), &self.stage.objects);
        stored.store(&lines_key, "application/jsonl", run.lines).await?;
        stored.store(&key("txt"), TEXT_TYPE, run.text).await?;
        self.progress.pages = to;
        self.progress.runs.push(PageRun { from, to, key: lines_key });
        let save =
            self.stage.documents.save_progress(self.document.key(), self.attempt, &self.progress);
        match save.await? {
            Change::Made(_) => Ok(()),
            _ => Err(Error::internal("the attempt does not hold the document any more")),
        }
    }

    /// Joins the texts of the runs.
    async fn finish(&self, described: Described) -> Result<Text> {
        let progress = &self.progress;
        let mut all = Vec::with_capacity(progress.text_bytes);
        for run in &progress.runs {
            let key = format!("{}.txt", run.key.trim_end_matches(".jsonl"));
            let text = self.stage.objects.fetch(&key, MAX_TEXT_BYTES as u64).await?;
            let text = text.map_err(|_| Error::internal(format!("{key} was deleted")))?;
            all.extend_from_slice(&text);
        }
        let text_key = text_key(self.document.key(), self.attempt, "text.txt");
        self.stage.objects.store(&text_key, TEXT_TYPE, all).await?;
        Ok(Text {
            pdf_version: described.pdf_version,
            pages: progress.pages,
            words: progress.words,
            text_bytes: progress.text_bytes,
            unknown_glyphs: progress.unknown_glyphs,
            guessed_glyphs: progress.guessed_glyphs,
            xfa: described.xfa,
            excerpt: progress.excerpt.clone(),
            title: described.title,
            author: described.author,
            creator: described.creator,
            producer: described.producer,
            text_key,
            runs: progress.runs.clone(),
        })
    }
}

/// The content type of texts.
const TEXT_TYPE: &str = "text/plain; charset=utf-8";
