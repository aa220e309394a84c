//! What is in a PDF. This runs in the reader's process, on bytes that anyone may have sent.

use std::io::Write;

use hayro_interpret::{Context, InterpreterCache, InterpreterSettings, interpret_page};
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use serde::{Deserialize, Serialize};

use crate::layout::TextDevice;

/// The most pages that are read.
pub const MAX_PAGES: usize = 5_000;
/// The most text that is kept, in bytes.
pub const MAX_TEXT_BYTES: usize = 16 << 20;
/// How many characters of text stand in the document's record.
pub const EXCERPT_CHARACTERS: usize = 500;
/// How many characters of a title or another piece of metadata are kept.
const MAX_METADATA_CHARACTERS: usize = 500;

/// What was found in a PDF, beside its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The version of PDF, such as `1.7`.
    pub pdf_version: String,
    /// How many pages there are.
    pub pages: usize,
    /// How many words are on them: runs of characters between white space.
    pub words: usize,
    /// The size of the text in bytes of UTF-8.
    pub text_bytes: usize,
    /// The first [`EXCERPT_CHARACTERS`] characters of text.
    pub excerpt: String,
    /// The document's title, by its information dictionary.
    pub title: Option<String>,
    /// Its author.
    pub author: Option<String>,
    /// The program that it was written with.
    pub creator: Option<String>,
    /// The program that made the PDF.
    pub producer: Option<String>,
}

/// Why a file is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no PDF header in the first 1,024 bytes.
    NotAPdf,
    /// There is a header, but nothing usable after it.
    Damaged,
    /// It is encrypted, and the empty password does not open it.
    PasswordProtected,
    /// It is over a budget.
    TooComplex,
}

/// Reads a PDF and writes its text to `out`: UTF-8, each page ended by a form feed (U+000C).
pub fn read(bytes: Vec<u8>, out: &mut impl Write) -> std::io::Result<Result<Contents, Refusal>> {
    if !has_header(&bytes) {
        return Ok(Err(Refusal::NotAPdf));
    }
    let pdf = match Pdf::new(bytes) {
        Ok(pdf) => pdf,
        Err(LoadPdfError::Decryption(DecryptionError::PasswordProtected)) => {
            return Ok(Err(Refusal::PasswordProtected));
        }
        Err(_) => return Ok(Err(Refusal::Damaged)),
    };
    match pdf.pages().len() {
        0 => return Ok(Err(Refusal::Damaged)),
        pages if pages > MAX_PAGES => return Ok(Err(Refusal::TooComplex)),
        _ => {}
    }

    let mut contents = describe(&pdf);
    let mut excerpt = Excerpt::default();
    let cache = InterpreterCache::new();
    for page in pdf.pages().iter() {
        let mut text = page_text(page, &cache);
        text.push('\u{c}');
        contents.words += text.split_whitespace().count();
        contents.text_bytes += text.len();
        if contents.text_bytes > MAX_TEXT_BYTES {
            return Ok(Err(Refusal::TooComplex));
        }
        excerpt.add(&text);
        out.write_all(text.as_bytes())?;
    }
    contents.excerpt = excerpt.0;
    Ok(Ok(contents))
}

/// PDF readers look for the header in the first 1,024 bytes (ISO 32000-1, annex H, note 13).
fn has_header(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    head.windows(5).any(|window| window == b"%PDF-")
}

fn page_text<'a>(page: &'a hayro_syntax::page::Page<'a>, cache: &InterpreterCache<'a>) -> String {
    let (width, height) = page.render_dimensions();
    let transform = hayro_interpret::kurbo::Affine::new(
        page.initial_transform(true).as_coeffs().map(f64::from),
    );
    let bounds = hayro_interpret::kurbo::Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let mut context =
        Context::new(transform, bounds, cache, page.xref(), InterpreterSettings::default());
    let mut device = TextDevice::default();
    interpret_page(page, &mut context, &mut device);
    device.into_text()
}

fn describe(pdf: &Pdf) -> Contents {
    let metadata = pdf.metadata();
    let text = |bytes: &Option<Box<[u8]>>| bytes.as_deref().and_then(text_string);
    Contents {
        pdf_version: version(pdf),
        pages: pdf.pages().len(),
        words: 0,
        text_bytes: 0,
        excerpt: String::new(),
        title: text(&metadata.title),
        author: text(&metadata.author),
        creator: text(&metadata.creator),
        producer: text(&metadata.producer),
    }
}

fn version(pdf: &Pdf) -> String {
    // `Pdf17` → `1.7`
    let name = format!("{:?}", pdf.version());
    let digits = name.trim_start_matches("Pdf");
    digits.split_at_checked(1).map_or_else(String::new, |(major, minor)| format!("{major}.{minor}"))
}

/// A text string of PDF (ISO 32000-2, 7.9.2.2): UTF-16BE or UTF-8 behind a byte order mark, else
/// PDFDocEncoding, whose letters beyond Latin-1 (0x80 to 0xA0) are read as their nearest kin.
fn text_string(bytes: &[u8]) -> Option<String> {
    let text = match bytes {
        [0xFE, 0xFF, rest @ ..] => {
            let units: Vec<u16> =
                rest.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|&byte| pdf_doc_encoding(byte)).collect(),
    };
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_METADATA_CHARACTERS)
        .collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn pdf_doc_encoding(byte: u8) -> char {
    // ISO 32000-2, annex D.2
    const FROM_0X80: [char; 33] = [
        '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚',
        '™', 'ﬁ', 'ﬂ', 'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{FFFD}', '€',
    ];
    match byte {
        0x80..=0xA0 => FROM_0X80[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// The first characters of a text that comes in pieces.
#[derive(Default)]
struct Excerpt(String);

impl Excerpt {
    fn add(&mut self, text: &str) {
        let room = EXCERPT_CHARACTERS.saturating_sub(self.0.chars().count());
        self.0.extend(text.chars().take(room));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_strings_are_decoded() {
        assert_eq!(text_string(b"Annual report").as_deref(), Some("Annual report"));
        assert_eq!(text_string(b"\xFE\xFF\x04\x1C\x04\x38\x04\x40").as_deref(), Some("Мир"));
        assert_eq!(text_string("\u{FEFF}Größe".as_bytes()).as_deref(), Some("Größe"));
        assert_eq!(text_string(b"caf\xE9 \x84 \xA0").as_deref(), Some("café — €"));
        assert_eq!(text_string(b"a\nb\0").as_deref(), Some("a b"));
        assert_eq!(text_string(b" \0"), None);
        assert_eq!(text_string(&[b'x'; 2000]).map(|text| text.len()), Some(500));
    }

    #[test]
    fn a_header_may_come_late_but_not_too_late() {
        assert!(has_header(b"%PDF-1.7"));
        assert!(has_header(&[&[b' '; 1019][..], b"%PDF-"].concat()));
        assert!(!has_header(&[&[b' '; 1020][..], b"%PDF-"].concat()));
        assert!(!has_header(b""));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let bytes = [b"%PDF-1.7\n".to_vec(), bytes].concat();
            let _ = read(bytes, &mut std::io::sink());
        }
    }
}
