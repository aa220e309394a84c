//! CBOR ([RFC 8949](https://www.rfc-editor.org/rfc/rfc8949)), as authenticators write it.
//!
//! **Guarantees.** A value that nests deeper than [`DEPTH`], has a map with more than [`ENTRIES`] entries, or a map with a key
//! twice, is refused: two readers could take it for two things.

use ciborium::Value;
use ciborium::de::from_reader_with_recursion_limit;

/// The structures of WebAuthn nest less deep.
const DEPTH: usize = 8;
/// The maps of WebAuthn have fewer entries.
const ENTRIES: usize = 16;

/// The first value in these bytes, and the bytes after it.
pub(super) fn first(bytes: &[u8]) -> Option<(Value, &[u8])> {
    let mut rest = bytes;
    let value = from_reader_with_recursion_limit(&mut rest, DEPTH).ok()?;
    is_unambiguous(&value).then_some((value, rest))
}

/// The value that these bytes are.
pub(super) fn only(bytes: &[u8]) -> Option<Value> {
    first(bytes).filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
}

/// The value at this key of a map.
pub(super) fn at(value: &Value, key: impl Into<Value>) -> Option<&Value> {
    let key = key.into();
    value.as_map()?.iter().find(|(found, _)| *found == key).map(|(_, value)| value)
}

/// Whether no map in the value has a key twice.
fn is_unambiguous(value: &Value) -> bool {
    match value {
        Value::Map(entries) => {
            let is_new = |(at, (key, _)): (usize, &(Value, Value))| {
                entries[..at].iter().all(|(other, _)| other != key)
            };
            entries.len() <= ENTRIES
                && entries.iter().enumerate().all(is_new)
                && entries.iter().all(|(key, value)| is_unambiguous(key) && is_unambiguous(value))
        }
        Value::Array(values) => values.iter().all(is_unambiguous),
        Value::Tag(_, value) => is_unambiguous(value),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_ends_where_the_next_one_begins() {
        let (value, rest) = first(&[0xa1, 0x01, 0x02, 0xf6, 0xff]).unwrap();
        assert_eq!((at(&value, 1), rest), (Some(&Value::from(2)), &[0xf6, 0xff][..]));
        assert!(only(&[0xa1, 0x01, 0x02, 0xf6]).is_none(), "bytes after it");
        assert!(only(&[0xa1, 0x01]).is_none(), "cut off");
        assert!(only(&[]).is_none());
    }

    #[test]
    fn a_key_twice_is_refused_at_any_depth() {
        assert!(only(&[0xa2, 0x01, 0x02, 0x01, 0x03]).is_none());
        assert!(only(&[0x81, 0xa1, 0x01, 0xa2, 0x61, b'a', 0x00, 0x61, b'a', 0x00]).is_none());
        assert!(only(&[0xa2, 0x01, 0x02, 0x02, 0x02]).is_some());
    }

    #[test]
    fn deep_and_large_values_are_refused() {
        let nested = |depth: usize| [vec![0x81; depth], vec![0x00]].concat();
        assert!(only(&nested(DEPTH - 1)).is_some());
        assert!(only(&nested(60_000)).is_none());
        // A length of 2⁶³ bytes, and of as many entries, that are not there.
        for major in [0x5b, 0x7b, 0x9b, 0xbb] {
            assert!(only(&[&[major, 0x7f][..], &[0xff; 7]].concat()).is_none());
        }
        let many = |entries: u8| {
            [vec![0xb8, entries], (0..entries).flat_map(|n| [0x18, n + 24, 0x00]).collect()]
                .concat()
        };
        assert!(only(&many(16)).is_some() && only(&many(17)).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(bytes: Vec<u8>) {
            if let Some((_, rest)) = first(&bytes) {
                prop_assert!(rest.len() < bytes.len());
            }
        }
    }
}
