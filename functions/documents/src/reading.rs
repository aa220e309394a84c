//! Reads a PDF. The code runs in a child of the [sandbox](crate::sandbox), on untrusted bytes. The types are
//! used on both sides of the sandbox.

use std::io;
use std::ops::ControlFlow;

use cos::Source;
use pdf_inspect::{Feature, Limits, Policy, Verdict};
use pdf_text::{Document, Page, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::sandbox::Task;
use crate::stage::{Conformance, MAX_FAILURES, Reason, RuleFailure, Validation};

/// The PDF/A flavour to check for a document that claims none.
const DEFAULT_FLAVOUR: &str = "2b";

/// The result of an inspection.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inspected {
    /// The policy accepts the file.
    Accepted(Validation),
    /// The policy refuses the file, or it cannot be read.
    Refused {
        /// The reasons, each once.
        reasons: Vec<Reason>,
        /// The findings, if the file could be read.
        found: Option<Validation>,
    },
}

/// A page.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadPage {
    /// The page's text.
    pub text: String,
    /// The number of unknown glyphs.
    pub unknown_glyphs: usize,
    /// The number of guessed glyphs.
    pub guessed_glyphs: usize,
    /// The lines with their positions, as JSON without line feeds.
    pub layout: Box<RawValue>,
}

/// The result of reading pages.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextRead {
    /// All pages are read.
    Read(Described),
    /// A page or the whole file cannot be read.
    Refused(Reason),
}

/// The description of a document after all its pages are read.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Described {
    /// The PDF version, such as `1.7`.
    pub pdf_version: String,
    /// The document's title.
    pub title: Option<String>,
    /// The author.
    pub author: Option<String>,
    /// The program that created the original document.
    pub creator: Option<String>,
    /// The program that produced the PDF.
    pub producer: Option<String>,
    /// Whether the document has an XFA form.
    pub xfa: bool,
}

/// Runs `task` on `file`. Gives the answer as JSON. Each page goes to `send` as soon as it is read.
pub fn read(
    task: &Task,
    file: impl Source,
    send: &mut dyn FnMut(Vec<u8>) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    let answer = match task {
        Task::Inspect(policy) => serde_json::to_vec(&inspect(file, policy)?),
        Task::Pdfa => serde_json::to_vec(&check_pdfa(file)?),
        Task::Text { skip } => serde_json::to_vec(&read_text(file, *skip, send)?),
    };
    Ok(answer?)
}

/// Checks a file against the PDF/A flavour that it claims, or against 2b if it claims none. If the check
/// cannot be completed, or if there is no check for the claimed part, the file does not conform and breaks
/// the rule `unchecked`.
fn check_pdfa(file: impl Source) -> io::Result<Conformance> {
    let unchecked = |error: &dyn std::fmt::Display| Conformance {
        claimed: None,
        flavour: DEFAULT_FLAVOUR.into(),
        conforming: false,
        failures: vec![RuleFailure {
            rule: "unchecked".into(),
            object: None,
            detail: error.to_string(),
        }],
    };
    let file = match cos::File::open(file, cos::Limits::default()) {
        Ok(file) => file,
        Err(cos::OpenError::Io(error)) => return Err(failed(error)),
        Err(error) => return Ok(unchecked(&error)),
    };
    let claim = pdfa::Claim::read(&file);
    let claimed = claim.as_ref().map(ToString::to_string);
    let flavour = match claim.as_ref().and_then(pdfa::Claim::flavour) {
        Some(flavour) => flavour,
        None => match claim.filter(|claim| claim.part > pdfa::LAST_PART) {
            Some(claim) => {
                let flavour = claim.to_string();
                let detail = format!("there is no check for PDF/A-{claim}");
                return Ok(Conformance { claimed, flavour, ..unchecked(&detail) });
            }
            None => DEFAULT_FLAVOUR.parse().map_err(failed)?,
        },
    };
    let report = match pdfa::validate(&file, flavour) {
        Ok(report) => report,
        Err(cos::Error::Io(error)) => return Err(failed(error)),
        Err(error) => return Ok(Conformance { claimed, ..unchecked(&error) }),
    };
    let mut failures: Vec<RuleFailure> = Vec::new();
    for failure in &report.failures {
        let rule = format!("{}-{}", failure.clause, failure.test);
        if failures.len() < MAX_FAILURES && failures.iter().all(|known| known.rule != rule) {
            let object = failure.object.map(|object| object.number);
            failures.push(RuleFailure { rule, object, detail: failure.detail.clone() });
        }
    }
    Ok(Conformance {
        claimed,
        flavour: flavour.to_string(),
        conforming: report.conforming,
        failures,
    })
}

fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// Finds what `policy` refuses or flags.
fn inspect(file: impl Source, policy: &Policy) -> io::Result<Inspected> {
    let limits = Limits::of(file.len(), policy);
    let findings = match pdf_inspect::inspect(file, &limits) {
        Ok(findings) => findings,
        Err(pdf_inspect::Error::Io(error)) => return Err(failed(error)),
        Err(pdf_inspect::Error::Refused(refusal)) => {
            let code = tag(&refusal, "reason");
            let reasons = vec![Reason { code, detail: refusal.to_string() }];
            return Ok(Inspected::Refused { reasons, found: None });
        }
    };
    let reason_of = |feature: Feature| {
        let first = findings.features.get(&feature).and_then(|found| found.first.as_deref());
        let detail = first.map_or_else(String::new, |object| format!("first in object {object}"));
        Reason { code: tag(&feature, ""), detail }
    };
    let verdict = policy.judge(&findings);
    let flags = match &verdict {
        Verdict::Accepted { flags } => flags.iter().copied().map(reason_of).collect(),
        Verdict::Refused { .. } => Vec::new(),
    };
    let (version, pages, objects) = (findings.version.clone(), findings.pages, findings.objects);
    let found = Validation { pdf_version: version, pages, objects, flags };
    let Verdict::Refused { reasons } = verdict else { return Ok(Inspected::Accepted(found)) };
    let reasons = reasons.into_iter().map(|reason| match reason {
        pdf_inspect::Reason::Feature(feature) => reason_of(feature),
        pdf_inspect::Reason::Pages(pages) => {
            Reason { code: "pages".into(), detail: format!("it has {pages} pages") }
        }
        pdf_inspect::Reason::Bytes(bytes) => {
            Reason { code: "bytes".into(), detail: format!("it has {bytes} bytes") }
        }
    });
    Ok(Inspected::Refused { reasons: reasons.collect(), found: Some(found) })
}

/// The name of a variant in JSON: the value itself, or its member `key` unless that is empty.
fn tag(value: &impl Serialize, key: &str) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    let name = if key.is_empty() { &value } else { &value[key] };
    name.as_str().unwrap_or_default().to_owned()
}

/// Reads the pages after the first `skip`, and passes each to `send`.
fn read_text(
    file: impl Source,
    skip: usize,
    send: &mut dyn FnMut(Vec<u8>) -> io::Result<()>,
) -> io::Result<TextRead> {
    let document = match Document::open(file, pdf_text::Limits::default()) {
        Ok(document) => document,
        Err(refusal) => return refused(refusal),
    };
    let mut delivered = Ok(());
    let read = document.read_pages(skip + 1, |page| {
        delivered = to_json(&page).and_then(&mut *send);
        if delivered.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    delivered?;
    let described = read.and_then(|()| Ok((document.metadata()?, document.has_xfa()?)));
    let (metadata, xfa) = match described {
        Ok(described) => described,
        Err(refusal) => return refused(refusal),
    };
    Ok(TextRead::Read(Described {
        pdf_version: document.version().unwrap_or_default(),
        title: metadata.title,
        author: metadata.author,
        creator: metadata.creator,
        producer: metadata.producer,
        xfa,
    }))
}

fn to_json(page: &Page) -> io::Result<Vec<u8>> {
    let layout = serde_json::value::to_raw_value(page)?;
    let Page { unknown_glyphs, guessed_glyphs, .. } = *page;
    let read = ReadPage { text: page.text(), unknown_glyphs, guessed_glyphs, layout };
    Ok(serde_json::to_vec(&read)?)
}

fn refused(refusal: Refusal) -> io::Result<TextRead> {
    if refusal == Refusal::Source {
        return Err(failed(refusal));
    }
    let code = match refusal {
        Refusal::Limit(_) => "limit".to_owned(),
        refusal => tag(&refusal, ""),
    };
    Ok(TextRead::Refused(Reason { code, detail: refusal.to_string() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a file whose XMP metadata has these properties.
    fn checked(properties: &str) -> Conformance {
        let packet = format!("<x xmlns:pdfaid='http://www.aiim.org/pdfa/ns/id/' {properties}/>");
        let file = format!(
            "%PDF-2.0\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/Metadata 3 0 R>>\nendobj\n\
             2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n\
             3 0 obj\n<</Type/Metadata/Subtype/XML/Length {}>>\nstream\n{packet}\nendstream\nendobj\n\
             trailer\n<</Root 1 0 R>>\n%%EOF\n",
            packet.len()
        );
        check_pdfa(file.into_bytes()).unwrap()
    }

    #[test]
    fn a_part_without_a_check_is_reported_as_unchecked() {
        let found = checked("pdfaid:part='5' pdfaid:conformance='E'");
        assert_eq!((found.claimed.as_deref(), found.flavour.as_str()), (Some("5e"), "5e"));
        assert!(!found.conforming);
        let [failure] = &found.failures[..] else { panic!("{:?}", found.failures) };
        assert_eq!(failure.rule, "unchecked");
        assert!(failure.detail.ends_with("PDF/A-5e"), "{}", failure.detail);
    }

    #[test]
    fn known_claims_are_checked() {
        let flavours = |properties| {
            let found = checked(properties);
            assert!(found.failures.iter().all(|failure| failure.rule != "unchecked"));
            (found.claimed, found.flavour)
        };
        let claimed = |flavour: &str| (Some(flavour.to_owned()), flavour.to_owned());
        assert_eq!(flavours("pdfaid:part='3' pdfaid:conformance='B'"), claimed("3b"));
        assert_eq!(flavours("pdfaid:part='4' pdfaid:rev='2020'"), claimed("4"));
        assert_eq!(flavours("pdfaid:part='4' pdfaid:conformance='E'"), claimed("4e"));
        assert_eq!(flavours("pdfaid:part='4' pdfaid:conformance='F'"), claimed("4f"));
        let odd = flavours("pdfaid:part='4' pdfaid:conformance='B'");
        assert_eq!(odd, (Some("4b".to_owned()), "4".to_owned()));
        assert_eq!(flavours(""), (None, "2b".to_owned()));
        assert_eq!(flavours("pdfaid:part='2'"), (Some("2".to_owned()), "2b".to_owned()));
    }
}
