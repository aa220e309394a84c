//! Verdicts and times on the veraPDF corpus; `PDFA_CORPUS` is its directory:
//!
//! ```sh
//! PDFA_CORPUS=… cargo bench -p pdfa --bench corpus
//! ```
//!
//! Each file is read into memory, opened and validated `PDFA_RUNS` times (default 5); the shortest
//! time counts. With `PREFLIGHT_CLASSPATH` (Apache PDFBox Preflight and its dependencies), the
//! files of 1b are also checked by Preflight, in one virtual machine, twice; the second time
//! counts. The file names contain veraPDF's verdicts.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints, and stops where it fails"
)]

use std::{
    collections::BTreeMap,
    env, fs,
    hint::black_box,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use cos::{File, Limits};
use pdfa::Flavour;

struct Case {
    path: PathBuf,
    flavour: Flavour,
    pass: bool,
}

fn cases(directory: &Path, found: &mut Vec<Case>) {
    for entry in fs::read_dir(directory).expect("a readable directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            cases(&path, found);
            continue;
        }
        let folder = path.iter().find_map(|part| part.to_str()?.strip_prefix("PDF_A-"));
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let pass = name.contains("-pass-");
        if let Some(flavour) = folder.and_then(|folder| folder.parse().ok())
            && (pass || name.contains("-fail-"))
        {
            found.push(Case { path, flavour, pass });
        }
    }
}

/// Whether the file conforms, and the shortest time of `runs` runs, including opening.
fn check(case: &Case, runs: u32) -> (bool, Duration) {
    let bytes = fs::read(&case.path).expect("a readable file");
    let mut least = Duration::MAX;
    let mut conforming = false;
    for _ in 0..runs.max(1) {
        let start = Instant::now();
        let report = File::open(bytes.as_slice(), Limits::default())
            .ok()
            .and_then(|file| pdfa::validate(&file, case.flavour).ok());
        least = least.min(start.elapsed());
        conforming = black_box(report).is_some_and(|report| report.conforming);
    }
    (conforming, least)
}

/// Verdicts and times of Preflight, or `None` without a class path.
fn preflight(cases: &[&Case]) -> Option<Vec<(bool, Duration)>> {
    let classes = env::var("PREFLIGHT_CLASSPATH").ok()?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/Preflight.java");
    let mut child = Command::new("java")
        .arg("-cp")
        .arg(classes)
        .arg(source)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("java");
    let mut input = child.stdin.take().expect("a pipe");
    let paths: Vec<_> = cases.iter().chain(cases).map(|case| case.path.clone()).collect();
    let writer = thread::spawn(move || {
        for path in paths {
            writeln!(input, "{}", path.display()).expect("java reads");
        }
    });
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let answers: Vec<_> = output
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| {
            let (conforming, nanoseconds) = line.split_once(' ')?;
            Some((conforming.parse().ok()?, Duration::from_nanos(nanoseconds.parse().ok()?)))
        })
        .collect();
    writer.join().expect("the writer ends");
    child.wait().expect("java ends");
    assert_eq!(answers.len(), cases.len() * 2, "Preflight did not answer for every file");
    Some(answers[cases.len()..].to_vec())
}

fn row(name: &str, flavour: Flavour, cases: &[&Case], answers: &[(bool, Duration)]) {
    let count = |pass: bool| cases.iter().filter(|case| case.pass == pass).count();
    let right = |pass: bool| {
        cases
            .iter()
            .zip(answers)
            .filter(|(case, (conforming, _))| case.pass == pass && *conforming == pass)
            .count()
    };
    let mut times: Vec<f64> =
        answers.iter().map(|(_, time)| time.as_secs_f64() * 1_000.0).collect();
    times.sort_by(f64::total_cmp);
    let files = u32::try_from(times.len()).unwrap_or(u32::MAX);
    let mean = times.iter().sum::<f64>() / f64::from(files);
    let at = |share: usize| times.get((times.len() - 1) * share / 100).copied().unwrap_or(0.0);
    println!(
        "| {flavour} | {name} | {} / {} | {} / {} | {mean:.2} | {:.2} | {:.2} | {:.2} |",
        right(true),
        count(true),
        right(false),
        count(false),
        at(50),
        at(99),
        at(100)
    );
}

fn main() {
    // A test runner asks every target for its tests; this target has none.
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    let Ok(directory) = env::var("PDFA_CORPUS") else {
        println!("PDFA_CORPUS is not set: nothing to measure");
        return;
    };
    let runs = env::var("PDFA_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(5);
    let mut found = Vec::new();
    cases(Path::new(&directory), &mut found);
    let mut flavours: BTreeMap<Flavour, Vec<&Case>> = BTreeMap::new();
    for case in &found {
        flavours.entry(case.flavour).or_default().push(case);
    }
    println!(
        "| flavour | validator | accepted of conforming | rejected of others | ms mean | median | 99 % | most |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (flavour, cases) in &flavours {
        let answers: Vec<_> = cases.iter().map(|case| check(case, runs)).collect();
        row("pdfa", *flavour, cases, &answers);
        if flavour.to_string() == "1b"
            && let Some(answers) = preflight(cases)
        {
            row("Preflight", *flavour, cases, &answers);
        }
    }
}
