//! Readable and unreadable font programs, and the CIDs of CMaps.

use super::{
    Sketch,
    fonts::{UNICODE, shown},
    programs::{compact, true_type, type_1},
};

fn simple_letter(subtype: &str, key: &str, data: &[u8]) -> Sketch {
    let font = format!(
        "/Subtype/{subtype}/BaseFont/X/FirstChar 65/LastChar 65/Widths[500]\
         /Encoding/WinAnsiEncoding/FontDescriptor 7 0 R"
    );
    shown("(A)", &font, "/Flags 32", (key, data))
}

fn composite_letter(subtype: &str, entries: &str, key: &str, data: &[u8]) -> Sketch {
    let font = format!(
        "/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[<</Type/Font\
         /Subtype/{subtype}/BaseFont/X/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)\
         /Supplement 0>>/W[1[500]]/FontDescriptor 7 0 R{entries}>>]"
    );
    shown("<0001>", &font, "/Flags 4", (key, data))
}

/// Damaged versions of a font program that cannot be read.
fn spoiled(data: &[u8]) -> [(&'static str, Vec<u8>); 6] {
    let noise = (0_u32..).map(|at| at.wrapping_mul(0x9E37_79B9).to_be_bytes()[1]);
    [
        ("empty", Vec::new()),
        ("zeroed", vec![0; data.len()]),
        ("random", noise.take(data.len()).collect()),
        ("cut to a tenth", data[..data.len() / 10].to_vec()),
        ("cut to a half", data[..data.len() / 2].to_vec()),
        ("without its last glyph or table", data[..data.len() - 12].to_vec()),
    ]
}

#[test]
fn an_unreadable_program_counts_as_missing() {
    type Show = fn(&[u8]) -> Sketch;
    let formats: [(&str, Vec<u8>, Show); 5] = [
        ("Type 1", type_1(&[(".notdef", 0), ("A", 500)]), |data| {
            simple_letter("Type1", "FontFile", data)
        }),
        ("CFF", compact(&[(34, 500)], false), |data| {
            simple_letter("Type1", "FontFile3/Type1C", data)
        }),
        ("TrueType", true_type(&[600, 500], &[UNICODE]), |data| {
            simple_letter("TrueType", "FontFile2", data)
        }),
        ("CFF of a CIDFont", compact(&[(1, 500)], true), |data| {
            composite_letter("CIDFontType0", "", "FontFile3/CIDFontType0C", data)
        }),
        ("TrueType of a CIDFont", true_type(&[600, 500], &[]), |data| {
            composite_letter("CIDFontType2", "/CIDToGIDMap/Identity", "FontFile2", data)
        }),
    ];
    for (format, program, show) in formats {
        assert_eq!(show(&program).failing("2b"), [""; 0], "{format} as it is");
        // The end of a Type 1 program has no glyphs.
        let ends = if format == "Type 1" { 5 } else { 6 };
        for (how, data) in spoiled(&program).into_iter().take(ends) {
            let failing = |flavour| show(&data).failing(flavour);
            assert_eq!(failing("1b"), ["6.3.4-1"], "{format}, {how}");
            assert_eq!(failing("3b"), ["6.2.11.4.1-1"], "{format}, {how}");
        }
        let invisible = Sketch { content: "BT 3 Tr /F 1 Tf (A) Tj ET".to_owned(), ..show(b"") };
        assert_eq!(invisible.failing("2b"), [""; 0], "{format}, not rendered");
    }
}

#[test]
fn a_true_type_program_needs_only_the_tables_of_its_widths() {
    let program = true_type(&[600, 500], &[UNICODE]);
    let renamed = |tag: &[u8]| {
        let mut program = program.clone();
        let at = program.windows(4).position(|found| found == tag).unwrap();
        program[at] = b'x';
        program
    };
    for tag in [b"head", b"maxp"] {
        simple_letter("TrueType", "FontFile2", &renamed(tag)).fails("2b", &[]);
    }
    for tag in [b"hhea", b"hmtx"] {
        simple_letter("TrueType", "FontFile2", &renamed(tag)).fails("2b", &["6.2.11.4.1-1"]);
    }
    let mut version = program.clone();
    version[..4].copy_from_slice(b"OK??");
    simple_letter("TrueType", "FontFile2", &version).fails("2b", &[]);
}

#[test]
fn a_range_of_undefined_characters_has_one_cid() {
    let cmap = |section: &str| {
        format!(
            "/CMapName /X def /WMode 0 def 1 begincodespacerange <00> <FF> endcodespacerange \
             {section}"
        )
    };
    let font = |section: &str| {
        let cmap = cmap(section);
        let font = "/Subtype/Type0/BaseFont/X/Encoding 9 0 R/DescendantFonts[<</Type/Font\
            /Subtype/CIDFontType0/BaseFont/X/CIDSystemInfo<</Registry(A)/Ordering(B)\
            /Supplement 0>>/W[1[500]]/FontDescriptor 7 0 R>>]";
        let program = compact(&[(1, 500)], true);
        shown("<42>", font, "/Flags 4", ("FontFile3/CIDFontType0C", &program)).stream(
            "/Type/CMap/CMapName/X/CIDSystemInfo<</Registry(A)/Ordering(B)/Supplement 0>>",
            &cmap,
        )
    };
    font("1 beginnotdefrange <40> <4F> 1 endnotdefrange").fails("2b", &[]);
    font("1 beginnotdefchar <42> 1 endnotdefchar").fails("2b", &[]);
    font("1 beginnotdefrange <50> <5F> 1 endnotdefrange")
        .fails("2b", &["6.2.11.4.1-2", "6.2.11.8-1"]);
    // The mapping of a defined character has priority over the range of undefined characters.
    font("1 begincidchar <42> 7 endcidchar 1 beginnotdefrange <40> <4F> 1 endnotdefrange")
        .fails("2b", &["6.2.11.4.1-2", "6.2.11.8-1"]);
}
