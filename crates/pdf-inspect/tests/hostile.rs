//! Every hostile file gets the verdict in `verdicts.txt`, within the limits.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::{collections::BTreeMap, fmt::Write};

use pdf_inspect::{Action, Error, Feature, Findings, Limits, Policy, Reason, Verdict, inspect};
use serde::Serialize;
use serde_json::Value;

/// The verdict of the default policy in one line: `unreadable`, `refused` or `accepted`, with
/// reasons or flags. Allowed features are not listed.
fn verdict(outcome: &Result<Findings, Error>) -> String {
    match outcome {
        Err(Error::Refused(refusal)) => format!("unreadable {}", name(refusal)),
        Err(Error::Io(error)) => format!("error {error}"),
        Ok(findings) => match Policy::default().judge(findings) {
            Verdict::Accepted { flags } => {
                flags.iter().fold("accepted".to_owned(), |mut line, flag| {
                    let _ = write!(line, " {}", name(flag));
                    line
                })
            }
            Verdict::Refused { reasons } => {
                reasons.iter().fold("refused".to_owned(), |mut line, reason| {
                    let Reason::Feature(feature) = reason else { panic!("{reason:?}") };
                    let _ = write!(line, " {}", name(feature));
                    line
                })
            }
        },
    }
}

/// The serialized name of a value.
fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value).unwrap() {
        Value::String(name) => name,
        Value::Object(parts) => {
            let parts = parts.values().map(|part| part.as_str().unwrap());
            parts.collect::<Vec<_>>().join(" ")
        }
        other => panic!("{other}"),
    }
}

fn expected() -> BTreeMap<&'static str, &'static str> {
    let lines = include_str!("verdicts.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(": ")).collect()
}

#[test]
fn every_hostile_file_has_its_verdict() {
    let mut expected = expected();
    let mut wrong = String::new();
    for case in hostile_pdfs::iter() {
        let outcome = inspect(case.bytes, &Limits::default());
        let found = verdict(&outcome);
        match expected.remove(case.name.as_str()) {
            Some(verdict) if verdict == found => {}
            other => {
                let stated = other.unwrap_or("nothing");
                let _ = writeln!(wrong, "{}: {found} (stated: {stated})", case.name);
            }
        }
        if let Ok(findings) = outcome {
            // Files that pass are far below the limits.
            assert!(findings.work < 5_000_000, "{}: {} steps", case.name, findings.work);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(expected.is_empty(), "no such case: {expected:?}");
}

/// The same file always has the same result.
#[test]
fn outcomes_are_the_same_each_time() {
    for make in hostile_pdfs::xref::ALL.iter().chain(hostile_pdfs::pages::ALL) {
        let case = make();
        let again = inspect(case.bytes.clone(), &Limits::default());
        let first = inspect(case.bytes, &Limits::default());
        assert_eq!(format!("{first:?}"), format!("{again:?}"), "{}", case.name);
    }
}

/// A feature is found however its name is written, and wherever it occurs.
#[test]
fn hidden_features_are_found() {
    let mut plain = BTreeMap::new();
    for case in hostile_pdfs::flags::all() {
        let findings = inspect(case.bytes, &Limits::default()).unwrap();
        let mut found = findings.features;
        // This feature is the place, not the content.
        found.remove(&Feature::ObjectStreams);
        let found: Vec<_> = found.into_iter().collect();
        match case.name.trim_end_matches("_escaped").trim_end_matches("_packed") {
            name if name == case.name => {
                plain.insert(case.name, found);
            }
            name => assert_eq!(plain.get(name), Some(&found), "{}", case.name),
        }
    }
    assert!(plain.len() > 20);
}

/// Each limit is exact: at the limit the file passes, one above it is refused.
#[test]
fn limits_are_held() {
    let case = hostile_pdfs::flags::script_in_stream();
    let all = inspect(case.bytes.clone(), &Limits::default()).unwrap();
    let with = |limits: Limits| inspect(case.bytes.clone(), &limits);
    let default = Limits::default();
    let at = [
        Limits { work: all.work, ..default },
        Limits { bytes: all.bytes, ..default },
        Limits { total_bytes: all.inflated_bytes, ..default },
        Limits { operators: all.operators, ..default },
        Limits { pages: all.pages, ..default },
    ];
    for limits in at {
        assert!(with(limits).is_ok(), "{limits:?}");
    }
    let over = [
        Limits { work: all.work - 1, ..default },
        Limits { bytes: all.bytes - 1, ..default },
        Limits { total_bytes: all.inflated_bytes - 1, ..default },
        Limits { operators: all.operators - 1, ..default },
        Limits { pages: all.pages - 1, ..default },
    ];
    for limits in over {
        assert!(matches!(with(limits), Err(Error::Refused(_))), "{limits:?}");
    }
}

/// A policy decides only on the features that it names.
#[test]
fn a_policy_decides() {
    let case = hostile_pdfs::flags::script_in_stream();
    let findings = inspect(case.bytes, &Limits::default()).unwrap();
    let mut policy = Policy::default();
    let reason = Reason::Feature(Feature::JavaScript);
    let flags = vec![Feature::JavaScript, Feature::OpenAction];
    assert_eq!(policy.judge(&findings), Verdict::Accepted { flags });
    policy.features.insert(Feature::JavaScript, Action::Refuse);
    assert_eq!(policy.judge(&findings), Verdict::Refused { reasons: vec![reason] });
    policy.features.insert(Feature::JavaScript, Action::Allow);
    policy.features.insert(Feature::OpenAction, Action::Allow);
    assert_eq!(policy.judge(&findings), Verdict::Accepted { flags: vec![] });
    policy.max_pages = Some(0);
    policy.max_bytes = Some(findings.bytes);
    assert_eq!(policy.judge(&findings), Verdict::Refused { reasons: vec![Reason::Pages(1)] });
    let script = &findings.features[&Feature::JavaScript];
    assert_eq!((script.count, script.first.as_deref()), (1, Some("1 0 R")));
}
