//! Replacement text (ISO 32000-2, 14.9.4).

use cos::{Object, Source};

use super::structure::Element;
use crate::checker::{Checker, Rule};

/// 6.2.10.8-t01 (part 4): `/ActualText` has no character of a Private Use Area.
pub(crate) const RULE: Rule = Rule::four("6.2.10.8", 1);

/// Checks structure elements. Property lists are checked with the content.
pub(super) fn check<S: Source>(checker: &Checker<'_, S>, elements: &[Element]) {
    for element in elements {
        if has_private(&checker.get(&element.dict, "ActualText")) {
            checker.broken(RULE, element.id, "a structure element with a private /ActualText");
        }
    }
}

/// Whether `text` is a string with a character of a Private Use Area.
pub(crate) fn has_private(text: &Object) -> bool {
    text.as_string().is_some_and(|text| text.text().chars().any(is_private))
}

/// Whether `character` is of a Private Use Area (Unicode, 23.5).
pub(crate) const fn is_private(character: char) -> bool {
    matches!(character as u32, 0xE000..=0xF8FF | 0xF_0000..=0xF_FFFD | 0x10_0000..)
}

#[cfg(test)]
mod tests {
    use super::is_private;

    #[test]
    fn private_use_areas_have_bounds() {
        for (character, private) in [
            ('\u{DF}', false),
            ('\u{E000}', true),
            ('\u{F8FF}', true),
            ('\u{F900}', false),
            ('\u{F0000}', true),
            ('\u{FFFFE}', false),
            ('\u{10FFFD}', true),
        ] {
            assert_eq!(is_private(character), private, "{character:?}");
        }
    }
}
