//! The PDF/A identification schema (ISO 19005-1, 6.7.11; ISO 19005-2 and -3, 6.6.4): the file says
//! which part and level it conforms to.

use super::{Edition, Findings, packet::Packet, schemas::PDFA_ID};
use crate::{Level, Part, checker::Rule};

/// Checks that the packet names the part and level that the file is checked against. Tests have the
/// same numbers in every part.
pub(super) fn check(packet: &Packet, findings: &mut Findings) {
    let rule = |test| Rule::all(("6.7.11", test), ("6.6.4", test));
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
    // A higher level includes the lower: A includes U, and U includes B.
    let conformance = text("conformance");
    let accepted = match (findings.flavour.level, findings.flavour.part) {
        (Level::A, _) => &["A"][..],
        (Level::U, _) => &["A", "U"],
        (Level::B, Part::One) => &["A", "B"],
        (Level::B, _) => &["A", "B", "U"],
    };
    if !conformance.is_some_and(|level| accepted.contains(&level)) {
        let found = conformance.unwrap_or("missing");
        findings.broken(
            rule(3),
            format!("pdfaid:conformance is {found}, not {}", accepted.join(" or ")),
        );
    }
    let corrigendum = (findings.edition == Edition::Xmp2005).then_some(("corr", 7));
    for (name, test) in [("part", 4), ("conformance", 5), ("amd", 6)].into_iter().chain(corrigendum)
    {
        if let Some(property) =
            packet.property(PDFA_ID, name).filter(|property| property.prefix != "pdfaid")
        {
            findings.broken(
                rule(test),
                format!("{} has not the prefix pdfaid", property.qualified_name()),
            );
        }
    }
}
