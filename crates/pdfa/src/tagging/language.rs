//! Language identifiers.

use cos::{Dict, Source};

use super::structure::Element;
use crate::checker::{Checker, Rule};

/// 6.8.4-t01, 6.7.4-t01: `/Lang` of the catalog, of structure elements and of property lists is
/// empty or a language tag.
const RULE: Rule = Rule::all(("6.8.4", 1), ("6.7.4", 1));

/// Checks the catalog and structure elements. Property lists are checked with the content.
pub(super) fn check<S: Source>(checker: &Checker<'_, S>, elements: &[Element]) {
    let root = checker.root();
    let of_elements = elements.iter().map(|element| (&element.dict, element.id));
    for (dict, id) in of_elements.chain([(&root, None)]) {
        let language = checker.get(dict, "Lang");
        let text = language.as_string().map(cos::Str::text).unwrap_or_default();
        if !is_language_tag(&text, !checker.is_part_1()) {
            checker.broken(RULE, id, format_args!("{text:?} is not a language tag"));
        }
    }
}

/// Checks a property list of marked content; calls `report` if its language is invalid.
pub(crate) fn check_property_list(list: &Dict, part_1: bool, report: impl FnOnce(Rule, String)) {
    let text =
        list.get("Lang").and_then(cos::Object::as_string).map(cos::Str::text).unwrap_or_default();
    if !is_language_tag(&text, !part_1) {
        report(RULE, text);
    }
}

/// RFC 1766, 2: words of one to eight letters, separated by hyphens. With `digits` (RFC 3066, 2.1),
/// all words but the first may contain digits.
fn is_language_tag(text: &str, digits: bool) -> bool {
    let word = |(at, word): (usize, &str)| {
        let char =
            |char: char| char.is_ascii_alphabetic() || digits && at > 0 && char.is_ascii_digit();
        (1..=8).contains(&word.len()) && word.chars().all(char)
    };
    text.is_empty() || text.split('-').enumerate().all(word)
}

#[cfg(test)]
mod tests {
    use super::is_language_tag;

    #[test]
    fn language_tags() {
        assert!(is_language_tag("", false));
        assert!(is_language_tag("en-US", false));
        assert!(is_language_tag("i-klingon", false));
        assert!(!is_language_tag("es-419", false));
        assert!(is_language_tag("es-419", true));
        assert!(!is_language_tag("419", true));
        assert!(!is_language_tag("en_US", true));
        assert!(!is_language_tag("en-", true));
        assert!(!is_language_tag("abcdefghi", true));
    }
}
