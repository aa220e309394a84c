//! The parts' data to one: by rules, without a model.
//!
//! - Objects: the properties of all parts.
//! - Arrays: the items of all parts, in the order of the pages. An item that an earlier part has too is left out if
//!   the array holds scalars, if the schema says `uniqueItems`, or if nothing of it stands in its own part's text.
//!   The same line of an invoice on two pages is two lines.
//! - Scalars: the value that stands in the text, then the one of most parts, then the first. If the parts say
//!   different things, the value's confidence is taken times 0.7, and a warning tells.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::answer::choose;
use crate::ground::{Evidence, Grounding, Grounds, Part, rounded};
use crate::result::{Field, Warning};
use crate::schema::{Kind, Node};

/// Data, with what is known of each value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    Object(BTreeMap<String, Tree>),
    Array(Vec<Tree>),
    Leaf(Value, Evidence),
}

/// Looks for each value of a part's data in the part's text.
pub(crate) fn judge(
    value: Value,
    node: Option<&Node>,
    grounds: &Grounds<'_>,
    parts: &[Part],
) -> Tree {
    let node = node.map(|node| choose(node, &value));
    match value {
        Value::Object(members) => Tree::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let node = node.and_then(|node| node.property(&name));
                    let tree = judge(value, node, grounds, parts);
                    (name, tree)
                })
                .collect(),
        ),
        Value::Array(items) => {
            let node = node.and_then(|node| match &node.kind {
                Kind::Array { items, .. } => Some(&**items),
                _ => None,
            });
            Tree::Array(items.into_iter().map(|item| judge(item, node, grounds, parts)).collect())
        }
        value => {
            let evidence = grounds.find(&value, node, parts);
            Tree::Leaf(value, evidence)
        }
    }
}

/// Makes one of the parts' data, in the order of the parts.
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
            if !known || !(unique || scalars || !stands(&item)) {
                items.push(item);
            }
        }
    }
    items
}

/// Whether any value of the tree stands in the text, surely or in one reading.
fn stands(tree: &Tree) -> bool {
    standing(tree) > 0
}

/// How surely the best value of the tree stands in the text: 2 if it is grounded, 1 if what stands there is ambiguous.
fn standing(tree: &Tree) -> u8 {
    match tree {
        Tree::Object(members) => members.values().map(standing).max().unwrap_or(0),
        Tree::Array(items) => items.iter().map(standing).max().unwrap_or(0),
        Tree::Leaf(_, evidence) => match evidence.grounding {
            Grounding::Grounded => 2,
            Grounding::Ambiguous => 1,
            Grounding::Derived | Grounding::Ungrounded => 0,
        },
    }
}

/// Trees with the same key are the same data: case and spaces do not count.
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
    // The first of the best: `max_by_key` gives the last.
    groups.reverse();
    let (_, mut group) =
        groups.into_iter().max_by_key(|(_, group)| (best_standing(group), group.len()))?;
    let best = group.iter().position(|tree| standing(tree) == best_standing(&group)).unwrap_or(0);
    let mut tree = group.swap_remove(best);
    if values > 1 {
        warnings.push(Warning::Conflict { pointer: pointer.to_owned(), values });
        doubt(&mut tree);
    }
    Some(tree)
}

fn best_standing(trees: &[Tree]) -> u8 {
    trees.iter().map(standing).max().unwrap_or(0)
}

fn doubt(tree: &mut Tree) {
    match tree {
        Tree::Object(members) => members.values_mut().for_each(doubt),
        Tree::Array(items) => items.iter_mut().for_each(doubt),
        Tree::Leaf(_, evidence) => evidence.confidence = rounded(evidence.confidence * 0.7),
    }
}

/// The plain data of a tree; each value that is no object and no array goes to `fields`.
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

    /// Merges the data of pages, one page a part.
    fn merged(schema: &str, parts: &[(&str, Value)]) -> (Value, Vec<Field>, Vec<Warning>) {
        let schema = Schema::built_in(schema).unwrap();
        let pages: Vec<Page> = parts
            .iter()
            .zip(1..)
            .map(|((text, _), number)| Page { number, text: (*text).to_owned() })
            .collect();
        let grounds = Grounds::new(&pages);
        let trees = parts
            .iter()
            .enumerate()
            .map(|(page, (text, value))| {
                judge(
                    value.clone(),
                    Some(schema.root()),
                    &grounds,
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
    fn objects_unite_and_arrays_follow_the_pages() {
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
    fn an_item_that_was_seen_and_does_not_stand_there_is_left_out() {
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
    fn a_scalar_that_stands_in_the_text_wins_and_a_conflict_is_told() {
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
    fn agreement_comes_before_order_and_order_before_nothing() {
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
