//! Reading a PDF in a process of its own.
//!
//! No parser can be trusted with any bytes that anyone sends: one that runs out of stack or memory
//! takes its process with it. So a worker starts itself once more for each file. That child has limits
//! that the kernel keeps, an empty environment, three open files and no way to open a fourth, a socket
//! included. It asks the worker for ranges of the file over a pipe, and gives what it finds over
//! another; however it ends, the worker goes on.

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

/// The argument that makes a worker's program read a PDF in place of serving Lambda.
const READ: &str = "read-pdf";
/// The longest that the child may be silent.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// The most processor time that the child may use.
pub const MAX_CPU_TIME: Duration = Duration::from_mins(1);
/// The most address space that the child may have, in bytes.
pub const MAX_MEMORY: u64 = 512 << 20;
/// The child's stack, in bytes; deeply nested files need it, or end it.
const STACK: usize = 16 << 20;
/// What the child may read, in multiples of the file's size, and in bytes beyond that.
const MAX_READS: (u64, u64) = (8, 64 << 20);
/// How many bytes are kept of what a child says of its errors.
const MAX_WORDS: u64 = 4096;
/// The most that a child may give, in bytes.
const MAX_OUTPUT: usize = 256 << 20;

/// What a child is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Look for what a policy may refuse.
    Inspect(pdf_inspect::Policy),
    /// Check it against PDF/A.
    Pdfa,
    /// Read the pages after the first `skip`.
    Text {
        /// How many pages to leave out.
        skip: usize,
    },
}

/// How a child ended.
#[derive(Debug, PartialEq, Eq)]
pub enum ChildEnded {
    /// With an answer, as JSON.
    Answered(Vec<u8>),
    /// By us: we had enough.
    Stopped,
    /// By a limit.
    Limited(Limit),
    /// The file is gone.
    Gone,
}

/// Starts children.
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

    /// Has a child do `task` with `file`. Each thing that it gives before its answer goes to `taker`,
    /// which can stop it.
    pub async fn run(
        &self,
        task: &Task,
        file: &mut Ranges,
        taker: &mut impl Taker,
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
            return Err(Error::internal("a child without pipes"));
        };
        let words = tokio::spawn(first_words(errors));
        let mut output = BufReader::new(output);
        let start = serde_json::to_vec(&(task, file.size()))?;
        let mut may_read = file.size().saturating_mul(MAX_READS.0).saturating_add(MAX_READS.1);
        let mut may_give = MAX_OUTPUT;
        if write_to_child(&mut input, &start).await.is_err() {
            return explain(child, words).await;
        }
        loop {
            let frame = tokio::time::timeout(PATIENCE, read_from_child(&mut output)).await;
            let Ok(frame) = frame else { return Ok(ChildEnded::Limited(Limit::Time)) };
            match frame {
                Ok(FromChild::Read { offset, length }) => {
                    if u64::from(length) > may_read {
                        return Ok(ChildEnded::Limited(Limit::Reads));
                    }
                    may_read -= u64::from(length);
                    let Ok(bytes) = file.read(offset, length as usize).await? else {
                        return Ok(ChildEnded::Gone);
                    };
                    if write_to_child(&mut input, &bytes).await.is_err() {
                        return explain(child, words).await;
                    }
                }
                Ok(FromChild::Item(item)) => {
                    if item.len() > may_give {
                        return Ok(ChildEnded::Limited(Limit::Output));
                    }
                    may_give -= item.len();
                    if taker.take(item).await?.is_break() {
                        return Ok(ChildEnded::Stopped);
                    }
                }
                Ok(FromChild::Answer(answer)) => return Ok(ChildEnded::Answered(answer)),
                Err(_) => return explain(child, words).await,
            }
        }
    }
}

/// The first words that a child says of its errors. The rest is read too, for a child that nobody listens
/// to stands still, and is forgotten, for nothing that one does may fill our memory.
async fn first_words(errors: ChildStderr) -> String {
    let (mut words, mut errors) = (Vec::new(), errors.take(MAX_WORDS));
    let _ = errors.read_to_end(&mut words).await;
    let _ = tokio::io::copy(errors.get_mut(), &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&words).into_owned()
}

/// Why a child ended that gave no answer.
async fn explain(mut child: Child, words: JoinHandle<String>) -> Result<ChildEnded> {
    let words = tokio::time::timeout(PATIENCE, words).await;
    let words = words.ok().and_then(Result::ok).unwrap_or_default();
    child.start_kill().ok();
    let status = child.wait().await?;
    if status.code() == Some(child::OUR_FAILURE.into()) {
        return Err(Error::internal(format!("a reader could not be set up: {}", words.trim())));
    }
    let limit = limit_of(status, &words);
    tracing::warn!(%status, ?limit, "a reader did not survive the file");
    Ok(ChildEnded::Limited(limit))
}

fn limit_of(status: ExitStatus, words: &str) -> Limit {
    const SIGXCPU: i32 = 24;
    match status.signal() {
        Some(SIGXCPU) => Limit::CpuTime,
        _ if words.contains("memory allocation of") => Limit::Memory,
        _ if words.contains("overflowed its stack") => Limit::Stack,
        _ => Limit::Crash,
    }
}

/// What takes the things that a child gives before its answer.
pub trait Taker: Send {
    /// Takes one, and says whether that is enough.
    fn take(&mut self, item: Vec<u8>) -> impl Future<Output = Result<ControlFlow<()>>> + Send;
}

/// Takes nothing: the answer is all.
pub struct AnswerOnly;

impl Taker for AnswerOnly {
    async fn take(&mut self, _: Vec<u8>) -> Result<ControlFlow<()>> {
        Ok(ControlFlow::Continue(()))
    }
}
