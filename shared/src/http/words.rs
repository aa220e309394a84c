//! Translates error messages of parsers from the terms of Rust to the terms of HTTP and JSON.

/// The name of the field in an error message, if it has one.
pub(super) fn field(message: &str) -> Option<&str> {
    let prefixes = ["missing field `", "unknown field `", "duplicate field `"];
    prefixes.iter().find_map(|prefix| Some(message.strip_prefix(prefix)?.split_once('`')?.0))
}

/// The error of a field for a client. A message of one of our own types is not changed.
pub(super) fn plain(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
    let is = |prefix: &str| message.starts_with(prefix);
    if is("missing field ") {
        "this field is missing".into()
    } else if is("unknown field ") {
        "this field is unknown".into()
    } else if is("duplicate field ") {
        "this field is present more than once".into()
    } else if is("invalid type: ") || is("invalid value: ") || is("invalid length ") {
        let (_, wanted) = message.rsplit_once(", expected ").unwrap_or_default();
        format!("expected {}", expected(wanted))
    } else if is("unknown variant ") {
        let (_, wanted) = message.rsplit_once(", expected ").unwrap_or_default();
        format!("expected {}", wanted.replace('`', "\""))
    } else if is("data did not match ") {
        "the value has none of the valid forms of this field".into()
    } else if message.ends_with(" to fit in target type") {
        "the number is out of range".into()
    } else if is("invalid digit found") || is("cannot parse integer") {
        "expected a whole number".into()
    } else if is("invalid float literal") || is("cannot parse float") {
        "expected a number".into()
    } else if is("provided string was not `true` or `false`") {
        "expected true or false".into()
    } else {
        message.to_owned()
    }
}

/// The path of a field, cut if it is long: the caller chooses the names in it.
pub(super) fn short(path: &str) -> String {
    const MAX_CHARACTERS: usize = 200;
    match path.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", &path[..end]),
        None => path.to_owned(),
    }
}

/// The name for a client of a type of Rust or a term of serde.
pub(super) fn expected(wanted: &str) -> String {
    let range = |low: &dyn ToString, high: &dyn ToString| {
        format!("a whole number from {} to {}", low.to_string(), high.to_string())
    };
    match wanted {
        "u8" => range(&u8::MIN, &u8::MAX),
        "u16" => range(&u16::MIN, &u16::MAX),
        "u32" => range(&u32::MIN, &u32::MAX),
        "i8" => range(&i8::MIN, &i8::MAX),
        "i16" => range(&i16::MIN, &i16::MAX),
        "i32" => range(&i32::MIN, &i32::MAX),
        "u64" | "u128" | "usize" => "a whole number that is not negative".into(),
        "i64" | "i128" | "isize" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "bool" | "a boolean" => "true or false".into(),
        "a string" | "a borrowed string" | "string or map" => "a string".into(),
        "a character" | "char" => "one character".into(),
        "a sequence" => "an array".into(),
        "a map" => "an object".into(),
        "unit" | "null" => "null".into(),
        _ if wanted.starts_with("struct ") => "an object".into(),
        _ if wanted.starts_with("tuple ") || wanted.starts_with("an array ") => "an array".into(),
        _ => "another value".into(),
    }
}
