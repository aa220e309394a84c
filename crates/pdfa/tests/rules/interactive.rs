//! Pages, annotations, actions, forms, embedded files, signatures, tagging.

use crate::support::{Pdf, conforms, stream};

#[test]
fn page_boundaries() {
    conforms(&Pdf::new("2b").with(3, "/CropBox[0 0 3 14400]"));
    Pdf::new("2b").with(3, "/CropBox[0 0 2.9 100]").breaks(&["6.1.13-t11"]);
    Pdf::new("3b").with(3, "/TrimBox[0 0 100 14401]").breaks(&["6.1.13-t11"]);
    conforms(&Pdf::new("1b").with(3, "/CropBox[0 0 2.9 100]"));
}

#[test]
fn optional_content() {
    let with = |flavour, properties: &str| {
        Pdf::new(flavour)
            .with(1, &format!("/OCProperties<<{properties}>>"))
            .and(5, "<</Type/OCG/Name(a)>>")
            .and(6, "<</Type/OCG/Name(b)>>")
    };
    with("1b", "/OCGs[5 0 R]/D<<>>").breaks(&["6.1.13-t01"]);
    conforms(&with(
        "2b",
        "/OCGs[5 0 R 6 0 R]/D<</Name(x)/Order[5 0 R[(label)6 0 R]]>>/Configs[<</Name(y)>>]",
    ));
    with("2b", "/OCGs[5 0 R]/D<<>>").breaks(&["6.9-t01"]);
    with("2b", "/OCGs[5 0 R]/D<</Name(x)>>/Configs[<</Name(x)>>]").breaks(&["6.9-t02"]);
    with("2b", "/OCGs[5 0 R 6 0 R]/D<</Name(x)/Order[5 0 R]>>").breaks(&["6.9-t03"]);
    with("3b", "/OCGs[5 0 R]/D<</Name(x)/AS[]>>").breaks(&["6.9-t04"]);
}

#[test]
fn embedded_files() {
    let names = "/Names<</EmbeddedFiles<</Names[(a)5 0 R]>>>>";
    let file = "<</Length 3/Type/EmbeddedFile/Subtype/text#2Fplain>>\nstream\nabc\nendstream";
    let with = |flavour, specification: &str| Pdf::new(flavour).and(5, specification).and(6, file);
    let specification = "<</Type/Filespec/F(a)/UF(a)/AFRelationship/Data/EF<</F 6 0 R>>>>";
    with("1b", specification).breaks(&["6.1.11-t01"]);
    Pdf::new("1b").with(1, names).breaks(&["6.1.11-t02"]);
    with("2b", specification).breaks(&["6.8-t05"]);
    conforms(&with("3b", specification).with(1, "/AF[5 0 R]"));
    with("3b", specification).breaks(&["6.8-t04"]);
    with("3b", "<</Type/Filespec/F(a)/AFRelationship/Data/EF<</F 6 0 R>>>>")
        .with(1, "/AF[5 0 R]")
        .breaks(&["6.8-t02"]);
    with("3b", "<</Type/Filespec/F(a)/UF(a)/EF<</F 6 0 R>>>>")
        .with(1, "/AF[5 0 R]")
        .breaks(&["6.8-t03"]);
    with("3b", specification)
        .with(1, "/AF[5 0 R]")
        .and(6, "<</Length 3/Subtype/text>>\nstream\nabc\nendstream")
        .breaks(&["6.8-t01"]);

    let mut pdf = with("2b", specification);
    pdf.objects.insert(6, stream("/Type/EmbeddedFile", &Pdf::new("1b").bytes()));
    conforms(&pdf);
    pdf.objects.insert(6, stream("/Type/EmbeddedFile", &Pdf::new("3b").bytes()));
    pdf.breaks(&["6.8-t05"]);
    pdf.objects.insert(
        6,
        stream("/Type/EmbeddedFile", &Pdf { trailer: String::new(), ..Pdf::new("2b") }.bytes()),
    );
    pdf.breaks(&["6.8-t05"]);
}

#[test]
fn forbidden_entries_of_catalog_and_pages() {
    Pdf::new("2b").with(1, "/Names<</AlternatePresentations<<>>>>").breaks(&["6.10-t01"]);
    Pdf::new("2b").with(3, "/PresSteps<<>>").breaks(&["6.10-t02"]);
    Pdf::new("2b").with(1, "/Requirements[<</S/EnableJavaScripts>>]").breaks(&["6.11-t01"]);
    Pdf::new("2b").with(1, "/NeedsRendering true").breaks(&["6.4.2-t02"]);
    conforms(&Pdf::new("2b").with(1, "/NeedsRendering false"));
    Pdf::new("2b").with(1, "/Perms<</UR 5 0 R>>").breaks(&["6.1.12-t01"]);
    conforms(&Pdf::new("2b").with(1, "/Perms<</UR3 5 0 R/DocMDP 5 0 R>>").and(5, "<<>>"));
    Pdf::new("2b")
        .with(1, "/Perms<</DocMDP 5 0 R>>")
        .and(5, "<</Reference[<</DigestMethod/MD5>>]>>")
        .breaks(&["6.1.12-t02"]);
}

#[test]
fn annotation_dictionaries() {
    let appearance =
        "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<<>>/Length 0>>\nstream\n\nendstream";
    let with = |flavour, annotation: &str| {
        Pdf::new(flavour)
            .with(3, "/Annots[5 0 R]")
            .and(5, &format!("<</Type/Annot/Rect[0 0 9 9]{annotation}>>"))
            .and(6, appearance)
    };
    conforms(&with("1b", "/Subtype/Link/F 4"));
    conforms(&with("2b", "/Subtype/Caret/F 4/AP<</N 6 0 R>>"));
    with("1b", "/Subtype/Caret/F 4").breaks(&["6.5.2-t01"]);
    with("1b", "/Subtype/FileAttachment/F 4").breaks(&["6.5.2-t01"]);
    with("2b", "/Subtype/Movie/F 4/AP<</N 6 0 R>>").breaks(&["6.3.1-t01"]);
    with("1b", "/Subtype/Link/F 4/CA .5").breaks(&["6.5.3-t01"]);
    with("1b", "/Subtype/Link").breaks(&["6.5.3-t02"]);
    with("2b", "/Subtype/Link").breaks(&["6.3.2-t01"]);
    conforms(&with("2b", "/Subtype/Popup"));
    for flags in [0, 5, 6, 36] {
        with("1b", &format!("/Subtype/Link/F {flags}")).breaks(&["6.5.3-t02"]);
        with("2b", &format!("/Subtype/Link/F {flags}")).breaks(&["6.3.2-t02"]);
    }
    with("2b", "/Subtype/Link/F 260").breaks(&["6.3.2-t02"]);
    with("1b", "/Subtype/Link/F 4/C[1 0 0]").breaks(&["6.5.3-t03"]);
    with("2b", "/Subtype/Text/F 4").breaks(&["6.3.3-t01"]);
    conforms(&with("2b", "/Subtype/Text/F 4/AP<</N 6 0 R>>"));
    with("1b", "/Subtype/Text/F 4/AP<</N 6 0 R/D 6 0 R>>").breaks(&["6.5.3-t04"]);
    with("2b", "/Subtype/Text/F 4/AP<</N 6 0 R/R 6 0 R>>").breaks(&["6.3.3-t02"]);
    with("1b", "/Subtype/Text/F 4/AP<</N<</On 6 0 R>>>>").breaks(&["6.5.3-t06"]);
    with("2b", "/Subtype/Text/F 4/AP<</N<</On 6 0 R>>>>").breaks(&["6.3.3-t04"]);
    with("1b", "/Subtype/Widget/FT/Btn/F 4/AP<</N 6 0 R>>").breaks(&["6.5.3-t05"]);
    with("2b", "/Subtype/Widget/Parent<</FT/Btn>>/F 4/AP<</N 6 0 R>>").breaks(&["6.3.3-t03"]);
    conforms(&with("2b", "/Subtype/Widget/FT/Btn/F 4/AP<</N<</On 6 0 R>>>>"));
}

#[test]
fn actions_and_forms() {
    let appearance =
        "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<<>>/Length 0>>\nstream\n\nendstream";
    let widget = |flavour, entries: &str| {
        Pdf::new(flavour)
            .with(3, "/Annots[5 0 R]")
            .with(1, "/AcroForm<</Fields[5 0 R]>>")
            .and(
                5,
                &format!(
                    "<</Type/Annot/Subtype/Widget/FT/Tx/Rect[0 0 9 9]/F 4/AP<</N 6 0 R>>{entries}>>"
                ),
            )
            .and(6, appearance)
    };
    let action = "<</S/URI/URI(x)>>";
    conforms(&widget("1b", ""));
    widget("1b", &format!("/A{action}")).breaks(&["6.6.1-t03"]);
    widget("2b", &format!("/A{action}")).breaks(&["6.4.1-t01"]);
    widget("1b", &format!("/AA<</E{action}>>")).breaks(&["6.6.2-t01", "6.6.2-t02"]);
    widget("2b", &format!("/AA<</E{action}>>")).breaks(&["6.4.1-t01", "6.4.1-t02"]);
    let form = |flavour, entries: &str| {
        Pdf::new(flavour).with(1, &format!("/AcroForm<</Fields[]{entries}>>"))
    };
    form("1b", "/NeedAppearances true").breaks(&["6.9-t01"]);
    form("2b", "/NeedAppearances true").breaks(&["6.4.1-t03"]);
    conforms(&form("2b", "/NeedAppearances false"));
    form("2b", "/XFA 9 0 R").breaks(&["6.4.2-t01"]);

    let open = |flavour, action: &str| Pdf::new(flavour).with(1, &format!("/OpenAction {action}"));
    for (flavour, rule) in [("1b", "6.6.1-t01"), ("2b", "6.5.1-t01")] {
        conforms(&open(flavour, "<</S/GoTo/D[3 0 R/Fit]>>"));
        conforms(&open(flavour, "[3 0 R/Fit]"));
        for kind in [
            "Launch",
            "Sound",
            "Movie",
            "ResetForm",
            "ImportData",
            "JavaScript",
            "Hide",
            "SetState",
            "NOP",
        ] {
            open(flavour, &format!("<</S/{kind}>>")).breaks(&[rule]);
        }
        open(flavour, "<</S/URI/URI(x)/Next[<</S/URI/URI(y)>><</S/Launch>>]>>").breaks(&[rule]);
    }
    open("1b", "<</S/GoToE>>").breaks(&["6.6.1-t01"]);
    conforms(&open("2b", "<</S/GoToE>>"));
    conforms(&open("2b", "<</S/Named/N/NextPage>>"));
    open("1b", "<</S/Named/N/Print>>").breaks(&["6.6.1-t02"]);
    open("2b", "<</S/Named/N/Print>>").breaks(&["6.5.1-t02"]);
    Pdf::new("1b").with(1, "/AA<<>>").breaks(&["6.6.2-t03"]);
    Pdf::new("2b").with(1, "/AA<<>>").breaks(&["6.5.2-t01"]);
    Pdf::new("2b").with(3, "/AA<<>>").breaks(&["6.5.2-t02"]);
    conforms(&Pdf::new("1b").with(3, "/AA<<>>"));
    Pdf::new("2b")
        .with(1, "/Outlines 5 0 R")
        .and(5, "<</First 6 0 R>>")
        .and(6, "<</A<</S/Launch>>/Next 6 0 R>>")
        .breaks(&["6.5.1-t01"]);
}

#[test]
fn tagging() {
    let with = |flavour, element: &str, map: &str| {
        Pdf::new(flavour)
            .with(1, "/MarkInfo<</Marked true>>/StructTreeRoot 5 0 R")
            .and(5, &format!("<</Type/StructTreeRoot/K 6 0 R/RoleMap<<{map}>>>>"))
            .and(6, &format!("<</Type/StructElem/P 5 0 R{element}>>"))
    };
    for (flavour, mark, tree, types, language) in [
        ("1a", "6.8.2.2-t01", "6.8.3.3-t01", "6.8.3.4", "6.8.4-t01"),
        ("2a", "6.7.2.2-t01", "6.7.3.3-t01", "6.7.3.4", "6.7.4-t01"),
        ("3a", "6.7.2.2-t01", "6.7.3.3-t01", "6.7.3.4", "6.7.4-t01"),
    ] {
        Pdf::new(flavour).breaks(&[mark, tree]);
        conforms(&with(flavour, "/S/P/Lang(en-GB)", ""));
        conforms(&with(flavour, "/S/Own", "/Own/Mine/Mine/H1"));
        with(flavour, "/S/Own", "").breaks(&[&format!("{types}-t01")]);
        with(flavour, "/S/Own", "/Own/Mine/Mine/Own").breaks(&[&format!("{types}-t02")]);
        with(flavour, "/S/P/Lang(en_GB)", "").breaks(&[language]);
        with(flavour, "/S/P", "").with(1, "/Lang(deutsch-)").breaks(&[language]);
        let content = |content: &str| {
            let mut pdf = with(flavour, "/S/P", "").with(3, "/Contents 7 0 R");
            pdf.objects.insert(7, stream("", content.as_bytes()));
            pdf
        };
        conforms(&content("/Span <</Lang(en-GB)>> BDC EMC"));
        content("/Span <</Lang(en_GB)>> BDC EMC").breaks(&[language]);
    }
    conforms(&with("2a", "/S/THead", ""));
    with("1a", "/S/THead", "").breaks(&["6.8.3.4-t01"]);
    with("2a", "/S/P", "/P/Own").breaks(&["6.7.3.4-t03"]);
    with("2b", "/S/P#FF", "").breaks(&["6.1.8-t01"]);
    conforms(&with("1b", "/S/Own/Lang(en_GB)", ""));
}

/// The bytes of `pdf` with the numbers of its `/ByteRange`; the last number is changed by `short`.
fn signed(pdf: &Pdf, short: usize) -> Vec<u8> {
    let mut bytes = pdf.bytes();
    let find = |what: &[u8]| {
        bytes.windows(what.len()).position(|window| window == what).expect("a signature")
    };
    let (gap, range) = (find(b"/Contents") + 9, find(b"[0 RANGE"));
    let end = gap + bytes[gap..].iter().position(|byte| *byte == b'>').expect("a string") + 1;
    let text = format!("[0 {gap} {end} {}", bytes.len() - end - short);
    let room = range..range + 40;
    bytes.splice(room, format!("{text:<40}").into_bytes());
    bytes
}

#[test]
fn signatures() {
    let pdf = Pdf::new("2b")
        .with(1, "/AcroForm<</Fields[5 0 R]>>")
        .and(5, "<</FT/Sig/T(s)/V 6 0 R>>")
        .and(
            6,
            &format!(
                "<</Type/Sig/Contents<{}>/ByteRange[0 RANGE{}]>>",
                "00".repeat(64),
                " ".repeat(32)
            ),
        );
    let [certificate, signers] = ["6.4.3-t02", "6.4.3-t03"];
    assert_eq!(
        pdf.failures_of(signed(&pdf, 0)),
        [certificate, signers],
        "nothing is signed, but the range is whole"
    );
    assert_eq!(pdf.failures_of(signed(&pdf, 7)), ["6.4.3-t01", certificate, signers]);
    let mut updated = signed(&pdf, 0);
    let first = updated.len();
    let previous =
        first - 8 - updated[..first - 7].iter().rev().position(|byte| *byte == b'\n').unwrap_or(0);
    let previous = String::from_utf8_lossy(&updated[previous + 1..first - 7]).trim().to_owned();
    updated.extend_from_slice(b"7 0 obj\n[]\nendobj\n");
    let start = updated.len();
    updated.extend(format!("xref\n7 1\n{first:010} 00000 n \ntrailer\n").bytes());
    updated.extend(
        format!("<</Size 8/Root 1 0 R/ID[<00><01>]/Prev {previous}>>\nstartxref\n{start}\n%%EOF\n")
            .bytes(),
    );
    assert_eq!(
        pdf.failures_of(updated),
        [certificate, signers],
        "the revision that it signed is whole"
    );
}
