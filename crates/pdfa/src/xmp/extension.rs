//! Extension schemas: the rules for their descriptions (ISO 19005-1, 6.7.8; ISO 19005-2 and -3,
//! 6.6.2.3.2 and 6.6.2.3.3), and their definitions.

use std::collections::HashMap;

use super::{
    Edition, Findings,
    types::{Custom, Types, ValueType},
    value::{ArrayKind, Node},
};
use crate::checker::Rule;

const SCHEMA: &str = "http://www.aiim.org/pdfa/ns/schema#";
const PROPERTY: &str = "http://www.aiim.org/pdfa/ns/property#";
const TYPE: &str = "http://www.aiim.org/pdfa/ns/type#";
const FIELD: &str = "http://www.aiim.org/pdfa/ns/field#";

/// The definitions in the extension schemas of a packet, by namespace.
#[derive(Debug, Clone, Default)]
pub(super) struct Extensions(HashMap<String, Extension>);

/// The definitions for one namespace.
#[derive(Debug, Clone)]
struct Extension {
    types: Types,
    properties: HashMap<String, ValueType>,
}

impl Extensions {
    /// Reads the definitions in `pdfaExtension:schemas`. They may use value types that `inherited`
    /// defines for the same namespace: the packet of an object inherits from the document's packet.
    pub(super) fn read(
        edition: Edition,
        container: Option<&Node>,
        inherited: Option<&Self>,
    ) -> Self {
        let mut extensions = Self::default();
        let schemas = container
            .filter(|container| container.array().is_some())
            .map_or(&[][..], Node::children);
        for schema in schemas {
            let Some(namespace) = text(schema, SCHEMA, "namespaceURI") else { continue };
            let extension = extensions.0.entry(namespace.to_owned()).or_insert_with(|| Extension {
                types: inherited
                    .and_then(|inherited| inherited.0.get(namespace))
                    .map_or_else(|| Types::new(edition), |extension| extension.types.clone()),
                properties: HashMap::new(),
            });
            for value_type in items(schema, SCHEMA, "valueType") {
                define(&mut extension.types, value_type);
            }
            for property in items(schema, SCHEMA, "property") {
                let (name, kind) =
                    (text(property, PROPERTY, "name"), text(property, PROPERTY, "valueType"));
                let (Some(name), Some(kind)) = (name, kind.map(ValueType::parse)) else { continue };
                if extension.types.knows(&kind) {
                    extension.properties.entry(name.to_owned()).or_insert(kind);
                }
            }
        }
        extensions
    }

    /// Whether the property's value has the right type; `None` if the property is not defined.
    pub(super) fn fits(&self, property: &Node) -> Option<bool> {
        let extension = self.0.get(&property.namespace)?;
        extension.properties.get(&property.name).map(|kind| extension.types.fits(property, kind))
    }
}

/// Adds the type described by a `pdfaType` structure.
fn define(types: &mut Types, value_type: &Node) {
    let (Some(name), Some(namespace)) =
        (text(value_type, TYPE, "type"), text(value_type, TYPE, "namespaceURI"))
    else {
        return;
    };
    let fields: HashMap<_, _> = items(value_type, TYPE, "field")
        .iter()
        .filter_map(|field| {
            Some((
                text(field, FIELD, "name")?.to_owned(),
                ValueType::parse(text(field, FIELD, "valueType")?),
            ))
        })
        .collect();
    let definition = if fields.is_empty() {
        Custom::Text
    } else {
        Custom::Struct { namespace: namespace.to_owned(), fields }
    };
    types.define(name, definition);
}

fn text<'n>(node: &'n Node, namespace: &str, name: &str) -> Option<&'n str> {
    node.field(namespace, name)?.text()
}

fn items<'n>(node: &'n Node, namespace: &str, name: &str) -> &'n [Node] {
    let field = node.field(namespace, name).filter(|field| field.array().is_some());
    field.map_or(&[], Node::children)
}

/// The required form of a field of a description.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Text.
    Text,
    /// `internal` or `external`.
    Category,
    /// The name of a known type.
    TypeName,
    /// An optional ordered array.
    Seq,
}

/// A structure of the description: its namespace, its required prefix, its fields, and the test of
/// the first field in ISO 19005-1. The other fields have the next test numbers.
struct Description {
    what: &'static str,
    namespace: &'static str,
    prefix: &'static str,
    first_test: u16,
    fields: &'static [(&'static str, Form)],
}

const SCHEMA_DESCRIPTION: Description = Description {
    what: "schema",
    namespace: SCHEMA,
    prefix: "pdfaSchema",
    first_test: 3,
    fields: &[
        ("schema", Form::Text),
        ("namespaceURI", Form::Text),
        ("prefix", Form::Text),
        ("property", Form::Seq),
        ("valueType", Form::Seq),
    ],
};

const PROPERTY_DESCRIPTION: Description = Description {
    what: "property",
    namespace: PROPERTY,
    prefix: "pdfaProperty",
    first_test: 8,
    fields: &[
        ("name", Form::Text),
        ("valueType", Form::TypeName),
        ("category", Form::Category),
        ("description", Form::Text),
    ],
};

const TYPE_DESCRIPTION: Description = Description {
    what: "value type",
    namespace: TYPE,
    prefix: "pdfaType",
    first_test: 12,
    fields: &[
        ("type", Form::Text),
        ("namespaceURI", Form::Text),
        ("prefix", Form::Text),
        ("description", Form::Text),
        ("field", Form::Seq),
    ],
};

const FIELD_DESCRIPTION: Description = Description {
    what: "field",
    namespace: FIELD,
    prefix: "pdfaField",
    first_test: 17,
    fields: &[("name", Form::Text), ("valueType", Form::TypeName), ("description", Form::Text)],
};

/// The rule of ISO 19005-1, 6.7.8 with this test. In parts 2 and 3, the first test has its own
/// clause.
const fn rule(test: u16) -> Rule {
    let later = if test == 1 { ("6.6.2.3.2", 1) } else { ("6.6.2.3.3", test - 1) };
    Rule::all(("6.7.8", test), later)
}

/// Checks the container and every description in it.
pub(super) fn check(container: &Node, extensions: &Extensions, findings: &mut Findings) {
    if container.array() != Some(ArrayKind::Bag) || container.prefix != "pdfaExtension" {
        findings.broken(
            rule(2),
            format!("{} is not the bag pdfaExtension:schemas", container.qualified_name()),
        );
    }
    if container.array().is_none() {
        return;
    }
    let standard = Types::new(findings.edition);
    for schema in container.children() {
        let known =
            text(schema, SCHEMA, "namespaceURI").and_then(|namespace| extensions.0.get(namespace));
        let types = known.map_or(&standard, |extension| &extension.types);
        describe(schema, &SCHEMA_DESCRIPTION, types, findings);
        for property in items(schema, SCHEMA, "property") {
            describe(property, &PROPERTY_DESCRIPTION, types, findings);
        }
        for value_type in items(schema, SCHEMA, "valueType") {
            describe(value_type, &TYPE_DESCRIPTION, types, findings);
            for field in items(value_type, TYPE, "field") {
                describe(field, &FIELD_DESCRIPTION, types, findings);
            }
        }
    }
}

/// Checks one description: every required field is present, with its form and prefix, and there are
/// no other fields.
fn describe(node: &Node, description: &Description, types: &Types, findings: &mut Findings) {
    let known = |child: &Node| {
        child.namespace == description.namespace
            && description.fields.iter().any(|(name, _)| *name == child.name)
    };
    if let Some(other) = node.children().iter().find(|child| !known(child)) {
        let detail =
            format!("the description of a {} has {}", description.what, other.qualified_name());
        findings.broken(rule(1), detail);
    }
    for (&(name, form), test) in description.fields.iter().zip(description.first_test..) {
        let field = node.field(description.namespace, name);
        let problem = match field {
            None if form == Form::Seq => continue,
            None => "is missing",
            Some(field) if field.prefix != description.prefix => "has another prefix",
            Some(field) => match (form, field.text()) {
                (Form::Seq, _)
                    if matches!(field.array(), Some(ArrayKind::Seq | ArrayKind::Alt)) =>
                {
                    continue;
                }
                (Form::Seq, _) => "is not an ordered array",
                (_, None) => "is not text",
                (Form::Category, Some(category))
                    if !matches!(category, "internal" | "external") =>
                {
                    "is neither internal nor external"
                }
                (Form::TypeName, Some(kind)) if !types.knows(&ValueType::parse(kind)) => {
                    "is not a known type"
                }
                _ => continue,
            },
        };
        let detail = format!("{}:{name} of a {} {problem}", description.prefix, description.what);
        findings.broken(rule(test), detail);
    }
}
