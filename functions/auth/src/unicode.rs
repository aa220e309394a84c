//! The normal form of texts, and kinds of characters.
//!
//! Two sequences of code points that readers cannot tell apart, such as "é" and "e" with U+0301, have one normal form
//! (NFC of [UAX #15](https://www.unicode.org/reports/tr15/)). The kinds are those of Unicode's character database.

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, decompose_compatible};

/// What no reader sees as a sign: control and format characters, private use, unassigned code points, and spaces.
const UNSEEN: GeneralCategoryGroup =
    GeneralCategoryGroup::Other.union(GeneralCategoryGroup::Separator);

/// The normal form NFC. It has at most three times as many bytes.
pub(crate) fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// Whether a reader can see the character: it is assigned, and neither a space nor ignored when it is displayed.
pub(crate) fn is_visible(c: char) -> bool {
    !UNSEEN.contains(category(c))
        && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether Unicode has assigned the code point. The normal form of others may change with a version of Unicode.
pub(crate) fn is_assigned(c: char) -> bool {
    category(c) != GeneralCategory::Unassigned
}

/// Whether the character combines with the one before it.
pub(crate) fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(category(c))
}

/// Whether the character is another form of an ASCII character, such as the fullwidth "＠", "ﬁ" and "²".
pub(crate) fn is_form_of_ascii(c: char) -> bool {
    let (mut canonical, mut compatible) = (String::new(), String::new());
    decompose_canonical(c, |part| canonical.push(part));
    decompose_compatible(c, |part| compatible.push(part));
    canonical != compatible && compatible.contains(|part: char| part.is_ascii())
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}
