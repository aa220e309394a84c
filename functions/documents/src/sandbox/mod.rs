//! Reads a PDF in a separate process.
//!
//! The bytes are untrusted, and a parser that runs out of stack or memory terminates its process. So a worker
//! starts its own program again for each file. The child process has limits that the kernel enforces, an
//! empty environment and three open files. It cannot open another file or a socket. It requests ranges of the
//! file from the worker over one pipe, and sends its results over another. However the child ends, the
//! worker continues.

mod child;
mod wire;

use std::ops::ControlFlow;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::{Error, Result};
use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;

pub use child::{confine, main_if_child};

use crate::objects::Ranges;
use crate::stage::Limit;
use wire::{FromChild, read_from_child, write_to_child};

/// The argument that makes a worker's program read a PDF instead of serving Lambda.
const READ: &str = "read-pdf";
/// The maximum time that the child may send nothing.
pub const MAX_SILENCE: Duration = Duration::from_secs(20);
/// The maximum processor time of the child.
pub const MAX_CPU_TIME: Duration = Duration::from_mins(1);
/// The maximum address space of the child, in bytes.
pub const MAX_MEMORY: u64 = 512 << 20;
/// The child's stack, in bytes. Deeply nested files need much of it.
const STACK: usize = 16 << 20;
/// The maximum that the child may read: the file's size times the first number, plus the second in bytes.
const MAX_READS: (u64, u64) = (8, 64 << 20);
/// The maximum of the child's standard error that is kept, in bytes.
const MAX_STDERR: u64 = 4096;
/// The maximum that the child may send before its answer, in bytes.
const MAX_OUTPUT: usize = 256 << 20;

/// A child's task.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Find what this policy refuses or flags.
    Inspect(pdf_inspect::Policy),
    /// Check conformance to PDF/A.
    Pdfa,
    /// Read the pages after the first `skip`.
    Text {
        /// The number of pages to skip.
        skip: usize,
    },
}

/// How a child ended.
#[derive(Debug, PartialEq, Eq)]
pub enum ChildEnded {
    /// It gave an answer, as JSON.
    Answered(Vec<u8>),
    /// The [`ItemSink`] stopped it.
    Stopped,
    /// It reached a limit or crashed.
    Limited(Limit),
    /// The file was deleted.
    Gone,
}

/// Starts child processes.
#[derive(Clone, Debug)]
pub struct Sandbox {
    program: PathBuf,
}

impl Sandbox {
    /// A sandbox that starts `program`, whose `main` calls [`main_if_child`] first.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// Runs `task` on `file` in a child. Each item that the child sends before its answer goes to `sink`,
    /// which can stop the child.
    ///
    /// # Errors
    /// The child could not be set up, the file could not be read, or `sink` failed.
    pub async fn run(
        &self,
        task: &Task,
        file: &mut Ranges,
        sink: &mut impl ItemSink,
    ) -> Result<ChildEnded> {
        let mut child = Command::new(&self.program)
            .arg(READ)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut input), Some(output), Some(errors)) = pipes else {
            return Err(Error::internal("the child process has no pipes"));
        };
        let stderr = tokio::spawn(read_stderr(errors));
        let mut output = BufReader::new(output);
        let start = serde_json::to_vec(&(task, file.size()))?;
        let mut reads_left = file.size().saturating_mul(MAX_READS.0).saturating_add(MAX_READS.1);
        let mut output_left = MAX_OUTPUT;
        if write_to_child(&mut input, &start).await.is_err() {
            return explain(child, stderr).await;
        }
        loop {
            let frame = tokio::time::timeout(MAX_SILENCE, read_from_child(&mut output)).await;
            let Ok(frame) = frame else { return Ok(ChildEnded::Limited(Limit::Time)) };
            match frame {
                Ok(FromChild::Read { offset, length }) => {
                    if u64::from(length) > reads_left {
                        return Ok(ChildEnded::Limited(Limit::Reads));
                    }
                    reads_left -= u64::from(length);
                    let Ok(bytes) = file.read(offset, length as usize).await? else {
                        return Ok(ChildEnded::Gone);
                    };
                    if write_to_child(&mut input, &bytes).await.is_err() {
                        return explain(child, stderr).await;
                    }
                }
                Ok(FromChild::Item(item)) => {
                    if item.len() > output_left {
                        return Ok(ChildEnded::Limited(Limit::Output));
                    }
                    output_left -= item.len();
                    if sink.accept(item).await?.is_break() {
                        return Ok(ChildEnded::Stopped);
                    }
                }
                Ok(FromChild::Answer(answer)) => return Ok(ChildEnded::Answered(answer)),
                Err(_) => return explain(child, stderr).await,
            }
        }
    }
}

/// The first [`MAX_STDERR`] bytes of a child's standard error. The rest is read and discarded: a full pipe
/// would block the child, and keeping everything could fill our memory.
async fn read_stderr(errors: ChildStderr) -> String {
    let (mut text, mut errors) = (Vec::new(), errors.take(MAX_STDERR));
    let _ = errors.read_to_end(&mut text).await;
    let _ = tokio::io::copy(errors.get_mut(), &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&text).into_owned()
}

/// Finds out why a child ended without an answer.
async fn explain(mut child: Child, stderr: JoinHandle<String>) -> Result<ChildEnded> {
    let stderr = tokio::time::timeout(MAX_SILENCE, stderr).await;
    let stderr = stderr.ok().and_then(Result::ok).unwrap_or_default();
    child.start_kill().ok();
    let status = child.wait().await?;
    if status.code() == Some(child::OUR_FAILURE.into()) {
        return Err(Error::internal(format!("the reader could not be set up: {}", stderr.trim())));
    }
    let limit = limit_of(status, &stderr);
    tracing::warn!(%status, ?limit, "the file terminated its reader process");
    Ok(ChildEnded::Limited(limit))
}

fn limit_of(status: ExitStatus, stderr: &str) -> Limit {
    const SIGXCPU: i32 = 24;
    match status.signal() {
        Some(SIGXCPU) => Limit::CpuTime,
        _ if stderr.contains("memory allocation of") => Limit::Memory,
        _ if stderr.contains("overflowed its stack") => Limit::Stack,
        _ => Limit::Crash,
    }
}

/// Receives the items that a child sends before its answer.
pub trait ItemSink: Send {
    /// Receives an item. `Break` stops the child.
    fn accept(&mut self, item: Vec<u8>) -> impl Future<Output = Result<ControlFlow<()>>> + Send;
}

/// Discards all items; only the answer matters.
pub struct AnswerOnly;

impl ItemSink for AnswerOnly {
    async fn accept(&mut self, _: Vec<u8>) -> Result<ControlFlow<()>> {
        Ok(ControlFlow::Continue(()))
    }
}
