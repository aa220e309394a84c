//! The file: header, trailer, objects, streams, strings, limits.

use crate::support::{Pdf, conforms, packet, stream};

#[test]
fn a_plain_file_conforms() {
    for flavour in ["1b", "2b", "2u", "3b", "3u"] {
        conforms(&Pdf::new(flavour));
    }
}

#[test]
fn header() {
    let with = |flavour, header: &[u8]| Pdf { header: header.to_vec(), ..Pdf::new(flavour) };
    conforms(&with("1b", b"%PDF-1.7\r\n%\x80\x81\x82\x83 more\n"));
    conforms(&with("2b", b"%PDF-1.7\r%\x80\x81\x82\x83\n"));
    with("1b", b"\n%PDF-1.4\n%\xE2\xE3\xCF\xD3\n").breaks(&["6.1.2-t01"]);
    with("2b", b"%PDF-1.8\n%\xE2\xE3\xCF\xD3\n").breaks(&["6.1.2-t01"]);
    with("2b", b"%PDF-1.4 \n%\xE2\xE3\xCF\xD3\n").breaks(&["6.1.2-t01"]);
    with("1b", b"%PDF-1.4\n\n%\xE2\xE3\xCF\xD3\n").breaks(&["6.1.2-t02"]);
    with("2b", b"%PDF-1.4\n%\xE2\xE3\xCF\n").breaks(&["6.1.2-t02"]);
    with("2b", b"%PDF-1.4\n\xE2\xE3\xCF\xD3\n").breaks(&["6.1.2-t02"]);
}

#[test]
fn trailer() {
    let with = |flavour, trailer: &str| Pdf { trailer: trailer.to_owned(), ..Pdf::new(flavour) };
    with("1b", "").breaks(&["6.1.3-t01"]);
    with("2b", "/ID[()()]").breaks(&["6.1.3-t01"]);
    with("1b", "/ID[<00><01>]/Encrypt<</Filter/Standard/V 1>>").breaks(&["6.1.3-t02"]);
    let end = |flavour, end: &[u8]| Pdf { end: end.to_vec(), ..Pdf::new(flavour) };
    conforms(&end("1b", b"%%EOF"));
    conforms(&end("2b", b"%%EOF\r\n"));
    end("1b", b"%%EOF\n\n").breaks(&["6.1.3-t03"]);
    end("2b", b"%%EOF ").breaks(&["6.1.3-t03"]);
    let xref = |flavour, xref| Pdf { xref, ..Pdf::new(flavour) };
    conforms(&xref("1b", "xref\r\n"));
    xref("1b", "xref \n").breaks(&["6.1.4-t02"]);
    xref("2b", "xref\n\n").breaks(&["6.1.4-t02"]);
}

#[test]
fn a_file_without_a_cross_reference_does_not_conform() {
    Pdf { xref: "xxxx\n", ..Pdf::new("1b") }.breaks(&["6.1.4-t00"]);
    Pdf { xref: "xxxx\n", ..Pdf::new("2b") }.breaks(&["6.1.4-t00"]);
}

#[test]
fn spacing_of_indirect_objects() {
    let with = |flavour, at: usize, text| {
        let mut pdf = Pdf::new(flavour);
        pdf.spacing[at] = text;
        pdf
    };
    conforms(&with("1b", 0, "\r\n"));
    conforms(&with("2b", 3, "\r\n"));
    conforms(&with("2b", 5, "\r"));
    for (flavour, rule) in [("1b", "6.1.8-t01"), ("2b", "6.1.9-t01")] {
        with(flavour, 0, " ").breaks(&[rule]);
        with(flavour, 1, "  ").breaks(&[rule]);
        with(flavour, 2, "  ").breaks(&[rule]);
        with(flavour, 3, " ").breaks(&[rule]);
        with(flavour, 4, " ").breaks(&[rule]);
        with(flavour, 5, " ").breaks(&[rule]);
    }
}

#[test]
fn streams() {
    for (flavour, clause) in [("1b", "6.1.7"), ("2b", "6.1.7.1"), ("3b", "6.1.7.1")] {
        let rule = |test: u8| format!("{clause}-t{test:02}");
        let with = |object: &str| Pdf::new(flavour).and(5, object);
        conforms(&with("<</Length 3>>\nstream\nabc\nendstream"));
        conforms(&with("<</Length 3>>\nstream\r\nabc\r\nendstream"));
        conforms(&with("<</Length 3>>\nstream\nabc\rendstream"));
        with("<</Length 4>>\nstream\nabc\nendstream").breaks(&[&rule(1)]);
        with("<</Length 2>>\nstream\nabc\nendstream").breaks(&[&rule(1)]);
        with("<</Length 3>>\nstream\nabc\n\nendstream").breaks(&[&rule(1)]);
        with("<</Length 3>>\nstream\rabc\nendstream").breaks(&[&rule(2)]);
        with("<</Length 3>>\nstream\nabcendstream").breaks(&[&rule(2)]);
        with("<</Length 3/F(x)>>\nstream\nabc\nendstream").breaks(&[&rule(3)]);
        with("<</Length 3/FFilter/FlateDecode>>\nstream\nabc\nendstream").breaks(&[&rule(3)]);
        with("<</Length 3/FDecodeParms<<>>>>\nstream\nabc\nendstream").breaks(&[&rule(3)]);
    }
}

#[test]
fn filters() {
    let with = |flavour, filter: &str| {
        Pdf::new(flavour).and(5, &format!("<</Length 3/Filter{filter}>>\nstream\nabc\nendstream"))
    };
    with("1b", "/LZWDecode").breaks(&["6.1.10-t01"]);
    with("1b", "[/ASCIIHexDecode/LZWDecode]").breaks(&["6.1.10-t01"]);
    with("2b", "[/LZWDecode]").breaks(&["6.1.7.2-t01"]);
    with("2b", "/Unknown").breaks(&["6.1.7.2-t01"]);
    with("2b", "/Crypt").breaks(&["6.1.7.2-t01"]);
    with("2b", "/Crypt/DecodeParms<</Name/StdCF>>").breaks(&["6.1.7.2-t01"]);
    conforms(&with("2b", "[/Crypt]/DecodeParms[<</Name/Identity>>]"));
    conforms(&with("1b", "/ASCIIHexDecode"));
}

#[test]
fn limits() {
    let with = |flavour, object: &str| Pdf::new(flavour).and(5, object);
    for (flavour, clause) in [("1b", "6.1.12"), ("2b", "6.1.13")] {
        let rule = |test: u8| format!("{clause}-t{test:02}");
        conforms(&with(flavour, "[2147483647 -2147483648 32767.0]"));
        with(flavour, "[2147483648]").breaks(&[&rule(1)]);
        with(flavour, "<</A[-2147483649]>>").breaks(&[&rule(1)]);
        with(flavour, &format!("/{}", "a".repeat(128))).breaks(&[&rule(4)]);
        with(flavour, &format!("<</{} 1>>", "a".repeat(128))).breaks(&[&rule(4)]);
        conforms(&with(flavour, &format!("/{}#41", "a".repeat(126))));
    }
    with("1b", "32768.1").breaks(&["6.1.12-t02"]);
    conforms(&with("2b", "32768.1"));
    with("2b", &format!("1{}.0", "0".repeat(39))).breaks(&["6.1.13-t02"]);
    with("2b", &format!("0.{}1", "0".repeat(38))).breaks(&["6.1.13-t05"]);
    conforms(&with("1b", &format!("({})", "a".repeat(65_535))));
    with("1b", &format!("({})", "a".repeat(65_536))).breaks(&["6.1.12-t03"]);
    with("2b", &format!("({})", "a".repeat(32_768))).breaks(&["6.1.13-t03"]);
    with("1b", &format!("[{}]", "1 ".repeat(8_192))).breaks(&["6.1.12-t05"]);
    conforms(&with("2b", &format!("[{}]", "1 ".repeat(8_192))));
    let entries = (0..4_096).map(|at| format!("/K{at} 1")).collect::<Vec<_>>().concat();
    with("1b", &format!("<<{entries}>>")).breaks(&["6.1.12-t06"]);
    conforms(&with("2b", &format!("<<{entries}>>")));
}

#[test]
fn hexadecimal_strings() {
    for flavour in ["1b", "2b", "3b"] {
        conforms(&Pdf::new(flavour).and(5, "<41 4\n2>"));
        Pdf::new(flavour).and(5, "[<414>]").breaks(&["6.1.6-t01"]);
        Pdf::new(flavour).and(5, "[<41g2>]").breaks(&["6.1.6-t01", "6.1.6-t02"]);
    }
}

#[test]
fn names() {
    let with = |flavour, object: &str| Pdf::new(flavour).and(5, object);
    for object in [
        "<</BaseFont/A#FF>>",
        "[/Separation/A#C2/DeviceCMYK 6 0 R]",
        "[/DeviceN[/A/B#80]/DeviceCMYK 6 0 R]",
    ] {
        with("2b", object).breaks(&["6.1.8-t01"]);
        conforms(&with("1b", object));
    }
    conforms(&with("2b", "[/Separation/#C3#A4/DeviceCMYK 6 0 R]"));
}

#[test]
fn the_metadata_stream_has_type_and_subtype() {
    for (flavour, rule) in [("1b", "6.7.2-t01"), ("2b", "6.6.2.1-t01"), ("3b", "6.6.2.1-t01")] {
        for entries in
            ["/Type/Metadata", "/Subtype/XML", "/Type/Metadata/Subtype/Text", "/Type/X/Subtype/XML"]
        {
            let mut pdf = Pdf::new(flavour);
            pdf.objects.insert(4, stream(entries, &packet(flavour)));
            pdf.breaks(&[rule]);
        }
        conforms(&Pdf::new(flavour).with(1, "/Lang(en)"));
        let mut pdf = Pdf::new(flavour);
        pdf.set(4, "<</Type/Metadata/Subtype/XML>>");
        pdf.breaks(&[rule]);
    }
}

#[test]
fn a_reference_needs_an_object_with_its_generation() {
    for flavour in ["1b", "2b"] {
        let metadata = if flavour == "1b" { "6.7.2-t01" } else { "6.6.2.1-t01" };
        let mut pdf = Pdf::new(flavour);
        pdf.set(1, "<</Type/Catalog/Pages 2 0 R/Metadata 4 1 R>>");
        pdf.breaks(&[metadata]);
        // An object with another generation in its header.
        let pdf = Pdf::new(flavour);
        let header = b"\n4 0 obj";
        let mut bytes = pdf.bytes();
        let at = bytes.windows(header.len()).position(|found| found == header).expect("object 4");
        bytes[at + 3] = b'7';
        assert_eq!(pdf.failures_of(bytes), [metadata]);
    }
}
