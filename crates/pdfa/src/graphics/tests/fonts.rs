//! Fonts with programs; each test has one rule.

use super::{
    Sketch,
    programs::{compact, true_type, type_1},
};
use std::fmt::Write;

/// A page that shows `text` in a font. Object 6 is the font, 7 its descriptor, 8 its program.
pub(super) fn shown(text: &str, font: &str, descriptor: &str, program: (&str, &[u8])) -> Sketch {
    let (key, data) = program;
    let mut hex = String::new();
    for byte in data {
        let _ = write!(hex, "{byte:02x}");
    }
    let subtype = match key {
        "FontFile3/Type1C" => "/Subtype/Type1C",
        "FontFile3/CIDFontType0C" => "/Subtype/CIDFontType0C",
        _ => "",
    };
    let key = key.split('/').next().unwrap();
    Sketch::drawing(format!("BT /F 1 Tf {text} Tj ET"), "/Font<</F 6 0 R>>")
        .with(format!("<</Type/Font{font}>>"))
        .with(format!("<</Type/FontDescriptor{descriptor}/{key} 8 0 R>>"))
        .stream(&format!("{subtype}/Filter/ASCIIHexDecode"), &format!("{hex}>"))
}

/// A TrueType font that shows `A`, glyph 1 with the width 500.
fn letter(entries: &str, flags: u32, subtables: &[(u16, u16, u16, &[u16])]) -> Sketch {
    let font = format!(
        "/Subtype/TrueType/BaseFont/X/FirstChar 65/LastChar 65/FontDescriptor 7 0 R{entries}"
    );
    let program = true_type(&[600, 500], subtables);
    shown("(A)", &font, &format!("/Flags {flags}"), ("FontFile2", &program))
}

const WIN_ANSI: &str = "/Encoding/WinAnsiEncoding/Widths[500]";
pub(super) const UNICODE: (u16, u16, u16, &[u16]) = (3, 1, 65, &[1]);
const SYMBOL: (u16, u16, u16, &[u16]) = (3, 0, 0xF041, &[1]);
const MAC: (u16, u16, u16, &[u16]) = (1, 0, 65, &[1]);

#[test]
fn glyphs_of_true_type_are_found_by_name() {
    for subtable in [UNICODE, MAC] {
        letter(WIN_ANSI, 32, &[subtable]).fails("1b", &[]);
        letter(WIN_ANSI, 32, &[subtable]).fails("2u", &[]);
    }
    letter(WIN_ANSI, 32, &[(3, 1, 66, &[1])]).fails("1b", &["6.3.5-1", "6.3.6-1"]);
    letter(WIN_ANSI, 32, &[SYMBOL]).fails("2b", &["6.2.11.4.1-2", "6.2.11.5-1", "6.2.11.6-1"]);
}

#[test]
fn widths_differ_by_at_most_one() {
    letter("/Encoding/WinAnsiEncoding/Widths[501]", 32, &[UNICODE]).fails("2b", &[]);
    letter("/Encoding/WinAnsiEncoding/Widths[502]", 32, &[UNICODE]).fails("2b", &["6.2.11.5-1"]);
    letter("/Encoding/WinAnsiEncoding/Widths[498]", 32, &[UNICODE]).fails("1b", &["6.3.6-1"]);
}

#[test]
fn the_encoding_of_true_type_matches_its_flags() {
    letter("/Widths[500]", 32, &[UNICODE]).fails("1b", &["6.3.7-1"]);
    let expert = "/Encoding<</BaseEncoding/MacExpertEncoding>>/Widths[500]";
    // 65 is `.notdef` in MacExpertEncoding.
    letter(expert, 32, &[UNICODE]).fails("2b", &["6.2.11.6-2", "6.2.11.8-1"]);
    letter("/Widths[500]", 4, &[SYMBOL]).fails("1b", &[]);
    letter("/Widths[500]", 4, &[MAC]).fails("2b", &[]);
    letter(WIN_ANSI, 4, &[SYMBOL]).fails("1b", &["6.3.7-2"]);
    letter("/Widths[500]", 4, &[MAC, SYMBOL]).fails("1b", &["6.3.7-3"]);
    letter("/Widths[500]", 4, &[MAC, SYMBOL]).fails("2b", &[]);
    letter("/Widths[500]", 4, &[MAC, UNICODE]).fails("2b", &["6.2.11.6-4"]);
}

#[test]
fn differences_are_in_the_glyph_list_and_map_to_unicode() {
    let differ = |name: &str| {
        format!("/Encoding<</BaseEncoding/WinAnsiEncoding/Differences[65/{name}]>>/Widths[500]")
    };
    letter(&differ("A"), 32, &[UNICODE]).fails("2b", &[]);
    letter(&differ("A"), 32, &[UNICODE]).fails("1b", &["6.3.7-1"]);
    letter(&differ("A"), 32, &[MAC]).fails("2b", &["6.2.11.6-2"]);
    letter(&differ("uni0041"), 32, &[UNICODE]).fails("2b", &["6.2.11.6-2"]);
}

#[test]
fn codes_have_unicode_values() {
    letter("/Widths[500]", 4, &[SYMBOL]).fails("2u", &["6.2.11.7.2-1"]);
    letter("/Widths[500]", 4, &[SYMBOL]).fails("1a", &["6.3.8-1"]);
    let mapped = |text: &str| {
        letter("/Widths[500]/ToUnicode 9 0 R", 4, &[SYMBOL])
            .stream("", &format!("1 beginbfchar <41> <{text}> endbfchar"))
    };
    mapped("0041").fails("2u", &[]);
    mapped("0000").fails("2u", &["6.2.11.7.2-2"]);
    mapped("FFFE").fails("2u", &["6.2.11.7.2-2"]);
    mapped("E000").fails("2u", &[]);
    mapped("E000").fails("2a", &["6.2.11.7.3-1"]);
}

#[test]
fn an_undefined_glyph_is_not_shown() {
    let font = "/Subtype/TrueType/BaseFont/X/FirstChar 1/LastChar 1/Widths[600]\
        /FontDescriptor 7 0 R/Encoding/WinAnsiEncoding";
    let program = true_type(&[600, 500], &[UNICODE]);
    let show =
        |mode: &str| shown(&format!("{mode} <01>"), font, "/Flags 32", ("FontFile2", &program));
    show("").fails("2b", &["6.2.11.4.1-2", "6.2.11.8-1"]);
    show("3 Tr").fails("2b", &["6.2.11.8-1"]);
}

#[test]
fn glyphs_of_type_1_are_found_by_name() {
    let font = |width: u32| {
        format!(
            "/Subtype/Type1/BaseFont/X/FirstChar 65/LastChar 66/Widths[{width} 0]\
             /FontDescriptor 7 0 R"
        )
    };
    let program = type_1(&[(".notdef", 250), ("A", 500)]);
    let show = |text: &str, width| shown(text, &font(width), "/Flags 4", ("FontFile", &program));
    show("(A)", 500).fails("1b", &[]);
    show("(A)", 510).fails("1b", &["6.3.6-1"]);
    show("(B)", 500).fails("2b", &["6.2.11.4.1-2"]);
    let resource = [b"%!PS-Adobe-3.0 Resource-Font\n", program.as_slice()].concat();
    shown("(A)", &font(510), "/Flags 4", ("FontFile", &resource)).fails("1b", &["6.3.6-1"]);
    let compact = compact(&[(34, 500)], false);
    let show =
        |text: &str, width| shown(text, &font(width), "/Flags 4", ("FontFile3/Type1C", &compact));
    show("(A)", 500).fails("1b", &[]);
    show("(A)", 510).fails("2b", &["6.2.11.5-1"]);
    show("(B)", 500).fails("2b", &["6.2.11.4.1-2"]);
}

#[test]
fn a_type_1_subset_lists_its_glyphs() {
    let program = type_1(&[(".notdef", 250), ("A", 500), ("B", 500)]);
    let font = "/Subtype/Type1/BaseFont/ABCDEF+X/FirstChar 65/LastChar 65/Widths[500]\
        /FontDescriptor 7 0 R";
    let show = |set: &str| shown("(A)", font, &format!("/Flags 4{set}"), ("FontFile", &program));
    show("").fails("1b", &["6.3.5-2"]);
    show("").fails("2b", &[]);
    show("/CharSet(/A/B)").fails("2b", &[]);
    show("/CharSet(/A)").fails("2b", &["6.2.11.4.2-1"]);
    show("/CharSet(/A)").fails("1b", &[]);
    show("/CharSet(/A/B/C)").fails("2b", &["6.2.11.4.2-1"]);
    show("/CharSet(/B)").fails("1b", &["6.3.5-2"]);
}

/// A composite font that shows CID 1.
fn composite(cid_font: &str, descriptor: &str, program: (&str, &[u8])) -> Sketch {
    let font = format!(
        "/Subtype/Type0/BaseFont/ABCDEF+X/Encoding/Identity-H/DescendantFonts[<</Type/Font\
         /BaseFont/ABCDEF+X/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>\
         /FontDescriptor 7 0 R{cid_font}>>]"
    );
    shown("<0001>", &font, &format!("/Flags 4{descriptor}"), program)
}

#[test]
fn cids_map_to_glyphs_by_map_or_charset() {
    let truetype = true_type(&[600, 500, 400], &[]);
    let type_2 = |entries: &str| {
        let entries = format!("/Subtype/CIDFontType2{entries}");
        composite(&entries, "", ("FontFile2", &truetype))
    };
    type_2("/CIDToGIDMap/Identity/W[1[500]]").fails("2b", &[]);
    type_2("/CIDToGIDMap/Identity/W[1 1 500]").fails("2b", &[]);
    type_2("/CIDToGIDMap/Identity").fails("2b", &["6.2.11.5-1"]);
    type_2("/W[1[500]]").fails("2b", &["6.2.11.3.2-1"]);
    let map = type_2("/CIDToGIDMap 9 0 R/DW 400").stream("/Filter/ASCIIHexDecode", "00000002>");
    map.fails("2b", &[]);
    let short = type_2("/CIDToGIDMap 9 0 R/DW 600").stream("/Filter/ASCIIHexDecode", "0000>");
    short.fails("2b", &["6.2.11.4.1-2", "6.2.11.8-1"]);

    let keyed = |cid| {
        let program = compact(&[(cid, 500)], true);
        let entries = "/Subtype/CIDFontType0/DW 500";
        composite(entries, "", ("FontFile3/CIDFontType0C", &program))
    };
    keyed(1).fails("2b", &[]);
    keyed(2).fails("2b", &["6.2.11.4.1-2", "6.2.11.8-1"]);
}

#[test]
fn a_cid_set_has_the_cids_of_the_program() {
    let program = compact(&[(1, 500), (9, 500)], true);
    let set = |bits: &str| {
        let (entries, descriptor) = ("/Subtype/CIDFontType0/DW 500", "/CIDSet 9 0 R");
        composite(entries, descriptor, ("FontFile3/CIDFontType0C", &program))
            .stream("/Filter/ASCIIHexDecode", bits)
    };
    set("C040>").fails("2b", &[]);
    set("4040>").fails("2b", &[]);
    set("C000>").fails("2b", &["6.2.11.4.2-2"]);
    set("C060>").fails("2b", &["6.2.11.4.2-2"]);
    set("C000>").fails("1b", &[]);
    set("8040>").fails("1b", &["6.3.5-3"]);
}

#[test]
fn true_type_of_part_4_has_one_of_two_subtables() {
    letter(WIN_ANSI, 32, &[SYMBOL]).fails("4", &["6.2.10.4.1-2", "6.2.10.5-1", "6.2.10.6-1"]);
    for subtables in [&[UNICODE][..], &[MAC], &[SYMBOL, UNICODE]] {
        letter(WIN_ANSI, 32, subtables).fails("4", &[]);
    }
    letter("/Widths[500]", 4, &[UNICODE]).fails("4", &["6.2.10.6-4"]);
    letter("/Widths[500]", 4, &[MAC, UNICODE]).fails("4", &[]);
    letter("/Widths[500]", 4, &[SYMBOL]).fails("4", &[]);
    letter("/Widths[500]", 4, &[MAC, UNICODE]).fails("2b", &["6.2.11.6-4"]);
}
