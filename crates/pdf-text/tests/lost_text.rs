//! Text that other readers find: fonts with unusual names and maps, and values without appearances.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fmt::Write;
use std::ops::ControlFlow;

use pdf_text::{Document, Limits, Page};

/// A file with these objects, numbered from 1. The first is the catalog.
fn pdf(objects: &[String]) -> Vec<u8> {
    let mut pdf = "%PDF-1.7\n".to_owned();
    for (number, object) in (1..).zip(objects) {
        let _ = writeln!(pdf, "{number} 0 obj {object} endobj");
    }
    pdf += "trailer << /Root 1 0 R >>\n%%EOF\n";
    pdf.into_bytes()
}

fn stream(dict: &str, data: &str) -> String {
    format!("<< {dict} /Length {} >> stream\n{data}\nendstream", data.len())
}

/// A page of 300 by 200 points. Object 5 is the font `F`; `annotations` are its annotations.
fn page(content: &str, form: &str, annotations: &str, more: &[String]) -> Page {
    read(&file(content, form, annotations, more))
}

fn file(content: &str, form: &str, annotations: &str, more: &[String]) -> Vec<u8> {
    let mut objects = vec![
        format!("<< /Type /Catalog /Pages 2 0 R {form} >>"),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R \
             /Resources << /Font << /F 5 0 R >> >> /Annots [{annotations}] >>"
        ),
        stream("", content),
    ];
    objects.extend_from_slice(more);
    pdf(&objects)
}

fn read(bytes: &[u8]) -> Page {
    let document = Document::open(bytes.to_vec(), Limits::default()).unwrap();
    let mut pages = Vec::new();
    document
        .read_pages(1, |page| {
            pages.push(page);
            ControlFlow::Continue(())
        })
        .unwrap();
    pages.remove(0)
}

const HELVETICA: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica \
                         /Encoding /WinAnsiEncoding >>";

/// The text of a string in a font made of these objects, and the numbers of unknown and guessed
/// glyphs.
fn shown(string: &str, font: &[String]) -> (String, usize, usize) {
    let page = page(&format!("BT /F 10 Tf 20 50 Td {string} Tj ET"), "", "", font);
    (page.text().trim_end().to_owned(), page.unknown_glyphs, page.guessed_glyphs)
}

fn encoded(subtype: &str, name: impl Fn(u8) -> String, codes: &[u8]) -> String {
    let names = codes.iter().map(|&code| format!("{code} /{}", name(code)));
    let names = names.collect::<Vec<_>>().join(" ");
    format!(
        "<< /Type /Font /Subtype /{subtype} /FontBBox [0 0 600 800] \
         /FontMatrix [0.001 0 0 0.001 0 0] /CharProcs << >> /FirstChar 0 /LastChar 255 \
         /Widths [{}] /Encoding << /Type /Encoding /Differences [{names}] >> >>",
        "500 ".repeat(256)
    )
}

#[test]
fn glyphs_of_a_tex_font_are_read_by_number() {
    let font = encoded("Type3", |code| format!("a{code}"), b"Helofrm.\x0e");
    let read = shown("(Hello from o\\016er.)", &[font]);
    assert_eq!(read, ("Hello from o\u{fb03}er.".replace('\u{fb03}', "ffi"), 2, 0));
}

#[test]
fn glyphs_with_unknown_names_are_counted_as_guessed() {
    let font = encoded("Type1", |code| format!("zz{code}zz"), b"Helo");
    assert_eq!(shown("(Hello)", &[font]), ("Hello".into(), 0, 5));
    // Sequential codes have no meaning.
    let font = encoded("Type3", |code| format!("g{}", 700 + u32::from(code)), b"!\"#$%&");
    assert_eq!(shown("(!\"#$%&)", &[font]), (String::new(), 6, 0));
}

/// A composite font that is not embedded. The codes of a string are its glyph numbers.
fn identity(name: &str, to_unicode: Option<&str>) -> Vec<String> {
    let map = if to_unicode.is_some() { "/ToUnicode 7 0 R" } else { "" };
    let mut objects = vec![
        format!(
            "<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H \
             /DescendantFonts [6 0 R] {map} >>"
        ),
        format!(
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /DW 600 \
             /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>"
        ),
    ];
    objects.extend(to_unicode.map(|map| stream("", map)));
    objects
}

#[test]
fn glyphs_of_windows_fonts_are_guessed_by_their_order() {
    // `Total 20 é` in glyph numbers.
    let string = "<0037005200570044004F00030015001300030070>";
    for name in ["ArialMT", "ABCDEF+Verdana-Bold", "TimesNewRomanPSMT"] {
        let (text, unknown, guessed) = shown(string, &identity(name, None));
        assert_eq!((&*text, unknown, guessed), ("Total 20 é", 0, 10), "{name}");
    }
    for name in ["ABCDEF+Calibri", "Unheard"] {
        let (text, unknown, guessed) = shown(string, &identity(name, None));
        assert_eq!((&*text, unknown, guessed), ("", 10, 0), "{name}");
    }
}

#[test]
fn a_malformed_map_loses_only_its_bad_entries() {
    let string = "<000100020003>";
    for (map, expected, unknown) in [
        ("2 beginbfchar <0001> <0041> <zz> <0058> <0003> <0043> endbfchar", "A C", 1),
        ("beginbfchar <0001> <0041> <0002> <> <0003> <0043>", "A C", 1),
        ("1 beginbfrange <0001> <0009> [<0041> <0042>] endbfrange", "AB", 1),
        ("(((1 beginbfrange <0001> <0003> <0041> endbfrange", "ABC", 0),
    ] {
        let read = shown(string, &identity("Unheard", Some(map)));
        assert_eq!(read, (expected.into(), unknown, 0), "{map}");
    }
}

#[test]
fn codes_without_a_map_entry_use_the_encoding() {
    for map in [
        "garbage (((",
        "1 beginbfchar <41> <0058> <zz> endbfchar",
        "1 beginbfrange <20> <7E> <FFFD> endbfrange",
        "95 beginbfrange <20> <20> <0000> <42> <42> <0000> endbfrange",
    ] {
        let font = HELVETICA.replace(">>", "/ToUnicode 6 0 R >>");
        let (text, unknown, guessed) = shown("(B42)", &[font, stream("", map)]);
        assert_eq!((&*text, unknown, guessed), ("B42", 0, 0), "{map}");
    }
}

const FORM: &str = "/AcroForm << /Fields [6 0 R] /DA (/Helv 0 Tf 0 g) >>";

/// The lines of a page with a heading, and a field with these entries under it.
fn field(entries: &str, more: &[String]) -> Vec<(String, [i32; 4])> {
    let mut objects = vec![
        HELVETICA.to_owned(),
        format!("<< /Type /Annot /Subtype /Widget /Rect [50 100 250 120] {entries} >>"),
    ];
    objects.extend_from_slice(more);
    let content = "BT /F 10 Tf 50 150 Td (Above) Tj 0 -100 Td (Below) Tj ET";
    let page = page(content, FORM, "6 0 R", &objects);
    let inside = |line: &pdf_text::Line| {
        let bbox = line.bbox;
        #[expect(clippy::cast_possible_truncation, reason = "points")]
        [bbox.x0, bbox.y0, bbox.x1, bbox.y1].map(|edge| edge.round() as i32)
    };
    let lines: Vec<_> = page.lines.iter().map(|line| (line.text.clone(), inside(line))).collect();
    let texts: Vec<_> = lines.iter().map(|(text, _)| &**text).collect();
    assert_eq!((texts.first(), texts.last()), (Some(&"Above"), Some(&"Below")), "{texts:?}");
    lines[1..lines.len() - 1].to_vec()
}

fn texts(lines: Vec<(String, [i32; 4])>) -> Vec<String> {
    lines.into_iter().map(|(text, _)| text).collect()
}

#[test]
fn the_value_of_a_field_is_in_its_rectangle() {
    let lines = field("/FT /Tx /V (Margarethe Holzapfel)", &[]);
    let [(text, [x0, y0, x1, y1])] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(text, "Margarethe Holzapfel");
    assert!((50..60).contains(x0) && (*x0..=250).contains(x1), "{lines:?}");
    assert!((80..=100).contains(y0) && (*y0..=100).contains(y1), "{lines:?}");
}

#[test]
fn values_are_found_in_all_places() {
    for (entries, more, expected) in [
        ("/FT /Tx /V <FEFF00C400720067006500720021>", "null", "Ärger!"),
        ("/FT /Tx /DV (default)", "null", "default"),
        ("/FT /Tx /V (value) /DV (default)", "null", "value"),
        ("/Parent 7 0 R", "<< /FT /Tx /V (inherited) /T (a) >>", "inherited"),
        ("/Parent 7 0 R", "<< /FT /Tx /V (inherited) /Parent 7 0 R >>", "inherited"),
        ("/FT /Ch /V (de) /Opt [[(de) (Germany)] [(fr) (France)]]", "null", "Germany"),
        ("/FT /Ch /V (plain) /Opt [(plain) (other)]", "null", "plain"),
        ("/FT /Ch /V 7 0 R /Opt 8 0 R", "(other)", "other"),
    ] {
        assert_eq!(texts(field(entries, &[more.to_owned()])), [expected], "{entries}");
    }
    let stream = stream("", "in a stream");
    assert_eq!(texts(field("/FT /Tx /V 7 0 R", &[stream])), ["in a stream"]);
    let chosen = field("/FT /Ch /V [(a) (b)] /Opt [[(a) (One)] [(b) (Two)]]", &[]);
    assert_eq!(texts(chosen), ["One", "Two"]);
    let lines = field("/FT /Tx /Ff 4096 /V (one\\rtwo) /DA (/Helv 8 Tf)", &[]);
    assert_eq!(texts(lines), ["one", "two"]);
}

#[test]
fn values_that_a_viewer_hides_are_not_text() {
    for entries in [
        "/FT /Btn /V /Yes /AS /Yes",
        "/FT /Tx /V (hidden) /F 2",
        "/FT /Tx /Ff 8192 /V (password)",
        "/FT /Tx /V ( )",
        "/FT /Tx /V 12",
        "/FT /Sig /V << /Contents (signature) >>",
        "/V (no kind)",
    ] {
        assert_eq!(texts(field(entries, &[])), [""; 0], "{entries}");
    }
}

#[test]
fn a_value_with_an_appearance_is_read_once() {
    let appearance = |content: &str| {
        let resources = "/Resources << /Font << /F 5 0 R >> >>";
        stream(&format!("/Subtype /Form /BBox [0 0 200 20] {resources}"), content)
    };
    let entries = "/FT /Tx /V (the value) /AP << /N 7 0 R >>";
    let drawn = appearance("BT /F 10 Tf 2 5 Td (the value) Tj ET");
    assert_eq!(texts(field(entries, &[drawn])), ["the value"]);
    let empty = appearance("/Tx BMC 0 0 200 20 re S EMC");
    assert_eq!(texts(field(entries, &[empty])), ["the value"]);
}

#[test]
fn a_note_on_the_page_is_text_but_a_popup_is_not() {
    let objects = [
        HELVETICA.to_owned(),
        "<< /Subtype /FreeText /Rect [50 60 110 120] /DA (/Helv 10 Tf) \
         /Contents (Approved by the board) >>"
            .to_owned(),
        "<< /Subtype /Text /Rect [10 10 30 30] /Contents (a comment) >>".to_owned(),
    ];
    let page = page("", "", "6 0 R 7 0 R", &objects);
    assert_eq!(page.text(), "Approved by\nthe board\n");
}

#[test]
fn a_right_to_left_value_is_in_logical_order() {
    let shalom = "<FEFF05E905DC05D505DD002005E205D505DC05DD>";
    assert_eq!(texts(field(&format!("/FT /Tx /V {shalom}"), &[])), ["שלום עולם"]);
}

#[test]
fn values_on_a_rotated_page_are_upright() {
    let objects = [
        HELVETICA.to_owned(),
        "<< /Subtype /Widget /FT /Tx /Rect [50 100 70 190] /V (upright) >>".to_owned(),
    ];
    let bytes = String::from_utf8(file("", FORM, "6 0 R", &objects)).unwrap();
    let page = read(bytes.replace("/MediaBox", "/Rotate 90 /MediaBox").as_bytes());
    assert_eq!((page.width, page.height), (200.0, 300.0));
    let [line] = &page.lines[..] else { panic!("{:?}", page.lines) };
    assert_eq!((&*line.text, line.angle), ("upright", 0));
    assert!(line.bbox.x0 >= 100.0 && line.bbox.x1 <= 190.0, "{line:?}");
    assert!(line.bbox.y0 >= 50.0 && line.bbox.y1 <= 70.0, "{line:?}");
}

#[test]
fn xfa_forms_are_reported() {
    let has_xfa = |form: &str| {
        let bytes = file("", form, "", &[HELVETICA.to_owned()]);
        Document::open(bytes, Limits::default()).unwrap().has_xfa().unwrap()
    };
    assert!(has_xfa("/AcroForm << /XFA [(template) 4 0 R] >>"));
    assert!(!has_xfa("/AcroForm << /Fields [] >>"));
    assert!(!has_xfa(""));
}

/// Many fields with many options, which must all be compared, exceed a limit instead of running for
/// hours.
#[test]
fn values_count_against_the_limit_of_operators() {
    let options = format!("[{}]", "[(a) (b)] ".repeat(2_000));
    let objects = [
        HELVETICA.to_owned(),
        "<< /Subtype /Widget /FT /Ch /Rect [50 100 70 190] /V (c) /Opt 7 0 R >>".to_owned(),
        options,
    ];
    let bytes = file("", FORM, &"6 0 R ".repeat(5_000), &objects);
    let document = Document::open(bytes, Limits::default()).unwrap();
    let read = document.read_pages(1, |_| ControlFlow::Continue(()));
    assert_eq!(read, Err(pdf_text::Refusal::Limit(pdf_text::Budget::Operators)));
}
