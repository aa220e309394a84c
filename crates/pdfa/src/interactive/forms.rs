//! Interactive forms: clause 6.9 of part 1, 6.4 of parts 2 to 4.

use std::collections::HashSet;

use cos::{Dict, Object, Ref, Source};

use crate::checker::{Checker, Rule};

/// A field of the form.
pub(crate) struct Field {
    pub(crate) dict: Dict,
    pub(crate) id: Option<Ref>,
    /// `/FT` of the field, or inherited.
    pub(crate) kind: Object,
}

/// All fields of the form, including those with kids. A field that occurs twice counts once.
pub(crate) fn fields<S: Source>(checker: &Checker<'_, S>) -> Vec<Field> {
    let limits = checker.file.limits();
    let Some(form) = checker.dict(&checker.root(), "AcroForm") else { return Vec::new() };
    let top = checker.get(&form, "Fields").as_array().cloned().unwrap_or_default();
    let mut open: Vec<_> = top.iter().map(|field| (field.clone(), Object::Null, 0)).collect();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    while let Some((field, inherited, depth)) = open.pop() {
        let id = field.as_ref();
        if id.is_some_and(|id| !seen.insert(id))
            || depth > limits.nesting
            || found.len() > limits.objects
        {
            continue;
        }
        let Object::Dict(dict) = checker.resolve(&field) else { continue };
        let own = checker.get(&dict, "FT");
        let kind = if own.is_null() { inherited } else { own };
        for kid in checker.get(&dict, "Kids").as_array().into_iter().flatten() {
            open.push((kid.clone(), kind.clone(), depth + 1));
        }
        found.push(Field { dict, id, kind });
    }
    found
}

pub(super) fn check<S: Source>(checker: &Checker<'_, S>) {
    let root = checker.root();
    needs_rendering(checker, &root);
    for field in fields(checker) {
        additional_actions(checker, &field);
    }
    let Some(form) = checker.dict(&root, "AcroForm") else { return };
    need_appearances(checker, &form);
    xfa(checker, &form);
}

/// 6.9-t01, 6.4.1-t03, 6.4.1-t02 (part 4): `/NeedAppearances` is absent or false.
fn need_appearances<S: Source>(checker: &Checker<'_, S>, form: &Dict) {
    const RULE: Rule = Rule::all(("6.9", 1), ("6.4.1", 3));
    if checker.get(form, "NeedAppearances").as_bool() == Some(true) {
        checker.broken(RULE, None, "the form has /NeedAppearances true");
    }
}

/// 6.4.2-t01: no `/XFA`.
fn xfa<S: Source>(checker: &Checker<'_, S>, form: &Dict) {
    const RULE: Rule = Rule::later("6.4.2", 1);
    if form.contains("XFA") {
        checker.broken(RULE, None, "the form has /XFA");
    }
}

/// 6.4.2-t02: no `/NeedsRendering` in the catalog.
fn needs_rendering<S: Source>(checker: &Checker<'_, S>, root: &Dict) {
    const RULE: Rule = Rule::later("6.4.2", 2);
    if checker.get(root, "NeedsRendering").as_bool() == Some(true) {
        checker.broken(RULE, None, "the catalog has /NeedsRendering true");
    }
}

/// 6.6.2-t02, 6.4.1-t02 (parts 2 and 3): a field has no `/AA`.
fn additional_actions<S: Source>(checker: &Checker<'_, S>, field: &Field) {
    const RULE: Rule = Rule::all(("6.6.2", 2), ("6.4.1", 2));
    if field.dict.contains("AA") {
        checker.broken(RULE, field.id, "a form field with /AA");
    }
}
