//! Clauses 6.3 to 6.6: annotations, forms, actions; and 3D streams of 4e.

use super::{Case, plain};
use crate::support::{Pdf, conforms};

const FORM: &str = "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<<>>";

/// An annotation as object 5; its appearance may be object 6.
fn annotated(flavour: &'static str, entries: &str) -> Pdf {
    plain(flavour)
        .with(3, "/Annots[5 0 R]")
        .and(5, &format!("<</Type/Annot/Rect[0 0 9 9]{entries}>>"))
        .stream(6, FORM, b"")
}

fn seen(flavour: &'static str, subtype: &str) -> Pdf {
    annotated(flavour, &format!("/Subtype/{subtype}/F 4/AP<</N 6 0 R>>"))
}

fn field(entries: &str) -> Pdf {
    annotated("4", &format!("/Subtype/Widget/FT/Tx/T(x)/F 4/AP<</N 6 0 R>>{entries}"))
        .with(1, "/AcroForm<</Fields[5 0 R]>>")
}

fn annotations() -> Vec<Case> {
    vec![
        (&["6.3.1-t01"], seen("4", "FileAttachment")),
        (&["6.3.1-t01"], seen("4", "3D")),
        (&["6.3.1-t01"], seen("4", "Movie")),
        (&["6.3.1-t01"], seen("4", "Unknown")),
        (&["6.3.1-t01"], seen("4e", "FileAttachment")),
        (&["6.3.1-t01"], seen("4e", "Screen")),
        (&["6.3.1-t01"], seen("4f", "RichMedia")),
        (&["6.3.1-t01"], seen("4f", "3D")),
        (&["6.3.2-t01"], annotated("4", "/Subtype/Link")),
        (&["6.3.2-t02"], annotated("4", "/Subtype/Link/F 0")),
        (&["6.3.2-t02"], annotated("4", "/Subtype/Link/F 5")),
        (&["6.3.2-t02"], annotated("4", "/Subtype/Link/F 6")),
        (&["6.3.2-t02"], annotated("4", "/Subtype/Link/F 36")),
        (&["6.3.2-t02"], annotated("4", "/Subtype/Link/F 260")),
        (&["6.3.3-t01"], annotated("4", "/Subtype/Text/F 4")),
        (&["6.3.3-t02"], annotated("4", "/Subtype/Text/F 4/AP<</N 6 0 R/D 6 0 R>>")),
        (&["6.3.3-t03"], annotated("4", "/Subtype/Widget/FT/Btn/F 4/AP<</N 6 0 R>>")),
        (&["6.3.3-t04"], annotated("4", "/Subtype/Text/F 4/AP<</N<</On 6 0 R>>>>")),
        (
            &["6.1.6.1-t03"],
            annotated("4e", "/Subtype/3D/F 4/AP<</N 6 0 R>>/3DD 7 0 R").stream(
                7,
                "/Type/3D/Subtype/STEP",
                b"abc",
            ),
        ),
        (
            &["6.1.6.1-t03"],
            annotated("4e", "/Subtype/3D/F 4/AP<</N 6 0 R>>/3DD<</Type/3DRef/3DD 7 0 R>>")
                .stream(7, "/Type/3D", b"abc"),
        ),
    ]
}

fn forms_and_actions() -> Vec<Case> {
    let form = |entries: &str| plain("4").with(1, &format!("/AcroForm<</Fields[]{entries}>>"));
    let open = |flavour, action: &str| plain(flavour).with(1, &format!("/OpenAction {action}"));
    let events = "/AA<</E<</S/URI/URI(x)>>/O<</S/URI/URI(x)>>>>";
    let mut cases: Vec<Case> = vec![
        (&["6.4.1-t01"], field("/A<</S/URI/URI(x)>>")),
        (&["6.4.1-t02"], form("/NeedAppearances true")),
        (&["6.4.2-t01"], form("/XFA 9 0 R")),
        (&["6.4.2-t02"], plain("4").with(1, "/NeedsRendering true")),
        (&["6.6.1-t02"], open("4", "<</S/Named/N/Print>>")),
        (&["6.6.3-t01"], plain("4").with(1, "/AA<</WC<</S/JavaScript/JS(x)>>>>")),
        (&["6.6.3-t01"], plain("4").with(3, events)),
        (&["6.6.3-t01"], annotated("4", &format!("/Subtype/Link/F 4{events}"))),
    ];
    for kind in
        ["Launch", "Sound", "Movie", "ResetForm", "ImportData", "Hide", "Rendition", "Trans"]
    {
        for flavour in ["4", "4e", "4f"] {
            cases.push((&["6.6.1-t01"], open(flavour, &format!("<</S/{kind}>>"))));
        }
    }
    for kind in ["SetOCGState", "GoTo3DView"] {
        cases.push((&["6.6.1-t01"], open("4f", &format!("<</S/{kind}>>"))));
    }
    cases
}

pub(super) fn cases() -> Vec<Case> {
    [annotations(), forms_and_actions()].into_iter().flatten().collect()
}

#[test]
fn permitted_annotations_of_the_levels() {
    for subtype in ["Text", "Caret", "Redact", "Watermark", "Polygon"] {
        conforms(&seen("4", subtype));
    }
    conforms(&annotated("4", "/Subtype/Projection/F 4"));
    conforms(&annotated("4", "/Subtype/Popup"));
    conforms(&annotated("4", "/Subtype/Link/F 4/AA<</E<</S/URI/URI(x)>>>>"));
    conforms(&seen("4f", "FileAttachment"));
    conforms(&seen("4e", "RichMedia"));
    for format in ["U3D", "PRC"] {
        conforms(&annotated("4e", "/Subtype/3D/F 4/AP<</N 6 0 R>>/3DD 7 0 R").stream(
            7,
            &format!("/Type/3D/Subtype/{format}"),
            b"abc",
        ));
    }
}

#[test]
fn fields_may_have_trigger_events_in_part_4() {
    conforms(&field("/AA<</K<</S/JavaScript/JS(x)>>/E<</S/URI/URI(x)>>>>"));
    field("/AA<</K<</S/Launch>>>>").breaks(&["6.6.1-t01"]);
}

#[test]
fn permitted_actions_of_the_levels() {
    let open = |flavour, kind: &str| plain(flavour).with(1, &format!("/OpenAction<</S/{kind}>>"));
    for kind in ["GoToE", "JavaScript", "RichMediaExecute", "GoToDp", "SubmitForm"] {
        for flavour in ["4", "4e", "4f"] {
            conforms(&open(flavour, kind));
        }
    }
    for kind in ["SetOCGState", "GoTo3DView"] {
        conforms(&open("4e", kind));
        open("4", kind).breaks(&["6.6.1-t01"]);
    }
}
