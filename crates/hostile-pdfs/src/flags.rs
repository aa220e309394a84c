//! Intact files with scripts, launches, files and so on, which a policy may refuse.
//!
//! Each feature has three files: plain (`flag_x`), with every name in `#xx` escapes
//! (`flag_x_escaped`), and escaped in an object stream (`flag_x_packed`), where a search of the
//! file's bytes does not find it.

use std::fmt::Write;

use crate::Case;
use crate::build::{Pdf, stream};

/// A feature: its name, a description, entries of the catalog, entries of the page, and objects
/// from number 6.
struct Flag(&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const FLAGS: &[Flag] = &[
    Flag(
        "open_script",
        "a script runs when the file opens",
        "/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>",
        "",
        &[],
    ),
    Flag(
        "open_page",
        "the file opens at a page: an open action that is only a destination",
        "/OpenAction [3 0 R /Fit]",
        "",
        &[],
    ),
    Flag(
        "named_script",
        "a script in the name tree, which runs when the file opens",
        "/Names << /JavaScript 6 0 R >>",
        "",
        &["<< /Kids [7 0 R] >>", "<< /Names [(a) 8 0 R] >>", "<< /S /JavaScript /JS (1) >>"],
    ),
    Flag(
        "rendition_script",
        "a script in the action of a rendition",
        "",
        "/Annots [6 0 R]",
        &["<< /Type /Annot /Subtype /Screen /Rect [0 0 9 9] /A << /S /Rendition /JS (1) >> >>"],
    ),
    Flag(
        "next_script",
        "a script as the next action of a harmless action",
        "",
        "/Annots [6 0 R]",
        &[
            "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A 7 0 R >>",
            "<< /S /GoTo /D [3 0 R /Fit] /Next [8 0 R] >>",
            "<< /S /JavaScript /JS (1) >>",
        ],
    ),
    Flag(
        "unused_script",
        "a script in an object that nothing refers to",
        "",
        "",
        &["<< /S /JavaScript /JS (1) >>"],
    ),
    Flag(
        "page_action",
        "an action runs when the page opens",
        "",
        "/AA << /O << /S /Named /N /Print >> >>",
        &[],
    ),
    Flag(
        "launch",
        "a click starts a program",
        "",
        "/Annots [6 0 R]",
        &["<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /Launch /F (cmd.exe) >> >>"],
    ),
    Flag(
        "submit",
        "a form's values go to an address",
        "/AcroForm << /Fields [6 0 R] >>",
        "/Annots [6 0 R]",
        &["<< /Type /Annot /Subtype /Widget /FT /Btn /T (b) /Rect [0 0 9 9] \
           /A << /S /SubmitForm /F (http://example.com/) >> >>"],
    ),
    Flag(
        "import",
        "a form takes values from a file",
        "/AcroForm << /Fields [6 0 R] >>",
        "/Annots [6 0 R]",
        &["<< /Type /Annot /Subtype /Widget /FT /Btn /T (b) /Rect [0 0 9 9] \
           /A << /S /ImportData /F (a.fdf) >> >>"],
    ),
    Flag(
        "go_to_remote",
        "a link into another file",
        "/OpenAction << /S /GoToR /F (\\\\\\\\host\\\\share\\\\a.pdf) /D [0 /Fit] >>",
        "",
        &[],
    ),
    Flag(
        "go_to_embedded",
        "a link into a file in the file",
        "",
        "/Annots [6 0 R]",
        &["<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /GoToE /T << /R /C /N (a) >> \
           >> >>"],
    ),
    Flag(
        "link",
        "a link to an address",
        "",
        "/Annots [6 0 R]",
        &["<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (http://a.test/) >> \
           >>"],
    ),
    Flag(
        "embedded_file",
        "a file in the file",
        "/Names << /EmbeddedFiles << /Names [(a) 6 0 R] >> >>",
        "",
        &["<< /Type /Filespec /F (a.exe) /EF << /F 4 0 R >> >>"],
    ),
    Flag(
        "attachment",
        "a file on the page",
        "",
        "/Annots [6 0 R]",
        &["<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] /FS << /F (a) /EF \
           << /F 4 0 R >> >> >>"],
    ),
    Flag(
        "xfa",
        "a form in XML, which programs other than a PDF reader's run",
        "/AcroForm << /Fields [] /XFA [(template) 4 0 R] >>",
        "",
        &[],
    ),
    Flag("form", "an empty form", "/AcroForm << /Fields [6 0 R] >>", "", &["<< /FT /Tx /T (a) >>"]),
    Flag(
        "signature",
        "a signature field with a signature that is nonsense",
        "/AcroForm << /Fields [6 0 R] /SigFlags 3 >>",
        "",
        &[
            "<< /FT /Sig /T (a) /V 7 0 R >>",
            "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached \
             /ByteRange [0 9 99 9] /Contents <00> >>",
        ],
    ),
    Flag(
        "rich_media",
        "a film or a program on the page",
        "",
        "/Annots [6 0 R]",
        &["<< /Type /Annot /Subtype /RichMedia /Rect [0 0 9 9] /RichMediaContent << >> >>"],
    ),
    Flag(
        "three_d",
        "a model in three dimensions",
        "",
        "/Annots [6 0 R]",
        &["<< /Type /Annot /Subtype /3D /Rect [0 0 9 9] /3DD 4 0 R >>"],
    ),
    Flag(
        "movie",
        "a film, as PDF 1.2 has it",
        "",
        "/Annots [6 0 R]",
        &["<< /Type /Annot /Subtype /Movie /Rect [0 0 9 9] /Movie << /F (a.avi) >> /A true >>"],
    ),
    Flag(
        "sound",
        "a sound",
        "",
        "/Annots [6 0 R]",
        &["<< /Type /Annot /Subtype /Sound /Rect [0 0 9 9] /Sound 4 0 R >>"],
    ),
    Flag(
        "external_form",
        "a form XObject whose drawing is in another file",
        "",
        "",
        &["<< /Type /XObject /Subtype /Form /Ref << /F (http://a.test/a.pdf) /Page 0 >> >>"],
    ),
];

/// Every case of this module.
pub fn all() -> impl Iterator<Item = Case> {
    FLAGS
        .iter()
        .flat_map(|flag| [plain(flag), escaped(flag), packed(flag)])
        .chain([script_in_stream(), script_deep()])
}

fn case(flag: &Flag, suffix: &str, bytes: Vec<u8>) -> Case {
    Case { name: format!("flag_{}{suffix}", flag.0), what: flag.1, bytes }
}

fn pdf(flag: &Flag, spell: impl Fn(&str) -> String) -> Pdf {
    let pdf = Pdf::new().catalog(&spell(flag.2)).page(&spell(flag.3));
    flag.4.iter().fold(pdf, |pdf, object| pdf.with(spell(object)))
}

fn plain(flag: &Flag) -> Case {
    case(flag, "", pdf(flag, str::to_owned).finish())
}

fn escaped(flag: &Flag) -> Case {
    case(flag, "_escaped", pdf(flag, escape_names).finish())
}

fn packed(flag: &Flag) -> Case {
    case(flag, "_packed", pdf(flag, escape_names).finish_packed())
}

/// A script in a deflated stream instead of a string.
#[must_use]
pub fn script_in_stream() -> Case {
    let bytes = Pdf::new()
        .catalog("/OpenAction << /S /JavaScript /JS 6 0 R >>")
        .with(crate::build::flate("", b"app.alert(1)"))
        .finish();
    Case { name: "flag_script_in_stream".to_owned(), what: "a script in a stream", bytes }
}

/// A script in arrays and dictionaries nested 40 deep in a stream's dictionary. The PDF standard
/// defines no such entry.
#[must_use]
pub fn script_deep() -> Case {
    let nest = format!("{} << /S /JavaScript /JS (1) >> {}", "[".repeat(40), "]".repeat(40));
    let bytes = Pdf::new().with(stream(&format!("/Private {nest}"), b"")).finish();
    Case { name: "flag_script_deep".to_owned(), what: "a script nested 40 deep", bytes }
}

/// Escapes the second and third letter of every name as `#xx`; strings stay unchanged.
fn escape_names(text: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut place, mut escaped) = (0, None, false);
    for letter in text.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if depth > 0 => escaped = true,
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        place = match (letter, place) {
            _ if depth > 0 => None,
            ('/', _) => Some(0),
            (letter, Some(n)) if letter.is_ascii_alphanumeric() => Some(n + 1),
            _ => None,
        };
        match place {
            Some(2 | 3) => {
                let _ = write!(out, "#{:02x}", u32::from(letter));
            }
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_escaped_and_strings_are_not() {
        let text = super::escape_names("<< /S /Launch /F (a\\)/b/c) /AA [/X] >>");
        assert_eq!(text, "<< /S /L#61#75nch /F (a\\)/b/c) /A#41 [/X] >>");
    }
}
