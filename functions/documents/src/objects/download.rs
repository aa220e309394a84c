//! Under which name a browser saves a download (RFC 6266).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The name of a file with `extension`: `name`, with the extension added unless it ends with it. A
/// text made of `invoice.pdf` is `invoice.pdf.txt`.
pub(super) fn file_name(name: &str, extension: &str) -> String {
    let has_it = name
        .rsplit_once('.')
        .is_some_and(|(stem, last)| !stem.is_empty() && last.eq_ignore_ascii_case(extension));
    if has_it { name.to_owned() } else { format!("{name}.{extension}") }
}

/// The value of `Content-Disposition` that has a browser save a file as `name`, and never show it in
/// the page: in ASCII for those who know no better, and in UTF-8 (RFC 8187).
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
    fn a_download_ends_with_its_extension() {
        assert_eq!(file_name("invoice.pdf", "pdf"), "invoice.pdf");
        assert_eq!(file_name("INVOICE.PDF", "pdf"), "INVOICE.PDF");
        assert_eq!(file_name("setup.exe", "pdf"), "setup.exe.pdf");
        assert_eq!(file_name(".pdf", "pdf"), ".pdf.pdf");
        assert_eq!(file_name("invoice.pdf", "txt"), "invoice.pdf.txt");
    }

    #[test]
    fn a_name_cannot_leave_its_parameter() {
        assert_eq!(
            attachment("Rechnung März; \"7\".pdf"),
            "attachment; filename=\"Rechnung M_rz_ _7_.pdf\"; \
             filename*=UTF-8''Rechnung%20M%C3%A4rz%3B%20%227%22%2Epdf"
        );
    }
}
