//! The files of `tests/pdf`: the expected text of the good ones, and the result for the bad ones.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use pdf_text::{Budget, Document, Limits, Page, Refusal};
use serde_json::Value;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/pdf")
}

fn open(name: &str) -> Result<Document<Vec<u8>>, Refusal> {
    let path = directory().join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Document::open(bytes, Limits::default())
}

fn pages_from(document: &Document<Vec<u8>>, from: usize) -> Result<Vec<Page>, Refusal> {
    let mut pages = Vec::new();
    document.read_pages(from, |page| {
        pages.push(page);
        ControlFlow::Continue(())
    })?;
    Ok(pages)
}

fn pages(name: &str) -> Result<Vec<Page>, Refusal> {
    pages_from(&open(name)?, 1)
}

fn text(name: &str) -> String {
    let pages = pages(name).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    pages.iter().map(Page::text).collect()
}

#[test]
fn good_files_have_the_expected_text() {
    let expected = std::fs::read_to_string(directory().join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    for (name, expected) in expected.as_object().unwrap() {
        let document = open(name).unwrap();
        let pages = pages_from(&document, 1).unwrap();
        let count = usize::try_from(expected["pages"].as_u64().unwrap()).unwrap();
        assert_eq!((document.pages(), pages.len()), (count, count), "{name}");

        let metadata = document.metadata().unwrap();
        let title = expected["title"].as_str().or(expected["xmp_title"].as_str());
        assert_eq!(metadata.title.as_deref(), title, "{name}");

        let has_text = |word: &&pdf_text::Word| word.text.chars().any(char::is_alphanumeric);
        let lines = || pages.iter().flat_map(|page| &page.lines);
        let words = lines().flat_map(|line| &line.words).filter(has_text).count() as u64;
        assert!(words >= expected["words_min"].as_u64().unwrap(), "{name}: {words} words");
        for phrase in expected["phrases"].as_array().unwrap() {
            let phrase = phrase.as_str().unwrap();
            assert!(lines().any(|line| line.text.contains(phrase)), "{name}: {phrase}");
        }
    }
}

#[test]
fn columns_are_read_one_after_the_other() {
    let text = text("field-report.pdf");
    let place = |phrase: &str| text.find(phrase).unwrap_or_else(|| panic!("no {phrase}"));
    // Both are in the left column, next to lines of the right one.
    assert!(place("Residents ask every year") < place("Ten fountains were chosen"));
    assert!(text.contains("over six weeks and titrated for total hardness. Two\ndistricts are"));
}

#[test]
fn tables_are_read_by_rows() {
    let text = text("statement.pdf");
    assert!(text.contains("11.03. Bäckerei Körnerglück -7,85 €\n"), "{text}");
}

#[test]
fn right_to_left_text_is_in_logical_order() {
    let text = text("notice-languages.pdf");
    for line in [
        "אולם הקריאה נפתח בשעה תשע בבוקר. אפשר להחזיר ספרים",
        "الكتب إلى أي فرع حتى نهاية شهر تموز.",
    ] {
        assert!(text.contains(line), "{line}");
    }
}

#[test]
fn positions_are_on_the_displayed_page() {
    for page in pages("statement.pdf").unwrap() {
        // The second page is stored sideways, and `/Rotate` sets it upright.
        assert_eq!((page.width.floor(), page.height.floor()), (595.0, 841.0));
        for line in &page.lines {
            assert_eq!(line.angle, 0);
            for word in &line.words {
                let bbox = word.bbox;
                assert!(bbox.x0 >= 0.0 && bbox.x1 <= page.width && bbox.x0 < bbox.x1, "{word:?}");
                assert!(bbox.y0 >= 0.0 && bbox.y1 <= page.height && bbox.y0 < bbox.y1, "{word:?}");
            }
        }
        let tops: Vec<f32> = page.lines.iter().map(|line| line.bbox.y0).collect();
        assert!(tops.is_sorted(), "from top to bottom: {tops:?}");
    }
}

#[test]
fn reading_may_stop_and_continue_at_any_page() {
    let document = open("x11-security.pdf").unwrap();
    let all = pages_from(&document, 1).unwrap();
    for from in 1..=all.len() {
        assert_eq!(pages_from(&document, from).unwrap(), all[from - 1..]);
        let mut seen = Vec::new();
        document
            .read_pages(from, |page| {
                seen.push(page.number);
                ControlFlow::Break(())
            })
            .unwrap();
        assert_eq!(seen, [from]);
    }
    assert!(pages_from(&document, all.len() + 1).unwrap().is_empty());
}

#[test]
fn bad_files_are_refused() {
    let expected = [
        ("empty.pdf", Refusal::NotAPdf),
        ("picture.pdf", Refusal::NotAPdf),
        ("text.pdf", Refusal::NotAPdf),
        ("zip.pdf", Refusal::NotAPdf),
        ("header-only.pdf", Refusal::Damaged),
        ("no-pages.pdf", Refusal::Damaged),
        ("truncated.pdf", Refusal::Damaged),
        ("password.pdf", Refusal::PasswordProtected),
        ("flate-bomb.pdf", Refusal::Limit(Budget::StreamBytes)),
        ("form-bomb.pdf", Refusal::Limit(Budget::Forms)),
        ("nested-arrays.pdf", Refusal::Limit(Budget::Nesting)),
        ("nested-content.pdf", Refusal::Limit(Budget::Nesting)),
    ];
    for (name, refusal) in expected {
        assert_eq!(pages(&format!("bad/{name}")).err(), Some(refusal), "{name}");
    }
}

#[test]
fn loops_are_read_once_and_damage_is_repaired() {
    assert_eq!(text("bad/page-loop.pdf"), "page in a loop\n");
    assert_eq!(text("bad/self-form.pdf"), "form in a loop\n");
    let whole = text("x11-security.pdf");
    assert_eq!(text("bad/truncated-startxref.pdf"), whole);
    assert_eq!(text("bad/truncated-tail.pdf"), whole);
}

#[test]
fn a_font_that_panics_the_parser_does_not_lose_the_file() {
    // The code after the highest number: `hayro-font` adds one with an overflow check.
    let bad = "/Encoding << /Differences [9223372036854775807 /a] >>";
    let font = |name: &str, more: &str| {
        format!("/{name} << /Type /Font /Subtype /Type1 /BaseFont /Helvetica {more} >>")
    };
    let fonts = font("Bad", bad) + &font("Good", "");
    let content = "BT /Bad 12 Tf 10 150 Td (Bad) Tj /Good 12 Tf 0 -40 Td (Good) Tj ET";
    let pdf = format!(
        "%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n\
         2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj\n\
         3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R \
         /Resources << /Font << {fonts} >> >> >> endobj\n\
         4 0 obj << /Length {} >> stream\n{content}\nendstream endobj\n\
         trailer << /Root 1 0 R >>\n%%EOF\n",
        content.len()
    );
    let document = Document::open(pdf.into_bytes(), Limits::default()).unwrap();
    let pages = pages_from(&document, 1).unwrap();
    let lines: Vec<_> = pages[0].lines.iter().map(|line| &*line.text).collect();
    assert_eq!(lines, ["Bad", "Good"]);
}

#[test]
fn budgets_hold() {
    let bytes = std::fs::read(directory().join("x11-security.pdf")).unwrap();
    let refusal = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        let document = Document::open(bytes.clone(), limits)?;
        document.read_pages(1, |_| ControlFlow::Continue(()))
    };
    let over = |budget| Err(Refusal::Limit(budget));
    assert_eq!(refusal(|_| {}), Ok(()));
    assert_eq!(refusal(|limits| limits.pages = 7), over(Budget::Pages));
    assert_eq!(refusal(|limits| limits.text_bytes = 5_000), over(Budget::TextBytes));
    assert_eq!(refusal(|limits| limits.page_glyphs = 500), over(Budget::Glyphs));
    assert_eq!(refusal(|limits| limits.page_operators = 100), over(Budget::Operators));
    assert_eq!(refusal(|limits| limits.operators = 1_000), over(Budget::Operators));
    assert_eq!(refusal(|limits| limits.content_bytes = 1_000), over(Budget::StreamBytes));
}

/// The inflated bytes of an encrypted object stream count against the limit like any other.
#[test]
fn encryption_does_not_hide_a_bomb() {
    let case = hostile_pdfs::encryption::password_empty_object_stream_bomb();
    let document = Document::open(case.bytes, Limits::default());
    // Nothing refers to its contents, so they may stay unread; if they are read, a limit is
    // exceeded.
    let read = document.and_then(|document| {
        document.read_pages(1, |_| ControlFlow::Continue(()))?;
        Ok(document.pages())
    });
    assert!(matches!(read, Ok(1) | Err(Refusal::Limit(Budget::StreamBytes))), "{read:?}");
}
