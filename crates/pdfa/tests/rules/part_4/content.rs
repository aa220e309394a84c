//! Clauses 6.2.2, 6.2.4.6, 6.2.5, 6.2.7 and 6.2.8: operators, resources, graphics states, images, forms.

use super::{Case, draw};
use crate::support::{Pdf, conforms};

const GRAY: &str = "/ColorSpace[/CalGray<</WhitePoint[1 1 1]>>]";

fn state(entries: &str) -> Pdf {
    draw("/G gs", &format!("/ExtGState<</G<<{entries}>>>>"))
}

fn image(entries: &str, data: &[u8]) -> Pdf {
    draw("/I Do", "/XObject<</I 6 0 R>>").stream(
        6,
        &format!("/Type/XObject/Subtype/Image/Width 1/Height 1{entries}"),
        data,
    )
}

fn gray(entries: &str) -> Pdf {
    image(&format!("{GRAY}{entries}"), b"x")
}

/// An image with a mask, which is object 7.
fn masked(entries: &str) -> Pdf {
    gray("/BitsPerComponent 8/Mask 7 0 R").stream(
        7,
        &format!("/Type/XObject/Subtype/Image/Width 1/Height 1/ImageMask true{entries}"),
        b"x",
    )
}

fn form(entries: &str) -> Pdf {
    draw("/F Do", "/XObject<</F 6 0 R>>").stream(
        6,
        &format!("/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<<>>{entries}"),
        b"",
    )
}

/// JPEG 2000 data: channels, depth, and colour specifications by method, precedence, approximation
/// and value.
pub(super) fn jpeg_2000(channels: u8, depth: u8, colours: &[[u8; 7]]) -> Vec<u8> {
    let boxed = |kind: &[u8], content: &[u8]| {
        let length = u32::try_from(content.len() + 8).expect("a short box");
        [length.to_be_bytes().as_slice(), kind, content].concat()
    };
    let mut header = boxed(b"ihdr", &[0, 0, 0, 1, 0, 0, 0, 1, 0, channels, depth, 7, 0, 0]);
    for colour in colours {
        header.extend(boxed(b"colr", colour));
    }
    let signature = b"\0\0\0\x0CjP  \r\n\x87\n";
    [signature, boxed(b"ftyp", b"jp2 ").as_slice(), &boxed(b"jp2h", &header)].concat()
}

const SRGB: [u8; 7] = [1, 0, 0, 0, 0, 0, 16];
const BEST: [u8; 7] = [1, 0, 1, 0, 0, 0, 16];

fn jpx(channels: u8, depth: u8, colours: &[[u8; 7]]) -> Pdf {
    image("/Filter/JPXDecode", &jpeg_2000(channels, depth, colours))
}

fn operators() -> Vec<Case> {
    vec![
        (&["6.2.2-t01"], draw("BX 1 foo EX", "")),
        (
            &["6.2.2-t02"],
            draw("/F Do", "/XObject<</F 6 0 R>>/ExtGState<</G<<>>>>").stream(
                6,
                "/Subtype/Form/BBox[0 0 1 1]",
                b"/G gs",
            ),
        ),
        (&["6.2.2-t03"], draw("/G gs", "")),
        (&["6.2.2-t03"], draw("/X Do", "")),
        (&["6.2.2-t03"], draw("/S sh", "")),
        (&["6.2.2-t03"], draw("/C cs", "")),
        (&["6.2.2-t03"], draw("/Pattern cs /P scn", "")),
        (&["6.2.2-t03"], draw("BT /F 1 Tf ET", "")),
        (&["6.2.2-t03"], draw("/Span /P BDC EMC", "")),
        (&["6.2.2-t03"], draw("BI /W 1 /H 1 /CS /C /BPC 8 /L 1 ID x EI", "")),
        (&["6.2.4.6-t01"], draw("/Vivid ri", "")),
        (&["6.2.4.6-t01"], state("/RI/Vivid")),
        (&["6.2.4.6-t01"], gray("/BitsPerComponent 8/Intent/Vivid")),
    ]
}

fn states() -> Vec<Case> {
    vec![
        (&["6.2.5-t01"], state("/TR/Identity")),
        (&["6.2.5-t02"], state("/TR2/Identity")),
        (&["6.2.5-t03"], state("/HTO[0 0]")),
        (&["6.2.5-t04"], state("/HT<</HalftoneType 6>>")),
        (&["6.2.5-t05"], state("/HT<</HalftoneType 1/HalftoneName(x)>>")),
        (&["6.2.5-t06"], state("/HT<</HalftoneType 1/TransferFunction/Identity>>")),
        (&["6.2.5-t06"], state("/HT<</HalftoneType 5/Spot<</HalftoneType 1>>>>")),
    ]
}

fn images_and_forms() -> Vec<Case> {
    vec![
        (&["6.2.7.1-t01"], gray("/BitsPerComponent 8/Alternates[]")),
        (&["6.2.7.1-t02"], gray("/BitsPerComponent 8/OPI<<>>")),
        (&["6.2.7.1-t03"], gray("/BitsPerComponent 8/Interpolate true")),
        (&["6.2.7.1-t04"], gray("/BitsPerComponent 3")),
        (&["6.2.7.1-t05"], masked("/BitsPerComponent 8")),
        (&["6.2.7.3-t01"], jpx(2, 7, &[SRGB])),
        (&["6.2.7.3-t02"], jpx(3, 7, &[BEST, BEST])),
        (&["6.2.7.3-t03"], jpx(3, 7, &[[4, 0, 0, 0, 0, 0, 0]])),
        (&["6.2.7.3-t04"], jpx(3, 7, &[[1, 0, 0, 0, 0, 0, 19]])),
        (&["6.2.7.3-t05"], jpx(3, 38, &[SRGB])),
        (&["6.2.8.1-t01"], form("/OPI<<>>")),
        (&["6.2.8.2-t01"], form("/Ref<<>>")),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    [operators(), states(), images_and_forms()].into_iter().flatten().collect()
}

#[test]
fn permitted_content_of_part_4() {
    conforms(&state("/HTP[0 0]/TR2/Default/HT<</HalftoneType 1>>"));
    conforms(&form("/PS 5 0 R/Subtype2/PS"));
    conforms(&form("").stream(6, "/Subtype/PS", b""));
    conforms(&draw(&"q ".repeat(29), ""));
    conforms(&gray("/BitsPerComponent 16"));
    conforms(&masked("/BitsPerComponent 1"));
    conforms(&jpx(3, 7, &[SRGB, BEST]));
    conforms(&jpx(3, 7, &[SRGB]));
    conforms(&draw("/Pattern cs", ""));
}

#[test]
fn resources_of_content_are_defined() {
    let resources = "/ExtGState<</G<<>>>>/ColorSpace<</C[/CalGray<</WhitePoint[1 1 1]>>]>>\
                     /Properties<</P<</Type/OCG/Name(a)>>>>";
    conforms(&draw("/G gs /C cs /OC /P BDC EMC", resources));
    conforms(&draw("BI /W 1 /H 1 /CS /C /BPC 8 /L 1 ID x EI", resources));
    let earlier = |flavour| Pdf::new(flavour).with(3, "/Contents 5 0 R").stream(5, "", b"/G gs");
    conforms(&earlier("1b"));
    conforms(&earlier("2b"));
}
