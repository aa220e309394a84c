//! The Lambdas of documents that read PDFs, by the template's `Handler`. For each file, the program starts
//! itself again as a child process, which reads one PDF and exits.

use std::process::ExitCode;

use documents::sandbox::main_if_child;
use documents::stages::{pdfa, text, validate};
use shared::Result;
use shared::program::{self, Environment};

fn main() -> Result<ExitCode> {
    if let Some(exit_code) = main_if_child() {
        return Ok(exit_code);
    }
    program::run("documents", async |lambda, environment: Environment| match lambda {
        "validate" => validate::run(&environment).await,
        "check-pdfa" => pdfa::run(&environment).await,
        "extract-text" => text::run(&environment).await,
        _ => Err(program::unknown(lambda)),
    })?;
    Ok(ExitCode::SUCCESS)
}
