//! Files of real programs: those in the repository, and those in the directories of `PDF_CORPUS`.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use pdf_inspect::{Budget, Error, Feature, Limits, Looped, Policy, Refusal, Verdict, inspect};

fn pdfs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/pdf")
}

fn outcome(path: &Path) -> Result<(usize, Vec<Feature>), Refusal> {
    let findings = match inspect(fs::read(path).unwrap(), &Limits::default()) {
        Ok(findings) => findings,
        Err(Error::Refused(refusal)) => return Err(refusal),
        Err(error) => panic!("{}: {error}", path.display()),
    };
    match Policy::default().judge(&findings) {
        Verdict::Accepted { flags } => Ok((findings.pages, flags)),
        Verdict::Refused { reasons } => panic!("{}: {reasons:?}", path.display()),
    }
}

#[test]
fn good_files_are_accepted() {
    let expected: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&fs::read(pdfs().join("expected.json")).unwrap()).unwrap();
    assert!(!expected.is_empty());
    for (name, facts) in expected {
        let (pages, flags) = outcome(&pdfs().join(&name)).unwrap();
        assert_eq!(pages as u64, facts["pages"].as_u64().unwrap(), "{name}");
        let flagged = match name.as_str() {
            // Their open action is a GoTo action.
            "bzip2-manual.pdf" | "field-report.pdf" => vec![Feature::OpenAction],
            "letter-encrypted.pdf" => vec![Feature::Encrypted],
            _ => vec![],
        };
        assert_eq!(flags, flagged, "{name}");
    }
}

#[test]
fn bad_files_are_refused() {
    use Refusal::{Damaged, NotAPdf, PasswordProtected};
    let limit = |budget| Refusal::Limit { budget };
    let looped = |what| Refusal::Loop { what };
    let expected = [
        ("empty", NotAPdf),
        ("flate-bomb", limit(Budget::StreamBytes)),
        ("form-bomb", limit(Budget::FormExpansions)),
        ("header-only", Damaged),
        ("nested-arrays", limit(Budget::Nesting)),
        ("nested-content", limit(Budget::Nesting)),
        ("no-pages", Damaged),
        ("page-loop", looped(Looped::PageTree)),
        ("password", PasswordProtected),
        ("picture", NotAPdf),
        ("self-form", looped(Looped::Drawing)),
        ("text", NotAPdf),
        ("truncated", Damaged),
        ("zip", NotAPdf),
    ];
    for (name, refusal) in expected {
        let path = pdfs().join("bad").join(format!("{name}.pdf"));
        assert_eq!(outcome(&path), Err(refusal), "{name}");
    }
    // All pages of these files are readable.
    for name in ["truncated-startxref.pdf", "truncated-tail.pdf"] {
        let found = outcome(&pdfs().join("bad").join(name));
        assert_eq!(found, Ok((8, vec![Feature::Repaired])), "{name}");
    }
}

/// The findings other than the features.
#[test]
fn facts_are_reported() {
    let facts = |name: &str| {
        let bytes = fs::read(pdfs().join(name)).unwrap();
        inspect(bytes, &Limits::default()).unwrap()
    };
    let invoice = facts("invoice-pdfa2b.pdf");
    assert_eq!(invoice.claim.as_deref(), Some("PDF/A-2b"));
    assert!(invoice.metadata && invoice.complete);
    assert_eq!(facts("handbook-pdf20.pdf").version, "2.0");
    let chart = facts("hebrew-chart.pdf");
    assert!(chart.has(Feature::Linearized) && !chart.has(Feature::IncrementalUpdates));
    assert_eq!(chart.id.unwrap()[0].len(), 32);
    let letter = facts("letter-encrypted.pdf");
    let encryption = letter.encryption.unwrap();
    assert_eq!((encryption.version, encryption.revision), (5, 6));
    assert!(letter.complete && letter.operators > 20, "the contents of its pages are inspected");
}

/// Every file in the directories that `PDF_CORPUS` names (separated as in `PATH`) gets a verdict.
#[test]
fn corpora_end_in_a_verdict() {
    let Some(corpora) = env::var_os("PDF_CORPUS") else { return };
    let mut open: Vec<_> = env::split_paths(&corpora).collect();
    let mut count = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "pdf") {
            let found = inspect(fs::read(&path).unwrap(), &Limits::default());
            assert!(!matches!(found, Err(Error::Io(_))), "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 0, "no file in {}", corpora.display());
}
