//! Annotations: clause 6.5 of part 1, 6.3 of parts 2 to 4.

use cos::{Dict, Object, Ref, Source};

use crate::{
    Level, Part,
    checker::{Checker, Rule},
};

/// Permitted types of PDF 1.4, which PDF 1.7 also has.
const TYPES: [&str; 16] = [
    "Text",
    "Link",
    "FreeText",
    "Line",
    "Square",
    "Circle",
    "Highlight",
    "Underline",
    "Squiggly",
    "StrikeOut",
    "Stamp",
    "Ink",
    "Popup",
    "Widget",
    "PrinterMark",
    "TrapNet",
];

/// Further permitted types of PDF 1.7.
const LATER_TYPES: [&str; 5] = ["Polygon", "PolyLine", "Caret", "Watermark", "Redact"];

const INVISIBLE: i64 = 1;
const HIDDEN: i64 = 1 << 1;
const PRINT: i64 = 1 << 2;
const NO_VIEW: i64 = 1 << 5;
const TOGGLE_NO_VIEW: i64 = 1 << 8;

/// The annotation dictionaries of all pages.
pub(super) fn all<S: Source>(checker: &Checker<'_, S>) -> Vec<(Dict, Option<Ref>)> {
    let mut found = Vec::new();
    for page in checker.pages() {
        for annotation in checker.get(&page.dict, "Annots").as_array().into_iter().flatten() {
            if let Object::Dict(dict) = checker.resolve(annotation) {
                found.push((dict, annotation.as_ref()));
            }
        }
    }
    found
}

pub(super) fn check<S: Source>(checker: &Checker<'_, S>) {
    for (annotation, id) in all(checker) {
        let subtype = checker.get(&annotation, "Subtype");
        let subtype = subtype.as_name().and_then(|name| name.as_str()).unwrap_or_default();
        permitted_type(checker, subtype, id);
        opacity(checker, &annotation, id);
        flags(checker, &annotation, subtype, id);
        colour(checker, &annotation, id);
        appearance(checker, &annotation, subtype, id);
        if subtype == "Widget" {
            widget_appearance(checker, &annotation, id);
            widget_actions(checker, &annotation, id);
        }
    }
}

/// 6.5.2-t01, 6.3.1-t01: only the listed types. FileAttachment is permitted in parts 2 and 3 and in
/// 4f; 3D and RichMedia only in 4e.
fn permitted_type<S: Source>(checker: &Checker<'_, S>, subtype: &str, id: Option<Ref>) {
    const RULE: Rule = Rule::all(("6.5.2", 1), ("6.3.1", 1));
    let of_level: &[&str] = match (checker.flavour.part, checker.flavour.level) {
        (Part::One, _) => &[],
        (Part::Two | Part::Three, _) => &["FileAttachment"],
        (Part::Four, Level::E) => &["Projection", "3D", "RichMedia"],
        (Part::Four, Level::F) => &["Projection", "FileAttachment"],
        (Part::Four, _) => &["Projection"],
    };
    let permitted = TYPES.contains(&subtype)
        || !checker.is_part_1() && LATER_TYPES.contains(&subtype)
        || of_level.contains(&subtype);
    if !permitted {
        checker.broken(RULE, id, format_args!("an annotation of type {subtype:?}"));
    }
}

/// 6.5.3-t01 (part 1): `/CA` is 1.
fn opacity<S: Source>(checker: &Checker<'_, S>, annotation: &Dict, id: Option<Ref>) {
    const RULE: Rule = Rule::one("6.5.3", 1);
    if let Some(value) = checker.get(annotation, "CA").as_f64()
        && (value - 1.0).abs() > f64::EPSILON
    {
        checker.broken(RULE, id, format_args!("an annotation with /CA {value}"));
    }
}

/// 6.5.3-t02, 6.3.2-t01: `/F` is present (in parts 2 to 4 not required for Popup). 6.5.3-t02,
/// 6.3.2-t02: the annotation is printed and visible.
fn flags<S: Source>(checker: &Checker<'_, S>, annotation: &Dict, subtype: &str, id: Option<Ref>) {
    const MISSING: Rule = Rule::all(("6.5.3", 2), ("6.3.2", 1));
    const WRONG: Rule = Rule::all(("6.5.3", 2), ("6.3.2", 2));
    let Some(flags) = checker.get(annotation, "F").as_i64() else {
        if checker.is_part_1() || subtype != "Popup" {
            checker.broken(MISSING, id, "an annotation without /F");
        }
        return;
    };
    let forbidden =
        INVISIBLE | HIDDEN | NO_VIEW | if checker.is_part_1() { 0 } else { TOGGLE_NO_VIEW };
    if flags & PRINT == 0 || flags & forbidden != 0 {
        checker.broken(WRONG, id, format_args!("an annotation with the flags {flags:#b}"));
    }
}

/// 6.5.3-t03 (part 1): `/C` and `/IC` only with an RGB output intent.
fn colour<S: Source>(checker: &Checker<'_, S>, annotation: &Dict, id: Option<Ref>) {
    const RULE: Rule = Rule::one("6.5.3", 3);
    let coloured = ["C", "IC"].iter().any(|key| !checker.get(annotation, key).is_null());
    if checker.is_part_1() && coloured && !has_rgb_output_intent(checker) {
        checker.broken(RULE, id, "an annotation with /C or /IC, and no RGB output intent");
    }
}

/// Whether the profile of a PDF/A output intent is RGB (ICC.1, 7.2.6: bytes 16 to 19).
fn has_rgb_output_intent<S: Source>(checker: &Checker<'_, S>) -> bool {
    let intents = checker.get(&checker.root(), "OutputIntents");
    intents.as_array().into_iter().flatten().any(|intent| {
        let intent = checker.resolve(intent);
        let Some(intent) =
            intent.as_dict().filter(|intent| checker.get(intent, "S").is_name("GTS_PDFA1"))
        else {
            return false;
        };
        let profile = checker.get(intent, "DestOutputProfile");
        let data = profile.as_stream().and_then(|profile| checker.data(profile));
        data.is_some_and(|data| data.get(16..20) == Some(b"RGB "))
    })
}

/// 6.3.3-t01: there is an appearance, except for Popup, Link, Projection (part 4) and an empty
/// rectangle. 6.5.3-t04 to -t06, 6.3.3-t02 to -t04: it has only `/N`, which is a dictionary for
/// buttons and a stream for other types.
fn appearance<S: Source>(
    checker: &Checker<'_, S>,
    annotation: &Dict,
    subtype: &str,
    id: Option<Ref>,
) {
    const MISSING: Rule = Rule::later("6.3.3", 1);
    const OTHER: Rule = Rule::all(("6.5.3", 4), ("6.3.3", 2));
    const BUTTON: Rule = Rule::all(("6.5.3", 5), ("6.3.3", 3));
    const STREAM: Rule = Rule::all(("6.5.3", 6), ("6.3.3", 4));
    let Some(appearances) = checker.dict(annotation, "AP") else {
        let exempt =
            matches!(subtype, "Popup" | "Link") || checker.is_part_4() && subtype == "Projection";
        if !exempt && !is_empty(checker, annotation) {
            checker.broken(
                MISSING,
                id,
                format_args!("an annotation of type {subtype} without /AP"),
            );
        }
        return;
    };
    if !appearances.iter().all(|(key, _)| *key == "N") || appearances.is_empty() {
        checker.broken(
            OTHER,
            id,
            "an appearance dictionary with an entry other than /N, or without /N",
        );
        return;
    }
    let normal = checker.get(&appearances, "N");
    let button = subtype == "Widget" && field_type(checker, annotation).is_name("Btn");
    match normal {
        Object::Dict(states) if button && !states.is_empty() => {}
        _ if button => {
            checker.broken(
                BUTTON,
                id,
                "the /N appearance of a button is not a dictionary of states",
            );
        }
        Object::Stream(_) => {}
        _ => checker.broken(STREAM, id, "the /N appearance is not a stream"),
    }
}

/// Whether width and height of the rectangle are zero.
fn is_empty<S: Source>(checker: &Checker<'_, S>, annotation: &Dict) -> bool {
    let Object::Array(corners) = checker.get(annotation, "Rect") else { return false };
    let corners: Vec<f64> =
        corners.iter().filter_map(|corner| checker.resolve(corner).as_f64()).collect();
    let [left, bottom, right, top] = corners[..] else { return false };
    (right - left).abs() < f64::EPSILON && (top - bottom).abs() < f64::EPSILON
}

/// `/FT` of the annotation, or inherited from its parents.
fn field_type<S: Source>(checker: &Checker<'_, S>, annotation: &Dict) -> Object {
    let mut field = annotation.clone();
    for _ in 0..checker.file.limits().nesting {
        let kind = checker.get(&field, "FT");
        if !kind.is_null() {
            return kind;
        }
        match checker.dict(&field, "Parent") {
            Some(parent) => field = parent,
            None => break,
        }
    }
    Object::Null
}

/// 6.9-t02 (part 1): a widget has an appearance.
fn widget_appearance<S: Source>(checker: &Checker<'_, S>, annotation: &Dict, id: Option<Ref>) {
    const RULE: Rule = Rule::one("6.9", 2);
    if checker.get(annotation, "AP").is_null() {
        checker.broken(RULE, id, "a form field without an appearance");
    }
}

/// 6.6.1-t03, 6.4.1-t01: a widget has no `/A`. 6.6.2-t01, 6.4.1-t01: it has no `/AA`, except in
/// part 4.
fn widget_actions<S: Source>(checker: &Checker<'_, S>, annotation: &Dict, id: Option<Ref>) {
    const ACTION: Rule = Rule::all(("6.6.1", 3), ("6.4.1", 1));
    const ADDITIONAL: Rule = Rule::all(("6.6.2", 1), ("6.4.1", 1));
    if annotation.contains("A") {
        checker.broken(ACTION, id, "a widget with /A");
    }
    if annotation.contains("AA") && !checker.is_part_4() {
        checker.broken(ADDITIONAL, id, "a widget with /AA");
    }
}
