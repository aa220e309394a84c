//! Inspects the bytes before the header and after the end.

use std::ops::Range;

use cos::{File, Source, is_white_space};
use memchr::memmem;

use crate::{Error, Feature, Findings};

/// Bytes to read at the end; the last record of a ZIP archive fits into them.
const TAIL: u64 = 65_557;
const ZIP_END: &[u8] = b"PK\x05\x06";
const ZIP_END_LENGTH: usize = 22;

/// Magic bytes of other formats.
const MAGIC: [&[u8]; 15] = [
    b"MZ",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x7fELF",
    b"#!",
    b"GIF8",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"BM",
    b"RIFF",
    b"Rar!",
    b"7z\xbc\xaf\x27\x1c",
    b"\xca\xfe\xba\xbe",
    b"\xd0\xcf\x11\xe0",
    b"{\\rtf",
];

/// Markup that makes a browser treat the first kilobyte as a web page.
const MARKUP: [&[u8]; 7] =
    [b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<iframe", b"<svg"];

/// Inspects the bytes before the header and after the end.
pub(crate) fn inspect<S: Source>(file: &File<S>, findings: &mut Findings) -> Result<(), Error> {
    let header = file.header().offset;
    if header > 0 {
        findings.add(Feature::HeaderNotAtStart, None);
    }
    let head = file.bytes(0..header)?;
    let tail = tail_range(file.len());
    let start = tail.start;
    let tail = file.bytes(tail)?;
    let last = memmem::rfind(&tail, b"%%EOF");
    let after = last.and_then(|at| tail.get(at + 5..)).unwrap_or_default();
    // Without an end-of-file marker there is no end to compare with. But in a file longer than the
    // tail, the marker may be further back, with other bytes after it.
    let trailing = after.iter().any(|byte| !is_white_space(*byte));
    if trailing || (last.is_none() && start > 0) {
        findings.add(Feature::TrailingBytes, None);
    }
    if begins_otherwise(&head) || has_markup(after) || ends_as_zip(&tail) {
        findings.add(Feature::Polyglot, None);
    }
    Ok(())
}

const fn tail_range(len: u64) -> Range<u64> {
    len.saturating_sub(TAIL)..len
}

fn begins_otherwise(head: &[u8]) -> bool {
    MAGIC.iter().any(|magic| head.starts_with(magic)) || has_markup(head)
}

fn has_markup(bytes: &[u8]) -> bool {
    let lower = bytes.to_ascii_lowercase();
    MARKUP.iter().any(|tag| memmem::find(&lower, tag).is_some())
}

/// Whether the file ends like a ZIP archive: with the last record, whose comment ends at the end of
/// the file (APPNOTE 4.3.16).
fn ends_as_zip(tail: &[u8]) -> bool {
    memmem::find_iter(tail, ZIP_END).any(|at| {
        let record = &tail[at..];
        if record.len() < ZIP_END_LENGTH {
            return false;
        }
        let comment = usize::from(u16::from_le_bytes([record[20], record[21]]));
        record.len() == ZIP_END_LENGTH + comment
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_zip_archive_ends_with_its_record() {
        let mut tail = b"%%EOF\nPK\x05\x06".to_vec();
        tail.extend_from_slice(&[0; 16]);
        tail.extend_from_slice(&[3, 0]);
        assert!(!super::ends_as_zip(&tail), "the comment is missing");
        tail.extend_from_slice(b"abc");
        assert!(super::ends_as_zip(&tail));
        tail.push(b'd');
        assert!(!super::ends_as_zip(&tail), "the record is within, as in an attachment");
    }

    #[test]
    fn markup_is_found_in_any_case() {
        assert!(super::begins_otherwise(b"\xef\xbb\xbf\n<ScRiPt>"));
        assert!(super::begins_otherwise(b"MZ\x90\0"));
        assert!(!super::begins_otherwise(b"%!PS-Adobe-3.0 "));
    }
}
