//! Parses a tenant's schema into the tree. The tree cannot represent anything outside the subset.

use serde_json::{Map, Value};

use super::possible;
use super::{Kind, MAX_DEPTH, MAX_NODES, MAX_PATTERN, MAX_PATTERNS, Node, Scalar, SchemaError};

/// Keywords that have no effect on values, permitted anywhere.
const ANNOTATIONS: [&str; 10] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "x-derived",
];

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

struct Parser<'a> {
    definitions: Option<&'a Map<String, Value>>,
    nodes: usize,
    patterns: usize,
}

/// Parses the whole schema. Its root must be an object.
pub(super) fn parse(document: &Value) -> Result<Node, SchemaError> {
    if document.get("$schema").is_some_and(|name| name != DRAFT) {
        return Err(unsupported("/$schema", "the dialect must be JSON Schema 2020-12"));
    }
    let definitions = document.get("$defs").and_then(Value::as_object);
    let node = Parser { definitions, nodes: 0, patterns: 0 }.node(document, "", 0)?;
    match node.kind {
        Kind::Object { .. } if !node.nullable => Ok(node),
        _ => Err(unsupported("", "the root must have `\"type\": \"object\"`")),
    }
}

fn unsupported(at: &str, what: &str) -> SchemaError {
    SchemaError::Unsupported { at: at.to_owned(), what: what.to_owned() }
}

impl<'a> Parser<'a> {
    // The maximum depth limits the recursion, also for a reference to itself.
    fn node(&mut self, schema: &'a Value, at: &str, depth: usize) -> Result<Node, SchemaError> {
        if depth > MAX_DEPTH {
            return Err(SchemaError::TooDeep { at: at.to_owned() });
        }
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(SchemaError::TooMany);
        }
        let Some(schema) = schema.as_object() else {
            return Err(unsupported(at, "a subschema must be an object, not `true` or `false`"));
        };
        if let Some(reference) = schema.get("$ref") {
            return self.reference(schema, reference, at, depth);
        }
        if let Some(options) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
            only(schema, at, &["anyOf", "oneOf"])?;
            let options = options.as_array().filter(|options| (1..=8).contains(&options.len()));
            let options =
                options.ok_or_else(|| unsupported(at, "there must be 1 to 8 alternatives"))?;
            return self.alternatives(schema, options, at, depth);
        }
        let (name, nullable) = type_of(schema, at)?;
        if self.patterns >= MAX_PATTERNS && schema.contains_key("pattern") {
            return Err(unsupported(at, "a schema may have at most 50 patterns"));
        }
        let kind = match name {
            Some("object") => self.object(schema, at, depth)?,
            Some("array") => self.array(schema, at, depth)?,
            name => {
                self.patterns += usize::from(schema.contains_key("pattern"));
                scalar(schema, name, at)?
            }
        };
        Ok(Node { description: description(schema), nullable, derived: derived(schema), kind })
    }

    fn reference(
        &mut self,
        schema: &'a Map<String, Value>,
        reference: &Value,
        at: &str,
        depth: usize,
    ) -> Result<Node, SchemaError> {
        only(schema, at, &["$ref"])?;
        let name = reference.as_str().and_then(|name| name.strip_prefix("#/$defs/"));
        let target = name.and_then(|name| self.definitions?.get(name));
        let target = target.ok_or_else(|| {
            unsupported(at, "`$ref` must refer to `#/$defs/<name>` in the same schema")
        })?;
        let mut node = self.node(target, at, depth + 1)?;
        if schema.contains_key("description") {
            node.description = description(schema);
        }
        node.derived |= derived(schema);
        Ok(node)
    }

    fn alternatives(
        &mut self,
        schema: &'a Map<String, Value>,
        options: &'a [Value],
        at: &str,
        depth: usize,
    ) -> Result<Node, SchemaError> {
        let mut nodes = Vec::new();
        let mut nullable = false;
        for option in options {
            if option.get("type").is_some_and(|name| name == "null") {
                nullable = true;
            } else {
                nodes.push(self.node(option, at, depth + 1)?);
            }
        }
        let (text, derived) = (description(schema), derived(schema));
        let mut node = match (nodes.len(), nodes.pop()) {
            (1, Some(node)) => node,
            (_, Some(last)) => {
                nodes.push(last);
                Node {
                    description: String::new(),
                    nullable: false,
                    derived: false,
                    kind: Kind::Any(nodes),
                }
            }
            (_, None) => {
                return Err(unsupported(at, "there must be an alternative besides `null`"));
            }
        };
        if !text.is_empty() {
            node.description = text;
        }
        node.nullable |= nullable;
        node.derived |= derived;
        Ok(node)
    }

    fn object(
        &mut self,
        schema: &'a Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Result<Kind, SchemaError> {
        only(schema, at, &["type", "properties", "required", "additionalProperties"])?;
        if schema.get("additionalProperties").is_some_and(|value| !value.is_boolean()) {
            return Err(unsupported(
                at,
                "`additionalProperties` must be `false` or absent: all properties have names",
            ));
        }
        let members = schema
            .get("properties")
            .and_then(Value::as_object)
            .filter(|members| !members.is_empty());
        let members = members.ok_or_else(|| unsupported(at, "an object must have `properties`"))?;
        let mut properties = Vec::new();
        for (name, value) in members {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            if !(1..=64).contains(&name.len()) || !name.chars().all(plain) {
                return Err(unsupported(
                    at,
                    "a property's name must be 1 to 64 of A-Z, a-z, 0-9, - and _",
                ));
            }
            let node = self.node(value, &format!("{at}/properties/{name}"), depth + 1)?;
            properties.push((name.clone(), node));
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let required: Vec<String> =
            required.filter_map(|name| name.as_str().map(str::to_owned)).collect();
        if let Some(name) = required.iter().find(|name| !members.contains_key(*name)) {
            return Err(unsupported(
                at,
                &format!("`required` contains `{name}`, which is not a property"),
            ));
        }
        Ok(Kind::Object { properties, required })
    }

    fn array(
        &mut self,
        schema: &'a Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Result<Kind, SchemaError> {
        only(schema, at, &["type", "items", "minItems", "maxItems", "uniqueItems"])?;
        let items =
            schema.get("items").ok_or_else(|| unsupported(at, "an array must have `items`"))?;
        let items = Box::new(self.node(items, &format!("{at}/items"), depth + 1)?);
        possible::items(schema, &items, at)?;
        let number = |name: &str| schema.get(name).and_then(Value::as_u64);
        let unique = schema.get("uniqueItems").is_some_and(|value| value == true);
        Ok(Kind::Array { items, min: number("minItems"), max: number("maxItems"), unique })
    }
}

fn description(schema: &Map<String, Value>) -> String {
    schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .chars()
        .take(300)
        .collect()
}

fn derived(schema: &Map<String, Value>) -> bool {
    schema.get("x-derived").is_some_and(|value| value == true)
}

/// Refuses every keyword except these and the annotations.
fn only(schema: &Map<String, Value>, at: &str, keywords: &[&str]) -> Result<(), SchemaError> {
    match schema
        .keys()
        .find(|key| !keywords.contains(&key.as_str()) && !ANNOTATIONS.contains(&key.as_str()))
    {
        Some(key) => Err(unsupported(at, &format!("the keyword `{key}` is not supported here"))),
        None => Ok(()),
    }
}

/// The type besides `null`, and whether `null` is permitted.
fn type_of<'a>(
    schema: &'a Map<String, Value>,
    at: &str,
) -> Result<(Option<&'a str>, bool), SchemaError> {
    let known =
        |name: &&str| ["object", "array", "string", "integer", "number", "boolean"].contains(name);
    let wrong = || unsupported(at, "`type` must be one type, or one type and \"null\"");
    match schema.get("type") {
        None if schema.contains_key("enum") || schema.contains_key("const") => Ok((None, false)),
        None => {
            Err(unsupported(at, "a subschema must have `type`, `enum`, `const`, `anyOf` or `$ref`"))
        }
        Some(Value::String(name)) => {
            Some(name.as_str()).filter(known).map(|name| (Some(name), false)).ok_or_else(wrong)
        }
        Some(Value::Array(names)) => {
            let mut others = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            let name = others
                .next()
                .filter(known)
                .filter(|_| others.next().is_none())
                .ok_or_else(wrong)?;
            Ok((Some(name), names.len() > 1))
        }
        Some(_) => Err(wrong()),
    }
}

fn scalar(schema: &Map<String, Value>, name: Option<&str>, at: &str) -> Result<Kind, SchemaError> {
    const BOUNDS: [&str; 8] = [
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    ];
    let mut known = vec!["type", "enum", "const", "format"];
    known.extend(BOUNDS);
    only(schema, at, &known)?;
    let options = possible::options(schema, name, at)?;
    if options.iter().any(|option| option.is_array() || option.is_object()) || options.len() > 200 {
        return Err(unsupported(
            at,
            "an enumeration may have at most 200 options, which must be scalars",
        ));
    }
    let bounds: Map<String, Value> = schema
        .iter()
        .filter(|(key, _)| BOUNDS.contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    if bounds
        .get("pattern")
        .and_then(Value::as_str)
        .is_some_and(|pattern| pattern.len() > MAX_PATTERN)
    {
        return Err(unsupported(at, "a pattern may have at most 256 bytes"));
    }
    possible::bounds(name, &options, &bounds, at)?;
    let format = schema.get("format").and_then(Value::as_str).map(str::to_owned);
    Ok(Kind::Scalar(Scalar { r#type: name.map(str::to_owned), options, format, bounds }))
}
