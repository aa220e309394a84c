//! The file name of a download (`Content-Disposition`, RFC 6266).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// `name` with `extension`, which is added unless the name already has it. So the text of `invoice.pdf` is
/// `invoice.pdf.txt`.
pub(super) fn file_name(name: &str, extension: &str) -> String {
    let has_extension = name
        .rsplit_once('.')
        .is_some_and(|(stem, last)| !stem.is_empty() && last.eq_ignore_ascii_case(extension));
    if has_extension { name.to_owned() } else { format!("{name}.{extension}") }
}

/// A `Content-Disposition` value: the browser saves the file as `name` and does not display it. The name is
/// given in ASCII for old clients, and in UTF-8 (RFC 8187).
pub(super) fn attachment(name: &str) -> String {
    let plain = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | '-' | '_' | '(' | ')' => character,
        _ => '_',
    };
    let ascii: String = name.chars().map(plain).collect();
    let utf8 = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{utf8}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_has_its_extension() {
        assert_eq!(file_name("invoice.pdf", "pdf"), "invoice.pdf");
        assert_eq!(file_name("INVOICE.PDF", "pdf"), "INVOICE.PDF");
        assert_eq!(file_name("setup.exe", "pdf"), "setup.exe.pdf");
        assert_eq!(file_name(".pdf", "pdf"), ".pdf.pdf");
        assert_eq!(file_name("invoice.pdf", "txt"), "invoice.pdf.txt");
    }

    #[test]
    fn a_name_cannot_escape_its_parameter() {
        assert_eq!(
            attachment("Rechnung März; \"7\".pdf"),
            "attachment; filename=\"Rechnung M_rz_ _7_.pdf\"; \
             filename*=UTF-8''Rechnung%20M%C3%A4rz%3B%20%227%22%2Epdf"
        );
    }
}
