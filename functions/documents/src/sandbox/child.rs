//! The child process. It works on untrusted bytes.

use std::io::{self, Read, Stdin, Stdout};
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cos::Source;
use rlimit::Resource;

use super::wire::{read_length, write_frame};
use super::{MAX_CPU_TIME, MAX_MEMORY, READ, STACK, Task};
use crate::reading;

/// The maximum size of one read request, in bytes.
const MAX_READ: usize = 4 << 20;

/// The exit status of a child that could not be set up, or that lost its worker.
pub(super) const OUR_FAILURE: u8 = 74;

/// Runs the child if the program was started as one. A worker's `main` calls this first, and exits with the
/// given code, if any.
#[must_use]
pub fn main_if_child() -> Option<ExitCode> {
    if std::env::args_os().nth(1)? != READ {
        return None;
    }
    let reading = std::thread::Builder::new().stack_size(STACK).spawn(|| {
        confine()?;
        read()
    });
    Some(match reading.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        Ok(Err(_panic)) => ExitCode::from(101),
        Err(error) | Ok(Ok(Err(error))) => {
            eprintln!("{error}");
            ExitCode::from(OUR_FAILURE)
        }
    })
}

/// Limits this process from now on: [`MAX_MEMORY`], [`MAX_CPU_TIME`], no writes to files, no open files or
/// sockets beyond the three standard ones, no new threads or processes.
pub fn confine() -> io::Result<()> {
    let seconds = MAX_CPU_TIME.as_secs();
    Resource::AS.set(MAX_MEMORY, MAX_MEMORY)?;
    // The soft limit sends SIGXCPU, which identifies the cause; SIGKILL follows one second later.
    Resource::CPU.set(seconds, seconds + 1)?;
    Resource::FSIZE.set(0, 0)?;
    Resource::CORE.set(0, 0)?;
    Resource::NPROC.set(0, 0)?;
    Resource::NOFILE.set(3, 3)
}

fn read() -> io::Result<()> {
    let mut worker = Worker { input: io::stdin(), output: io::stdout() };
    let start = worker.receive()?;
    let (task, size): (Task, u64) = serde_json::from_slice(&start)?;
    let worker = Mutex::new(worker);
    let file = Remote { worker: &worker, size };
    let answer = reading::read(&task, file, &mut |item| lock(&worker).send(b'I', &item))?;
    lock(&worker).send(b'A', &answer)
}

/// The pipes to the worker.
struct Worker {
    input: Stdin,
    output: Stdout,
}

impl Worker {
    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; read_length(&mut self.input)?];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn send(&mut self, kind: u8, bytes: &[u8]) -> io::Result<()> {
        write_frame(&mut self.output, kind, bytes)
    }
}

/// The file, read through the worker.
struct Remote<'a> {
    worker: &'a Mutex<Worker>,
    size: u64,
}

impl Source for Remote<'_> {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut worker = lock(self.worker);
        let mut at = offset;
        for piece in buffer.chunks_mut(MAX_READ) {
            let length = u32::try_from(piece.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
            let request = [&at.to_be_bytes()[..], &length.to_be_bytes()[..]].concat();
            worker.send(b'R', &request)?;
            if read_length(&mut worker.input)? != piece.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            worker.input.read_exact(piece)?;
            at += u64::from(length);
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
