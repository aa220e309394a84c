//! Clause 6.2.10: fonts. Text that is not drawn (mode 3) needs no font program.

use super::{Case, draw, plain};
use crate::support::{Pdf, conforms};

/// Text that is not drawn, in a font with these entries.
fn hidden(font: &str) -> Pdf {
    draw("BT 3 Tr /F 1 Tf (A) Tj ET", &format!("/Font<</F<<{font}>>>>"))
}

/// Text that is not drawn, in a Type 0 font with one CIDFont.
fn composite(encoding: &str, cid_font: &str) -> Pdf {
    draw(
        "BT 3 Tr /F 1 Tf <0001> Tj ET",
        &format!(
            "/Font<</F<</Type/Font/Subtype/Type0/BaseFont/X/Encoding {encoding}/DescendantFonts[<<\
             /Type/Font/BaseFont/X{cid_font}>>]>>>>"
        ),
    )
}

/// Text that is drawn in a Type 3 font, whose glyph `A` has the width 500.
fn type_3(text: &str, width: u32) -> Pdf {
    draw(
        &format!("BT /C cs 1 scn /F 1 Tf ({text}) Tj ET"),
        &format!(
            "/ColorSpace<</C[/CalGray<</WhitePoint[1 1 1]>>]>>/Font<</F<</Type/Font/Subtype/Type3\
             /FontMatrix[.001 0 0 .001 0 0]/FontBBox[0 0 9 9]/FirstChar 65/LastChar 65\
             /Widths[{width}]/CharProcs<</A 6 0 R>>/Resources<<>>/Encoding<</Differences[65/A]>>>>>>"
        ),
    )
    .stream(6, "", b"500 0 d0")
}

const HELVETICA: &str = "/Type/Font/Subtype/Type1/BaseFont/Helvetica";
const OWN: &str = "/Type/Font/Subtype/Type1/BaseFont/Own";
const ONE: &str = "/FirstChar 65/LastChar 65/Widths[500]";

fn dictionaries() -> Vec<Case> {
    let true_type =
        |entries: &str| hidden(&format!("/Type/Font/Subtype/TrueType/BaseFont/Own{ONE}{entries}"));
    let flags = |flags: u32| format!("/FontDescriptor<</Type/FontDescriptor/Flags {flags}>>");
    vec![
        (&["6.2.10.2-t01"], hidden("/Subtype/Type1/BaseFont/Helvetica")),
        (&["6.2.10.2-t02"], hidden("/Type/Font/Subtype/Type9/BaseFont/Own")),
        (&["6.2.10.2-t03"], hidden(&format!("/Type/Font/Subtype/Type1{ONE}"))),
        (&["6.2.10.2-t04"], hidden(&format!("{OWN}/LastChar 0/Widths[500]"))),
        (&["6.2.10.2-t05"], hidden(&format!("{OWN}/FirstChar 0/Widths[500]"))),
        (&["6.2.10.2-t06"], hidden(&format!("{OWN}/FirstChar 65/LastChar 66/Widths[500]"))),
        (
            &["6.2.10.2-t07"],
            hidden(&format!("{OWN}{ONE}/FontDescriptor<</Flags 32/FontFile3 7 0 R>>")).stream(
                7,
                "/Subtype/Type2C",
                b"",
            ),
        ),
        (&["6.2.10.6-t02"], true_type(&flags(32))),
        (&["6.2.10.6-t03"], true_type(&format!("/Encoding/WinAnsiEncoding{}", flags(4)))),
    ]
}

fn composites() -> Vec<Case> {
    let collection = |ordering: &str, supplement: u8| {
        format!(
            "/Subtype/CIDFontType2\
             /CIDSystemInfo<</Registry(Adobe)/Ordering({ordering})/Supplement {supplement}>>"
        )
    };
    let embedded = |entries: &str, file: &str| {
        composite("7 0 R", &collection("Identity", 0)).stream(
            7,
            &format!(
                "/Type/CMap/CMapName/Own{entries}\
                 /CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
            ),
            format!("{file} 1 begincodespacerange <0000> <FFFF> endcodespacerange").as_bytes(),
        )
    };
    vec![
        (&["6.2.10.3.1-t01"], composite("/H", &collection("GB1", 0))),
        (&["6.2.10.3.1-t01"], composite("/H", &collection("Japan1", 7))),
        (
            &["6.2.10.3.2-t01"],
            composite(
                "/Identity-H",
                &format!("{}/FontDescriptor<</FontFile2 7 0 R>>", collection("Identity", 0)),
            )
            .stream(7, "", b"x"),
        ),
        // An unknown CMap has no collection that a CIDFont could match.
        (&["6.2.10.3.3-t01", "6.2.10.3.1-t01"], composite("/Own", &collection("Identity", 0))),
        (&["6.2.10.3.3-t02"], embedded("/WMode 1", "/WMode 0 def")),
        (&["6.2.10.3.3-t03"], embedded("/UseCMap/Other", "")),
    ]
}

fn glyphs() -> Vec<Case> {
    let mapped = |text: &str| {
        hidden(&format!("{HELVETICA}/ToUnicode 7 0 R")).stream(
            7,
            "",
            format!("1 beginbfchar <41> <{text}> endbfchar").as_bytes(),
        )
    };
    let tree = "/StructTreeRoot<</Type/StructTreeRoot/K 7 0 R>>";
    vec![
        (
            &["6.2.10.4.1-t01"],
            draw(
                "BT /C cs 1 scn /F 1 Tf (A) Tj ET",
                &format!(
                    "/ColorSpace<</C[/CalGray<</WhitePoint[1 1 1]>>]>>/Font<</F<<{HELVETICA}>>>>"
                ),
            ),
        ),
        (&["6.2.10.4.1-t02"], type_3("B", 500)),
        (&["6.2.10.5-t01"], type_3("A", 502)),
        (&["6.2.10.7-t01"], mapped("0000")),
        (&["6.2.10.7-t01"], mapped("FEFF")),
        (&["6.2.10.7-t01"], mapped("FFFE")),
        (&["6.2.10.8-t01"], draw("/Span<</ActualText<FEFFE000>>>BDC EMC", "")),
        (
            &["6.2.10.8-t01"],
            draw("/Span/P BDC EMC", "/Properties<</P<</ActualText<FEFFDB80DC00>>>>>"),
        ),
        (
            &["6.2.10.8-t01"],
            plain("4").with(1, tree).and(7, "<</S/Span/ActualText<FEFF0041F8FF>>>"),
        ),
        (&["6.2.10.9-t01"], hidden(&format!("{HELVETICA}/Encoding<</Differences[65/.notdef]>>"))),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    [dictionaries(), composites(), glyphs()].into_iter().flatten().collect()
}

#[test]
fn permitted_fonts_of_part_4() {
    conforms(&hidden(HELVETICA));
    conforms(&type_3("A", 500));
    conforms(&composite("/Identity-H", "/Subtype/CIDFontType2"));
    // Part 4 requires neither Unicode values nor a list of the glyphs of a subset.
    let subset = "/Type/Font/Subtype/Type1/BaseFont/ABCDEF+Own/FirstChar 65/LastChar 65/Widths[500]\
                  /Encoding<</Differences[65/odd]>>/FontDescriptor<</Flags 4/CharSet(/x)>>";
    conforms(&hidden(subset));
    conforms(&hidden(&format!("{HELVETICA}/ToUnicode 7 0 R")).stream(
        7,
        "",
        b"1 beginbfchar <41> <E000> endbfchar",
    ));
    conforms(&draw("/Span<</ActualText(A)>>BDC EMC", ""));
}
