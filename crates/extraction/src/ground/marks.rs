//! Accuracy of the marks: values and texts with the mark that a careful reader gives, measured on two halves.
//!
//! `tests/marks/*.jsonl` are written by hand, one case per line: kind, type in the schema, value, mark, text. The
//! generators here make more. A hash of the case selects its half: rules are tuned only on `develop`; `held_out`
//! measures them on cases that were not used for tuning.
//!
//! `cargo test -p extraction marks_are_right -- --nocapture` prints the figures, and the cases of `develop` with a
//! wrong mark. It does not print those of `held_out`.

mod numbers;
mod texts;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{DocumentIndex, Part};
use crate::{Page, Schema};

const BY_HAND: [&str; 3] = [
    include_str!("../../tests/marks/dates.jsonl"),
    include_str!("../../tests/marks/numbers.jsonl"),
    include_str!("../../tests/marks/texts.jsonl"),
];

/// A value, a text, and the correct mark.
#[derive(Debug, Clone)]
pub(super) struct Case {
    kind: String,
    schema: String,
    value: Value,
    mark: String,
    text: String,
}

impl Case {
    pub(super) fn new(
        kind: &str,
        schema: &str,
        value: impl Into<Value>,
        mark: &str,
        text: impl Into<String>,
    ) -> Self {
        let (kind, schema, mark) = (kind.to_owned(), schema.to_owned(), mark.to_owned());
        Self { kind, schema, value: value.into(), mark, text: text.into() }
    }

    fn is_held_out(&self) -> bool {
        let key = format!("{}\n{}\n{}\n{}", self.kind, self.schema, self.value, self.text);
        let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        (hash >> 32) % 2 == 1
    }

    /// The mark from this crate.
    fn given(&self) -> String {
        let property = match self.schema.split_once(':') {
            Some((_, options)) => {
                json!({"type": "string", "enum": options.split(',').collect::<Vec<_>>()})
            }
            None => match self.schema.as_str() {
                "decimal" | "date" => json!({"type": "string", "format": self.schema}),
                "currency" => json!({"type": "string", "pattern": "^[A-Z]{3}$"}),
                "summary" => json!({"type": "string", "x-derived": true}),
                "text" => json!({"type": "string"}),
                other => json!({ "type": other }),
            },
        };
        let schema = json!({"type": "object", "properties": {"value": property}}).to_string();
        let schema = Schema::register("marks", 1, &schema).unwrap();
        let pages = [Page { number: 1, text: self.text.clone() }];
        let part = Part { page: 0, start: 0, end: self.text.len() };
        let evidence =
            DocumentIndex::new(&pages).find(&self.value, schema.root().property("value"), &[part]);
        json!(evidence.grounding).as_str().unwrap().to_owned()
    }
}

fn by_hand() -> Vec<Case> {
    let case = |line: &str| {
        let [kind, schema, value, mark, text]: [Value; 5] = serde_json::from_str(line).unwrap();
        let text_of = |value: &Value| value.as_str().unwrap().to_owned();
        Case::new(&text_of(&kind), &text_of(&schema), value, &text_of(&mark), text_of(&text))
    };
    BY_HAND.iter().flat_map(|file| file.lines()).map(case).collect()
}

fn generated() -> Vec<Case> {
    let mut cases = numbers::cases();
    cases.extend(texts::cases());
    cases
}

#[derive(Default)]
struct Tally {
    cases: usize,
    right: usize,
    found: usize,
    false_found: usize,
    missed: usize,
}

impl Tally {
    fn add(&mut self, case: &Case, given: &str) {
        self.cases += 1;
        self.right += usize::from(case.mark == given);
        match (case.mark == "grounded", given == "grounded") {
            (true, true) => self.found += 1,
            (false, true) => self.false_found += 1,
            (true, false) => self.missed += 1,
            (false, false) => {}
        }
    }

    fn precision(&self) -> f64 {
        share(self.found, self.false_found)
    }

    fn recall(&self) -> f64 {
        share(self.found, self.missed)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of some hundred cases")]
fn share(part: usize, rest: usize) -> f64 {
    if part + rest == 0 { 1.0 } else { part as f64 / (part + rest) as f64 }
}

/// A table of the figures by kind, and the total.
fn measure(cases: &[Case], wrong: bool) -> (String, Tally) {
    let (mut kinds, mut all) = (BTreeMap::<&str, Tally>::new(), Tally::default());
    let mut report = String::new();
    for case in cases {
        let given = case.given();
        kinds.entry(&case.kind).or_default().add(case, &given);
        all.add(case, &given);
        if wrong && case.mark != given {
            let Case { kind, schema, value, mark, text } = case;
            writeln!(report, "{given:>10}: {}", json!([kind, schema, value, mark, text])).unwrap();
        }
    }
    for (kind, tally) in kinds.iter().map(|(kind, tally)| (*kind, tally)).chain([("all", &all)]) {
        writeln!(
            report,
            "{kind:20} {:4} cases, precision {:.3} ({} wrong), recall {:.3} ({} missed), right mark {:.3}",
            tally.cases,
            tally.precision(),
            tally.false_found,
            tally.recall(),
            tally.missed,
            share(tally.right, tally.cases - tally.right),
        )
        .unwrap();
    }
    (report, all)
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are for the person who runs the test")]
fn marks_are_right() {
    for (source, cases) in [("by hand", by_hand()), ("generated", generated())] {
        assert!(cases.len() >= 200, "{source}: {}", cases.len());
        let (held_out, develop): (Vec<_>, Vec<_>) = cases.into_iter().partition(Case::is_held_out);
        for (half, cases, wrong) in [("develop", develop, true), ("held out", held_out, false)] {
            let (report, all) = measure(&cases, wrong);
            println!("== {source}, {half}\n{report}");
            assert!(all.precision() >= 0.98 && all.recall() >= 0.95, "{source}, {half}\n{report}");
        }
    }
}
