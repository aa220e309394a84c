//! Value types, and whether a value matches the type in a schema.

use std::collections::HashMap;

use super::{
    Edition, date, schemas,
    value::{ArrayKind, Node, Value},
};

/// A parsed type name: a base type, with arrays around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ValueType {
    /// Array kinds, the outermost first.
    arrays: Vec<ArrayKind>,
    /// The name of the base type in lower case.
    base: String,
}

impl ValueType {
    /// Parses a type as written in the XMP specification or in extension schemas, in any case:
    /// `Text`, `bag Text`, `Open Choice of Integer`, `Lang Alt`, or a type of the schema.
    pub(super) fn parse(name: &str) -> Self {
        let name = name.to_lowercase();
        let mut words: Vec<&str> = Vec::new();
        let mut rest = name.split_whitespace().peekable();
        while let Some(word) = rest.next() {
            if word != "choice" {
                words.push(word);
                continue;
            }
            words.pop_if(|last| matches!(*last, "open" | "closed"));
            rest.next_if_eq(&"of");
        }
        let mut arrays = Vec::new();
        while let Some(kind) = words.first().and_then(|word| array_kind(word)) {
            arrays.push(kind);
            words.remove(0);
        }
        let base = if words.is_empty() { "text".to_owned() } else { words.join(" ") };
        Self { arrays, base }
    }
}

fn array_kind(word: &str) -> Option<ArrayKind> {
    match word {
        "bag" => Some(ArrayKind::Bag),
        "seq" => Some(ArrayKind::Seq),
        "alt" => Some(ArrayKind::Alt),
        _ => None,
    }
}

impl std::fmt::Display for ValueType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for kind in &self.arrays {
            write!(f, "{kind:?} of ")?;
        }
        f.write_str(&self.base)
    }
}

/// A type that an extension schema defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Custom {
    /// A type without fields: text with rules of its own.
    Text,
    /// A structure.
    Struct {
        /// The namespace of all fields.
        namespace: String,
        /// Types by field name.
        fields: HashMap<String, ValueType>,
    },
}

/// The types that a schema may use.
#[derive(Debug, Clone)]
pub(super) struct Types {
    edition: Edition,
    custom: HashMap<String, Custom>,
}

impl Types {
    /// The types of the XMP specification.
    pub(super) fn new(edition: Edition) -> Self {
        Self { edition, custom: HashMap::new() }
    }

    /// Adds a type, or replaces the one with the same name.
    pub(super) fn define(&mut self, name: &str, definition: Custom) {
        self.custom.insert(ValueType::parse(name).base, definition);
    }

    /// Whether the base type is known.
    pub(super) fn knows(&self, kind: &ValueType) -> bool {
        self.custom.contains_key(&kind.base)
            || simple(self.edition, &kind.base, "").is_some()
            || kind.base == "lang alt"
            || schemas::structure(self.edition, &kind.base).is_some()
    }

    /// Whether the value has this type. `false` for an unknown type.
    pub(super) fn fits(&self, node: &Node, kind: &ValueType) -> bool {
        self.fits_from(node, &kind.arrays, &kind.base)
    }

    fn fits_from(&self, node: &Node, arrays: &[ArrayKind], base: &str) -> bool {
        if base == "any" && arrays.is_empty() {
            return true;
        }
        if let Some((kind, arrays)) = arrays.split_first() {
            return node.array() == Some(*kind)
                && node.children().iter().all(|item| self.fits_from(item, arrays, base));
        }
        match (self.custom.get(base), &node.value) {
            (Some(Custom::Text), value) => return matches!(value, Value::Simple(_)),
            (Some(Custom::Struct { namespace, fields }), Value::Struct(values)) => {
                return values.iter().all(|field| {
                    field.namespace == *namespace
                        && fields.get(&field.name).is_some_and(|kind| self.fits(field, kind))
                });
            }
            (Some(Custom::Struct { .. }), _) => return false,
            (None, _) => {}
        }
        if base == "lang alt" {
            let items = node.children();
            return node.array() == Some(ArrayKind::Alt)
                && (items.is_empty() || items.iter().any(|item| item.lang.is_some()));
        }
        match &node.value {
            Value::Simple(text) => simple(self.edition, base, text) == Some(true),
            Value::Struct(values) => {
                schemas::structure(self.edition, base).is_some_and(|structure| {
                    values.iter().all(|field| {
                        field.namespace == structure.namespace
                            && structure
                                .field(&field.name)
                                .is_some_and(|kind| self.fits(field, &kind))
                    })
                })
            }
            Value::Array(..) => false,
        }
    }
}

/// Whether a text is a value of a simple type; `None` if the simple type is unknown.
fn simple(edition: Edition, kind: &str, text: &str) -> Option<bool> {
    Some(match kind {
        // The format of these types is not checked: the XMP specifications do not define it, or
        // conforming files differ from the definition.
        "text" | "propername" | "agentname" | "rational" | "renditionclass" | "locale" | "uri"
        | "url" => true,
        "boolean" => matches!(text, "True" | "False"),
        "integer" => digits(unsigned(text)) == Some(""),
        "real" => is_real(text),
        "date" => text.is_empty() || date::xmp(text).is_some(),
        "mimetype" => {
            let part = |part: &str| {
                !part.is_empty()
                    && part.bytes().all(|c| {
                        c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'+' | b'.')
                    })
            };
            text.split_once('/').is_some_and(|(kind, subtype)| part(kind) && part(subtype))
        }
        "gpscoordinate" => is_gps_coordinate(edition, text).is_some(),
        "xpath" => super::xpath::is_expression(text),
        _ => return None,
    })
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

/// The text after one or more leading digits.
fn digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

/// A decimal number with an optional sign; digits are required on only one side of the point.
fn is_real(text: &str) -> bool {
    let text = unsigned(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    !(whole.is_empty() && fraction.is_empty()) && all(whole) && all(fraction)
}

/// `DDD,MM,SSk` or `DDD,MM.mmk`, k is N, S, E or W. In the edition of 2004, each part has two
/// digits.
fn is_gps_coordinate(edition: Edition, text: &str) -> Option<()> {
    let text = text.strip_suffix(['N', 'S', 'E', 'W'])?;
    let separator = text.rfind([',', '.'])?;
    let (degrees, minutes) = text[..separator].split_once(',')?;
    let last = &text[separator + 1..];
    let numbers = [degrees, minutes, last].iter().all(|part| digits(part) == Some(""));
    let lengths = match edition {
        Edition::Xmp2004 => degrees.len() == 2 && minutes.len() == 2 && last.len() == 2,
        Edition::Xmp2005 => {
            degrees.len() <= 3
                && minutes.len() <= 2
                && (text.as_bytes()[separator] == b'.' || last.len() <= 2)
        }
    };
    (numbers && lengths).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(kind: &str, text: &str) -> bool {
        simple(Edition::Xmp2005, kind, text).unwrap()
    }

    #[test]
    fn type_names_are_parsed() {
        let parse = |name: &str| ValueType::parse(name).to_string();
        assert_eq!(parse("Text"), "text");
        assert_eq!(parse("Closed Choice of Integer"), "integer");
        assert_eq!(parse("bag Open Choice"), "Bag of text");
        assert_eq!(parse("seq"), "Seq of text");
        assert_eq!(parse("Lang Alt"), "lang alt");
        assert_eq!(parse("bag  ResourceRef"), "Bag of resourceref");
    }

    #[test]
    fn simple_types_accept_only_their_values() {
        for text in ["0", "+12", "-7", "007"] {
            assert!(is("integer", text), "{text}");
        }
        for text in ["", "+", "1.0", "256 mm", " 1"] {
            assert!(!is("integer", text), "{text}");
        }
        for text in ["1", "-.5", "2.", "+3.25"] {
            assert!(is("real", text), "{text}");
        }
        for text in ["", ".", "-", "1,5", "1e3"] {
            assert!(!is("real", text), "{text}");
        }
        assert!(is("boolean", "True") && !is("boolean", "true"));
        assert!(
            is("mimetype", "image/svg+xml") && !is("mimetype", "pdf") && !is("mimetype", "a/b/c")
        );
    }

    #[test]
    fn gps_coordinates_differ_by_edition() {
        let old = |text| is_gps_coordinate(Edition::Xmp2004, text).is_some();
        let new = |text| is_gps_coordinate(Edition::Xmp2005, text).is_some();
        assert!(old("50,30,59N") && new("50,30,59N"));
        assert!(!old("150,3.1234E") && new("150,3.1234E"));
        assert!(!old("50,30,59") && !new("50,30N") && !new("50,30,591N"));
    }
}
