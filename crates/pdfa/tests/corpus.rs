//! Compares verdicts with the veraPDF corpus in the directory `PDFA_CORPUS`; without the variable
//! the tests do nothing. A file is `PDF_A-<part><level>/…/…
//! <clause>-t<test>-<pass|fail>-<letter>.pdf`.

#![allow(clippy::expect_used, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use cos::{File, Limits};
use pdfa::{Flavour, Report};

/// A file of the corpus, and the verdict in its name.
struct Case {
    path: PathBuf,
    flavour: Flavour,
    clause: String,
    pass: bool,
}

impl Case {
    fn of(path: &Path) -> Option<Self> {
        let mut folders = path.iter().filter_map(|part| part.to_str()?.strip_prefix("PDF_A-"));
        let flavour = folders.next()?.parse().ok()?;
        let stem = path.file_stem()?.to_str()?.rsplit(' ').next()?;
        let (clause, rest) = stem.split_once("-t")?;
        let pass = rest.contains("-pass");
        Some(Self { path: path.to_owned(), flavour, clause: clause.replace('-', "."), pass })
    }

    fn check(&self) -> Result<Report, String> {
        let bytes = fs::read(&self.path).map_err(|error| error.to_string())?;
        let file = File::open(bytes, Limits::default()).map_err(|error| error.to_string())?;
        pdfa::validate(&file, self.flavour).map_err(|error| error.to_string())
    }

    /// Whether the clause that failed is the one in the name. Some names use the first edition of
    /// part 1, and some use a subclause where the rules use the clause, or the reverse.
    fn is_reason(&self, clause: &str) -> bool {
        let within =
            |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}."));
        within(clause, &self.clause)
            || within(&self.clause, clause)
            || matches!((self.clause.as_str(), clause), ("6.1.5", "6.7.3") | ("6.7.2", "6.7.9"))
    }
}

fn cases(directory: &Path, found: &mut Vec<Case>) {
    for entry in fs::read_dir(directory).expect("a readable directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            cases(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "pdf") {
            found.extend(Case::of(&path));
        }
    }
}

#[derive(Default)]
struct Tally {
    passes: usize,
    accepted: usize,
    fails: usize,
    rejected: usize,
    for_the_reason: usize,
}

#[test]
fn verdicts_on_the_corpus() {
    let Ok(directory) = env::var("PDFA_CORPUS") else { return };
    let mut found = Vec::new();
    cases(Path::new(&directory), &mut found);
    assert!(!found.is_empty(), "no files in {directory}");
    found.sort_by(|one, other| one.path.cmp(&other.path));
    let mut tallies: BTreeMap<Flavour, Tally> = BTreeMap::new();
    for case in &found {
        let tally = tallies.entry(case.flavour).or_default();
        let report = case.check();
        let name = case.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let conforming = report.as_ref().is_ok_and(|report| report.conforming);
        let reasons: Vec<String> = match &report {
            Ok(report) => report
                .failures
                .iter()
                .map(|one| format!("{}-t{:02}: {}", one.clause, one.test, one.detail))
                .collect(),
            Err(error) => vec![error.clone()],
        };
        if case.pass {
            tally.passes += 1;
            tally.accepted += usize::from(conforming);
            if !conforming {
                eprintln!("{} {name}: rejected: {}", case.flavour, reasons.join("; "));
            }
        } else {
            tally.fails += 1;
            tally.rejected += usize::from(!conforming);
            let reason = report
                .is_ok_and(|report| report.failures.iter().any(|one| case.is_reason(one.clause)));
            tally.for_the_reason += usize::from(reason);
            if conforming {
                eprintln!("{} {name}: accepted", case.flavour);
            } else if !reason {
                eprintln!(
                    "{} {name}: rejected for another reason: {}",
                    case.flavour,
                    reasons.join("; ")
                );
            }
        }
    }
    eprintln!(
        "flavour  accepted of conforming  rejected of non-conforming  for the clause in the name"
    );
    for (flavour, tally) in &tallies {
        let Tally { passes, accepted, fails, rejected, for_the_reason } = tally;
        eprintln!(
            "{flavour}       {accepted:4} / {passes:4}             {rejected:4} / {fails:4}                 {for_the_reason:4} / {fails:4}"
        );
    }
    for (flavour, tally) in &tallies {
        assert!(
            tally.accepted * 100 >= tally.passes * 95,
            "{flavour}: fewer than 95 of 100 accepted"
        );
        assert!(
            tally.rejected * 100 >= tally.fails * 90,
            "{flavour}: fewer than 90 of 100 rejected"
        );
    }
}

/// Rules of part 2 that part 4 does not have, or has for another key or version: clause and test,
/// or all tests of clauses with this prefix.
fn only_in_part_2(clause: &str, test: u16) -> bool {
    let clauses = ["6.1.13", "6.2.11.4.2", "6.6.2.3."];
    clauses.iter().any(|start| clause.starts_with(start))
        || matches!(
            (clause, test),
            ("6.1.2" | "6.2.9" | "6.2.11.7.2", 1)
                | ("6.1.7.1" | "6.1.12", 2)
                | ("6.2.5" | "6.2.9", 3)
                | ("6.4.1", 1 | 2)
        )
}

/// The file with the header, the version, the trailer and the claim of part 4. The length does not
/// change.
fn as_part_4(mut bytes: Vec<u8>) -> Vec<u8> {
    const CHANGES: [(&[u8], &[u8]); 8] = [
        (b"/Info ", b"/Xnfo "),
        (b"/Version/1.", b"/Version/2."),
        (b"<pdfaid:part>2<", b"<pdfaid:part>4<"),
        (b"pdfaid:part=\"2\"", b"pdfaid:part=\"4\""),
        (
            b"<pdfaid:conformance>B</pdfaid:conformance>",
            b"<pdfaid:rev>2020</pdfaid:rev>             ",
        ),
        (
            b"<pdfaid:conformance>U</pdfaid:conformance>",
            b"<pdfaid:rev>2020</pdfaid:rev>             ",
        ),
        (b"pdfaid:conformance=\"B\"", b"pdfaid:rev=\"2020\"     "),
        (b"pdfaid:conformance=\"U\"", b"pdfaid:rev=\"2020\"     "),
    ];
    for (from, to) in CHANGES {
        assert_eq!(from.len(), to.len());
        for at in 0..bytes.len().saturating_sub(from.len()) {
            if bytes[at..].starts_with(from) {
                bytes[at..at + from.len()].copy_from_slice(to);
            }
        }
    }
    if bytes.starts_with(b"%PDF-1.") {
        bytes[5..8].copy_from_slice(b"2.0");
    }
    bytes
}

/// This half of the corpus has no files of part 4. Files of part 2 that are marked as part 4 break
/// the same rules, as far as part 4 has them. In conforming files, only the PDF 2.0 rule on the
/// length of inline images may fail.
#[test]
fn files_of_part_2_marked_as_part_4() {
    let Ok(directory) = env::var("PDFA_CORPUS") else { return };
    let mut found = Vec::new();
    cases(Path::new(&directory), &mut found);
    let part_4: Flavour = "4".parse().expect("a flavour");
    let (mut accepted, mut rejected, mut not_in_part_4) = (0, 0, 0);
    for case in found.iter().filter(|case| matches!(case.flavour.to_string().as_str(), "2b" | "2u"))
    {
        let original = case.check().expect("a report");
        let bytes = as_part_4(fs::read(&case.path).expect("a readable file"));
        let file = File::open(bytes, Limits::default()).expect("a file");
        let report = pdfa::validate(&file, part_4).expect("a report");
        let failures: Vec<_> = report.failures.iter().map(|one| (one.clause, one.test)).collect();
        if case.pass {
            assert!(
                failures.iter().all(|failure| *failure == ("6.1.9", 2)),
                "{}: {failures:?}",
                case.path.display()
            );
            accepted += 1;
        } else if original.failures.iter().all(|one| only_in_part_2(one.clause, one.test)) {
            not_in_part_4 += 1;
        } else {
            assert!(!report.conforming, "{}: {:?}", case.path.display(), original.failures);
            rejected += 1;
        }
    }
    eprintln!(
        "of part 2, as part 4: {accepted} accepted, {rejected} rejected, {not_in_part_4} broke no rule \
         that part 4 has"
    );
}

/// A file with a few changed bytes ends in a report or an error, never a panic, with its own
/// flavour and with part 4.
#[test]
fn spoiled_files_end() {
    let Ok(directory) = env::var("PDFA_CORPUS") else { return };
    let mut found = Vec::new();
    cases(Path::new(&directory), &mut found);
    let rounds: u64 =
        env::var("PDFA_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    let part_4: Vec<Flavour> =
        ["4", "4e", "4f"].iter().filter_map(|name| name.parse().ok()).collect();
    let limits = Limits { stream_bytes: 8 << 20, total_bytes: 64 << 20, ..Limits::default() };
    for case in &found {
        let original = fs::read(&case.path).expect("a readable file");
        let mut random = original.len() as u64;
        // xorshift64: good enough for different places in each file.
        let mut next = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % below.max(1) as u64).unwrap_or_default()
        };
        for _ in 0..rounds {
            let mut bytes = original.clone();
            for _ in 0..=next(24) {
                let at = next(bytes.len());
                match next(4) {
                    0 => bytes[at] = u8::try_from(next(256)).unwrap_or_default(),
                    1 => bytes[at] = b"0123456789<>[]()/%R \n"[next(21)],
                    2 => drop(bytes.drain(at..(at + next(40)).min(bytes.len()))),
                    _ => {
                        let from = next(bytes.len());
                        let piece = bytes[from..(from + next(60)).min(bytes.len())].to_vec();
                        bytes.splice(at..at, piece);
                    }
                }
            }
            if let Ok(file) = File::open(bytes, limits) {
                let _ = pdfa::validate(&file, case.flavour);
                for flavour in &part_4 {
                    let _ = pdfa::validate(&file, *flavour);
                }
            }
        }
    }
}
