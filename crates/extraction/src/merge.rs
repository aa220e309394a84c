//! Merges the data of the parts, by rules, without a model.
//!
//! - Objects: the properties of all parts.
//! - Arrays: the items of all parts, in page order. An item that an earlier part also has is removed if the array
//!   contains scalars, if the schema has `uniqueItems`, or if none of its values is found in the text of its own part.
//!   An invoice line that occurs on two pages is two lines.
//! - Scalars: the value that is found in the text, then the one in most parts, then the first. If the parts have
//!   different values, the value's confidence is multiplied by 0.7, and there is a warning.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::answer::choose;
use crate::ground::{DocumentIndex, Evidence, Grounding, Part, rounded};
use crate::result::{Field, Warning};
use crate::schema::{Kind, Node};

/// Data with the grounding of each value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    Object(BTreeMap<String, Tree>),
    Array(Vec<Tree>),
    Leaf(Value, Evidence),
}

/// DocumentIndex each value of a part's data in the part's text.
pub(crate) fn judge(
    value: Value,
    node: Option<&Node>,
    document_index: &DocumentIndex<'_>,
    parts: &[Part],
) -> Tree {
    let node = node.map(|node| choose(node, &value));
    match value {
        Value::Object(members) => Tree::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let node = node.and_then(|node| node.property(&name));
                    let tree = judge(value, node, document_index, parts);
                    (name, tree)
                })
                .collect(),
        ),
        Value::Array(items) => {
            let node = node.and_then(|node| match &node.kind {
                Kind::Array { items, .. } => Some(&**items),
                _ => None,
            });
            Tree::Array(
                items.into_iter().map(|item| judge(item, node, document_index, parts)).collect(),
            )
        }
        value => {
            let evidence = document_index.find(&value, node, parts);
            Tree::Leaf(value, evidence)
        }
    }
}

/// Merges the data of the parts, in the order of the parts.
pub(crate) fn merge(
    trees: Vec<Tree>,
    node: Option<&Node>,
    pointer: &str,
    warnings: &mut Vec<Warning>,
) -> Option<Tree> {
    if trees.len() < 2 {
        return trees.into_iter().next();
    }
    if trees.iter().all(|tree| matches!(tree, Tree::Object(_)))
        && !matches!(node.map(|node| &node.kind), Some(Kind::Any(_)))
    {
        return Some(objects(trees, node, pointer, warnings));
    }
    if trees.iter().all(|tree| matches!(tree, Tree::Array(_))) {
        return Some(Tree::Array(arrays(trees, node)));
    }
    scalars(trees, pointer, warnings)
}

fn objects(
    trees: Vec<Tree>,
    node: Option<&Node>,
    pointer: &str,
    warnings: &mut Vec<Warning>,
) -> Tree {
    let mut members: BTreeMap<String, Vec<Tree>> = BTreeMap::new();
    for tree in trees {
        if let Tree::Object(object) = tree {
            for (name, tree) in object {
                members.entry(name).or_default().push(tree);
            }
        }
    }
    let mut merged = BTreeMap::new();
    for (name, trees) in members {
        let node = node.and_then(|node| node.property(&name));
        if let Some(tree) = merge(trees, node, &format!("{pointer}/{name}"), warnings) {
            merged.insert(name, tree);
        }
    }
    Tree::Object(merged)
}

fn arrays(trees: Vec<Tree>, node: Option<&Node>) -> Vec<Tree> {
    let (unique, scalars) = match node.map(|node| &node.kind) {
        Some(Kind::Array { unique, items, .. }) => (*unique, matches!(items.kind, Kind::Scalar(_))),
        _ => (false, false),
    };
    let mut items: Vec<Tree> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for tree in trees {
        let Tree::Array(more) = tree else { continue };
        let more: Vec<(String, Tree)> = more.into_iter().map(|item| (same(&item), item)).collect();
        let earlier = seen.clone();
        for (key, item) in more {
            let known = if unique || scalars {
                !seen.insert(key)
            } else {
                seen.insert(key.clone());
                earlier.contains(&key)
            };
            if !known || !(unique || scalars || !is_found(&item)) {
                items.push(item);
            }
        }
    }
    items
}

/// Whether any value of the tree is found in the text, with one or more readings.
fn is_found(tree: &Tree) -> bool {
    certainty(tree) > 0
}

/// The certainty of the best value in the tree: 2 if it is grounded, 1 if it is ambiguous, else 0.
fn certainty(tree: &Tree) -> u8 {
    match tree {
        Tree::Object(members) => members.values().map(certainty).max().unwrap_or(0),
        Tree::Array(items) => items.iter().map(certainty).max().unwrap_or(0),
        Tree::Leaf(_, evidence) => match evidence.grounding {
            Grounding::Grounded => 2,
            Grounding::Ambiguous => 1,
            Grounding::Derived | Grounding::Ungrounded => 0,
        },
    }
}

/// The key of a tree. Trees with the same key are the same data, ignoring case and spaces.
fn same(tree: &Tree) -> String {
    let mut fields = Vec::new();
    let text = value(tree, "", &mut fields).to_string();
    text.split_whitespace().flat_map(|word| word.chars().flat_map(char::to_lowercase)).collect()
}

fn scalars(trees: Vec<Tree>, pointer: &str, warnings: &mut Vec<Warning>) -> Option<Tree> {
    let mut groups: Vec<(String, Vec<Tree>)> = Vec::new();
    for tree in trees {
        let key = same(&tree);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(tree),
            None => groups.push((key, vec![tree])),
        }
    }
    let values = groups.len();
    // `max_by_key` returns the last maximum, but the first one is needed.
    groups.reverse();
    let (_, mut group) =
        groups.into_iter().max_by_key(|(_, group)| (best_certainty(group), group.len()))?;
    let best = group.iter().position(|tree| certainty(tree) == best_certainty(&group)).unwrap_or(0);
    let mut tree = group.swap_remove(best);
    if values > 1 {
        warnings.push(Warning::Conflict { pointer: pointer.to_owned(), values });
        lower_confidence(&mut tree);
    }
    Some(tree)
}

fn best_certainty(trees: &[Tree]) -> u8 {
    trees.iter().map(certainty).max().unwrap_or(0)
}

fn lower_confidence(tree: &mut Tree) {
    match tree {
        Tree::Object(members) => members.values_mut().for_each(lower_confidence),
        Tree::Array(items) => items.iter_mut().for_each(lower_confidence),
        Tree::Leaf(_, evidence) => evidence.confidence = rounded(evidence.confidence * 0.7),
    }
}

/// The plain data of a tree; adds each value other than an object or array to `fields`.
pub(crate) fn value(tree: &Tree, pointer: &str, fields: &mut Vec<Field>) -> Value {
    match tree {
        Tree::Object(members) => {
            let members = members.iter().map(|(name, tree)| {
                (name.clone(), value(tree, &format!("{pointer}/{name}"), fields))
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        Tree::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, tree)| value(tree, &format!("{pointer}/{index}"), fields))
            .collect(),
        Tree::Leaf(value, evidence) => {
            fields.push(Field {
                pointer: pointer.to_owned(),
                value: value.clone(),
                grounding: evidence.grounding,
                matched: evidence.matched,
                place: evidence.place.clone(),
                occurrences: evidence.occurrences,
                confidence: evidence.confidence,
            });
            value.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Page, Schema};

    /// Merges the data of pages, with one page per part.
    fn merged(schema: &str, parts: &[(&str, Value)]) -> (Value, Vec<Field>, Vec<Warning>) {
        let schema = Schema::built_in(schema).unwrap();
        let pages: Vec<Page> = parts
            .iter()
            .zip(1..)
            .map(|((text, _), number)| Page { number, text: (*text).to_owned() })
            .collect();
        let document_index = DocumentIndex::new(&pages);
        let trees = parts
            .iter()
            .enumerate()
            .map(|(page, (text, value))| {
                judge(
                    value.clone(),
                    Some(schema.root()),
                    &document_index,
                    &[Part { page, start: 0, end: text.len() }],
                )
            })
            .collect();
        let (mut warnings, mut fields) = (Vec::new(), Vec::new());
        let tree = merge(trees, Some(schema.root()), "", &mut warnings).unwrap();
        let value = value(&tree, "", &mut fields);
        (value, fields, warnings)
    }

    #[test]
    fn objects_are_united_and_arrays_follow_the_pages() {
        let line = |text: &str| json!({"description": text});
        let (value, fields, warnings) = merged(
            "invoice",
            &[
                (
                    "Invoice F1 of Acme: paper, pens",
                    json!({"number": "F1", "supplier": {"name": "Acme"}, "lines": [line("paper"), line("pens")]}),
                ),
                ("paper again, total 12.00", json!({"total": "12.00", "lines": [line("paper")]})),
            ],
        );
        assert_eq!(
            value,
            json!({"number": "F1", "supplier": {"name": "Acme"}, "total": "12.00", "lines": [line("paper"), line("pens"), line("paper")]})
        );
        assert!(warnings.is_empty());
        let total = fields.iter().find(|field| field.pointer == "/total").unwrap();
        assert_eq!(total.place.as_ref().unwrap().page, 2);
    }

    #[test]
    fn a_repeated_item_that_is_not_in_the_text_is_removed() {
        let line = |text: &str| json!({"description": text});
        let (value, ..) = merged(
            "invoice",
            &[
                ("paper", json!({"lines": [line("paper"), line("paper")]})),
                ("nothing", json!({"lines": [line("Paper"), line("ink")]})),
            ],
        );
        assert_eq!(value, json!({"lines": [line("paper"), line("paper"), line("ink")]}));
        let (value, ..) = merged(
            "cv",
            &[
                ("Rust", json!({"skills": ["Rust"]})),
                ("rust, SQL", json!({"skills": ["rust", "SQL"]})),
            ],
        );
        assert_eq!(value, json!({"skills": ["Rust", "SQL"]}));
    }

    #[test]
    fn a_scalar_in_the_text_has_priority_and_a_conflict_is_reported() {
        let (value, fields, warnings) = merged(
            "receipt",
            &[
                ("Shop", json!({"total": "99.00"})),
                ("sum 12.50", json!({"total": "12.50"})),
                ("x", json!({"total": "99.00"})),
            ],
        );
        assert_eq!(value, json!({"total": "12.50"}));
        assert_eq!(warnings, [Warning::Conflict { pointer: "/total".into(), values: 2 }]);
        assert!((fields[0].confidence - 0.7).abs() < 1e-9);
    }

    #[test]
    fn agreement_has_priority_over_order() {
        let (value, ..) = merged(
            "receipt",
            &[
                ("A", json!({"merchant": "A"})),
                ("B", json!({"merchant": "B"})),
                ("B", json!({"merchant": "b"})),
            ],
        );
        assert_eq!(value, json!({"merchant": "B"}));
        let (value, _, warnings) =
            merged("receipt", &[("A", json!({"merchant": "A"})), ("B", json!({"merchant": "B"}))]);
        assert_eq!((value, warnings.len()), (json!({"merchant": "A"}), 1));
    }
}
