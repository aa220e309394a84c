//! Permitted filters of streams and inline images.

use cos::{Dict, Object, Source, Stream};

use super::values::Report;
use crate::checker::{Checker, Rule};

/// Filters of ISO 32000-1 and -2, table 6, except LZWDecode and Crypt.
const PLAIN: [&str; 8] = [
    "ASCIIHexDecode",
    "ASCII85Decode",
    "FlateDecode",
    "RunLengthDecode",
    "CCITTFaxDecode",
    "JBIG2Decode",
    "DCTDecode",
    "JPXDecode",
];

/// Permitted filter names of an inline image.
const INLINE: [&str; 12] = [
    "ASCIIHexDecode",
    "ASCII85Decode",
    "FlateDecode",
    "RunLengthDecode",
    "CCITTFaxDecode",
    "DCTDecode",
    "AHx",
    "A85",
    "Fl",
    "RL",
    "CCF",
    "DCT",
];

/// 6.1.10-t01: no LZWDecode. 6.1.7.2-t01: only standard filters, except LZWDecode; Crypt only with
/// Identity.
pub(super) fn check<S: Source>(checker: &Checker<'_, S>, stream: &Stream) {
    const RULE: Rule = Rule::all(("6.1.10", 1), ("6.1.7.2", 1));
    let dict = stream.dict();
    for (at, filter) in names(checker, &checker.get(dict, "Filter")).iter().enumerate() {
        let permitted = if checker.is_part_1() {
            filter != "LZWDecode"
        } else if filter == "Crypt" {
            crypt_is_identity(checker, dict, at)
        } else {
            PLAIN.contains(&filter.as_str())
        };
        if !permitted {
            checker.broken(RULE, Some(stream.id()), format_args!("filter {filter}"));
        }
    }
}

/// Whether the parameters of filter `at` name `Identity`.
fn crypt_is_identity<S: Source>(checker: &Checker<'_, S>, dict: &Dict, at: usize) -> bool {
    let parameters = match checker.get(dict, "DecodeParms") {
        Object::Array(array) => array.get(at).map(|one| checker.resolve(one)).unwrap_or_default(),
        other => other,
    };
    parameters
        .as_dict()
        .is_some_and(|parameters| checker.get(parameters, "Name").is_name("Identity"))
}

/// 6.1.10-t02 (part 1): no LZW in an inline image. 6.1.10-t01 (parts 2 and 3): only standard
/// filters, except LZWDecode and Crypt.
pub(crate) fn check_inline(image: &Dict, part_1: bool, report: &mut Report<'_>) {
    const RULE: Rule = Rule::all(("6.1.10", 2), ("6.1.10", 1));
    let filters = match image.get("F").or_else(|| image.get("Filter")) {
        Some(Object::Array(filters)) => filters.to_vec(),
        Some(filter) => vec![filter.clone()],
        None => return,
    };
    for filter in filters.iter().filter_map(Object::as_name) {
        let permitted = if part_1 {
            *filter != "LZW" && *filter != "LZWDecode"
        } else {
            INLINE.iter().any(|permitted| *filter == *permitted)
        };
        if !permitted {
            report(RULE, &format_args!("an inline image with the filter {filter}"));
        }
    }
}

/// The names in `filter`, which is a name or an array of names.
fn names<S: Source>(checker: &Checker<'_, S>, filter: &Object) -> Vec<String> {
    let name = |object: &Object| object.as_name().map(ToString::to_string);
    match filter {
        Object::Array(filters) => {
            filters.iter().filter_map(|one| name(&checker.resolve(one))).collect()
        }
        other => name(other).into_iter().collect(),
    }
}
