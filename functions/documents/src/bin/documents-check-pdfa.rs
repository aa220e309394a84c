//! A job of the stage `pdfa`. Started as a child, it reads one PDF and ends.

use std::process::ExitCode;

use documents::stages::pdfa::CheckPdfa;
use documents::stages::serve::{Parts, serve_or_read};

fn main() -> shared::Result<ExitCode> {
    serve_or_read(|Parts { documents, objects, .. }, sandbox| CheckPdfa {
        documents,
        objects,
        sandbox,
    })
}
