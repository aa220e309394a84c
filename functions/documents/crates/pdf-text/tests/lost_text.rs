//! Text that other readers find: fonts whose names and maps are odd, and values without appearances.

use std::ops::ControlFlow;

use pdf_text::{Document, Limits, Page};

/// A file of objects, numbered from 1. The first is the catalog.
fn pdf(objects: &[String]) -> Vec<u8> {
    let mut pdf = "%PDF-1.7\n".to_owned();
    for (number, object) in (1..).zip(objects) {
        pdf += &format!("{number} 0 obj {object} endobj\n");
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

/// The text of a string in a font of these objects, and the counts of unknown and guessed glyphs.
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
fn glyphs_of_a_tex_font_are_read_by_their_numbers() {
    let font = encoded("Type3", |code| format!("a{code}"), b"Helofrm.\x0e");
    let read = shown("(Hello from o\\016er.)", &[font]);
    assert_eq!(read, ("Hello from o\u{fb03}er.".replace('\u{fb03}', "ffi"), 2, 0));
}

#[test]
fn glyphs_with_unknown_names_are_guessed_and_said_to_be() {
    let font = encoded("Type1", |code| format!("zz{code}zz"), b"Helo");
    assert_eq!(shown("(Hello)", &[font]), ("Hello".into(), 0, 5));
    // Codes that were dealt out one after the other say nothing.
    let font = encoded("Type3", |code| format!("g{}", 700 + u32::from(code)), b"!\"#$%&");
    assert_eq!(shown("(!\"#$%&)", &[font]), (String::new(), 6, 0));
}

/// A composite font that is not embedded. The codes of a string are its glyphs.
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
fn glyphs_of_fonts_of_windows_are_guessed_by_their_order() {
    // `Total 20 é` by glyphs.
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
fn a_malformed_map_costs_what_cannot_be_read() {
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
fn codes_that_a_map_leaves_out_fall_back_to_the_encoding() {
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

/// The lines of a page with a heading and a field of these entries under it.
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
fn the_value_of_a_field_stands_in_its_rectangle() {
    let lines = field("/FT /Tx /V (Margarethe Holzapfel)", &[]);
    let [(text, [x0, y0, x1, y1])] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(text, "Margarethe Holzapfel");
    assert!((50..60).contains(x0) && (*x0..=250).contains(x1), "{lines:?}");
    assert!((80..=100).contains(y0) && (*y0..=100).contains(y1), "{lines:?}");
}

#[test]
fn values_are_found_wherever_they_are_said() {
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
fn what_a_viewer_does_not_show_is_no_text() {
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
fn a_value_that_an_appearance_shows_stands_once() {
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
fn a_note_on_the_page_is_text_and_one_that_pops_up_is_none() {
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
fn a_turned_page_has_its_values_upright() {
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
fn a_form_of_xfa_is_said_to_be_one() {
    let has_xfa = |form: &str| {
        let bytes = file("", form, "", &[HELVETICA.to_owned()]);
        Document::open(bytes, Limits::default()).unwrap().has_xfa().unwrap()
    };
    assert!(has_xfa("/AcroForm << /XFA [(template) 4 0 R] >>"));
    assert!(!has_xfa("/AcroForm << /Fields [] >>"));
    assert!(!has_xfa(""));
}

/// Many fields with many options, each to be compared, end in a refusal and not in hours.
#[test]
fn values_are_within_the_budget_of_operators() {
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
