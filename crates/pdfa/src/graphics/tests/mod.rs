//! Small files of one page; each test has one rule.

mod fonts;
mod hostile;
mod paint;
mod programs;
mod programs_read;

use crate::{Flavour, validate};
use cos::{File, Limits};
use std::fmt::Write;

/// An ICC profile with only a header.
fn profile(version: u8, class: &str, space: &str) -> String {
    let mut data = [b'0'; 128];
    data[8] = version;
    data[9] = 0x40;
    data[12..16].copy_from_slice(class.as_bytes());
    data[16..20].copy_from_slice(space.as_bytes());
    let mut hex = String::new();
    for byte in data {
        let _ = write!(hex, "{byte:02x}");
    }
    hex.push('>');
    hex
}

/// A file in preparation: objects 1 to 5 are catalog, pages, page, content and output profile;
/// others follow.
struct Sketch {
    intent: bool,
    resources: String,
    page: &'static str,
    content: String,
    objects: Vec<String>,
}

impl Sketch {
    fn drawing(content: impl Into<String>, resources: impl Into<String>) -> Self {
        let (content, resources) = (content.into(), resources.into());
        Self { intent: true, resources, page: "", content, objects: Vec::new() }
    }

    /// Adds object 6, 7 and so on.
    fn with(mut self, object: impl Into<String>) -> Self {
        self.objects.push(object.into());
        self
    }

    fn stream(self, dict: &str, data: &str) -> Self {
        self.with(format!("<<{dict}/Length {}>>stream\n{data}\nendstream", data.len()))
    }

    fn without_intent(mut self) -> Self {
        self.intent = false;
        self
    }

    fn on_page(mut self, page: &'static str) -> Self {
        self.page = page;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let icc = profile(2, "mntr", "RGB ");
        let intents = if self.intent {
            "/OutputIntents[<</S/GTS_PDFA1/DestOutputProfile 5 0 R>>]"
        } else {
            ""
        };
        let mut objects = vec![
            format!("<</Type/Catalog/Pages 2 0 R{intents}>>"),
            "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
            format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<<{}>>{}>>",
                self.resources, self.page
            ),
            format!("<</Length {}>>stream\n{}\nendstream", self.content.len(), self.content),
            format!("<</N 3/Filter/ASCIIHexDecode/Length {}>>stream\n{icc}\nendstream", icc.len()),
        ];
        objects.extend(self.objects.iter().cloned());
        let mut bytes = b"%PDF-1.7\n".to_vec();
        for (number, object) in (1..).zip(&objects) {
            bytes.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
        }
        bytes.extend(b"trailer\n<</Root 1 0 R>>\n%%EOF");
        bytes
    }

    /// The failing rules of graphics, such as `6.2.4.3-2`.
    fn failing(&self, flavour: &str) -> Vec<String> {
        let file = File::open(self.bytes(), Limits::default()).unwrap();
        let flavour: Flavour = flavour.parse().unwrap();
        let report = validate(&file, flavour).unwrap();
        let graphics = if flavour.to_string().starts_with('1') {
            ["6.2.", "6.3.", "6.4"].as_slice()
        } else {
            &["6.2."]
        };
        let mut rules: Vec<String> = report
            .failures
            .iter()
            .filter(|failure| graphics.iter().any(|start| failure.clause.starts_with(start)))
            .map(|failure| format!("{}-{}", failure.clause, failure.test))
            .collect();
        rules.sort();
        rules.dedup();
        rules
    }

    #[track_caller]
    fn fails(&self, flavour: &str, rules: &[&str]) {
        assert_eq!(self.failing(flavour), rules, "against {flavour}");
    }
}

#[test]
fn device_colours_need_a_matching_output_intent() {
    let gray = Sketch::drawing("0 g 0 0 1 1 re f", "");
    gray.fails("1b", &[]);
    gray.without_intent().fails("1b", &["6.2.3.3-3"]);
    let cmyk = Sketch::drawing("0 0 0 1 K", "");
    cmyk.fails("1b", &["6.2.3.3-2"]);
    cmyk.fails("2b", &["6.2.4.3-3"]);
    let rgb = Sketch::drawing("1 0 0 rg 0 0 1 1 re f", "");
    rgb.fails("2b", &[]);
    rgb.without_intent().fails("3b", &["6.2.4.3-2"]);
}

#[test]
fn the_initial_colour_is_gray() {
    Sketch::drawing("0 0 1 1 re f", "").without_intent().fails("2b", &["6.2.4.3-4"]);
    Sketch::drawing("0 0 1 1 re W n", "").without_intent().fails("2b", &[]);
}

#[test]
fn a_default_space_replaces_the_device_space() {
    let resources = "/ColorSpace<</DefaultCMYK[/ICCBased 6 0 R]>>";
    let cmyk = profile(2, "prtr", "CMYK");
    Sketch::drawing("0 0 0 1 k 0 0 1 1 re f", resources)
        .stream("/N 4/Filter/ASCIIHexDecode", &cmyk)
        .fails("1b", &[]);
}

#[test]
fn profiles_have_a_permitted_version_and_size() {
    let resources = "/ColorSpace<</C[/ICCBased 6 0 R]>>";
    let space = |icc: String, n: &str| {
        Sketch::drawing("/C cs 0 sc 0 0 1 1 re f", resources)
            .stream(&format!("{n}/Filter/ASCIIHexDecode"), &icc)
    };
    space(profile(2, "scnr", "RGB "), "/N 3").fails("1b", &[]);
    space(profile(4, "scnr", "RGB "), "/N 3").fails("1b", &["6.2.3.2-1"]);
    space(profile(4, "scnr", "RGB "), "/N 3").fails("2b", &[]);
    space(profile(2, "link", "RGB "), "/N 3").fails("2b", &["6.2.4.2-1"]);
    space(profile(2, "mntr", "RGB "), "/N 4").fails("1b", &["6.2.3.2-2"]);
    space(profile(2, "mntr", "RGB "), "").fails("1b", &["6.2.3.2-2"]);
}

#[test]
fn cmyk_is_not_overprinted_in_mode_1() {
    let resources = "/ColorSpace<</C[/ICCBased 6 0 R]>>/ExtGState<</G<</OP true/OPM 1>>>>";
    let cmyk = profile(2, "prtr", "CMYK");
    let draw =
        |content| Sketch::drawing(content, resources).stream("/N 4/Filter/ASCIIHexDecode", &cmyk);
    draw("/G gs /C cs 0 0 0 1 sc 0 0 1 1 re f").fails("2b", &["6.2.4.2-2"]);
    draw("/G gs /C cs 0 0 0 1 sc").fails("2b", &[]);
    draw("/C cs 0 0 0 1 sc 0 0 1 1 re f").fails("2b", &[]);
    draw("/G gs /C cs 0 0 0 1 sc 0 0 1 1 re f").fails("1b", &[]);
}

#[test]
fn separations_with_the_same_name_are_equal() {
    let one = "/A[/Separation/Spot/DeviceRGB 6 0 R]";
    let function = "<</FunctionType 2/N 1/Domain[0 1]/C0[0 0 0]/C1[1 0 0]>>";
    let other = "<</FunctionType 2/N 1/Domain[0 1]/C0[0 0 0]/C1[0 1 0]>>";
    let draw = |second| {
        let resources = format!("/ColorSpace<<{one}/B[/Separation/Spot/DeviceRGB 7 0 R]>>");
        Sketch::drawing("/A cs /B cs", resources).with(function).with(second)
    };
    draw(function).fails("2b", &[]);
    draw(other).fails("2b", &["6.2.4.4-2"]);
    draw(other).fails("1b", &[]);
}

#[test]
fn device_n_describes_its_colorants() {
    let draw = |attributes: &str| {
        let resources =
            format!("/ColorSpace<</A[/DeviceN[/X/Black]/DeviceRGB 6 0 R{attributes}]>>");
        Sketch::drawing("/A cs", resources).with("<</FunctionType 2>>")
    };
    draw("").fails("2b", &["6.2.4.4-1"]);
    draw("<</Colorants<</X[/Separation/X/DeviceRGB 6 0 R]>>>>").fails("2b", &[]);
    draw("<</Process<</Components[/X]>>>>").fails("2b", &[]);
    draw("").fails("1b", &[]);
}

#[test]
fn graphics_states_have_only_permitted_entries() {
    let state = |entries: &str| {
        let resources = format!("/ExtGState<</G<<{entries}>>>>");
        Sketch::drawing("/G gs", resources)
    };
    state("/TR/Identity").fails("1b", &["6.2.8-1"]);
    state("/TR/Identity").fails("2b", &["6.2.5-1"]);
    state("/TR2/Identity").fails("2b", &["6.2.5-2"]);
    state("/TR2/Default").fails("2b", &[]);
    state("/HTP[0 0]").fails("2b", &["6.2.5-3"]);
    state("/HT<</HalftoneType 6>>").fails("2b", &["6.2.5-4"]);
    state("/HT<</HalftoneType 1/HalftoneName(x)>>").fails("2b", &["6.2.5-5"]);
    state("/HT<</HalftoneType 1/TransferFunction/Identity>>").fails("2b", &["6.2.5-6"]);
    state("/HT<</HalftoneType 5/Spot<</HalftoneType 1>>>>").fails("2b", &["6.2.5-6"]);
    state("/HT<</HalftoneType 5/Cyan<</HalftoneType 1>>/Default<</HalftoneType 1>>>>")
        .fails("2b", &[]);
    state("/RI/Vivid").fails("1b", &["6.2.9-1"]);
    state("/RI/Vivid").fails("2b", &["6.2.6-1"]);
    state("/BM/Glow").fails("2b", &["6.2.10-1"]);
    state("/BM[/Multiply]").fails("2b", &[]);
    state("/BM/Multiply").fails("1b", &["6.4-4"]);
    state("/SMask<</S/Alpha>>").fails("1b", &["6.4-1"]);
    state("/SMask/None/CA 1.0/ca 1").fails("1b", &[]);
    state("/CA .5").fails("1b", &["6.4-5"]);
    state("/ca .5").fails("1b", &["6.4-6"]);
}

#[test]
fn an_unused_graphics_state_is_not_checked() {
    Sketch::drawing("0 g", "/ExtGState<</G<</TR/Identity>>>>").fails("1b", &[]);
}

#[test]
fn images_have_only_permitted_entries() {
    let image = |entries: &str| {
        Sketch::drawing("/I Do", "/XObject<</I 6 0 R>>")
            .stream(&format!("/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray{entries}"), "x")
    };
    image("/BitsPerComponent 8").fails("1b", &[]);
    image("/Alternates[]").fails("1b", &["6.2.4-1"]);
    image("/OPI<<>>").fails("1b", &["6.2.4-2"]);
    image("/Interpolate true").fails("1b", &["6.2.4-3"]);
    image("/BitsPerComponent 16").fails("1b", &["6.2.4-4"]);
    image("/BitsPerComponent 16").fails("2b", &[]);
    image("/Alternates[]/OPI<<>>/Interpolate true/BitsPerComponent 3")
        .fails("2b", &["6.2.8-1", "6.2.8-2", "6.2.8-3", "6.2.8-4"]);
    image("/ImageMask true/BitsPerComponent 8").fails("2b", &["6.2.8-5"]);
    image("/SMask 5 0 R").fails("1b", &["6.4-2"]);
    image("/Intent/Vivid").fails("2b", &["6.2.6-1"]);
    image("/Filter/JPXDecode").fails("2b", &["6.2.8.3-1", "6.2.8.3-5"]);
}

#[test]
fn inline_images_have_the_rules_of_images() {
    let draw = |content| Sketch::drawing(content, "").without_intent();
    draw("BI /W 1 /H 1 /CS /RGB /BPC 8 ID xxx EI").fails("2b", &["6.2.4.3-2"]);
    draw("BI /W 1 /H 1 /CS [/I /CMYK 0 <00000000>] /BPC 8 ID x EI").fails("2b", &["6.2.4.3-3"]);
    draw("BI /W 1 /H 1 /IM true /I true ID x EI").fails("2b", &["6.2.4.3-4", "6.2.8-3"]);
}

#[test]
fn forms_have_no_post_script_and_no_external_files() {
    let form = |entries: &str| {
        Sketch::drawing("/F Do", "/XObject<</F 6 0 R>>")
            .stream(&format!("/Subtype/Form/BBox[0 0 1 1]{entries}"), "0 g")
    };
    form("").fails("1b", &[]);
    form("/PS 5 0 R").fails("1b", &["6.2.5-1"]);
    form("/Subtype2/PS").fails("2b", &["6.2.9-1"]);
    form("/OPI<<>>").fails("1b", &["6.2.4-2"]);
    form("/OPI<<>>").fails("2b", &["6.2.9-1"]);
    form("/Ref<<>>").fails("1b", &["6.2.6-1"]);
    form("/Ref<<>>").fails("2b", &["6.2.9-2"]);
    form("/Group<</S/Transparency>>").fails("1b", &["6.4-3"]);
    form("/Group<</S/Transparency/CS/DeviceCMYK>>").fails("2b", &["6.2.4.3-3"]);
    let script = Sketch::drawing("/F Do", "/XObject<</F 6 0 R>>").stream("/Subtype/PS", "");
    script.fails("1b", &["6.2.7-1"]);
    script.fails("2b", &["6.2.9-3"]);
}

#[test]
fn streams_have_their_own_resources() {
    let resources = "/XObject<</F 6 0 R>>/ExtGState<</G<<>>>>";
    let form = |own: &str| {
        Sketch::drawing("/F Do", resources).stream(&format!("/Subtype/Form{own}"), "/G gs")
    };
    form("").fails("2b", &["6.2.2-2"]);
    form("").fails("1b", &[]);
    form("/Resources<</ExtGState<</G<<>>>>>>").fails("2b", &[]);
}

#[test]
fn operators_are_known() {
    Sketch::drawing("BX 1 foo EX", "").fails("1b", &["6.2.10-1"]);
    Sketch::drawing("BX 1 foo EX", "").fails("2b", &["6.2.2-1"]);
    Sketch::drawing("/Vivid ri", "").fails("1b", &["6.2.9-1"]);
}

#[test]
fn states_are_nested_at_most_28_times() {
    let nested = |count: usize| {
        let file = Sketch::drawing("q ".repeat(count), "");
        let file = File::open(file.bytes(), Limits::default()).unwrap();
        let report = validate(&file, "2b".parse().unwrap()).unwrap();
        report.failures.iter().any(|failure| (failure.clause, failure.test) == ("6.1.13", 8))
    };
    assert!(!nested(28));
    assert!(nested(29));
    assert!(nested(100_000));
}

#[test]
fn transparency_needs_a_blending_space() {
    let draw = |page| {
        Sketch::drawing(
            "/C cs 1 scn /G gs 0 0 1 1 re f",
            "/ExtGState<</G<</ca .5>>>>/ColorSpace<</C[/CalGray<<>>]>>",
        )
        .without_intent()
        .on_page(page)
    };
    draw("").fails("2b", &["6.2.10-2"]);
    draw("/Group<</S/Transparency>>").fails("2b", &["6.2.10-2"]);
    draw("/Group<</S/Transparency/CS[/CalRGB<<>>]>>").fails("2b", &[]);
}

#[test]
fn the_cells_of_patterns_are_checked() {
    let draw = |content| {
        Sketch::drawing(content, "/Pattern<</P 6 0 R>>").stream(
            "/PatternType 1/PaintType 1/BBox[0 0 1 1]/XStep 1/YStep 1/Resources<<>>",
            "0 0 0 1 k 0 0 1 1 re f",
        )
    };
    draw("/Pattern cs /P scn 0 0 1 1 re f").fails("2b", &["6.2.4.3-3"]);
    draw("/Pattern cs /P scn").fails("2b", &[]);
}

#[test]
fn a_form_that_draws_itself_ends() {
    let form = "/Subtype/Form/Resources<</XObject<</F 6 0 R>>>>";
    Sketch::drawing("/F Do", "/XObject<</F 6 0 R>>").stream(form, "/F Do /F Do").fails("2b", &[]);
}

#[test]
fn fonts_are_complete() {
    let font = |entries: &str| {
        let resources = format!("/Font<</F<<{entries}>>>>");
        Sketch::drawing("BT /F 1 Tf (A) Tj ET", resources)
    };
    font("/Type/Font/Subtype/Type1/BaseFont/Helvetica").fails("1b", &["6.3.4-1"]);
    font("/Type/Font/Subtype/Type1/BaseFont/Helvetica").fails("2b", &["6.2.11.4.1-1"]);
    font("/Subtype/Type9").fails("1b", &["6.3.2-1", "6.3.2-2", "6.3.2-3"]);
    font("/Type/Font/Subtype/Type1/BaseFont/Own")
        .fails("2b", &["6.2.11.2-4", "6.2.11.2-5", "6.2.11.2-6", "6.2.11.4.1-1"]);
    let range = "/FirstChar 65/LastChar 66";
    font(&format!("/Type/Font/Subtype/TrueType/BaseFont/Own{range}/Widths[1]"))
        .fails("1b", &["6.3.2-6", "6.3.4-1", "6.3.7-1"]);
}

#[test]
fn text_that_is_not_drawn_needs_no_font_program() {
    Sketch::drawing(
        "BT 3 Tr /F 1 Tf (A) Tj ET",
        "/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>",
    )
    .fails("1b", &[]);
}

#[test]
fn type_3_glyphs_exist_and_have_the_declared_width() {
    let font = |width: &str, text: &str| {
        let resources = format!(
            "/Font<</F<</Type/Font/Subtype/Type3/FontMatrix[.001 0 0 .001 0 0]/FirstChar 65\
             /LastChar 65/Widths[{width}]/CharProcs<</A 6 0 R>>/Resources<<>>\
             /Encoding<</Differences[65/A]>>>>>>"
        );
        let content = format!("BT /F 1 Tf {text} Tj ET");
        Sketch::drawing(content, resources).stream("", "500 0 d0 0 0 1 1 re f")
    };
    font("500", "(A)").fails("2b", &[]);
    font("501", "(A)").fails("1b", &[]);
    font("502", "(A)").fails("1b", &["6.3.6-1"]);
    font("500", "(B)").fails("2b", &["6.2.11.4.1-2"]);
}

#[test]
fn composite_fonts_have_one_collection_and_embed_their_cmap() {
    let font = |encoding: &str, ordering: &str| {
        let resources = format!(
            "/Font<</F<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/{encoding}/DescendantFonts\
             [<</Type/Font/Subtype/CIDFontType2/BaseFont/X/CIDSystemInfo<</Registry(Adobe)\
             /Ordering({ordering})/Supplement 0>>>>]>>>>"
        );
        Sketch::drawing("BT 3 Tr /F 1 Tf <0001> Tj ET", resources)
    };
    font("Identity-H", "Any").fails("1b", &[]);
    font("H", "Japan1").fails("2b", &[]);
    font("H", "Japan1").fails("1b", &["6.3.3.3-1"]);
    font("H", "GB1").fails("2b", &["6.2.11.3.1-1"]);
    font("Own", "GB1").fails("2b", &["6.2.11.3.1-1", "6.2.11.3.3-1"]);
}

#[test]
fn output_intents_share_a_profile() {
    let file = Sketch::drawing("", "");
    let text = String::from_utf8_lossy(&file.bytes()).replace(
        "5 0 R>>]",
        "5 0 R>><</S/GTS_PDFX/DestOutputProfile 6 0 R/DestOutputProfileRef<<>>>>]",
    );
    let text = text.replace(
        "trailer",
        &format!(
            "6 0 obj\n<</N 4/Filter/ASCIIHexDecode/Length 257>>stream\n{}\nendstream\nendobj\ntrailer",
            profile(2, "scnr", "CMYK")
        ),
    );
    let file = File::open(text.into_bytes(), Limits::default()).unwrap();
    let report = validate(&file, "2b".parse().unwrap()).unwrap();
    let rules: Vec<_> = report
        .failures
        .iter()
        .map(|failure| (failure.clause, failure.test))
        .filter(|(clause, _)| *clause == "6.2.3")
        .collect();
    assert_eq!(rules, [("6.2.3", 3), ("6.2.3", 1), ("6.2.3", 2)]);
}
