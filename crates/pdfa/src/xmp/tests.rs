use std::fmt::Write as _;

use proptest::{collection::vec, prelude::*};

use super::{
    Findings, check_packet, claim, date, identification,
    packet::{Encoding, Packet, PacketError},
    value::{ArrayKind, Value},
};
use crate::Flavour;

/// A packet with one `rdf:Description` that has this content.
fn wrap(content: &str) -> String {
    format!(
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
         <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
         <rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' \
         xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:xmpMM='http://ns.adobe.com/xap/1.0/mm/' \
         xmlns:stRef='http://ns.adobe.com/xap/1.0/sType/ResourceRef#' \
         xmlns:pdfaid='http://www.aiim.org/pdfa/ns/id/' xmlns:own='http://example.com/own/' \
         xmlns:pdfaExtension='http://www.aiim.org/pdfa/ns/extension/' \
         xmlns:pdfaSchema='http://www.aiim.org/pdfa/ns/schema#' \
         xmlns:pdfaProperty='http://www.aiim.org/pdfa/ns/property#' \
         xmlns:pdfaType='http://www.aiim.org/pdfa/ns/type#' \
         xmlns:pdfaField='http://www.aiim.org/pdfa/ns/field#'>{content}</rdf:Description>\
         </rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    )
}

fn parse(content: &str) -> Result<Packet, PacketError> {
    Packet::parse(wrap(content).as_bytes())
}

/// The rules that a packet breaks, including those of the identification.
fn broken(flavour: &str, packet: &str) -> Vec<(&'static str, u16)> {
    let packet = Packet::parse(packet.as_bytes()).unwrap();
    let mut findings = Findings::new(flavour.parse().unwrap());
    check_packet(&packet, None, &mut findings);
    identification::check(&packet, &mut findings);
    findings.failures.into_iter().map(|(clause, test, _)| (clause, test)).collect()
}

/// The rules that properties break in a packet with a correct identification.
fn broken_by(flavour: &str, content: &str) -> Vec<(&'static str, u16)> {
    let part = &flavour[..1];
    let identification =
        format!("<pdfaid:part>{part}</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>");
    broken(flavour, &wrap(&(identification + content)))
}

/// An extension schema for `own:size`, with a value type of its own.
fn extension(changes: &[(&str, &str)]) -> String {
    let text = "<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType='Resource'>\
        <pdfaSchema:schema>Own</pdfaSchema:schema>\
        <pdfaSchema:namespaceURI>http://example.com/own/</pdfaSchema:namespaceURI>\
        <pdfaSchema:prefix>own</pdfaSchema:prefix>\
        <pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType='Resource'>\
        <pdfaProperty:name>size</pdfaProperty:name><pdfaProperty:valueType>bag Size</pdfaProperty:valueType>\
        <pdfaProperty:category>internal</pdfaProperty:category>\
        <pdfaProperty:description>how large</pdfaProperty:description></rdf:li></rdf:Seq></pdfaSchema:property>\
        <pdfaSchema:valueType><rdf:Seq><rdf:li rdf:parseType='Resource'>\
        <pdfaType:type>Size</pdfaType:type><pdfaType:namespaceURI>http://example.com/own/</pdfaType:namespaceURI>\
        <pdfaType:prefix>own</pdfaType:prefix><pdfaType:description>a size</pdfaType:description>\
        <pdfaType:field><rdf:Seq><rdf:li rdf:parseType='Resource'>\
        <pdfaField:name>width</pdfaField:name><pdfaField:valueType>Closed Choice of Integer</pdfaField:valueType>\
        <pdfaField:description>in mm</pdfaField:description></rdf:li></rdf:Seq></pdfaType:field>\
        </rdf:li></rdf:Seq></pdfaSchema:valueType>\
        </rdf:li></rdf:Bag></pdfaExtension:schemas>\
        <own:size><rdf:Bag><rdf:li rdf:parseType='Resource'><own:width>7</own:width></rdf:li></rdf:Bag></own:size>";
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

#[test]
fn every_form_of_a_property_is_read() {
    let packet = parse(
        "<xmp:Nickname>a &amp; b<!-- c --></xmp:Nickname><xmp:BaseURL rdf:resource='http://example.com/'/>\
         <xmp:Label/><xmpMM:DerivedFrom stRef:documentID='d' stRef:instanceID='i'/>\
         <dc:title><rdf:Alt><rdf:li xml:lang='x-default'>T</rdf:li></rdf:Alt></dc:title>\
         <xmpMM:ManagedFrom rdf:parseType='Resource'><stRef:documentID>d</stRef:documentID></xmpMM:ManagedFrom>\
         <xmpMM:RenditionOf><rdf:Description stRef:documentID='d'/></xmpMM:RenditionOf>\
         <dc:source rdf:parseType='Resource'><rdf:value>v</rdf:value><own:q>q</own:q></dc:source>",
    )
    .unwrap();
    let names: Vec<_> = packet.properties.iter().map(|property| property.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Nickname",
            "BaseURL",
            "Label",
            "DerivedFrom",
            "title",
            "ManagedFrom",
            "RenditionOf",
            "source"
        ]
    );
    let text = |index: usize| packet.properties[index].text();
    assert_eq!(
        (text(0), text(1), text(2), text(7)),
        (Some("a & b"), Some("http://example.com/"), Some(""), Some("v"))
    );
    for index in [3, 5, 6] {
        assert!(
            matches!(&packet.properties[index].value, Value::Struct(fields) if fields[0].name == "documentID")
        );
    }
    let title = &packet.properties[4];
    assert_eq!((title.prefix.as_str(), title.array()), ("dc", Some(ArrayKind::Alt)));
    assert_eq!(title.children()[0].lang.as_deref(), Some("x-default"));
}

#[test]
fn invalid_rdf_is_refused() {
    for content in [
        "text",
        "<xmp:Label>a<xmp:Nickname/></xmp:Label>",
        "<xmp:Label>1</xmp:Label><xmp:Label>2</xmp:Label>",
        "<rdf:li>1</rdf:li>",
        "<dc:type><rdf:Bag/><rdf:Bag/></dc:type>",
        "<dc:type rdf:parseType='Literal'>a</dc:type>",
        "<dc:type rdf:resource='a' rdf:value='b'/>",
        "<dc:type own:a='1'>b</dc:type>",
        "<type xmlns=''>a</type>",
    ] {
        assert!(matches!(parse(content), Err(PacketError::Rdf(_))), "{content}");
    }
    for packet in ["", "<a", "<a><b></a>", "<a:b/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"] {
        assert!(matches!(Packet::parse(packet.as_bytes()), Err(PacketError::Xml(_))), "{packet}");
    }
}

#[test]
fn every_unicode_encoding_is_read() {
    let text = wrap("<dc:source>Ü€😀</dc:source>");
    let units = |bom: u16, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        [bom].into_iter().chain(text.encode_utf16()).flat_map(unit).collect()
    };
    let wide = |unit: fn(u32) -> [u8; 4]| -> Vec<u8> {
        text.chars().map(u32::from).flat_map(unit).collect()
    };
    for (bytes, encoding) in [
        (text.clone().into_bytes(), Encoding::Utf8),
        ([b"\xEF\xBB\xBF", text.as_bytes()].concat(), Encoding::Utf8),
        (units(0xFEFF, u16::to_be_bytes), Encoding::Utf16),
        (units(0xFEFF, u16::to_le_bytes), Encoding::Utf16),
        (wide(u32::to_be_bytes), Encoding::Utf32),
        (wide(u32::to_le_bytes), Encoding::Utf32),
    ] {
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.encoding, encoding);
        assert_eq!(packet.properties[0].text(), Some("Ü€😀"));
        let mut findings = Findings::new(Flavour::new(2, Some('b')).unwrap());
        check_packet(&packet, None, &mut findings);
        let wrong: Vec<_> =
            findings.failures.iter().map(|(clause, test, _)| (*clause, *test)).collect();
        assert_eq!(wrong.contains(&("6.6.2.1", 5)), encoding != Encoding::Utf8);
    }
}

#[test]
fn bytes_left_by_old_toolkits_are_ignored() {
    let packet = wrap("<dc:source>a\u{1}b&#x2;c</dc:source>").replace("end='w'?>", "end='w'?>\0");
    let mut bytes = packet.into_bytes();
    let at = bytes.windows(2).position(|pair| pair == b"a\x01").unwrap();
    bytes[at] = 0xFC;
    assert_eq!(Packet::parse(&bytes).unwrap().properties[0].text(), Some("ü b c"));
}

#[test]
fn hostile_packets_end_in_an_error() {
    let deep = wrap(&("<dc:a rdf:parseType='Resource'>".repeat(1_000) + &"</dc:a>".repeat(1_000)));
    assert_eq!(Packet::parse(deep.as_bytes()), Err(PacketError::Limit(cos::Limit::Nesting)));
    let deep = "<a>".repeat(200_000) + &"</a>".repeat(200_000);
    assert!(Packet::parse(deep.as_bytes()).is_ok_and(|packet| packet.properties.is_empty()));
    let mut attributes = String::from("<a");
    let mut namespaces = String::new();
    for index in 0..20_000 {
        write!(attributes, " a{index}=''").unwrap();
        write!(namespaces, "<a xmlns:n{index}='n'>").unwrap();
    }
    for packet in [attributes + "/>", namespaces + &"</a>".repeat(20_000), "<a>".repeat(1_000_000)]
    {
        assert_eq!(Packet::parse(packet.as_bytes()), Err(PacketError::Limit(cos::Limit::Values)));
    }
    // Reading each occurrence to its end would be quadratic.
    let words = "xmlns".repeat(1_000_000);
    assert!(Packet::parse(words.as_bytes()).is_err());
    let name = "é".repeat(40_000);
    let long = wrap(&format!("<dc:source xmlns:{name}='n' {name}:{name}=''/>"));
    assert!(Packet::parse(long.as_bytes()).is_ok());
    let many = wrap(&format!(
        "<pdfaExtension:schemas><rdf:Bag>{}</rdf:Bag></pdfaExtension:schemas>",
        "<rdf:li/>".repeat(100_000)
    ));
    assert_eq!(broken("1b", &many).len(), super::MAX_FAILURES);
    let large = vec![b' '; 9 << 20];
    assert_eq!(Packet::parse(&large), Err(PacketError::Limit(cos::Limit::StreamBytes)));
}

#[test]
fn a_packet_of_predefined_properties_conforms() {
    let content = "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>T</rdf:li></rdf:Alt></dc:title>\
        <dc:creator><rdf:Seq><rdf:li>A</rdf:li></rdf:Seq></dc:creator>\
        <xmp:CreateDate>2016-02-01T13:19:21+01:00</xmp:CreateDate>\
        <xmpMM:DerivedFrom stRef:documentID='d'/>";
    assert_eq!(broken_by("1b", content), []);
    assert_eq!(broken_by("2b", content), []);
    assert_eq!(broken_by("3b", content), []);
}

#[test]
fn properties_are_known_and_have_the_right_types() {
    assert_eq!(broken_by("1b", "<own:a>1</own:a>"), [("6.7.9", 2)]);
    assert_eq!(broken_by("2b", "<own:a>1</own:a>"), [("6.6.2.3.1", 1)]);
    assert_eq!(broken_by("1b", "<xmp:Label>a</xmp:Label>"), [("6.7.9", 2)]);
    assert_eq!(broken_by("2b", "<xmp:Label>a</xmp:Label>"), []);
    assert_eq!(broken_by("1b", "<dc:title>T</dc:title>"), [("6.7.9", 3)]);
    assert_eq!(broken_by("3b", "<xmp:ModifyDate>today</xmp:ModifyDate>"), [("6.6.2.3.1", 2)]);
    assert_eq!(
        broken_by("2b", "<xmpMM:DerivedFrom stRef:documentID='d' own:a='1'/>"),
        [("6.6.2.3.1", 2)]
    );
}

#[test]
fn the_packet_header_has_no_deprecated_attributes() {
    let with = |header: &str| {
        wrap("<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>")
            .replace("id='W5M0MpCehiHzreSzNTczkc9d'", header)
    };
    assert_eq!(broken("2b", &with("id='a' bytes = \"12\"")), [("6.6.2.1", 2)]);
    assert_eq!(broken("2b", &with("id='a' encoding='UTF-8'")), [("6.6.2.1", 3)]);
    assert_eq!(broken("2b", &with("id='bytes'")), []);
    let old = with("bytes='1' encoding='UTF-8'").replace(">2<", ">1<");
    assert_eq!(broken("1b", &old), [("6.7.5", 1), ("6.7.5", 2)]);
}

#[test]
fn the_identification_matches_the_flavour() {
    let packet = |part: &str, level: &str| {
        wrap(&format!(
            "<pdfaid:part>{part}</pdfaid:part><pdfaid:conformance>{level}</pdfaid:conformance>"
        ))
    };
    assert_eq!(broken("1b", &wrap("")), [("6.7.11", 1)]);
    assert_eq!(broken("1b", &packet("2", "B")), [("6.7.11", 2)]);
    assert_eq!(broken("1a", &packet("1", "B")), [("6.7.11", 3)]);
    assert_eq!(broken("1b", &packet("1", "A")), []);
    assert_eq!(broken("1b", &packet("1", "U")), [("6.7.11", 3)]);
    assert_eq!(broken("2u", &packet("2", "B")), [("6.6.4", 3)]);
    assert_eq!(broken("3u", &packet("3", "A")), []);
    assert_eq!(broken("2b", &packet("2", "b")), [("6.6.4", 3)]);
    let renamed = packet("2", "U").replace("pdfaid:", "id:").replace(":pdfaid=", ":id=");
    assert_eq!(broken("2b", &renamed), [("6.6.4", 4), ("6.6.4", 5)]);
    let claimed = |packet: &str| {
        let claimed = claim(packet.as_bytes()).unwrap();
        (claimed.part, claimed.conformance.unwrap())
    };
    assert_eq!(claimed(&renamed), ("2".to_owned(), "U".to_owned()));
    let odd = renamed.replace("<id:part>", "text<id:part>");
    assert!(matches!(Packet::parse(odd.as_bytes()), Err(PacketError::Rdf(_))));
    assert_eq!(claimed(&odd), ("2".to_owned(), "U".to_owned()));
    assert_eq!(claimed(&packet("4", "F")), ("4".to_owned(), "F".to_owned()));
}

#[test]
fn an_extension_schema_defines_properties_and_types() {
    assert_eq!(broken_by("1b", &extension(&[])), []);
    assert_eq!(broken_by("2b", &extension(&[])), []);
    assert_eq!(broken_by("1b", &extension(&[(">7<", ">wide<")])), [("6.7.9", 3)]);
    assert_eq!(broken_by("2b", &extension(&[("own:width>", "own:height>")])), [("6.6.2.3.1", 2)]);
    assert_eq!(broken_by("2b", &extension(&[(">size<", ">weight<")])), [("6.6.2.3.1", 1)]);
}

#[test]
fn descriptions_of_extension_schemas_are_complete() {
    for (from, to, test) in [
        ("<pdfaSchema:schema>Own</pdfaSchema:schema>", "", 3),
        (
            "<pdfaSchema:prefix>own</pdfaSchema:prefix>",
            "<pdfaSchema:prefix rdf:parseType='Resource'/>",
            5,
        ),
        (">internal<", ">secret<", 10),
        ("<pdfaProperty:description>how large</pdfaProperty:description>", "", 11),
        ("<pdfaType:prefix>own</pdfaType:prefix>", "", 14),
        ("<pdfaType:description>a size</pdfaType:description>", "", 15),
        ("<pdfaField:description>in mm</pdfaField:description>", "", 19),
        ("<pdfaSchema:schema>", "<pdfaSchema:other/><pdfaSchema:schema>", 1),
    ] {
        let changed = extension(&[(from, to)]);
        assert_eq!(broken_by("1b", &changed), [("6.7.8", test)], "{from}");
        let later = if test == 1 { ("6.6.2.3.2", 1) } else { ("6.6.2.3.3", test - 1) };
        assert_eq!(broken_by("3b", &changed), [later], "{from}");
    }
    let unknown = broken_by("1b", &extension(&[("bag Size", "bag Length")]));
    assert_eq!(unknown, [("6.7.8", 9), ("6.7.9", 2)]);
    let renamed = extension(&[("pdfaField:", "f:")]);
    let renamed = wrap(&renamed).replace("xmlns:pdfaField=", "xmlns:f=");
    assert!([17, 18, 19].iter().all(|test| broken("1b", &renamed).contains(&("6.7.8", *test))));
    let ordered = extension(&[
        (
            "<rdf:Bag><rdf:li rdf:parseType='Resource'><pdfaSchema",
            "<rdf:Seq><rdf:li rdf:parseType='Resource'><pdfaSchema",
        ),
        ("</rdf:Bag></pdfaExtension", "</rdf:Seq></pdfaExtension"),
    ]);
    assert_eq!(broken_by("1b", &ordered), [("6.7.8", 2)]);
}

#[test]
fn the_packet_of_an_object_may_use_the_documents_schemas() {
    let document = parse(&extension(&[])).unwrap();
    let mut findings = Findings::new(Flavour::new(2, Some('b')).unwrap());
    let extensions = check_packet(&document, None, &mut findings);
    let size = "<own:size><rdf:Bag><rdf:li rdf:parseType='Resource'><own:width>8</own:width></rdf:li></rdf:Bag></own:size>";
    let object = parse(size).unwrap();
    check_packet(&object, Some(&extensions), &mut findings);
    assert_eq!(findings.failures, []);
    check_packet(&object, None, &mut findings);
    assert_eq!(findings.failures.len(), 1);
}

#[test]
fn long_details_are_cut() {
    let packet = wrap(&format!(
        "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>{}</pdfaid:conformance>",
        "é".repeat(9_999)
    ));
    let packet = Packet::parse(packet.as_bytes()).unwrap();
    let mut findings = Findings::new(Flavour::new(2, Some('b')).unwrap());
    identification::check(&packet, &mut findings);
    assert_eq!(findings.failures[0].2.chars().count(), super::MAX_DETAIL + 1);
}

/// Pieces of a packet, combined at random.
const PIECES: [&str; 24] = [
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>",
    "</rdf:RDF>",
    "<rdf:Description ",
    "</rdf:Description>",
    "rdf:about='' ",
    "xmlns:dc='http://purl.org/dc/elements/1.1/' ",
    ">",
    "/>",
    "<dc:title>",
    "</dc:title>",
    "<rdf:Alt>",
    "</rdf:Alt>",
    "<rdf:li ",
    "</rdf:li>",
    "xml:lang='x-default' ",
    "<rdf:value>",
    "</rdf:value>",
    "rdf:parseType='Resource' ",
    "rdf:resource='' ",
    "é",
    "&#0;",
    "<!-- -->",
    "<?xpacket bytes='?>",
    " ",
];

proptest! {
    #[test]
    fn no_packet_makes_the_reader_panic(pieces in vec(0..PIECES.len(), 0..60)) {
        let text: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        for bytes in [text.as_bytes(), wrap(&text).as_bytes()] {
            let _ = claim(bytes);
            if let Ok(packet) = Packet::parse(bytes) {
                let mut findings = Findings::new(Flavour::new(2, Some('b')).unwrap());
                check_packet(&packet, None, &mut findings);
            }
        }
    }

    #[test]
    fn a_changed_packet_is_read_or_refused(at in 0..2_000_usize, bytes in vec(any::<u8>(), 1..8)) {
        let mut packet = wrap(&extension(&[])).into_bytes();
        let end = (at + bytes.len()).min(packet.len());
        packet.splice(at.min(end)..end, bytes);
        if let Ok(packet) = Packet::parse(&packet) {
            let mut findings = Findings::new(Flavour::new(1, Some('b')).unwrap());
            check_packet(&packet, None, &mut findings);
        }
    }

    #[test]
    fn date_parsing_never_panics(text in "[0-9:TZ+.'D-]{0,30}|.{0,30}") {
        let (pdf, xmp) = (date::pdf(&text), date::xmp(&text));
        prop_assert!(pdf.is_none() || text.starts_with("D:"));
        prop_assert!(xmp.is_none() || pdf.is_none());
        super::xpath::is_expression(&text);
    }
}
