//! The PDF/A identification schema (ISO 19005-1, 6.7.11; ISO 19005-2 and -3, 6.6.4; ISO 19005-4,
//! 6.7.3), which declares the part and level of the file.

use super::{Findings, packet::Packet, schemas::PDFA_ID};
use crate::{Level, Part, checker::Rule};

/// Tests have the same numbers in every part, up to the test of the prefix of `pdfaid:part`.
const fn rule(test: u16) -> Rule {
    Rule::all(("6.7.11", test), ("6.6.4", test))
}

/// Checks that the packet declares the part and level of the validation.
pub(super) fn check(packet: &Packet, findings: &mut Findings) {
    if !packet.properties.iter().any(|property| property.namespace == PDFA_ID) {
        findings.broken(rule(1), "there is no PDF/A identification schema");
        return;
    }
    let text = |name| packet.property(PDFA_ID, name).and_then(|property| property.text());
    let part_number = findings.flavour.part.number();
    let part = text("part");
    if part.and_then(|part| part.parse().ok()) != Some(part_number) {
        findings.broken(
            rule(2),
            format!("pdfaid:part is {}, not {}", part.unwrap_or("missing"), part_number),
        );
    }
    level(packet, findings);
    revision(packet, findings);
    prefixes(packet, findings);
}

/// Test 3: `pdfaid:conformance` is the level, or a higher one that includes it: A includes U, and U
/// includes B. In part 4 only 4e and 4f have a level.
fn level(packet: &Packet, findings: &mut Findings) {
    let property = packet.property(PDFA_ID, "conformance");
    let conformance = property.and_then(|property| property.text());
    let accepted = match (findings.flavour.level, findings.flavour.part) {
        (Level::Unnamed, _) => &[][..],
        (Level::E, _) => &["E"],
        (Level::F, _) => &["F"],
        (Level::A, _) => &["A"],
        (Level::U, _) => &["A", "U"],
        (Level::B, Part::One) => &["A", "B"],
        (Level::B, _) => &["A", "B", "U"],
    };
    let fits = match conformance {
        Some(level) => accepted.contains(&level),
        None => accepted.is_empty() && property.is_none(),
    };
    if !fits {
        let found = conformance.unwrap_or("missing");
        let accepted =
            if accepted.is_empty() { "absent".to_owned() } else { accepted.join(" or ") };
        findings.broken(rule(3), format!("pdfaid:conformance is {found}, not {accepted}"));
    }
}

/// 6.7.3-t05 (part 4): `pdfaid:rev` is a year of four digits.
fn revision(packet: &Packet, findings: &mut Findings) {
    let revision = packet.property(PDFA_ID, "rev").and_then(|property| property.text());
    let year = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !revision.is_some_and(year) {
        let found = revision.unwrap_or("missing");
        findings.broken(
            Rule::four("6.7.3", 5),
            format!("pdfaid:rev is {found}, not a year of four digits"),
        );
    }
}

/// Tests 4 to 7 of parts 1 to 3, 4 and 6 of part 4: the prefix of the properties is `pdfaid`.
fn prefixes(packet: &Packet, findings: &mut Findings) {
    let corrigendum = Rule::later("6.6.4", 7);
    let rules = [
        ("part", rule(4)),
        ("conformance", rule(5)),
        ("amd", rule(6)),
        ("corr", corrigendum),
        ("rev", Rule::four("6.7.3", 6)),
    ];
    for (name, rule) in rules {
        if let Some(property) =
            packet.property(PDFA_ID, name).filter(|property| property.prefix != "pdfaid")
        {
            findings.broken(
                rule,
                format!("{} does not have the prefix pdfaid", property.qualified_name()),
            );
        }
    }
}
