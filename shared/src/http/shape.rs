//! The limits of a JSON body: [`MAX_JSON_DEPTH`] and [`MAX_JSON_STRING_BYTES`].

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::json::INVALID_BODY;
use super::limits::{MAX_JSON_DEPTH, MAX_JSON_STRING_BYTES};
use super::words;
use crate::problem::Problem;

/// Checks the limits.
///
/// # Errors
/// 422 that names the field over a limit. Invalid JSON is no error here: the parser refuses it.
pub(super) fn check(body: &[u8]) -> Result<(), Problem> {
    // Most bodies are too small to be over a limit, so they are not parsed twice.
    let opened = || body.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if body.len() <= MAX_JSON_STRING_BYTES && opened() <= MAX_JSON_DEPTH {
        return Ok(());
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    match (Shape { depth: 0 }).deserialize(tracked) {
        Err(error) if error.is_data() => {
            let field = words::short(&track.path().to_string());
            Err(Problem::of(INVALID_BODY).field(field, words::plain(&error.to_string())))
        }
        _ => Ok(()),
    }
}

/// Reads any JSON and keeps nothing of it. `depth` counts the arrays and objects around it.
#[derive(Clone, Copy)]
struct Shape {
    depth: usize,
}

impl Shape {
    fn inside<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_JSON_DEPTH {
            let message = format!("arrays and objects nest at most {MAX_JSON_DEPTH} levels deep");
            return Err(E::custom(message));
        }
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Shape {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shape {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.len() > MAX_JSON_STRING_BYTES {
            return Err(E::custom(format!("a string has at most {MAX_JSON_STRING_BYTES} bytes")));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        while elements.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        // A name is a string too.
        while members.next_key_seed(inside)?.is_some() {
            members.next_value_seed(inside)?;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> Option<String> {
        let problem = serde_json::to_value(check(body.as_bytes()).err()?).unwrap();
        assert_eq!(problem["status"], 422);
        Some(problem["errors"][0]["field"].as_str().unwrap().to_owned())
    }

    #[test]
    fn the_depth_is_limited() {
        let nested = |depth| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(refused(&nested(MAX_JSON_DEPTH)), None);
        assert_eq!(refused(&nested(MAX_JSON_DEPTH + 1)), Some("[0]".repeat(MAX_JSON_DEPTH)));
        // Far deeper than serde_json goes.
        assert_eq!(refused(&nested(30_000)), Some("[0]".repeat(MAX_JSON_DEPTH)));
        let objects = format!("{}1{}", r#"{"a":"#.repeat(33), "}".repeat(33));
        assert_eq!(refused(&objects), Some(["a"; MAX_JSON_DEPTH].join(".")));
        // Many arrays side by side are not deep.
        assert_eq!(refused(&format!("[{}[]]", "[],".repeat(1_000))), None);
    }

    #[test]
    fn the_length_of_a_string_is_limited() {
        let longest = "a".repeat(MAX_JSON_STRING_BYTES);
        assert_eq!(refused(&format!(r#"{{"note":["{longest}"],"{longest}":1}}"#)), None);
        assert_eq!(refused(&format!(r#"{{"note":["{longest}a"]}}"#)), Some("note[0]".into()));
        assert!(refused(&format!(r#"{{"{longest}a":1}}"#)).is_some());
        // Six bytes of an escape are one byte of the string.
        let escaped = r"\u0061".repeat(MAX_JSON_STRING_BYTES / 2);
        assert_eq!(refused(&format!(r#"["{escaped}"]"#)), None);
    }

    #[test]
    fn invalid_json_is_left_to_the_parser() {
        for body in ["[".repeat(32) + "}", "[{},".repeat(20), " ".repeat(20_000)] {
            assert_eq!(refused(&body), None, "{body}");
        }
    }
}
