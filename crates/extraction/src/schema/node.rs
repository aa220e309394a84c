//! A schema as a tree. The checks of answers and parts, and the schema for a provider, are generated from it.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::Dialect;

/// One subschema, with references followed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) description: String,
    /// Whether `null` is an ordinary value.
    pub(crate) nullable: bool,
    /// Whether the value is the model's conclusion, such as a summary, which the text need not contain (`x-derived`).
    pub(crate) derived: bool,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Object { properties: Vec<(String, Node)>, required: Vec<String> },
    Array { items: Box<Node>, min: Option<u64>, max: Option<u64>, unique: bool },
    Scalar(Scalar),
    Any(Vec<Node>),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Scalar {
    /// `string`, `integer`, `number` or `boolean`; `None` for a mixed enumeration.
    pub(crate) r#type: Option<String>,
    /// From `enum` or `const`.
    pub(crate) options: Vec<Value>,
    pub(crate) format: Option<String>,
    /// `pattern`, lengths and bounds, as in the schema.
    pub(crate) bounds: Map<String, Value>,
}

impl Scalar {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.r#type.as_deref() == Some(name)
    }

    pub(crate) fn has_format(&self, name: &str) -> bool {
        self.format.as_deref() == Some(name)
    }
}

/// The purpose of a generated schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Checks a document's data.
    Whole,
    /// Checks the data of some pages: nothing is required, except inside array items.
    Part,
    /// For a provider.
    Model(Dialect),
}

/// The formats that providers know. `decimal` is specific to this crate.
const FORMATS: [&str; 7] = ["date", "date-time", "time", "email", "hostname", "ipv4", "uuid"];

impl Node {
    /// The node of an object's property.
    pub(crate) fn property(&self, name: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Object { properties, .. } => {
                properties.iter().find(|(key, _)| key == name).map(|(_, node)| node)
            }
            _ => None,
        }
    }

    pub(crate) fn to_schema(&self, form: Form) -> Value {
        let mut schema = match &self.kind {
            Kind::Object { properties, required } => object(properties, required, form),
            Kind::Array { items, min, max, unique } => {
                // An item is complete on one page or another, so it is required as a whole.
                let items = items.to_schema(if form == Form::Part { Form::Whole } else { form });
                let mut schema = json!({"type": "array", "items": items});
                if let (Some(min), Form::Whole) = (min, form) {
                    schema["minItems"] = json!(min);
                }
                if let (Some(max), Form::Whole | Form::Part | Form::Model(Dialect::Bounded)) =
                    (max, form)
                {
                    schema["maxItems"] = json!(max);
                }
                if *unique && form == Form::Whole {
                    schema["uniqueItems"] = json!(true);
                }
                schema
            }
            Kind::Scalar(scalar) => scalar_schema(scalar, form),
            Kind::Any(nodes) => {
                json!({"anyOf": nodes.iter().map(|node| node.to_schema(form)).collect::<Vec<_>>()})
            }
        };
        if self.nullable {
            schema = or_null(schema, form);
        }
        if let (Form::Model(_), false) = (form, self.description.is_empty()) {
            schema["description"] = json!(self.description);
        }
        schema
    }

    /// A short list of names and descriptions, for models that do not receive the schema.
    pub(crate) fn outline(&self) -> String {
        let mut text = String::new();
        self.write_outline(&mut text);
        text
    }

    fn write_outline(&self, text: &mut String) {
        match &self.kind {
            Kind::Object { properties, .. } => {
                text.push('{');
                for (index, (name, node)) in properties.iter().enumerate() {
                    // Writing to a string cannot fail.
                    let _ = write!(text, "{}{name}", if index == 0 { "" } else { ", " });
                    if !node.description.is_empty() {
                        let _ = write!(text, " ({})", node.description);
                    }
                    if !matches!(node.kind, Kind::Scalar(_)) {
                        text.push_str(": ");
                        node.write_outline(text);
                    }
                }
                text.push('}');
            }
            Kind::Array { items, .. } => {
                text.push('[');
                items.write_outline(text);
                text.push(']');
            }
            Kind::Scalar(scalar) => text.push_str(scalar.r#type.as_deref().unwrap_or("value")),
            Kind::Any(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { " or " });
                    node.write_outline(text);
                }
            }
        }
    }
}

fn object(properties: &[(String, Node)], required: &[String], form: Form) -> Value {
    let mut members = Map::new();
    for (name, node) in properties {
        let schema = node.to_schema(form);
        // If a model cannot answer "not there", it invents a value. Objects and arrays can be empty.
        let asks = match form {
            Form::Model(Dialect::Bounded | Dialect::Full) => true,
            Form::Model(Dialect::Minimal) => required.contains(name),
            Form::Whole | Form::Part => false,
        };
        let scalar = matches!(node.kind, Kind::Scalar(_) | Kind::Any(_));
        members.insert(
            name.clone(),
            if asks && scalar && !node.nullable { or_null(schema, form) } else { schema },
        );
    }
    let required: Vec<&String> = match form {
        Form::Whole | Form::Model(Dialect::Minimal) => required.iter().collect(),
        Form::Part => Vec::new(),
        Form::Model(Dialect::Bounded | Dialect::Full) => {
            properties.iter().map(|(name, _)| name).collect()
        }
    };
    json!({"type": "object", "properties": members, "required": required, "additionalProperties": false})
}

fn scalar_schema(scalar: &Scalar, form: Form) -> Value {
    let mut schema = Map::new();
    if let Some(name) = &scalar.r#type {
        schema.insert("type".into(), json!(name));
    }
    if !scalar.options.is_empty() {
        schema.insert("enum".into(), json!(scalar.options));
    }
    if let Some(format) = &scalar.format
        && (!matches!(form, Form::Model(_)) || FORMATS.contains(&format.as_str()))
    {
        schema.insert("format".into(), json!(format));
    }
    if matches!(form, Form::Model(Dialect::Bounded | Dialect::Full)) && scalar.has_format("decimal")
    {
        schema.insert("pattern".into(), json!("^-?[0-9]{1,12}([.][0-9]{1,4})?$"));
    }
    for (name, value) in &scalar.bounds {
        let keep = match form {
            Form::Whole | Form::Part => true,
            Form::Model(Dialect::Minimal) => false,
            Form::Model(dialect) => match name.as_str() {
                "pattern" => value.as_str().is_some_and(is_plain),
                "minimum" | "maximum" => scalar.is("integer"),
                // Grammars support only one of two rules for a text.
                "minLength" | "maxLength"
                    if dialect == Dialect::Full && !scalar.bounds.contains_key("pattern") =>
                {
                    value.as_u64().is_some_and(|length| length <= 1_000)
                }
                _ => false,
            },
        };
        if keep {
            schema.insert(name.clone(), value.clone());
        }
    }
    Value::Object(schema)
}

/// Patterns that every server's grammar supports and that only match characters without a JSON escape: anchored, ASCII,
/// without flag groups, negated classes and dots (which match quotation marks).
fn is_plain(pattern: &str) -> bool {
    let dots = pattern.matches('.').count();
    pattern.starts_with('^')
        && pattern.ends_with('$')
        && !["(?", "[^", "\"", "\\\\"].iter().any(|part| pattern.contains(part))
        && pattern.matches("[.]").count() + pattern.matches("\\.").count() == dots
        && pattern.chars().all(|c| c.is_ascii_graphic() || c == ' ')
        && pattern
            .match_indices('\\')
            .all(|(at, _)| pattern[at + 1..].starts_with(['d', '.', '-', '/', '+', '(', ')']))
}

fn or_null(schema: Value, form: Form) -> Value {
    if form == Form::Model(Dialect::Minimal) {
        return json!({"anyOf": [schema, {"type": "null"}]});
    }
    match schema {
        Value::Object(mut members) if members.get("type").is_some_and(Value::is_string) => {
            let name = members["type"].take();
            members["type"] = json!([name, "null"]);
            if let Some(Value::Array(options)) = members.get_mut("enum") {
                options.push(Value::Null);
            }
            Value::Object(members)
        }
        Value::Object(mut members) if members.contains_key("anyOf") => {
            if let Some(Value::Array(options)) = members.get_mut("anyOf") {
                options.push(json!({"type": "null"}));
            }
            Value::Object(members)
        }
        schema => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}
