//! A job of the stage `text`. Started as a child, it reads one PDF and ends.

use std::process::ExitCode;

use documents::stages::serve::{Parts, serve_or_read};
use documents::stages::text::ExtractText;

fn main() -> shared::Result<ExitCode> {
    serve_or_read(|Parts { documents, objects, clock, .. }, sandbox| ExtractText {
        documents,
        objects,
        clock,
        sandbox,
    })
}
