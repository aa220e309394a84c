//! Value types: whether a value is of the type that a schema gives it.

use std::collections::HashMap;

use super::{
    Edition, date, schemas,
    value::{ArrayKind, Node, Value},
};

/// A type's name, taken apart: arrays around a base type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ValueType {
    /// Array kinds, the outer first.
    arrays: Vec<ArrayKind>,
    /// The base type's name in lower case.
    base: String,
}

impl ValueType {
    /// Reads a type as the XMP specification and extension schemas write it, in any case: `Text`,
    /// `bag Text`, `Open Choice of Integer`, `Lang Alt`, a type of the schema's own.
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
    /// No fields are given: a text with rules of its own.
    Text,
    /// A structure.
    Struct {
        /// The namespace that all fields are in.
        namespace: String,
        /// Types by field name.
        fields: HashMap<String, ValueType>,
    },
}

/// The types that are known to a schema.
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

    /// Adds a type; one of the same name is replaced.
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

    /// Whether the value is of that type. A value of an unknown type is not.
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

/// Whether a text is of a simple type; `None` if there is no simple type of that name.
fn simple(edition: Edition, kind: &str, text: &str) -> Option<bool> {
    Some(match kind {
        // What these look like is not checked: the XMP specifications leave it open, or conforming
        // files differ from what they say.
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

/// What follows one or more leading digits.
fn digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

/// A decimal number with an optional sign; digits on one side of the point are enough.
fn is_real(text: &str) -> bool {
    let text = unsigned(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    !(whole.is_empty() && fraction.is_empty()) && all(whole) && all(fraction)
}

/// `DDD,MM,SSk` or `DDD,MM.mmk`, k one of N, S, E, W. The edition of 2004 has two digits in each place.
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
    fn type_names_are_taken_apart() {
        let parse = |name: &str| ValueType::parse(name).to_string();
        assert_eq!(parse("Text"), "text");
        assert_eq!(parse("Closed Choice of Integer"), "integer");
        assert_eq!(parse("bag Open Choice"), "Bag of text");
        assert_eq!(parse("seq"), "Seq of text");
        assert_eq!(parse("Lang Alt"), "lang alt");
        assert_eq!(parse("bag  ResourceRef"), "Bag of resourceref");
    }

    #[test]
    fn simple_types_take_their_values_only() {
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
