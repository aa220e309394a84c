//! Reads the subset of RDF/XML that XMP allows (XMP Specification, "RDF") into the XMP data model.

use std::collections::HashSet;

use roxmltree::{Attribute, Node as Xml};

use super::{
    packet::PacketError,
    schemas::DC,
    value::{ArrayKind, Node, Value},
};

/// Namespace of RDF.
pub(super) const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
/// Namespace of the prefix `xml`.
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// An early namespace of Dublin Core, which toolkits treat as the current one.
const DC_EARLY: &str = "http://purl.org/dc/1.1/";
/// Namespace of `iX:changes`, an obsolete element that toolkits skip.
const IX: &str = "http://ns.adobe.com/iX/1.0/";
/// Maximum nesting depth of values.
const MAX_DEPTH: usize = 64;

/// Reads the properties of `rdf:RDF`; `text` is the text from which the XML was parsed.
pub(super) fn read(root: Xml<'_, '_>, text: &str) -> Result<Vec<Node>, PacketError> {
    let reader = Reader { text };
    let mut fields = Fields { place: Place::Top, nodes: Vec::new(), seen: HashSet::new() };
    let mut about = "";
    for description in elements(root)? {
        if !description.has_tag_name((RDF, "Description")) {
            return Err(wrong("a child of rdf:RDF is not rdf:Description"));
        }
        let subject = description
            .attributes()
            .find(|attribute| term(attribute, description) == Some("about"));
        if let Some(subject) =
            subject.map(|attribute| attribute.value()).filter(|subject| !subject.is_empty())
        {
            if !about.is_empty() && about != subject {
                return Err(wrong("two rdf:about values"));
            }
            about = subject;
        }
        reader.node_element(description, &mut fields, 0)?;
    }
    Ok(fields.nodes)
}

/// The parent of the collected nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Struct,
    Array,
}

/// The nodes of one parent, whose names must be different.
struct Fields<'d> {
    place: Place,
    nodes: Vec<Node>,
    seen: HashSet<(&'d str, &'d str)>,
}

impl<'d> Fields<'d> {
    fn new(place: Place) -> Self {
        Self { place, nodes: Vec::new(), seen: HashSet::new() }
    }

    fn add(&mut self, namespace: &'d str, name: &'d str, node: Node) -> Result<(), PacketError> {
        let item = namespace == RDF && name == "li";
        if item && self.place != Place::Array {
            return Err(wrong("rdf:li outside an array"));
        }
        if namespace == RDF && name == "value" && self.place != Place::Struct {
            return Err(wrong("rdf:value outside a structure"));
        }
        if !item && !self.seen.insert((namespace, name)) {
            return Err(wrong(&format!("{} occurs twice", node.qualified_name())));
        }
        self.nodes.push(node);
        Ok(())
    }
}

struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    /// Reads a node element: its attributes and child elements are properties of one resource.
    fn node_element<'d>(
        &self,
        node: Xml<'d, '_>,
        fields: &mut Fields<'d>,
        depth: usize,
    ) -> Result<(), PacketError> {
        let mut identified = false;
        for attribute in node.attributes() {
            match term(&attribute, node) {
                Some("ID" | "nodeID" | "about") if identified => {
                    return Err(wrong("rdf:about, rdf:ID and rdf:nodeID exclude each other"));
                }
                Some("ID" | "nodeID" | "about") => identified = true,
                Some(_) => return Err(wrong("an RDF attribute that a node element cannot have")),
                None => self.property_attribute(attribute, fields)?,
            }
        }
        self.properties(node, fields, depth)
    }

    /// Reads the child elements of a node element.
    fn properties<'d>(
        &self,
        node: Xml<'d, '_>,
        fields: &mut Fields<'d>,
        depth: usize,
    ) -> Result<(), PacketError> {
        for element in elements(node)? {
            self.property_element(element, fields, depth)?;
        }
        Ok(())
    }

    /// Reads an attribute as a simple property.
    fn property_attribute<'d>(
        &self,
        attribute: Attribute<'d, '_>,
        fields: &mut Fields<'d>,
    ) -> Result<(), PacketError> {
        let namespace = modern(attribute.namespace())?;
        // The length of the range is limited to 65,535 bytes.
        let prefix = prefix(self.text.get(attribute.range_qname()).unwrap_or_default());
        let value = Value::Simple(attribute.value().to_owned());
        let node = node(namespace, prefix, attribute.name(), None, value);
        fields.add(namespace, attribute.name(), node)
    }

    /// Reads an element as a property.
    fn property_element<'d>(
        &self,
        element: Xml<'d, '_>,
        fields: &mut Fields<'d>,
        depth: usize,
    ) -> Result<(), PacketError> {
        let tag = element.tag_name();
        let name = tag.name();
        if tag.namespace() == Some(RDF) && (is_core_term(name) || name == "Description") {
            return Err(wrong(&format!("rdf:{name} where a property is expected")));
        }
        if fields.place == Place::Top && tag.namespace() == Some(IX) && name == "changes" {
            return Ok(());
        }
        let value = self.value(element, depth)?;
        let namespace = modern(tag.namespace())?;
        let start = element.range().start.saturating_add(1);
        let tag = self.text.get(start..).unwrap_or_default();
        let end = tag.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(0);
        let lang = element.attributes().find(is_lang).map(|lang| lang.value().to_lowercase());
        fields.add(namespace, name, node(namespace, prefix(&tag[..end]), name, lang, value))
    }

    /// The value of a property, in any form of RDF/XML.
    fn value(&self, element: Xml<'_, '_>, depth: usize) -> Result<Value, PacketError> {
        if depth > MAX_DEPTH {
            return Err(PacketError::Limit(cos::Limit::Nesting));
        }
        let shape = element
            .attributes()
            .find(|attribute| !is_lang(attribute) && term(attribute, element) != Some("ID"))
            .map(|attribute| (term(&attribute, element), attribute.value()));
        match shape {
            Some((Some("parseType"), "Resource")) => {
                allow(element, &["ID", "parseType"])?;
                let mut inner = Fields::new(Place::Struct);
                self.properties(element, &mut inner, depth + 1)?;
                Ok(unwrap_qualified(inner.nodes))
            }
            Some((Some("parseType"), _)) => Err(wrong("an rdf:parseType other than Resource")),
            Some((Some("datatype"), _)) => literal(element),
            Some(_) => self.empty_element(element),
            None if element.children().any(|child| child.is_element()) => {
                self.resource(element, depth)
            }
            None => literal(element),
        }
    }

    /// The value of a property with one inner node: an array, or a structure.
    fn resource(&self, element: Xml<'_, '_>, depth: usize) -> Result<Value, PacketError> {
        allow(element, &["ID"])?;
        let mut children = elements(element)?.into_iter();
        let (Some(inner), None) = (children.next(), children.next()) else {
            return Err(wrong("a property with more than one value"));
        };
        let tag = inner.tag_name();
        modern(tag.namespace())?;
        if tag.namespace() == Some(RDF) && (is_core_term(tag.name()) || tag.name() == "li") {
            return Err(wrong(&format!("rdf:{} where a value is expected", tag.name())));
        }
        let kind = match (tag.namespace() == Some(RDF), tag.name()) {
            (true, "Bag") => Some(ArrayKind::Bag),
            (true, "Seq") => Some(ArrayKind::Seq),
            (true, "Alt") => Some(ArrayKind::Alt),
            _ => None,
        };
        let mut fields = Fields::new(if kind.is_some() { Place::Array } else { Place::Struct });
        self.node_element(inner, &mut fields, depth + 1)?;
        Ok(match kind {
            Some(kind) => Value::Array(kind, fields.nodes),
            None => unwrap_qualified(fields.nodes),
        })
    }

    /// The value of a property without content: `rdf:value`, `rdf:resource`, or a structure with
    /// the attributes as fields.
    fn empty_element(&self, element: Xml<'_, '_>) -> Result<Value, PacketError> {
        if element.children().any(|child| !child.is_comment()) {
            return Err(wrong("content next to attributes that are a value"));
        }
        let mut fields = Fields::new(Place::Struct);
        let (mut value, mut resource, mut named) = (None, None, false);
        for attribute in element.attributes().filter(|attribute| !is_lang(attribute)) {
            match term(&attribute, element) {
                Some("ID") => {}
                Some("nodeID") => named = true,
                Some("resource") => resource = Some(attribute.value()),
                Some(_) => return Err(wrong("an RDF attribute that a property cannot have")),
                None if attribute.namespace() == Some(RDF) && attribute.name() == "value" => {
                    value = Some(attribute.value());
                }
                None => self.property_attribute(attribute, &mut fields)?,
            }
        }
        match (value, resource) {
            (Some(_), Some(_)) => Err(wrong("both rdf:value and rdf:resource")),
            (_, Some(_)) if named => Err(wrong("both rdf:resource and rdf:nodeID")),
            // Other attributes are qualifiers, which no rule checks.
            (Some(text), None) | (None, Some(text)) => Ok(Value::Simple(text.to_owned())),
            (None, None) if fields.nodes.is_empty() => Ok(Value::Simple(String::new())),
            (None, None) => Ok(Value::Struct(fields.nodes)),
        }
    }
}

/// The value of a property that contains text.
fn literal(element: Xml<'_, '_>) -> Result<Value, PacketError> {
    allow(element, &["ID", "datatype"])?;
    if element.children().any(|child| child.is_element() || child.is_pi()) {
        return Err(wrong("an element inside text"));
    }
    Ok(Value::Simple(
        element.children().filter_map(|child| child.text().filter(|_| child.is_text())).collect(),
    ))
}

/// The value of a structure: `rdf:value` if it has one (its other fields are qualifiers), else the
/// structure itself.
fn unwrap_qualified(mut fields: Vec<Node>) -> Value {
    match fields.iter().position(|field| field.is(RDF, "value")) {
        Some(index) => fields.swap_remove(index).value,
        None => Value::Struct(fields),
    }
}

/// The child elements of an element that contains no text.
fn elements<'d, 'i>(node: Xml<'d, 'i>) -> Result<Vec<Xml<'d, 'i>>, PacketError> {
    let mut found = Vec::new();
    for child in node.children() {
        if child.is_element() {
            found.push(child);
        } else if child.is_text()
            && child.text().is_some_and(|text| !text.chars().all(char::is_whitespace))
        {
            return Err(wrong("text between elements"));
        }
    }
    Ok(found)
}

/// Rejects attributes other than `xml:lang` and the RDF terms in `terms`.
fn allow(element: Xml<'_, '_>, terms: &[&str]) -> Result<(), PacketError> {
    let known = |attribute: &Attribute<'_, '_>| {
        is_lang(attribute) || term(attribute, element).is_some_and(|term| terms.contains(&term))
    };
    if element.attributes().all(|attribute| known(&attribute)) {
        return Ok(());
    }
    Err(wrong("an attribute that this form of a property cannot have"))
}

/// The name of an attribute that is part of RDF's syntax. `about` and `ID` may have no prefix.
fn term<'d>(attribute: &Attribute<'d, '_>, owner: Xml<'d, '_>) -> Option<&'d str> {
    let name = attribute.name();
    let bare = attribute.namespace().is_none()
        && matches!(name, "about" | "ID")
        && owner.tag_name().namespace() == Some(RDF);
    let syntax = is_core_term(name) || matches!(name, "li" | "Description");
    (bare || (attribute.namespace() == Some(RDF) && syntax)).then_some(name)
}

/// RDF names that are syntax, including withdrawn ones.
fn is_core_term(name: &str) -> bool {
    matches!(
        name,
        "RDF"
            | "ID"
            | "about"
            | "parseType"
            | "resource"
            | "nodeID"
            | "datatype"
            | "aboutEach"
            | "aboutEachPrefix"
            | "bagID"
    )
}

fn is_lang(attribute: &Attribute<'_, '_>) -> bool {
    attribute.namespace() == Some(XML) && attribute.name() == "lang"
}

/// The namespace, which is required. The early namespace of Dublin Core becomes the current one.
fn modern(namespace: Option<&str>) -> Result<&str, PacketError> {
    match namespace {
        Some(DC_EARLY) => Ok(DC),
        // `xmlns=""` removes a default namespace.
        None | Some("") => Err(wrong("an element or attribute without a namespace")),
        Some(namespace) => Ok(namespace),
    }
}

fn prefix(qualified: &str) -> &str {
    qualified.split_once(':').map_or("", |(prefix, _)| prefix)
}

fn node(namespace: &str, prefix: &str, name: &str, lang: Option<String>, value: Value) -> Node {
    Node {
        namespace: namespace.to_owned(),
        prefix: prefix.to_owned(),
        name: name.to_owned(),
        lang,
        value,
    }
}

fn wrong(what: &str) -> PacketError {
    PacketError::Rdf(what.to_owned())
}
