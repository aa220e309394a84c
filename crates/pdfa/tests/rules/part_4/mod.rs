//! PDF/A-4: a conforming file of each level, and for each rule a file that breaks only this rule.

mod colour;
mod content;
mod file;
mod fonts;
mod interactive;

use std::collections::BTreeSet;

use crate::support::{Pdf, conforms, packet_of, stream};

/// A rule, and files that break it. If a file cannot break it alone, the other rule comes second.
pub(super) type Case = (&'static [&'static str], Pdf);

/// Number of tests in veraPDF's profile of each level.
const RULES: usize = 112;

/// Tests that need a font program; the graphics tests have them.
const WITH_PROGRAMS: [&str; 2] = ["6.2.10.6-t01", "6.2.10.6-t04"];

/// A file with one empty page, and an attachment in 4f.
pub(super) fn plain(flavour: &'static str) -> Pdf {
    let pdf = Pdf::new(flavour);
    if flavour == "4f" { attached(pdf, "text/plain", b"abc") } else { pdf }
}

/// Adds an embedded file, as objects 20 and 21.
pub(super) fn attached(pdf: Pdf, kind: &str, data: &[u8]) -> Pdf {
    let mut pdf = pdf
        .with(1, "/Names<</EmbeddedFiles<</Names[(a)20 0 R]>>>>")
        .and(20, "<</Type/Filespec/F(a)/UF(a)/AFRelationship/Data/EF<</F 21 0 R>>>>");
    let kind = kind.replace('/', "#2F");
    pdf.objects.insert(21, stream(&format!("/Type/EmbeddedFile/Subtype/{kind}"), data));
    pdf
}

/// The conforming file of 4; its page has this content and these resources.
pub(super) fn draw(content: &str, resources: &str) -> Pdf {
    let mut pdf = plain("4").and(
        3,
        &format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<<{resources}>>/Contents 5 0 R>>"
        ),
    );
    pdf.objects.insert(5, stream("", content.as_bytes()));
    pdf
}

impl Pdf {
    /// Adds a stream as an object.
    pub(super) fn stream(mut self, number: u32, entries: &str, data: &[u8]) -> Self {
        self.objects.insert(number, stream(entries, data));
        self
    }

    /// Replaces the properties of the metadata.
    pub(super) fn claiming(self, properties: &str) -> Self {
        self.stream(4, "/Type/Metadata/Subtype/XML", &packet_of(properties))
    }
}

fn cases() -> Vec<Case> {
    [file::cases(), content::cases(), colour::cases(), fonts::cases(), interactive::cases()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn a_plain_file_of_each_level_conforms() {
    for flavour in ["4", "4e", "4f"] {
        conforms(&plain(flavour));
    }
}

#[test]
fn each_file_breaks_its_rule_only() {
    let found: Vec<_> = cases()
        .iter()
        .map(|(rules, pdf)| (pdf.flavour, rules.to_vec(), pdf.failures()))
        .filter(|(_, rules, failures)| {
            failures.len() != rules.len()
                || !rules.iter().all(|rule| failures.contains(&(*rule).to_owned()))
        })
        .collect();
    assert!(found.is_empty(), "made to break, and broken: {found:#?}");
}

#[test]
fn every_rule_of_every_level_is_broken_by_a_file() {
    for (flavour, own, not) in [
        ("4", None, &["6.1.6.1-t03", "6.9-t05"]),
        ("4e", Some("6.1.6.1-t03"), &["6.9-t03", "6.9-t05"]),
        ("4f", Some("6.9-t05"), &["6.1.6.1-t03", "6.9-t03"]),
    ] {
        let broken: BTreeSet<&str> = cases()
            .iter()
            .filter(|(_, pdf)| pdf.flavour == "4" || pdf.flavour == flavour)
            .map(|(rules, _)| rules[0])
            .chain(WITH_PROGRAMS)
            .filter(|rule| !not.contains(rule))
            .collect();
        assert!(own.is_none_or(|own| broken.contains(own)), "{flavour}");
        assert_eq!(broken.len(), RULES, "{flavour}: {broken:?}");
    }
}

/// Levels 4e and 4f share the rules of 4: a file that breaks a rule of 4 breaks it in them too.
#[test]
fn the_levels_share_their_rules() {
    for (rules, pdf) in cases() {
        if pdf.flavour != "4" {
            continue;
        }
        for flavour in ["4e", "4f"] {
            let other = Pdf { flavour, ..pdf.clone() };
            let failures = other.failures();
            let is_own = |rule: &&str| matches!(*rule, "6.9-t03" | "6.3.1-t01" | "6.7.3-t03");
            let missing =
                rules.iter().find(|rule| !is_own(rule) && !failures.iter().any(|f| f == **rule));
            assert_eq!(missing, None, "{flavour}: {failures:?}");
        }
    }
}
