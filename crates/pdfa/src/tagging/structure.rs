//! Structure elements, and the mapping of their types to standard types.

use std::collections::HashSet;

use cos::{Dict, Name, Object, Ref, Source};

use crate::checker::{Checker, Rule};

/// Standard types of PDF 1.4 (PDF Reference, 9.7.4) and later (ISO 32000-1, 14.8.4).
const TYPES: [&str; 44] = [
    "Document",
    "Part",
    "Art",
    "Sect",
    "Div",
    "BlockQuote",
    "Caption",
    "TOC",
    "TOCI",
    "Index",
    "NonStruct",
    "Private",
    "P",
    "H",
    "H1",
    "H2",
    "H3",
    "H4",
    "H5",
    "H6",
    "L",
    "LI",
    "Lbl",
    "LBody",
    "Table",
    "TR",
    "TH",
    "TD",
    "Span",
    "Quote",
    "Note",
    "Reference",
    "BibEntry",
    "Code",
    "Link",
    "Figure",
    "Formula",
    "Form",
    "THead",
    "TBody",
    "TFoot",
    "Ruby",
    "Warichu",
    "Annot",
];
/// Standard types of ISO 32000-1 within Ruby and Warichu.
const ASSEMBLED: [&str; 5] = ["RB", "RT", "RP", "WT", "WP"];
/// The types in [`TYPES`] that PDF 1.4 does not have.
const LATER: [&str; 6] = ["THead", "TBody", "TFoot", "Ruby", "Warichu", "Annot"];

/// Maximum length of a chain of mapped types.
const CHAIN: usize = 100;

/// A structure element.
pub(super) struct Element {
    pub(super) dict: Dict,
    pub(super) id: Option<Ref>,
}

/// All elements of the tree, each once.
pub(super) fn elements<S: Source>(checker: &Checker<'_, S>) -> Vec<Element> {
    let Some(root) = checker.dict(&checker.root(), "StructTreeRoot") else { return Vec::new() };
    let mut open: Vec<(Object, usize)> = kids(checker, &root, 0);
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    while let Some((kid, depth)) = open.pop() {
        let id = kid.as_ref();
        // The parser limits the depth of direct elements, and referenced elements are visited once.
        if id.is_some_and(|id| !seen.insert(id)) || found.len() > checker.file.limits().objects {
            continue;
        }
        let Object::Dict(dict) = checker.resolve(&kid) else { continue };
        // Other kids are references to marked content or to objects.
        if !dict.contains("S") {
            continue;
        }
        open.extend(kids(checker, &dict, depth + 1));
        found.push(Element { dict, id });
    }
    found
}

fn kids<S: Source>(checker: &Checker<'_, S>, dict: &Dict, depth: usize) -> Vec<(Object, usize)> {
    let Some(kids) = dict.get("K") else { return Vec::new() };
    match checker.resolve(kids) {
        Object::Array(kids) => kids.iter().rev().map(|kid| (kid.clone(), depth)).collect(),
        Object::Dict(_) => vec![(kids.clone(), depth)],
        _ => Vec::new(),
    }
}

/// 6.1.8-t01 (parts 2 and 3): structure types, including those of the role map, are UTF-8.
pub(super) fn check_names<S: Source>(checker: &Checker<'_, S>, elements: &[Element]) {
    const RULE: Rule = Rule::later("6.1.8", 1);
    let root = checker.dict(&checker.root(), "StructTreeRoot").unwrap_or_default();
    for (from, to) in checker.dict(&root, "RoleMap").iter().flatten() {
        let to = checker.resolve(to);
        if from.as_str().is_none() || to.as_name().is_some_and(|to| to.as_str().is_none()) {
            checker.broken(RULE, None, format_args!("the role of {from:?} is not UTF-8"));
        }
    }
    for element in elements {
        if let Object::Name(name) = checker.get(&element.dict, "S")
            && name.as_str().is_none()
        {
            checker.broken(
                RULE,
                element.id,
                format_args!("the structure type {name:?} is not UTF-8"),
            );
        }
    }
}

/// 6.8.3.4, 6.7.3.4: -t01: a non-standard type is mapped to a standard type; -t02: the mapping is
/// not circular; -t03 (parts 2 and 3): a standard type is not mapped to a non-standard type.
pub(super) fn check_types<S: Source>(checker: &Checker<'_, S>, elements: &[Element]) {
    const MAPPED: Rule = Rule::all(("6.8.3.4", 1), ("6.7.3.4", 1));
    const CIRCLE: Rule = Rule::all(("6.8.3.4", 2), ("6.7.3.4", 2));
    const REMAPPED: Rule = Rule::later("6.7.3.4", 3);
    let root = checker.dict(&checker.root(), "StructTreeRoot").unwrap_or_default();
    let map = checker.dict(&root, "RoleMap").unwrap_or_default();
    for element in elements {
        let Object::Name(name) = checker.get(&element.dict, "S") else { continue };
        match standard(checker, &map, &name) {
            Role::Standard => {}
            Role::Circle => {
                checker.broken(CIRCLE, element.id, format_args!("{name:?} is mapped in a circle"));
            }
            Role::Unknown => checker.broken(
                MAPPED,
                element.id,
                format_args!("{name:?} is not mapped to a standard type"),
            ),
            Role::Remapped => checker.broken(
                REMAPPED,
                element.id,
                format_args!("the standard type {name:?} is mapped"),
            ),
        }
    }
}

enum Role {
    Standard,
    Circle,
    Unknown,
    /// A standard type that is mapped to a non-standard type.
    Remapped,
}

fn standard<S: Source>(checker: &Checker<'_, S>, map: &Dict, name: &Name) -> Role {
    let mut name = name.clone();
    let mut seen: HashSet<Name> = HashSet::new();
    let first_is_standard = is_standard(checker, &name);
    for _ in 0..CHAIN {
        let mapped =
            name.as_str().map(|key| checker.get(map, key)).and_then(|next| next.as_name().cloned());
        match mapped {
            _ if is_standard(checker, &name) && !(first_is_standard && seen.is_empty()) => {
                return Role::Standard;
            }
            None if is_standard(checker, &name) => return Role::Standard,
            None if first_is_standard => return Role::Remapped,
            None => return Role::Unknown,
            Some(_) if !seen.insert(name.clone()) => return Role::Circle,
            Some(next) => name = next,
        }
    }
    Role::Circle
}

fn is_standard<S: Source>(checker: &Checker<'_, S>, name: &Name) -> bool {
    let Some(name) = name.as_str() else { return false };
    if checker.is_part_1() {
        TYPES.contains(&name) && !LATER.contains(&name)
    } else {
        TYPES.contains(&name) || ASSEMBLED.contains(&name)
    }
}
