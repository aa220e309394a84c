//! Clauses 6.1, 6.7, 6.9 to 6.12: the file, its metadata, its catalog, its embedded files.

use super::{Case, attached, draw, plain};
use crate::support::{Pdf, conforms};

fn header(header: &[u8]) -> Pdf {
    Pdf { header: header.to_vec(), ..plain("4") }
}

fn trailer(entries: &str) -> Pdf {
    let trailer = format!("/ID[<00112233><44556677>]{entries}");
    Pdf { trailer, ..plain("4") }
}

fn structure() -> Vec<Case> {
    let spaced = |at: usize, text| {
        let mut pdf = plain("4");
        pdf.spacing[at] = text;
        pdf
    };
    let object = |object: &str| plain("4").and(5, object);
    let pieces = "/PieceInfo<</X<</LastModified(D:2020)>>>>";
    vec![
        (&["6.1.2-t01"], header(b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")),
        (&["6.1.2-t01"], header(b"%PDF-2.01\n%\xE2\xE3\xCF\xD3\n")),
        (&["6.1.2-t01"], header(b"\n%PDF-2.0\n%\xE2\xE3\xCF\xD3\n")),
        (&["6.1.2-t02"], header(b"%PDF-2.0\n%\xE2\xE3\xCF\n")),
        (&["6.1.2-t02"], header(b"%PDF-2.0\n\n%\xE2\xE3\xCF\xD3\n")),
        (&["6.1.3-t01"], Pdf { trailer: String::new(), ..plain("4") }),
        (&["6.1.3-t02"], trailer("/Encrypt<</Filter/Standard/V 1>>")),
        (&["6.1.3-t03"], Pdf { end: b"%%EOF\nx".to_vec(), ..plain("4") }),
        (&["6.1.3-t04"], trailer("/Info 5 0 R").and(5, "<</ModDate(D:2020)>>")),
        (&["6.1.3-t05"], trailer("/Info 5 0 R").with(1, pieces).and(5, "<</Title(x)>>")),
        (
            &["6.1.3-t05"],
            trailer("/Info 5 0 R").with(1, pieces).and(5, "<</ModDate(D:2020)/Title(x)>>"),
        ),
        (&["6.1.4-t01"], Pdf { xref: "xref \n", ..plain("4") }),
        (&["6.1.5-t01"], object("[<414>]")),
        (&["6.1.5-t02"], object("[<41g24>]")),
        (&["6.1.6.1-t01"], object("<</Length 4>>\nstream\nabc\nendstream")),
        (&["6.1.6.1-t02"], object("<</Length 3/F(x)>>\nstream\nabc\nendstream")),
        (&["6.1.6.1-t02"], object("<</Length 3/FFilter/FlateDecode>>\nstream\nabc\nendstream")),
        (&["6.1.6.1-t02"], object("<</Length 3/FDecodeParms<<>>>>\nstream\nabc\nendstream")),
        (&["6.1.6.2-t01"], object("<</Length 3/Filter/LZWDecode>>\nstream\nabc\nendstream")),
        (&["6.1.6.2-t01"], object("<</Length 3/Filter/Crypt>>\nstream\nabc\nendstream")),
        (&["6.1.7-t01"], object("<</BaseFont/A#FF>>")),
        (&["6.1.7-t01"], object("[/Separation/A#C2/DeviceCMYK 6 0 R]")),
        (&["6.1.7-t01"], object("[/DeviceN[/A/B#80]/DeviceCMYK 6 0 R]")),
        (&["6.1.8-t01"], spaced(1, "  ")),
        (&["6.1.8-t01"], spaced(4, " ")),
        (&["6.1.9-t01"], inline("/F/LZW/L 1", "x ")),
        (&["6.1.9-t01"], inline("/F/Crypt/L 1", "x ")),
        (&["6.1.9-t02"], inline("", "x ")),
        (&["6.1.9-t02"], inline("/L 3", "x ")),
        (&["6.1.11-t01"], plain("4").with(1, "/Perms<</UR 5 0 R>>")),
        (&["6.1.12-t01"], plain("4").with(1, "/Version/1.7")),
        (&["6.1.12-t01"], plain("4").with(1, "/Version/2.00")),
    ]
}

/// An inline stencil image, which needs no colour space, painted in a colour space that needs no
/// output intent.
fn inline(entries: &str, data: &str) -> Pdf {
    draw(
        &format!("/C cs 1 scn BI /W 1 /H 1 /IM true {entries} ID {data}EI"),
        "/ColorSpace<</C[/CalGray<</WhitePoint[1 1 1]>>]>>",
    )
}

fn metadata() -> Vec<Case> {
    let claiming = |properties: &str| plain("4").claiming(properties);
    let packet = |from: &str, to: &str| {
        let packet = String::from_utf8(crate::support::packet("4")).expect("UTF-8");
        plain("4").stream(4, "/Type/Metadata/Subtype/XML", packet.replacen(from, to, 1).as_bytes())
    };
    let utf_16: Vec<u8> = String::from_utf8(crate::support::packet("4"))
        .expect("UTF-8")
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let prefix = "xmlns:x='http://www.aiim.org/pdfa/ns/id/'";
    vec![
        (&["6.7.2.1-t01"], plain("4").stream(4, "/Subtype/XML", &crate::support::packet("4"))),
        (&["6.7.2.1-t01"], plain("4").and(1, "<</Type/Catalog/Pages 2 0 R>>")),
        (&["6.7.2.1-t02"], packet("id=", "bytes='9' id=")),
        (&["6.7.2.1-t03"], packet("id=", "encoding='UTF-8' id=")),
        (&["6.7.2.1-t04"], packet("</rdf:RDF>", "")),
        (&["6.7.2.1-t05"], plain("4").stream(4, "/Type/Metadata/Subtype/XML", &utf_16)),
        (&["6.7.3-t01"], claiming("")),
        (&["6.7.3-t02"], claiming("<pdfaid:part>3</pdfaid:part><pdfaid:rev>2020</pdfaid:rev>")),
        (
            &["6.7.3-t03"],
            claiming(
                "<pdfaid:part>4</pdfaid:part><pdfaid:rev>2020</pdfaid:rev>\
                 <pdfaid:conformance>B</pdfaid:conformance>",
            ),
        ),
        (
            &["6.7.3-t03"],
            claiming(
                "<pdfaid:part>4</pdfaid:part><pdfaid:rev>2020</pdfaid:rev>\
                 <pdfaid:conformance><rdf:Bag/></pdfaid:conformance>",
            ),
        ),
        (
            &["6.7.3-t04"],
            claiming(&format!("<x:part {prefix}>4</x:part><pdfaid:rev>2020</pdfaid:rev>")),
        ),
        (&["6.7.3-t05"], claiming("<pdfaid:part>4</pdfaid:part>")),
        (&["6.7.3-t05"], claiming("<pdfaid:part>4</pdfaid:part><pdfaid:rev>20</pdfaid:rev>")),
        (
            &["6.7.3-t06"],
            claiming(&format!("<pdfaid:part>4</pdfaid:part><x:rev {prefix}>2020</x:rev>")),
        ),
        (&["6.7.3-t03"], level("4e", "")),
        (&["6.7.3-t03"], level("4e", "F")),
        (&["6.7.3-t03"], level("4f", "")),
        (&["6.7.3-t03"], level("4f", "f")),
    ]
}

/// A file of one level whose metadata claims another level.
fn level(flavour: &'static str, claimed: &str) -> Pdf {
    let part = "<pdfaid:part>4</pdfaid:part><pdfaid:rev>2020</pdfaid:rev>";
    let level = if claimed.is_empty() {
        String::new()
    } else {
        format!("<pdfaid:conformance>{claimed}</pdfaid:conformance>")
    };
    plain(flavour).claiming(&format!("{part}{level}"))
}

fn embedded() -> Vec<Case> {
    let specified = |flavour, entries: &str| {
        attached(Pdf::new(flavour), "application/pdf", &Pdf::new("4").bytes())
            .and(20, &format!("<</Type/Filespec{entries}/EF<</F 21 0 R>>>>"))
    };
    let of_kind = |kind| attached(Pdf::new("4"), kind, &Pdf::new("4").bytes());
    let of_data = |data: &[u8]| attached(Pdf::new("4"), "application/pdf", data);
    let unmarked = Pdf { trailer: String::new(), ..Pdf::new("4") };
    vec![
        (&["6.9-t01"], of_kind("pdf")),
        (&["6.9-t01"], attached(Pdf::new("4f"), "text plain", b"abc")),
        (&["6.9-t02"], specified("4", "/F(a)/AFRelationship/Data")),
        (&["6.9-t02"], specified("4e", "/UF(a)/AFRelationship/Data")),
        (&["6.9-t03"], of_data(b"abc")),
        (&["6.9-t03"], of_data(&Pdf::new("3b").bytes())),
        (&["6.9-t03"], of_data(&unmarked.bytes())),
        (&["6.9-t04"], specified("4", "/F(a)/UF(a)")),
        (&["6.9-t04"], specified("4f", "/F(a)/UF(a)")),
        (&["6.9-t05"], Pdf::new("4f")),
        (&["6.9-t05"], Pdf::new("4f").with(1, "/Names<</Dests<<>>>>")),
    ]
}

fn document() -> Vec<Case> {
    let groups = |properties: &str| {
        plain("4")
            .with(1, &format!("/OCProperties<</OCGs[5 0 R 6 0 R]{properties}>>"))
            .and(5, "<</Type/OCG/Name(a)>>")
            .and(6, "<</Type/OCG/Name(b)>>")
    };
    vec![
        (&["6.10-t01"], groups("/D<<>>")),
        (&["6.10-t01"], groups("/D<</Name(x)>>/Configs[<<>>]")),
        (&["6.10-t02"], groups("/D<</Name(x)>>/Configs[<</Name(x)>>]")),
        (&["6.10-t03"], groups("/D<</Name(x)/Order[5 0 R]>>")),
        (&["6.11-t01"], plain("4").with(1, "/Names<</AlternatePresentations<<>>>>")),
        (&["6.11-t02"], plain("4").with(3, "/PresSteps<<>>")),
        (&["6.12-t01"], plain("4").with(1, "/Requirements[<</S/EnableJavaScripts>>]")),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    [structure(), metadata(), embedded(), document()].into_iter().flatten().collect()
}

#[test]
fn permitted_file_contents_of_part_4() {
    conforms(&header(b"%PDF-2.9\r\n%\x80\x81\x82\x83\n"));
    conforms(&plain("4").with(1, "/Version/2.0"));
    let pieces = "/PieceInfo<</X<</LastModified(D:2020)>>>>";
    conforms(&trailer("/Info 5 0 R").with(1, pieces).and(5, "<</ModDate(D:2020)>>"));
    conforms(&inline("/L 1", "x "));
    conforms(&inline("/L 1", "x\r\n"));
    conforms(&inline("/L 2", "x\r\n"));
    conforms(&inline("/Length 1/F/Fl", "x "));
    conforms(&plain("4").and(5, "<</Length 3>>\nstream\nabcendstream"));
    conforms(&plain("4").and(5, &format!("[2147483648 /{}]", "a".repeat(200))));
    conforms(&plain("4").with(3, "/CropBox[0 0 2 2]"));
    conforms(
        &plain("4")
            .with(1, "/Perms<</UR3 5 0 R/DocMDP 5 0 R>>")
            .and(5, "<</Reference[<</DigestMethod/MD5>>]>>"),
    );
}

#[test]
fn properties_need_no_schema_in_part_4() {
    let own = "<x:size xmlns:x='http://example.com/'>7</x:size>";
    let claim = "<pdfaid:part>4</pdfaid:part><pdfaid:rev>2020</pdfaid:rev>";
    conforms(&plain("4").claiming(&format!("{claim}{own}")));
}

#[test]
fn the_metadata_of_an_object_is_checked_too() {
    let pdf = |packet: &[u8]| {
        plain("4").with(3, "/Metadata 5 0 R").stream(5, "/Type/Metadata/Subtype/XML", packet)
    };
    conforms(&pdf(&crate::support::packet("4")));
    pdf(b"<x>").breaks(&["6.7.2.1-t04"]);
}

#[test]
fn embedded_files_of_the_levels() {
    let embedding = |flavour, data: &[u8]| attached(Pdf::new(flavour), "text/plain", data);
    for flavour in ["4e", "4f"] {
        conforms(&embedding(flavour, b"abc"));
    }
    for inner in ["1b", "2u", "4", "4e"] {
        conforms(&embedding("4", &Pdf::new(inner).bytes()));
    }
    conforms(&embedding("4", &plain("4f").bytes()));
    let older = |bytes: &[u8]| attached(Pdf::new("2b"), "application/pdf", bytes);
    conforms(&older(&Pdf::new("2b").bytes()));
    older(&Pdf::new("4").bytes()).breaks(&["6.8-t05"]);
}

#[test]
fn optional_content_in_part_4() {
    let groups = |properties: &str| {
        plain("4")
            .with(1, &format!("/OCProperties<</OCGs[5 0 R]{properties}>>"))
            .and(5, "<</Type/OCG/Name(a)>>")
    };
    conforms(&groups("/D<</Name()/Order[5 0 R]/AS[]>>"));
    groups("/D<</Name()>>/Configs[<</Name()>>]").breaks(&["6.10-t02"]);
}
