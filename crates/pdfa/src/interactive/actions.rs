//! Actions: clause 6.6 of part 1, 6.5 of parts 2 and 3, 6.6 of part 4.

use std::collections::HashSet;

use cos::{Dict, Object, Ref, Source};

use super::{annotations, forms};
use crate::{
    Level, Part,
    checker::{Checker, Rule},
};

/// Types of action that are permitted.
const TYPES: [&str; 6] = ["GoTo", "GoToR", "Thread", "URI", "Named", "SubmitForm"];
/// Further types that are permitted in part 4; level 4e has more.
const TYPES_OF_PART_4: [&str; 4] = ["GoToE", "JavaScript", "RichMediaExecute", "GoToDp"];
const TYPES_OF_LEVEL_E: [&str; 2] = ["SetOCGState", "GoTo3DView"];
/// Events of annotations that may start an action in part 4.
const EVENTS: [&str; 6] = ["E", "X", "D", "U", "Fo", "Bl"];
/// Permitted named actions.
const NAMED: [&str; 4] = ["NextPage", "PrevPage", "FirstPage", "LastPage"];

pub(super) fn check<S: Source>(checker: &Checker<'_, S>) {
    let root = checker.root();
    catalog_additional_actions(checker, &root);
    trigger_events(checker, &root, None);
    let mut actions = Actions { checker, seen: HashSet::new() };
    // `/OpenAction` may also be a destination, which is not a dictionary.
    actions.entry(&root, "OpenAction");
    actions.additional(&root);
    for page in checker.pages() {
        page_additional_actions(checker, &page.dict, page.id);
        trigger_events(checker, &page.dict, page.id);
        actions.additional(&page.dict);
    }
    for (annotation, id) in annotations::all(checker) {
        if !checker.get(&annotation, "Subtype").is_name("Widget") {
            trigger_events(checker, &annotation, id);
        }
        actions.entry(&annotation, "A");
        actions.additional(&annotation);
    }
    for field in forms::fields(checker) {
        actions.additional(&field.dict);
    }
    actions.outlines(&root);
}

/// 6.6.2-t03, 6.5.2-t01 (parts 2 and 3): no `/AA` in the catalog.
fn catalog_additional_actions<S: Source>(checker: &Checker<'_, S>, root: &Dict) {
    const RULE: Rule = Rule::all(("6.6.2", 3), ("6.5.2", 1));
    if root.contains("AA") {
        checker.broken(RULE, None, "the catalog has /AA");
    }
}

/// 6.5.2-t02 (parts 2 and 3): no `/AA` in a page.
fn page_additional_actions<S: Source>(checker: &Checker<'_, S>, page: &Dict, id: Option<Ref>) {
    const RULE: Rule = Rule::later("6.5.2", 2);
    if page.contains("AA") {
        checker.broken(RULE, id, "a page with /AA");
    }
}

/// 6.6.3-t01 (part 4): `/AA` of the catalog, of a page and of an annotation other than a widget has
/// only the events of the pointer and the focus.
fn trigger_events<S: Source>(checker: &Checker<'_, S>, dict: &Dict, id: Option<Ref>) {
    const RULE: Rule = Rule::four("6.6.3", 1);
    for (event, _) in checker.dict(dict, "AA").iter().flatten() {
        if !EVENTS.iter().any(|permitted| *event == *permitted) {
            checker.broken(RULE, id, format_args!("/AA has the event {event:?}"));
        }
    }
}

/// Checks each action once.
struct Actions<'a, 'b, S> {
    checker: &'b Checker<'a, S>,
    seen: HashSet<Ref>,
}

impl<S: Source> Actions<'_, '_, S> {
    fn entry(&mut self, dict: &Dict, key: &str) {
        if let Some(action) = dict.get(key) {
            self.chain(action.clone());
        }
    }

    fn additional(&mut self, dict: &Dict) {
        for (_, action) in self.checker.dict(dict, "AA").iter().flatten() {
            self.chain(action.clone());
        }
    }

    /// Checks an action and the actions in its `/Next`.
    fn chain(&mut self, first: Object) {
        let mut open = vec![(first, 0)];
        while let Some((action, depth)) = open.pop() {
            if depth > self.checker.file.limits().nesting
                || action.as_ref().is_some_and(|id| !self.seen.insert(id))
            {
                continue;
            }
            let Object::Dict(dict) = self.checker.resolve(&action) else { continue };
            permitted(self.checker, &dict, action.as_ref());
            match dict.get("Next").map(|next| (next.clone(), self.checker.resolve(next))) {
                Some((_, Object::Array(next))) => {
                    open.extend(next.iter().map(|next| (next.clone(), depth + 1)));
                }
                Some((next, _)) => open.push((next, depth + 1)),
                None => {}
            }
        }
    }

    /// Checks the actions of all bookmarks.
    fn outlines(&mut self, root: &Dict) {
        let mut seen = HashSet::new();
        let mut open: Vec<Object> = root.get("Outlines").cloned().into_iter().collect();
        while let Some(item) = open.pop() {
            if item.as_ref().is_some_and(|id| !seen.insert(id))
                || seen.len() > self.checker.file.limits().objects
            {
                continue;
            }
            let Object::Dict(dict) = self.checker.resolve(&item) else { continue };
            self.entry(&dict, "A");
            // Only references are followed: a direct dictionary has no number, so `seen` cannot
            // detect a loop through it.
            open.extend(
                ["First", "Next"]
                    .iter()
                    .filter_map(|key| dict.get(key))
                    .filter(|one| one.as_ref().is_some())
                    .cloned(),
            );
        }
    }
}

/// 6.6.1-t01, 6.5.1-t01: only permitted types. 6.6.1-t02, 6.5.1-t02: named actions only turn pages.
/// In part 4 both belong to clause 6.6.1.
fn permitted<S: Source>(checker: &Checker<'_, S>, action: &Dict, id: Option<Ref>) {
    const TYPE: Rule = Rule::all(("6.6.1", 1), ("6.5.1", 1));
    const NAME: Rule = Rule::all(("6.6.1", 2), ("6.5.1", 2));
    let kind = checker.get(action, "S");
    let kind = kind.as_name().and_then(|name| name.as_str()).unwrap_or_default();
    let of_part = match (checker.flavour.part, checker.flavour.level) {
        (Part::One, _) => false,
        (Part::Two | Part::Three, _) => kind == "GoToE",
        (Part::Four, level) => {
            TYPES_OF_PART_4.contains(&kind) || level == Level::E && TYPES_OF_LEVEL_E.contains(&kind)
        }
    };
    if !TYPES.contains(&kind) && !of_part {
        checker.broken(TYPE, id, format_args!("an action of type {kind:?}"));
    }
    if kind == "Named" {
        let name = checker.get(action, "N");
        let name = name.as_name().and_then(|name| name.as_str()).unwrap_or_default();
        if !NAMED.contains(&name) {
            checker.broken(NAME, id, format_args!("the named action {name:?}"));
        }
    }
}
