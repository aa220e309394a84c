//! The effect of an undefined colour space, and the paint of an image mask.

use super::Sketch;

#[test]
fn an_undefined_colour_space_keeps_the_previous_one() {
    let named = |content: &str| Sketch::drawing(content, "/ColorSpace<</C[/Nothing 1]>>");
    for name in ["None", "C"] {
        let drawn = named(&format!("/{name} cs 0 sc 0 0 1 1 re f"));
        drawn.fails("2b", &[]);
        drawn.without_intent().fails("2b", &["6.2.4.3-4"]);
        let after = named(&format!("0 0 0 1 k /{name} cs 0 0 1 1 re f"));
        after.fails("1b", &["6.2.3.3-2"]);
    }
}

#[test]
fn an_image_mask_is_painted_with_the_cell_of_a_pattern() {
    let resources = "/ColorSpace<</P/Pattern>>/Pattern<</T 6 0 R>>/XObject<</I 7 0 R>>";
    let cell = "/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 9\
        /YStep 9/Resources<<>>";
    let inline = "BI /IM true /W 1 /H 1 /BPC 1 ID 0 EI";
    for image in ["/I Do", inline] {
        let drawn = |cell_content: &str| {
            Sketch::drawing(format!("/P cs /T scn {image}"), resources)
                .stream(cell, cell_content)
                .stream("/Subtype/Image/ImageMask true/Width 1/Height 1/BitsPerComponent 1", "0")
                .without_intent()
        };
        drawn("1 0 0 rg 0 0 1 1 re f").fails("2b", &["6.2.4.3-2"]);
        drawn("1 0 0 rg 0 0 1 1 re f").fails("1b", &["6.2.3.3-1"]);
        drawn("").fails("2b", &[]);
    }
}
