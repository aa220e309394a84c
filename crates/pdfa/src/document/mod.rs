//! The catalog and the page dictionaries: optional content, permissions, signatures, names,
//! requirements, page boundaries.

mod optional_content;
mod permissions;
mod pkcs7;
mod signatures;

use cos::{Object, Page, Source};

use crate::{
    Level,
    checker::{Checker, Rule},
};

pub(crate) fn check<S: Source>(checker: &Checker<'_, S>) {
    name_dictionary(checker);
    requirements(checker);
    version(checker);
    optional_content::check(checker);
    permissions::check(checker);
    signatures::check(checker);
    for page in checker.pages() {
        presentation_steps(checker, page);
        boundaries(checker, page);
    }
}

/// 6.1.11-t02 (part 1): the name dictionary has no `/EmbeddedFiles`. 6.9-t05 (part 4f): it has
/// `/EmbeddedFiles`. 6.10-t01, 6.11-t01 (part 4): it has no `/AlternatePresentations`.
fn name_dictionary<S: Source>(checker: &Checker<'_, S>) {
    const EMBEDDED: Rule = Rule::one("6.1.11", 2);
    const NOT_EMBEDDED: Rule = Rule::four("6.9", 5);
    const PRESENTATIONS: Rule = Rule::later("6.10", 1);
    let names = checker.dict(&checker.root(), "Names").unwrap_or_default();
    if names.contains("EmbeddedFiles") {
        checker.broken(EMBEDDED, None, "the name dictionary has /EmbeddedFiles");
    } else if checker.flavour.level == Level::F {
        checker.broken(NOT_EMBEDDED, None, "the name dictionary has no /EmbeddedFiles");
    }
    if !checker.get(&names, "AlternatePresentations").is_null() {
        checker.broken(PRESENTATIONS, None, "the name dictionary has /AlternatePresentations");
    }
}

/// 6.1.12-t01 (part 4): `/Version` of the catalog is 2.n with one digit n.
fn version<S: Source>(checker: &Checker<'_, S>) {
    const RULE: Rule = Rule::four("6.1.12", 1);
    let version = checker.get(&checker.root(), "Version");
    if !version.is_null()
        && !version
            .as_name()
            .is_some_and(|name| matches!(name.as_bytes(), [b'2', b'.', b'0'..=b'9']))
    {
        checker.broken(RULE, None, format_args!("the catalog has /Version {version:?}"));
    }
}

/// 6.11-t01, 6.12-t01 (part 4): no `/Requirements` in the catalog.
fn requirements<S: Source>(checker: &Checker<'_, S>) {
    const RULE: Rule = Rule::later("6.11", 1);
    if !checker.get(&checker.root(), "Requirements").is_null() {
        checker.broken(RULE, None, "the catalog has /Requirements");
    }
}

/// 6.10-t02, 6.11-t02 (part 4): no `/PresSteps` in a page.
fn presentation_steps<S: Source>(checker: &Checker<'_, S>, page: &Page) {
    const RULE: Rule = Rule::later("6.10", 2);
    if !checker.get(&page.dict, "PresSteps").is_null() {
        checker.broken(RULE, page.id, "a page with /PresSteps");
    }
}

/// 6.1.13-t11: page boundaries are from 3 to 14,400 units wide and high.
fn boundaries<S: Source>(checker: &Checker<'_, S>, page: &Page) {
    const RULE: Rule = Rule::later("6.1.13", 11);
    for key in ["MediaBox", "CropBox", "BleedBox", "TrimBox", "ArtBox"] {
        let Some(Object::Array(corners)) = page.get(key).map(|corners| checker.resolve(corners))
        else {
            continue;
        };
        let corners: Vec<f64> =
            corners.iter().filter_map(|corner| checker.resolve(corner).as_f64()).collect();
        let [left, bottom, right, top] = corners[..] else { continue };
        let within = |size: f64| (3.0..=14_400.0).contains(&size.abs());
        if !within(right - left) || !within(top - bottom) {
            checker.broken(
                RULE,
                page.id,
                format_args!("/{key} is {} by {}", (right - left).abs(), (top - bottom).abs()),
            );
        }
    }
}
