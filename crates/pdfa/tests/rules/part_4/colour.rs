//! Clauses 6.2.3, 6.2.4 and 6.2.9: output intents, colour spaces, blending spaces.

use super::{Case, content::jpeg_2000, draw, plain};
use crate::support::{Pdf, conforms};

/// An ICC profile with only a header.
fn profile(version: u8, class: &str, space: &str) -> Vec<u8> {
    let mut data = vec![0; 128];
    data[8] = version;
    data[12..16].copy_from_slice(class.as_bytes());
    data[16..20].copy_from_slice(space.as_bytes());
    data
}

/// An output intent whose profile is object 8.
const INTENT: &str = "<</S/GTS_PDFA1/OutputConditionIdentifier(x)/DestOutputProfile 8 0 R>>";
const DRAWN: &str = "0 0 1 1 re f";

fn with_profile(pdf: Pdf, space: &str) -> Pdf {
    let components = match space {
        "GRAY" => 1,
        "CMYK" => 4,
        _ => 3,
    };
    pdf.stream(8, &format!("/N {components}"), &profile(4, "prtr", space))
}

/// The document has this output intent.
fn intended(pdf: Pdf, space: &str) -> Pdf {
    with_profile(pdf.with(1, &format!("/OutputIntents[{INTENT}]")), space)
}

/// The page has this output intent.
fn intended_on_page(pdf: Pdf, space: &str) -> Pdf {
    with_profile(pdf.with(3, &format!("/OutputIntents[{INTENT}]")), space)
}

/// Draws in the colour space `C`, with object 6 as its profile.
fn in_space(operators: &str, components: u8, data: &[u8]) -> Pdf {
    let resources = "/ColorSpace<</C[/ICCBased 6 0 R]>>/ExtGState<</G<</OP true/OPM 1>>>>";
    draw(&format!("{operators} {DRAWN}"), resources).stream(6, &format!("/N {components}"), data)
}

fn intents() -> Vec<Case> {
    let array = |intents: &str| {
        let pdf = plain("4").with(1, &format!("/OutputIntents[{intents}]"));
        with_profile(pdf, "RGB ").stream(9, "/N 3", &profile(2, "mntr", "RGB "))
    };
    let other = "<</S/GTS_PDFX/OutputConditionIdentifier(x)/DestOutputProfile 9 0 R>>";
    let elsewhere = "<</S/ISO_PDFE1/DestOutputProfileRef<<>>>>";
    let unfit = |class, space| {
        plain("4").with(1, &format!("/OutputIntents[{INTENT}]")).stream(
            8,
            "/N 3",
            &profile(4, class, space),
        )
    };
    vec![
        (&["6.2.3-t01"], unfit("scnr", "RGB ")),
        (&["6.2.3-t01"], unfit("prtr", "Lab ")),
        (&["6.2.3-t02"], array(&format!("{INTENT}{other}"))),
        (&["6.2.3-t03"], array(elsewhere)),
        (&["6.2.3-t04"], array(&format!("{INTENT}{INTENT}"))),
        (
            &["6.2.3-t04"],
            with_profile(plain("4").with(3, &format!("/OutputIntents[{INTENT}{INTENT}]")), "RGB "),
        ),
    ]
}

fn spaces() -> Vec<Case> {
    let cmyk = profile(4, "prtr", "CMYK");
    let spots = |spaces: &str| {
        draw("/A cs 1 scn /B cs 1 scn", &format!("/ColorSpace<<{spaces}>>"))
            .and(6, "<</FunctionType 2/N 1/Domain[0 1]/C0[0]/C1[1]>>")
            .and(7, "<</FunctionType 2/N 1/Domain[0 1]/C0[1]/C1[0]>>")
    };
    let gray = "[/CalGray<</WhitePoint[1 1 1]>>]";
    vec![
        (&["6.2.4.2-t01"], in_space("/C cs 0 0 0 sc", 3, &profile(4, "link", "RGB "))),
        (&["6.2.4.2-t01"], in_space("/C cs 0 0 0 sc", 3, &profile(5, "mntr", "RGB "))),
        (&["6.2.4.2-t02"], in_space("/G gs /C cs 0 0 0 1 sc", 4, &cmyk)),
        (&["6.2.4.2-t03"], intended(in_space("/C cs 0 0 0 1 sc", 4, &cmyk), "CMYK")),
        (&["6.2.4.2-t03"], intended_on_page(in_space("/C cs 0 0 0 1 sc", 4, &cmyk), "CMYK")),
        (
            &["6.2.4.2-t03"],
            in_space("/C cs 0 0 0 1 sc", 4, &cmyk)
                .with(3, "/Group<</S/Transparency/CS[/ICCBased 6 0 R]>>"),
        ),
        (&["6.2.4.3-t02"], draw(&format!("1 0 0 rg {DRAWN}"), "")),
        (&["6.2.4.3-t02"], intended(draw("1 0 0 rg", ""), "CMYK")),
        (&["6.2.4.3-t03"], draw(&format!("0 0 0 1 k {DRAWN}"), "")),
        (&["6.2.4.3-t04"], draw(&format!("0 g {DRAWN}"), "")),
        (&["6.2.4.4-t01"], spots(&format!("/A[/DeviceN[/X/Black]{gray} 6 0 R]/B{gray}"))),
        (
            &["6.2.4.4-t02"],
            spots(&format!("/A[/Separation/X{gray} 6 0 R]/B[/Separation/X{gray} 7 0 R]")),
        ),
    ]
}

fn transparency() -> Vec<Case> {
    let state = |state: &str| {
        draw(
            &format!("/C cs 1 scn /G gs {DRAWN}"),
            &format!(
                "/ColorSpace<</C[/CalGray<</WhitePoint[1 1 1]>>]>>/ExtGState<</G<<{state}>>>>"
            ),
        )
    };
    vec![
        (&["6.2.9-t01"], intended(state("/BM/Glow"), "GRAY")),
        (
            &["6.2.9-t01"],
            intended(plain("4"), "GRAY")
                .with(3, "/Annots[5 0 R]")
                .and(5, "<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/F 4/BM/Glow>>"),
        ),
        (&["6.2.9-t02"], state("/ca .5")),
        (&["6.2.9-t02"], state("/BM/Multiply")),
        (
            &["6.2.9-t02"],
            plain("4")
                .with(3, "/Annots[5 0 R]")
                .and(
                    5,
                    "<</Type/Annot/Subtype/Stamp/Rect[0 0 9 9]/F 4/BM/Multiply/AP<</N 6 0 R>>>>",
                )
                .stream(6, "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<<>>", b""),
        ),
        (&["6.2.9-t02"], state("/ca .5").with(3, "/Group<</S/Transparency>>")),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    [intents(), spaces(), transparency()].into_iter().flatten().collect()
}

#[test]
fn a_page_may_have_its_own_output_intent() {
    let rgb = || draw(&format!("1 0 0 rg {DRAWN}"), "");
    conforms(&intended(rgb(), "RGB "));
    conforms(&intended_on_page(rgb(), "RGB "));
    conforms(&intended_on_page(draw(&format!("0 0 0 1 k {DRAWN}"), ""), "CMYK"));
    // The output intent of the page applies, not the document's.
    let other = "/OutputIntents[<</S/GTS_PDFA1/DestOutputProfile 9 0 R>>]";
    let both = intended(rgb(), "RGB ").with(3, other);
    both.stream(9, "/N 4", &profile(4, "prtr", "CMYK")).breaks(&["6.2.4.3-t02"]);
    // Parts 1 to 3 have no output intents of pages.
    let earlier = |flavour| {
        let pdf = Pdf::new(flavour).with(3, &format!("/OutputIntents[{INTENT}]/Contents 5 0 R"));
        with_profile(pdf, "RGB ").stream(5, "", b"1 0 0 rg 0 0 1 1 re f")
    };
    earlier("2b").breaks(&["6.2.4.3-t02"]);
    earlier("1b").breaks(&["6.2.3.3-t01"]);
}

/// Two pages that draw object 7. Only the first has this output intent.
fn on_two_pages(space: &str) -> Pdf {
    intended_on_page(draw("/F Do", "/XObject<</F 7 0 R>>"), space)
        .and(2, "<</Type/Pages/Kids[3 0 R 9 0 R]/Count 2>>")
        .and(
            9,
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<</XObject<</F 7 0 R>>>>\
             /Contents 5 0 R>>",
        )
}

#[test]
fn an_output_intent_applies_to_its_page_only() {
    let form = "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</ExtGState<<>>>>";
    on_two_pages("RGB ").stream(7, form, b"1 0 0 rg").breaks(&["6.2.4.3-t02"]);
    conforms(&on_two_pages("RGB ").stream(7, form, b"n"));
    let image = "/Type/XObject/Subtype/Image/Width 1/Height 1/Filter/JPXDecode";
    let cmyk = jpeg_2000(4, 7, &[[1, 0, 0, 0, 0, 0, 12]]);
    on_two_pages("CMYK").stream(7, image, &cmyk).breaks(&["6.2.4.3-t03"]);
    on_two_pages("RGB ").stream(7, image, &cmyk).breaks(&["6.2.4.3-t03"]);
}

#[test]
fn an_inline_image_may_abbreviate_a_device_space() {
    let inline = |space: &str| draw(&format!("BI /W 1 /H 1 /CS /{space} /BPC 8 /L 1 ID x EI"), "");
    conforms(&intended(inline("G"), "GRAY"));
    conforms(&intended(inline("RGB"), "RGB "));
    inline("CMYK").breaks(&["6.2.4.3-t03"]);
}

#[test]
fn device_colours_match_the_blending_space() {
    let group = |space: &str| format!("/Group<</S/Transparency/CS{space}>>");
    let rgb = || draw(&format!("1 0 0 rg {DRAWN}"), "");
    conforms(&rgb().with(3, &group("[/CalRGB<</WhitePoint[1 1 1]>>]")));
    conforms(&with_profile(rgb().with(3, &group("[/ICCBased 8 0 R]")), "RGB "));
    with_profile(rgb().with(3, &group("[/ICCBased 8 0 R]")), "CMYK").breaks(&["6.2.4.3-t02"]);
    let cmyk = draw(&format!("0 0 0 1 k {DRAWN}"), "").with(3, &group("[/ICCBased 8 0 R]"));
    conforms(&with_profile(cmyk, "CMYK"));
    // A group of a form, and content after the form.
    let form = |after: &str| {
        let pdf = draw(&format!("/F Do {after}"), "/XObject<</F 7 0 R>>")
            .with(3, &group("[/CalGray<</WhitePoint[1 1 1]>>]"));
        with_profile(pdf, "RGB ").stream(
            7,
            &format!(
                "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<<>>{}",
                group("[/ICCBased 8 0 R]")
            ),
            b"1 0 0 rg",
        )
    };
    conforms(&form(""));
    form("1 0 0 rg").breaks(&["6.2.4.3-t02"]);
}

#[test]
fn an_equal_profile_counts_as_the_same_profile() {
    let cmyk = |version| in_space("/C cs 0 0 0 1 sc", 4, &profile(version, "prtr", "CMYK"));
    intended(cmyk(4), "CMYK").breaks(&["6.2.4.2-t03"]);
    conforms(&intended(cmyk(2), "CMYK"));
    conforms(&intended(in_space("/C cs 0 0 0 sc", 3, &profile(4, "prtr", "RGB ")), "RGB "));
    conforms(&cmyk(4));
}
