//! Prints the verdict of the default policy for each file:
//! `cargo run --example inspect -- FILE…`.
//!
//! Each line has the file name, `accepted`, `refused` or `unreadable` with reasons and flags,
//! pages, inflated bytes, steps of work, and milliseconds.

use std::{env, fs, io::Write, time::Instant};

use pdf_inspect::{Error, Limits, Policy, Verdict, inspect};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for path in env::args_os().skip(1) {
        let bytes = fs::read(&path)?;
        let start = Instant::now();
        let outcome = match inspect(bytes, &Limits::default()) {
            Ok(findings) => {
                let verdict = match Policy::default().judge(&findings) {
                    Verdict::Accepted { flags } => format!("accepted {flags:?}"),
                    Verdict::Refused { reasons } => format!("refused {reasons:?}"),
                };
                let complete = if findings.complete { "complete" } else { "partial" };
                format!(
                    "{verdict}; {complete}, {} of {:?} pages, {} bytes inflated, {} operators, {} work",
                    findings.pages,
                    findings.declared_pages,
                    findings.inflated_bytes,
                    findings.operators,
                    findings.work
                )
            }
            Err(Error::Refused(refusal)) => format!("unreadable {refusal:?}"),
            Err(Error::Io(error)) => format!("error {error}"),
        };
        let milliseconds = start.elapsed().as_millis();
        writeln!(out, "{}\t{outcome}\t{milliseconds} ms", path.display())?;
    }
    Ok(())
}
