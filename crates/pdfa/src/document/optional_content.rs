//! Optional content: clause 6.1.13 of part 1, 6.9 of parts 2 and 3, 6.10 of part 4.

use std::collections::HashSet;

use cos::{Dict, Object, Ref, Source};

use crate::checker::{Checker, Rule};

/// Maximum depth of an `/Order` array that is checked.
const DEPTH: usize = 100;

pub(super) fn check<S: Source>(checker: &Checker<'_, S>) {
    let properties = checker.get(&checker.root(), "OCProperties");
    if !properties.is_null() {
        none(checker);
    }
    let Some(properties) = properties.as_dict() else { return };
    let configurations = configurations(checker, properties);
    let mut names = HashSet::new();
    for (configuration, id) in &configurations {
        name(checker, configuration, *id, &mut names);
        order(checker, properties, configuration, *id);
        automatic_state(checker, configuration, *id);
    }
}

/// 6.1.13-t01 (part 1): no `/OCProperties` in the catalog.
fn none<S: Source>(checker: &Checker<'_, S>) {
    const RULE: Rule = Rule::one("6.1.13", 1);
    checker.broken(RULE, None, "the catalog has /OCProperties");
}

/// The default configuration, and the other configurations.
fn configurations<S: Source>(
    checker: &Checker<'_, S>,
    properties: &Dict,
) -> Vec<(Dict, Option<Ref>)> {
    let default = properties.get("D").cloned();
    let others = checker.get(properties, "Configs").as_array().cloned().unwrap_or_default();
    let all = default.into_iter().chain(others.iter().cloned());
    all.filter_map(|one| Some((checker.resolve(&one).as_dict()?.clone(), one.as_ref()))).collect()
}

/// 6.9-t01: a configuration has a name; only in part 4 it may be empty. 6.9-t02: the names are
/// different.
fn name<S: Source>(
    checker: &Checker<'_, S>,
    configuration: &Dict,
    id: Option<Ref>,
    names: &mut HashSet<Vec<u8>>,
) {
    const MISSING: Rule = Rule::later("6.9", 1);
    const TWICE: Rule = Rule::later("6.9", 2);
    let name = checker.get(configuration, "Name");
    let name = name.as_string().map(|name| name.as_bytes().to_vec());
    let Some(name) = name.filter(|name| checker.is_part_4() || !name.is_empty()) else {
        checker.broken(MISSING, id, "an optional content configuration without a /Name");
        return;
    };
    if !names.insert(name) {
        checker.broken(TWICE, id, "two optional content configurations with the same name");
    }
}

/// 6.9-t03: an `/Order` contains all groups of the file.
fn order<S: Source>(
    checker: &Checker<'_, S>,
    properties: &Dict,
    configuration: &Dict,
    id: Option<Ref>,
) {
    const RULE: Rule = Rule::later("6.9", 3);
    let Object::Array(order) = checker.get(configuration, "Order") else { return };
    let groups = checker.get(properties, "OCGs");
    let mut ordered = HashSet::new();
    collect(checker, &order, DEPTH, &mut ordered);
    let missing = groups
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Object::as_ref)
        .find(|id| !ordered.contains(id));
    if let Some(missing) = missing {
        checker.broken(RULE, id, format_args!("optional content group {missing} is not in /Order"));
    }
}

fn collect<S: Source>(
    checker: &Checker<'_, S>,
    order: &[Object],
    depth: usize,
    found: &mut HashSet<Ref>,
) {
    for one in order {
        // A referenced array is visited only once.
        let first = one.as_ref().is_none_or(|id| found.insert(id));
        if let (true, true, Object::Array(inner)) = (first, depth > 0, checker.resolve(one)) {
            collect(checker, &inner, depth - 1, found);
        }
    }
}

/// 6.9-t04: no `/AS` in a configuration.
fn automatic_state<S: Source>(checker: &Checker<'_, S>, configuration: &Dict, id: Option<Ref>) {
    const RULE: Rule = Rule::later("6.9", 4);
    if !checker.get(configuration, "AS").is_null() {
        checker.broken(RULE, id, "an optional content configuration with /AS");
    }
}
