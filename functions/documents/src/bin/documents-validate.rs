//! A job of the stage `validate`. Started as a child, it reads one PDF and ends.

use std::process::ExitCode;

use documents::stages::serve::{Parts, serve_or_read};
use documents::stages::validate::Validate;

fn main() -> shared::Result<ExitCode> {
    serve_or_read(|Parts { documents, objects, .. }, sandbox| Validate {
        documents,
        objects,
        sandbox,
    })
}
