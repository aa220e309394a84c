//! Reading a PDF in a process of its own.
//!
//! No parser can be trusted with any bytes that anyone sends: one that runs out of stack or memory
//! takes its process with it. So the worker starts itself once more for each file, with limits that
//! the kernel keeps, no credentials, and a deadline; however that process ends, the worker goes on.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use rlimit::Resource;
use serde::{Deserialize, Serialize};
use shared::{Error, Result};
use tokio::process::Command;

use crate::pdf::{self, Contents, MAX_TEXT_BYTES, Refusal};

/// The argument that makes the worker's program read a PDF in place of serving Lambda.
const READ: &str = "read-pdf";
/// The longest that a file may take to read.
pub const MAX_TIME: Duration = Duration::from_secs(20);
/// The most address space that the reader may have, in bytes.
pub const MAX_MEMORY: u64 = 640 << 20;
/// The reader's stack, in bytes; deeply nested files need it, or end it.
const STACK: usize = 32 << 20;

/// Reads PDFs.
#[derive(Clone, Debug)]
pub struct Reader {
    program: PathBuf,
}

/// What the reader's process prints.
type Report = std::result::Result<Contents, Refusal>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Printed {
    Read(Contents),
    Refused(Refusal),
}

impl Reader {
    /// A reader that starts `program`, whose `main` calls [`main_if_reader`] first.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// Reads the PDF at `path` and writes its text to the file `text`. A reader that was killed, by
    /// the deadline or by a limit, means that the file is too complex.
    pub async fn read(&self, path: &Path, text: &Path) -> Result<Report> {
        let child = Command::new(&self.program)
            .arg(READ)
            .args([path, text])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let Ok(output) = tokio::time::timeout(MAX_TIME, child.wait_with_output()).await else {
            tracing::warn!(limit_s = MAX_TIME.as_secs(), "the reader was stopped at its deadline");
            return Ok(Err(Refusal::TooComplex));
        };
        let output = output?;
        match output.status.code() {
            Some(0) => match serde_json::from_slice(&output.stdout)? {
                Printed::Read(contents) => Ok(Ok(contents)),
                Printed::Refused(refusal) => Ok(Err(refusal)),
            },
            // Our own failure, such as a full disk: the job is tried again.
            Some(1) => Err(Error::internal("the reader could not read or write a file")),
            // A signal, or a panic on a thread of the reader's.
            _ => {
                tracing::warn!(status = %output.status, "the reader did not survive the file");
                Ok(Err(Refusal::TooComplex))
            }
        }
    }
}

/// What the worker's `main` does first: if the program was started as a reader, it reads and is done.
#[must_use]
pub fn main_if_reader() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != READ {
        return None;
    }
    let (path, text) = (PathBuf::from(args.next()?), PathBuf::from(args.next()?));
    if set_limits().is_err() {
        return Some(ExitCode::FAILURE);
    }
    let reader = std::thread::Builder::new().stack_size(STACK).spawn(move || read(&path, &text));
    Some(match reader.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        Ok(Err(_panic)) => ExitCode::from(101),
        Err(_) | Ok(Ok(Err(_))) => ExitCode::FAILURE,
    })
}

fn set_limits() -> std::io::Result<()> {
    let text_bytes = MAX_TEXT_BYTES as u64;
    Resource::AS.set(MAX_MEMORY, MAX_MEMORY)?;
    Resource::CPU.set(MAX_TIME.as_secs(), MAX_TIME.as_secs())?;
    Resource::FSIZE.set(text_bytes, text_bytes)?;
    Resource::CORE.set(0, 0)
}

fn read(path: &Path, text: &Path) -> std::io::Result<()> {
    let bytes = std::fs::read(path)?;
    let mut text = BufWriter::new(File::create(text)?);
    let printed = match pdf::read(bytes, &mut text)? {
        Ok(contents) => Printed::Read(contents),
        Err(refusal) => Printed::Refused(refusal),
    };
    text.flush()?;
    serde_json::to_writer(std::io::stdout().lock(), &printed)?;
    Ok(())
}
