//! The XMP data model: properties with simple, structured and array values.

/// One property, structure field or array item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Namespace URI of the name.
    pub(super) namespace: String,
    /// The prefix as written in the packet; empty for a default namespace.
    pub(super) prefix: String,
    /// Local name; `li` for an array item.
    pub(super) name: String,
    /// `xml:lang`, in lower case.
    pub(super) lang: Option<String>,
    /// Its value.
    pub(super) value: Value,
}

/// The three forms of an XMP value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Text, or a URI written as `rdf:resource`.
    Simple(String),
    /// A structure, with its fields.
    Struct(Vec<Node>),
    /// An array, with its items.
    Array(ArrayKind, Vec<Node>),
}

/// The RDF container that an array is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArrayKind {
    /// `rdf:Bag`: no order.
    Bag,
    /// `rdf:Seq`: in order.
    Seq,
    /// `rdf:Alt`: alternatives.
    Alt,
}

impl Node {
    /// The text of a simple value.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Simple(text) => Some(text),
            Value::Struct(_) | Value::Array(..) => None,
        }
    }

    /// The fields of a structure or the items of an array; empty for a simple value.
    pub(super) fn children(&self) -> &[Node] {
        match &self.value {
            Value::Simple(_) => &[],
            Value::Struct(nodes) | Value::Array(_, nodes) => nodes,
        }
    }

    /// The kind of array, if it is one.
    pub(super) fn array(&self) -> Option<ArrayKind> {
        match self.value {
            Value::Array(kind, _) => Some(kind),
            Value::Simple(_) | Value::Struct(_) => None,
        }
    }

    /// Whether this is `name` in `namespace`.
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    /// The first field of a structure with this name.
    pub(super) fn field(&self, namespace: &str, name: &str) -> Option<&Node> {
        match &self.value {
            Value::Struct(fields) => fields.iter().find(|field| field.is(namespace, name)),
            Value::Simple(_) | Value::Array(..) => None,
        }
    }

    /// The name as in the packet: `prefix:name`.
    pub(super) fn qualified_name(&self) -> String {
        if self.prefix.is_empty() {
            self.name.clone()
        } else {
            format!("{}:{}", self.prefix, self.name)
        }
    }
}
