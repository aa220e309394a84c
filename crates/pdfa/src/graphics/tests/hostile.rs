//! Files for which a naive check takes exponential time.

use super::Sketch;

#[test]
fn nested_forms_are_drawn_once_each() {
    let mut file = Sketch::drawing("/F Do ".repeat(10), "/XObject<</F 6 0 R>>");
    for next in 7..30 {
        let dict = format!("/Subtype/Form/Resources<</XObject<</F {next} 0 R>>>>");
        file = file.stream(&dict, &"/F Do ".repeat(10));
    }
    file.stream("/Subtype/Form/Resources<<>>", "0 0 0 1 k").fails("2b", &["6.2.4.3-3"]);
}

#[test]
fn a_form_is_drawn_in_a_limited_number_of_states() {
    use std::fmt::Write;
    let (mut spaces, mut content) = (String::new(), String::new());
    for at in 0..12 {
        let _ = write!(spaces, "/A{at}[/CalGray<<>>]");
    }
    for fill in 0..12 {
        for stroke in 0..12 {
            let _ = write!(content, "/A{fill} cs /A{stroke} CS /F Do ");
        }
    }
    let mut file =
        Sketch::drawing(content.clone(), format!("/XObject<</F 6 0 R>>/ColorSpace<<{spaces}>>"));
    for next in 7..12 {
        let resources = format!("/XObject<</F {next} 0 R>>/ColorSpace<<{spaces}>>");
        file = file.stream(&format!("/Subtype/Form/Resources<<{resources}>>"), &content);
    }
    file.stream("/Subtype/Form/Resources<<>>", "0 0 m").fails("2b", &[]);
}

#[test]
fn comparing_separations_ends() {
    let mut file = Sketch::drawing(
        "/A cs /B cs",
        "/ColorSpace<</A[/Separation/X/DeviceRGB 6 0 R]/B[/Separation/X/DeviceRGB 7 0 R]>>",
    );
    // Two chains of arrays; each array contains the next one many times.
    for number in 6..40 {
        let next = number + 2;
        file = file.with(format!("[{}]", format!("{next} 0 R ").repeat(20)));
    }
    file.fails("2b", &[]);
}

#[test]
fn colour_spaces_that_contain_themselves_end() {
    let resources = "/ColorSpace<</A 6 0 R/DefaultRGB 7 0 R>>";
    Sketch::drawing("/A cs 1 0 0 rg 0 0 1 1 re f", resources)
        .with("[/Indexed 6 0 R 0 (x)]")
        .with("[/Indexed 7 0 R 0 (x)]")
        .fails("2b", &[]);
}

#[test]
fn glyphs_that_show_themselves_end() {
    let font = "/Font<</F 6 0 R>>";
    Sketch::drawing("BT /F 1 Tf (A) Tj ET", font)
        .with(
            "<</Type/Font/Subtype/Type3/FontMatrix[1 0 0 1 0 0]/FirstChar 65/LastChar 65/Widths[1]\
             /CharProcs<</A 7 0 R>>/Resources<</Font<</F 6 0 R>>>>\
             /Encoding<</Differences[65/A]>>>>",
        )
        .stream("", "1 0 d0 BT /F 1 Tf (AAA) Tj ET")
        .fails("2b", &[]);
}
