//! The eight types of object (ISO 32000-1, 7.3), and references to them.

use std::{fmt, ops::Deref, sync::Arc};

/// A value.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Object {
    /// `null`, or a reference to an object that does not exist.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without a decimal point. A value outside the range of `i64` becomes the nearest
    /// `i64`.
    Integer(i64),
    /// A number with a decimal point.
    Real(f64),
    /// `/Name`.
    Name(Name),
    /// `(string)` or `<737472>`.
    String(Str),
    /// `[1 2 3]`.
    Array(Array),
    /// `<</Key /Value>>`.
    Dict(Dict),
    /// A dictionary and its bytes.
    Stream(Stream),
    /// `1 0 R`.
    Ref(Ref),
}

/// Number and generation of an indirect object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ref {
    /// Object number.
    pub number: u32,
    /// Generation number.
    pub generation: u16,
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} R", self.number, self.generation)
    }
}

/// A name with its `#xx` decoded.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<[u8]>);

impl Name {
    /// Makes a name of these bytes.
    #[must_use]
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(Arc::from(bytes.as_ref()))
    }

    /// Its bytes, without the solidus, with `#xx` decoded.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its text, if the bytes are UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == other.as_bytes()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0.escape_ascii())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// A string with its escapes decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Str {
    bytes: Arc<[u8]>,
    hex: Option<Hex>,
}

/// How the file writes a hexadecimal string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex {
    /// Number of hexadecimal digits.
    pub digits: usize,
    /// Whether it contains other characters than digits and white space.
    pub foreign: bool,
}

impl Str {
    /// Makes a literal string of these bytes.
    #[must_use]
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self { bytes: Arc::from(bytes.as_ref()), hex: None }
    }

    pub(crate) fn hexadecimal(bytes: &[u8], hex: Hex) -> Self {
        Self { bytes: Arc::from(bytes), hex: Some(hex) }
    }

    /// The same string with other bytes.
    pub(crate) fn with_bytes(&self, bytes: &[u8]) -> Self {
        Self { bytes: Arc::from(bytes), hex: self.hex }
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digits in the file, for a hexadecimal string.
    #[must_use]
    pub const fn hex(&self) -> Option<Hex> {
        self.hex
    }

    /// Its text: UTF-16 or UTF-8 if it has the byte order mark, else PDFDocEncoding (ISO 32000-1,
    /// 7.9.2.2).
    #[must_use]
    pub fn text(&self) -> String {
        crate::text::decode(&self.bytes)
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", self.bytes.escape_ascii())
    }
}

/// An array.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Array(Arc<Vec<Object>>);

impl From<Vec<Object>> for Array {
    fn from(objects: Vec<Object>) -> Self {
        Self(Arc::new(objects))
    }
}

impl Deref for Array {
    type Target = [Object];

    fn deref(&self) -> &[Object] {
        &self.0
    }
}

impl<'a> IntoIterator for &'a Array {
    type Item = &'a Object;
    type IntoIter = std::slice::Iter<'a, Object>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A dictionary, in file order.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Dict(Arc<Vec<(Name, Object)>>);

impl From<Vec<(Name, Object)>> for Dict {
    fn from(entries: Vec<(Name, Object)>) -> Self {
        Self(Arc::new(entries))
    }
}

impl Dict {
    /// The value of `key`, unresolved. For a duplicate key, the last value.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Object> {
        self.0.iter().rev().find(|(name, _)| *name == *key).map(|(_, value)| value)
    }

    /// Whether `key` is present, even if its value is `null`.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Keys and values in file order, including duplicate keys.
    pub fn iter(&self) -> std::slice::Iter<'_, (Name, Object)> {
        self.0.iter()
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the dictionary is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the value of `key` is the name `value`. References are not resolved.
    #[must_use]
    pub fn is(&self, key: &str, value: &str) -> bool {
        self.get(key).and_then(Object::as_name).is_some_and(|name| *name == *value)
    }

    /// An address that only the clones of this dictionary share, valid while one of them exists.
    #[must_use]
    pub fn identity(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl<'a> IntoIterator for &'a Dict {
    type Item = &'a (Name, Object);
    type IntoIter = std::slice::Iter<'a, (Name, Object)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A stream: its dictionary, and the position of its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream(Arc<StreamParts>);

#[derive(Debug, PartialEq)]
struct StreamParts {
    dict: Dict,
    id: Ref,
    form: StreamForm,
}

/// Positions of the parts of a stream, in bytes from the start of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamForm {
    /// The `s` of `stream`.
    pub keyword: u64,
    /// The first byte of the data, after the end of line that follows `stream`.
    pub start: u64,
    /// After the last byte of the data: from `/Length` if `endstream` follows there, else found by
    /// a search.
    pub end: u64,
    /// The `e` of `endstream`, if there is one.
    pub endstream: Option<u64>,
    /// `/Length`, resolved.
    pub declared: Option<i64>,
    /// Whether `end` comes from `/Length`.
    pub as_declared: bool,
}

impl Stream {
    pub(crate) fn new(dict: Dict, id: Ref, form: StreamForm) -> Self {
        Self(Arc::new(StreamParts { dict, id, form }))
    }

    /// Its dictionary.
    #[must_use]
    pub fn dict(&self) -> &Dict {
        &self.0.dict
    }

    /// Its object number and generation: a stream is always an indirect object.
    #[must_use]
    pub fn id(&self) -> Ref {
        self.0.id
    }

    /// Positions of its parts.
    #[must_use]
    pub fn form(&self) -> &StreamForm {
        &self.0.form
    }

    /// Length of the data in bytes, before any filter.
    #[must_use]
    pub fn raw_len(&self) -> u64 {
        self.0.form.end.saturating_sub(self.0.form.start)
    }
}

impl Object {
    /// Whether it is `null`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value of a boolean.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The value of an integer, or of a real number without a fraction.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
            Self::Real(value) if value.fract() == 0.0 && value.abs() < 9e15 => Some(*value as i64),
            _ => None,
        }
    }

    /// The value of a number.
    #[must_use]
    pub const fn as_f64(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "a PDF number is no more exact")]
            Self::Integer(value) => Some(*value as f64),
            Self::Real(value) => Some(*value),
            _ => None,
        }
    }

    /// The name, if it is one.
    #[must_use]
    pub const fn as_name(&self) -> Option<&Name> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }

    /// The string, if it is one.
    #[must_use]
    pub const fn as_string(&self) -> Option<&Str> {
        if let Self::String(string) = self { Some(string) } else { None }
    }

    /// The array, if it is one.
    #[must_use]
    pub const fn as_array(&self) -> Option<&Array> {
        if let Self::Array(array) = self { Some(array) } else { None }
    }

    /// The dictionary, or the dictionary of a stream.
    #[must_use]
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            Self::Stream(stream) => Some(stream.dict()),
            _ => None,
        }
    }

    /// The stream, if it is one.
    #[must_use]
    pub const fn as_stream(&self) -> Option<&Stream> {
        if let Self::Stream(stream) = self { Some(stream) } else { None }
    }

    /// The reference, if it is one.
    #[must_use]
    pub const fn as_ref(&self) -> Option<Ref> {
        if let Self::Ref(id) = self { Some(*id) } else { None }
    }

    /// Whether it is the name `value`.
    #[must_use]
    pub fn is_name(&self, value: &str) -> bool {
        self.as_name().is_some_and(|name| *name == *value)
    }
}
