//! The hash that Powertools for Python computes of a JSON value: the MD5 of the output of `json.dumps`
//! with `sort_keys=True`, in hexadecimal.
//!
//! MD5 only distinguishes keys; it is not a protection. A caller who makes two values with the same hash
//! can only confuse the caller's own requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use md5::{Digest, Md5};
use serde::de::Error as _;
use serde_json::value::RawValue;

/// The maximum nesting of a value: the limit of serde_json.
const MAX_DEPTH: usize = 128;

/// The MD5 of a text in UTF-8, as 32 hexadecimal digits.
pub(super) fn md5(text: &str) -> String {
    hex(&Md5::digest(text))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A JSON text in the form that Python writes: keys sorted, the separators `", "` and `": "`, all
/// characters beyond ASCII escaped, integers of any size unchanged, other numbers as Python's `repr` of a
/// 64-bit float.
///
/// # Errors
/// When it is not JSON, or is nested deeper than 128 levels.
pub fn canonical(json: &[u8]) -> serde_json::Result<String> {
    let value: &RawValue = serde_json::from_slice(json)?;
    let mut out = String::with_capacity(json.len());
    write_value(value, 0, &mut out)?;
    Ok(out)
}

fn write_value(value: &RawValue, depth: usize, out: &mut String) -> serde_json::Result<()> {
    if depth == MAX_DEPTH {
        return Err(serde_json::Error::custom("nested too deeply"));
    }
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'{') => {
            // For a duplicate key, Python keeps the last value.
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            out.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_string(&name, out);
                out.push_str(": ");
                write_value(value, depth + 1, out)?;
            }
            out.push('}');
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text)?;
            out.push('[');
            for (index, value) in elements.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_value(value, depth + 1, out)?;
            }
            out.push(']');
        }
        Some(b'"') => write_string(&serde_json::from_str::<String>(text)?, out),
        Some(b't' | b'f' | b'n') => out.push_str(text),
        _ if text.contains(['.', 'e', 'E']) => {
            write_float(text.parse().map_err(serde_json::Error::custom)?, out);
        }
        _ => out.push_str(if text == "-0" { "0" } else { text }),
    }
    Ok(())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// Writes a number like Python's `repr`: the fewest digits that parse to the same number, and of those
/// the nearest to it; with an exponent from 1e16 up and below 1e-4.
fn write_float(number: f64, out: &mut String) {
    if number.is_infinite() {
        out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
        return;
    }
    let scientific = scientific(number);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs());
        return;
    }
    let digits = mantissa.trim_start_matches('-').replace('.', "");
    out.push_str(if number.is_sign_negative() { "-" } else { "" });
    if let Ok(exponent) = usize::try_from(exponent) {
        let (whole, fraction) = digits.split_at(digits.len().min(exponent + 1));
        let _ = write!(out, "{whole:0<width$}.", width = exponent + 1);
        out.push_str(if fraction.is_empty() { "0" } else { fraction });
    } else {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        let _ = write!(out, "0.{zeros}{digits}");
    }
}

/// Two decimals can be equally short and equally near: Rust writes the larger, Python the one with the
/// even last digit. Rust also writes the even one if the number of digits is given, but for some powers
/// of two that text parses to another number.
fn scientific(number: f64) -> String {
    let shortest = format!("{number:e}");
    let digits = shortest.split('e').next().unwrap_or_default();
    let digits = digits.bytes().filter(u8::is_ascii_digit).count();
    let even = format!("{number:.*e}", digits - 1);
    if even.parse() == Ok(number) { even } else { shortest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: &str) -> String {
        canonical(json.as_bytes()).unwrap()
    }

    #[test]
    fn the_published_vectors() {
        assert_eq!(md5(&written(r#""order-123""#)), "767699b3ce7ee65ad155a61a6f7bdafb");
        let reordered = r#" { "userId" : "u1" , "amount":10} "#;
        assert_eq!(written(reordered), r#"{"amount": 10, "userId": "u1"}"#);
    }

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        for (json, python) in [
            ("-0", "0"),
            ("-0.0", "-0.0"),
            ("1e0", "1.0"),
            ("1E15", "1000000000000000.0"),
            ("1e16", "1e+16"),
            ("123456789012345680.0", "1.2345678901234568e+17"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("5e-324", "5e-324"),
            ("12.5", "12.5"),
            ("-0.00125", "-0.00125"),
            ("17600000000000.311", "17600000000000.312"),
            ("9007199254740993.0", "9007199254740992.0"),
            ("1e400", "Infinity"),
            ("-1e400", "-Infinity"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(written(json), python, "{json}");
        }
    }

    #[test]
    fn text_is_escaped_beyond_ascii_and_keys_are_sorted() {
        assert_eq!(written("\"é\u{7f}🦀\\/\""), r#""\u00e9\u007f\ud83e\udd80/""#);
        assert_eq!(written(r#"{"b":1,"a":2,"b":3}"#), r#"{"a": 2, "b": 3}"#);
    }

    #[test]
    fn deep_nesting_and_bad_json_are_errors() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(canonical(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(canonical(nested(MAX_DEPTH + 1).as_bytes()).is_err());
        assert!(canonical(nested(32_000).as_bytes()).is_err());
        for bad in ["", "{", "[1,]", "nul", "1 2", "\"\\ud800\"", "\u{fffd}"] {
            assert!(canonical(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(canonical(b"\"\xff\"").is_err());
    }
}
