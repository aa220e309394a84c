//! Logical structure and language: clause 6.8 of part 1, 6.7 of parts 2 and 3, for level a; and
//! replacement text in part 4.

mod actual_text;
mod language;
mod structure;

use cos::{Object, Source};

use crate::checker::{Checker, Rule};
pub(crate) use actual_text::{RULE as ACTUAL_TEXT, has_private, is_private};
pub(crate) use language::check_property_list;

pub(crate) fn check<S: Source>(checker: &Checker<'_, S>) {
    let elements = structure::elements(checker);
    structure::check_names(checker, &elements);
    actual_text::check(checker, &elements);
    if !checker.needs_structure() {
        return;
    }
    marked(checker);
    tree(checker);
    structure::check_types(checker, &elements);
    language::check(checker, &elements);
}

/// 6.8.2.2-t01, 6.7.2.2-t01: the catalog's `/MarkInfo` has `/Marked true`.
fn marked<S: Source>(checker: &Checker<'_, S>) {
    const RULE: Rule = Rule::all(("6.8.2.2", 1), ("6.7.2.2", 1));
    let info = checker.dict(&checker.root(), "MarkInfo").unwrap_or_default();
    if checker.get(&info, "Marked").as_bool() != Some(true) {
        checker.broken(RULE, None, "the catalog has no /MarkInfo with /Marked true");
    }
}

/// 6.8.3.3-t01, 6.7.3.3-t01: the catalog has a structure tree.
fn tree<S: Source>(checker: &Checker<'_, S>) {
    const RULE: Rule = Rule::all(("6.8.3.3", 1), ("6.7.3.3", 1));
    if !matches!(checker.get(&checker.root(), "StructTreeRoot"), Object::Dict(_)) {
        checker.broken(RULE, None, "the catalog has no /StructTreeRoot");
    }
}
