//! `pdfa [--flavour 1a|1b|2a|2b|2u|3a|3b|3u|4|4e|4f|auto] [--json] FILE…` checks whether files conform.
//!
//! Without `--flavour`, each file is checked against the flavour that it claims. Exit status: 0 if
//! all files conform, 1 if a file does not conform, 2 if a file cannot be checked.

use std::{
    env, fs,
    io::{self, Write},
    process::ExitCode,
};

use cos::{File, Limits};
use pdfa::{Claim, Flavour, Report};

struct Options {
    flavour: Option<Flavour>,
    json: bool,
    files: Vec<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options { flavour: None, json: false, files: Vec::new() };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.json = true,
            "--flavour" => {
                let value = arguments.next().ok_or("--flavour needs a value")?;
                options.flavour = match value.as_str() {
                    "auto" => None,
                    value => Some(value.parse().map_err(|error| format!("{value}: {error}"))?),
                };
            }
            _ if argument.starts_with("--") => return Err(format!("unknown option {argument}")),
            _ => options.files.push(argument),
        }
    }
    if options.files.is_empty() {
        return Err("usage: pdfa [--flavour 1a|1b|2a|2b|2u|3a|3b|3u|4|4e|4f|auto] [--json] FILE…"
            .to_owned());
    }
    Ok(options)
}

fn check(path: &str, flavour: Option<Flavour>) -> Result<Report, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let file = File::open(bytes, Limits::default()).map_err(|error| error.to_string())?;
    let claim = Claim::read(&file);
    let flavour = flavour.or_else(|| claim.as_ref()?.flavour()).ok_or_else(|| match claim {
        Some(claim) => format!("claims PDF/A-{claim}, for which there is no check"),
        None => "claims no flavour of PDF/A; give one with --flavour".to_owned(),
    })?;
    pdfa::validate(&file, flavour).map_err(|error| error.to_string())
}

fn print(
    output: &mut impl Write,
    path: &str,
    report: &Result<Report, String>,
    json: bool,
) -> io::Result<()> {
    if json {
        let value = match report {
            Ok(report) => serde_json::json!({ "file": path, "report": report }),
            Err(error) => serde_json::json!({ "file": path, "error": error }),
        };
        return writeln!(output, "{value}");
    }
    match report {
        Ok(report) if report.conforming => {
            writeln!(output, "{path}: conforms to PDF/A-{}", report.flavour)
        }
        Ok(report) => {
            writeln!(
                output,
                "{path}: does not conform to PDF/A-{}, {} failures",
                report.flavour, report.count
            )?;
            for failure in &report.failures {
                let object =
                    failure.object.map(|id| format!(" object {} {}:", id.number, id.generation));
                let object = object.unwrap_or_default();
                writeln!(
                    output,
                    "  {}-t{:02}:{object} {}",
                    failure.clause, failure.test, failure.detail
                )?;
            }
            Ok(())
        }
        Err(error) => writeln!(output, "{path}: {error}"),
    }
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let mut status = 0;
    let mut output = io::stdout().lock();
    for path in &options.files {
        let report = check(path, options.flavour);
        if print(&mut output, path, &report, options.json).is_err() {
            return ExitCode::from(2);
        }
        status = status.max(match report {
            Ok(report) => u8::from(!report.conforming),
            Err(_) => 2,
        });
    }
    ExitCode::from(status)
}
