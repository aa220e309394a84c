//! `ETag` and `If-None-Match` ([RFC 9110, 8.8.3 and 13.1.2](https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2)).

use lambda_http::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use super::precondition::EditTag;
use crate::idempotency::hash::hex;

/// The mark of a compressed body: other bytes need another strong tag.
const COMPRESSED: &str = "-gzip";

/// The strong tag of a body. `edit` is the tag of what an edit replaces, if the handler has given one.
pub(super) fn of(body: &[u8], edit: Option<&EditTag>) -> String {
    match edit {
        Some(EditTag(edit)) => format!("\"{edit}.{}\"", hash(body)),
        None => format!("\"{}\"", hash(body)),
    }
}

/// The first half of a SHA-256.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..16])
}

/// The tag of the same body, compressed.
pub(super) fn compressed(tag: &str) -> String {
    format!("{}{COMPRESSED}\"", tag.trim_end_matches('"'))
}

/// Whether `If-None-Match` names the tag, also the tag of the compressed body. The comparison is weak.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).into_iter();
    let mut known = values.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
    let (tag, compressed) = (opaque(tag), compressed(tag));
    known.any(|known| {
        let known = opaque(known);
        known == "*" || known == tag || known == opaque(&compressed)
    })
}

fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// The tag that a handler has set.
pub(super) fn set_by_handler(headers: &HeaderMap) -> Option<String> {
    headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;

    use super::*;

    #[test]
    fn a_tag_is_known_in_each_of_its_forms() {
        let tag = of(b"{}", None);
        let bare = tag.trim_matches('"');
        for (sent, is) in [
            (tag.clone(), true),
            (format!("W/{tag}"), true),
            (format!("\"a\", {tag}"), true),
            (compressed(&tag), true),
            ("*".into(), true),
            (of(b"[]", None), false),
            (bare.into(), false),
            (format!("\"{bare}-br\""), false),
            (String::new(), false),
        ] {
            let value = HeaderValue::try_from(&sent).unwrap();
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, value)]);
            assert_eq!(is_known(&headers, &tag), is, "{sent}");
        }
        assert!(!is_known(&HeaderMap::new(), &tag));
    }
}
