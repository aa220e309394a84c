//! Converts a model's text to data: parses it, removes empty and unknown parts, converts values to the schema's
//! formats, and removes values that do not fit the schema.

use serde_json::{Map, Value};

use crate::ground::{dates, numbers};
use crate::prompt::restore;
use crate::schema::{Kind, Node, Scalar, Schema};

/// The JSON object in an answer, which may be in a code fence or between words.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let object = |text: &str| serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    object(text.trim()).or_else(|| object(text.get(text.find('{')?..=text.rfind('}')?)?))
}

/// The JSON object in a truncated answer, without its incomplete parts: the open member of an object, and the open item
/// of an array.
pub(crate) fn salvage(text: &str) -> Option<Value> {
    let text = text.get(text.find('{')?..)?;
    let (mut open, mut in_string, mut escaped) = (Vec::new(), false, false);
    let mut whole = None;
    for (at, c) in text.char_indices() {
        if in_string {
            (in_string, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        let end = match c {
            '"' => {
                in_string = true;
                continue;
            }
            '{' | '[' if open.len() < 32 => {
                open.push(if c == '{' { '}' } else { ']' });
                continue;
            }
            '}' | ']' if open.pop() == Some(c) => at + 1,
            ',' => at,
            '{' | '[' | '}' | ']' => return None,
            _ => continue,
        };
        let in_item = open.windows(2).any(|pair| pair == [']', '}']);
        if !in_item {
            whole = Some((end, open.iter().rev().collect::<String>()));
        }
    }
    let (end, closing) = whole?;
    parse(&format!("{}{closing}", text.get(..end)?))
}

/// Converts an answer's data to the form of the schema.
pub(crate) struct Tidy {
    /// Whether the document contains no stand-in character, so that each stand-in in the answer means an angle bracket.
    pub(crate) restore: bool,
    /// Number of removed properties that the schema does not have.
    pub(crate) unknown: usize,
}

impl Tidy {
    /// Removes `null`s, empty texts and objects, and properties that the schema does not have. Converts dates,
    /// decimals, numbers and options to the schema's form if they have only one reading.
    ///
    /// The recursion is not deeper than the schema.
    pub(crate) fn tidy(&mut self, value: Value, node: &Node) -> Option<Value> {
        let node = choose(node, &value);
        match (value, &node.kind) {
            (Value::Null, _) => node.nullable.then_some(Value::Null),
            (Value::Object(members), Kind::Object { .. }) => {
                let mut tidy = Map::new();
                for (name, value) in members {
                    match node.property(&name) {
                        Some(node) => {
                            if let Some(value) = self.tidy(value, node) {
                                tidy.insert(name, value);
                            }
                        }
                        None => self.unknown += 1,
                    }
                }
                (!tidy.is_empty()).then_some(Value::Object(tidy))
            }
            (Value::Array(items), Kind::Array { items: node, .. }) => Some(Value::Array(
                items.into_iter().filter_map(|item| self.tidy(item, node)).collect(),
            )),
            (Value::String(text), kind) => {
                let text = if self.restore { restore(&text) } else { text };
                let text = text.trim();
                let value = match kind {
                    Kind::Scalar(scalar) => in_form(text, scalar).unwrap_or_else(|| text.into()),
                    _ => text.into(),
                };
                (value != "").then_some(value)
            }
            (Value::Number(number), Kind::Scalar(scalar)) if scalar.is("string") => {
                Some(number.to_string().into())
            }
            (value, _) => Some(value),
        }
    }
}

/// Converts a text to the form of the schema.
fn in_form(text: &str, scalar: &Scalar) -> Option<Value> {
    if let Some(option) = scalar.options.iter().find(|option| {
        option.as_str().is_some_and(|option| option.to_lowercase() == text.to_lowercase())
    }) {
        return Some(option.clone());
    }
    if scalar.has_format("date") {
        return dates::to_iso(text).map(Value::from);
    }
    if scalar.has_format("decimal") {
        let decimal = if numbers::is_decimal(text) {
            Some(text.to_owned())
        } else {
            numbers::to_decimal(text)
        };
        return decimal.map(Value::from);
    }
    if scalar.is("number") || scalar.is("integer") {
        return serde_json::from_str(&numbers::to_decimal(text)?).ok();
    }
    if scalar.is("boolean") {
        return text.to_lowercase().parse::<bool>().ok().map(Value::from);
    }
    None
}

/// The alternative that matches the shape of a value, or the node itself.
pub(crate) fn choose<'a>(node: &'a Node, value: &Value) -> &'a Node {
    let Kind::Any(nodes) = &node.kind else { return node };
    let fits = |node: &&Node| match (&node.kind, value) {
        (Kind::Object { properties, required }, Value::Object(members)) => {
            members.keys().all(|key| properties.iter().any(|(name, _)| name == key))
                && required.iter().all(|name| members.contains_key(name))
        }
        (Kind::Array { .. }, Value::Array(_)) => true,
        (Kind::Scalar(scalar), value) => {
            let typed = match value {
                Value::String(_) => scalar.is("string"),
                Value::Bool(_) => scalar.is("boolean"),
                Value::Number(number) => {
                    scalar.is("number") || (scalar.is("integer") && !number.is_f64())
                }
                _ => false,
            };
            typed || scalar.options.contains(value)
        }
        _ => false,
    };
    nodes.iter().find(fits).map_or(node, |node| choose(node, value))
}

/// Removes values that break the schema of a part, until the rest fits. Returns the rest, and the number of removed
/// values.
pub(crate) fn cut(mut value: Value, schema: &Schema) -> (Value, usize) {
    let mut cut = 0;
    for _ in 0..20 {
        let mut pointers: Vec<Vec<String>> = schema
            .violations_of_part(&value)
            .iter()
            .map(|violation| segments(&violation.pointer))
            .collect();
        if pointers.is_empty() {
            return (value, cut);
        }
        // The last items of an array come first, so that the indexes of the others stay valid.
        pointers.sort_by_key(|pointer| {
            pointer
                .iter()
                .map(|name| (name.parse::<usize>().ok(), name.clone()))
                .collect::<Vec<_>>()
        });
        pointers.dedup();
        for pointer in pointers.iter().rev() {
            cut += usize::from(remove(&mut value, pointer));
        }
    }
    (Value::Object(Map::new()), cut + 1)
}

fn segments(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect()
}

fn remove(value: &mut Value, pointer: &[String]) -> bool {
    let Some((last, path)) = pointer.split_last() else {
        *value = Value::Object(Map::new());
        return true;
    };
    let mut parent = value;
    for name in path {
        let child = match parent {
            Value::Object(members) => members.get_mut(name),
            Value::Array(items) => {
                name.parse::<usize>().ok().and_then(|index| items.get_mut(index))
            }
            _ => None,
        };
        let Some(child) = child else { return false };
        parent = child;
    }
    match parent {
        Value::Object(members) => members.remove(last).is_some(),
        Value::Array(items) => match last.parse::<usize>() {
            Ok(index) if index < items.len() => {
                items.remove(index);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tidy(schema: &Schema, value: Value) -> (Option<Value>, usize) {
        let mut tidy = Tidy { restore: true, unknown: 0 };
        let value = tidy.tidy(value, schema.root());
        (value, tidy.unknown)
    }

    #[test]
    fn an_object_is_found_in_an_answer() {
        for text in
            ["{\"a\":1}", " {\"a\":1}\n", "```json\n{\"a\":1}\n```", "Here it is: {\"a\":1}. Bye"]
        {
            assert_eq!(parse(text), Some(json!({"a": 1})), "{text}");
        }
        for text in ["", "[1]", "{\"a\":", "no", "}{", "\"{}\""] {
            assert!(parse(text).is_none_or(|value| value == json!({})), "{text}");
        }
        assert_eq!(parse(&"{\"a\":".repeat(10_000)), None);
    }

    #[test]
    fn a_truncated_answer_keeps_its_complete_parts() {
        for (text, value) in [
            (r#"{"a": 1, "b": {"c": "x", "d": "y"#, json!({"a": 1, "b": {"c": "x"}})),
            (r#"{"a": [{"b": 1, "c": 2}, {"b": 3, "c"#, json!({"a": [{"b": 1, "c": 2}]})),
            (r#"{"a": "x, {[\"", "b": "}"#, json!({"a": "x, {[\""})),
            (r#"{"a": ["x", "y"#, json!({"a": ["x"]})),
            (r#"{"a": 1}"#, json!({"a": 1})),
        ] {
            assert_eq!(salvage(text), Some(value), "{text}");
        }
        for text in ["", "{", r#"{"a": 1"#, "]", r#"{"a": ]"#, &"{\"a\":[".repeat(100)] {
            assert_eq!(salvage(text), None, "{text}");
        }
    }

    #[test]
    fn values_with_one_reading_are_converted_to_the_schema_s_form() {
        let invoice = Schema::built_in("invoice").unwrap();
        let answer = json!({
            "number": "  F1 ", "issue_date": "12 kwietnia 2024", "due_date": "04/05/2024", "total": "€ 1,234.50",
            "net_total": 12.5, "currency": null, "customer": {"name": "", "address": null}, "obey": true,
            "supplier": {"name": "Ann ‹ann@example.com›"}, "lines": [{"description": null}, {"description": "x"}],
        });
        let (value, unknown) = tidy(&invoice, answer);
        assert_eq!(
            value,
            Some(json!({
                "number": "F1", "issue_date": "2024-04-12", "due_date": "04/05/2024", "total": "1234.50",
                "net_total": "12.5", "supplier": {"name": "Ann <ann@example.com>"}, "lines": [{"description": "x"}],
            }))
        );
        assert_eq!(unknown, 1);
    }

    #[test]
    fn numbers_options_and_booleans_are_read_from_texts() {
        let schema = Schema::register(
            "t", 1,
            r#"{"type":"object","properties":{"n":{"type":"integer"},"k":{"enum":["Cash","Card"]},"b":{"type":"boolean"},
                "u":{"anyOf":[{"type":"integer"},{"type":"string","format":"date"}]},"z":{"type":["string","null"]}}}"#,
        )
        .unwrap();
        let (value, _) = tidy(
            &schema,
            json!({"n": "12", "k": "CASH", "b": "True", "u": "21.11.2026", "z": null}),
        );
        assert_eq!(
            value,
            Some(json!({"n": 12, "k": "Cash", "b": true, "u": "2026-11-21", "z": null}))
        );
    }

    #[test]
    fn values_that_break_the_schema_are_removed_and_the_rest_stays() {
        let invoice = Schema::built_in("invoice").unwrap();
        let value = json!({
            "number": 5, "total": "12.00", "due_date": "soon",
            "lines": [{"description": "a"}, {"amount": "1"}, "x", {"description": "b", "amount": "many"}],
        });
        let (value, cut) = cut(value, &invoice);
        assert_eq!(
            value,
            json!({"total": "12.00", "lines": [{"description": "a"}, {"description": "b"}]})
        );
        assert_eq!(cut, 5);
        assert_eq!(super::cut(json!([1]), &invoice).0, json!({}));
    }
}
