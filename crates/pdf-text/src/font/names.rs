//! The characters of glyph names.

use skrifa::raw::ps::agl;

/// The names of the first glyphs of a TrueType font in Macintosh order, with which Windows fonts
/// also begin.
pub(super) use skrifa::raw::tables::post::DEFAULT_GLYPH_NAMES as STANDARD_ORDER;

/// The characters of a name, from the Adobe Glyph List.
pub(super) fn characters(name: &str) -> Option<String> {
    // The list also contains the names of Zapf Dingbats, which are numbers in other fonts.
    if numbered(name).is_some_and(|name| name.prefix == "a") {
        return None;
    }
    let text: String = agl::name_to_chars(name).collect();
    (!text.is_empty()).then_some(text)
}

/// A name with a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Numbered<'a> {
    /// The letters before the number.
    pub(super) prefix: &'a str,
    /// The number, with decimal digits.
    pub(super) decimal: Option<u32>,
    /// The number, with hexadecimal digits.
    pub(super) hexadecimal: Option<u32>,
}

/// Parses a name such as `a72`, `G48`, `C0072`, `char48` or `48`: letters, then digits. Hexadecimal
/// digits may also be letters, so only two or four of them count.
pub(super) fn numbered(name: &str) -> Option<Numbered<'_>> {
    if !name.is_ascii() || name.len() > 12 {
        return None;
    }
    let digits = |is_digit: fn(&u8) -> bool| name.bytes().rev().take_while(is_digit).count();
    let decimals = digits(u8::is_ascii_digit);
    let (prefix, decimal) = name.split_at(name.len() - decimals);
    let hexadecimal = match digits(u8::is_ascii_hexdigit) {
        0 | 1 => None,
        len => {
            let len = if len >= 4 { 4 } else { 2 };
            u32::from_str_radix(&name[name.len() - len..], 16).ok()
        }
    };
    let numbered = Numbered { prefix, decimal: decimal.parse().ok(), hexadecimal };
    (decimals > 0 || hexadecimal.is_some()).then_some(numbered)
}

/// Fonts whose glyphs begin in the standard order, in all styles.
const WINDOWS: [&str; 8] = [
    "Arial",
    "TimesNewRoman",
    "CourierNew",
    "Verdana",
    "Tahoma",
    "Georgia",
    "TrebuchetMS",
    "ComicSansMS",
];

/// Whether the glyphs of a font, by its `BaseFont`, begin in the standard order. Calibri and other
/// newer fonts have their own order.
pub(super) fn is_windows_font(base_font: &str) -> bool {
    let name = match base_font.split_once('+') {
        Some((mark, name)) if mark.len() == 6 => name,
        _ => base_font,
    };
    let name = name.replace(' ', "");
    WINDOWS.iter().any(|family| name.starts_with(family)) && !name.contains("Unicode")
}

#[cfg(test)]
mod tests {
    use super::{characters, is_windows_font, numbered};

    #[test]
    fn windows_fonts_are_recognized_by_name() {
        for name in ["ArialMT", "ABCDEF+Arial-BoldMT", "TimesNewRomanPS-BoldMT", "Times New Roman"]
        {
            assert!(is_windows_font(name), "{name}");
        }
        for name in ["Calibri", "ABCDEF+Cambria", "ArialUnicodeMS", "Symbol", ""] {
            assert!(!is_windows_font(name), "{name}");
        }
    }

    #[test]
    fn names_map_to_characters() {
        assert_eq!(characters("eacute").as_deref(), Some("é"));
        assert_eq!(characters("f_f_i").as_deref(), Some("ffi"));
        assert_eq!(characters("uni20AC").as_deref(), Some("€"));
        assert_eq!(characters("A.sc").as_deref(), Some("A"));
        for none in ["a72", "g12", ".notdef", "", "gid12"] {
            assert_eq!(characters(none), None, "{none}");
        }
    }

    #[test]
    fn names_with_numbers_are_read_as_decimal_and_hexadecimal() {
        let read = |name| numbered(name).map(|name| (name.prefix, name.decimal, name.hexadecimal));
        assert_eq!(read("a72"), Some(("a", Some(72), Some(0x72))));
        assert_eq!(read("C0072"), Some(("C", Some(72), Some(0x72))));
        assert_eq!(read("G4B"), Some(("G4B", None, Some(0x4B))));
        assert_eq!(read("char48"), Some(("char", Some(48), Some(0x48))));
        assert_eq!(read("6F"), Some(("6F", None, Some(0x6F))));
        assert_eq!(read("e"), None);
        assert_eq!(read("hyphen"), None);
        assert_eq!(read("a999999999999"), None);
    }
}
