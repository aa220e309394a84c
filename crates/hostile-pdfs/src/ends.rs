//! The bytes before the header and after the end, and files that are cut off.

use crate::build::{Pdf, noise};

fn prefixed(prefix: &[u8]) -> Vec<u8> {
    let mut bytes = prefix.to_vec();
    bytes.extend(Pdf::new().finish());
    bytes
}

/// Adds a prefix; offsets count from the first byte of the file.
fn prefixed_and_shifted(prefix: &[u8]) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let mut head = prefix.to_vec();
    head.extend_from_slice(&pdf.head);
    pdf.head = head;
    pdf.finish()
}

fn suffixed(suffix: &[u8]) -> Vec<u8> {
    let mut bytes = Pdf::new().finish();
    bytes.extend_from_slice(suffix);
    bytes
}

fn headed(header: &str) -> Vec<u8> {
    let mut pdf = Pdf::new();
    pdf.head = format!("{header}\n").into_bytes();
    pdf.finish()
}

fn mz(length: usize) -> Vec<u8> {
    let mut prefix = b"MZ".to_vec();
    prefix.extend(noise(length));
    prefix.push(b'\n');
    prefix
}

/// A ZIP archive of one stored member.
fn zip() -> Vec<u8> {
    let name = b"evil.js";
    let data = b"app.alert(1)";
    let crc = 0x1234_5678_u32;
    let length = u32::try_from(data.len()).unwrap_or_default().to_le_bytes();
    let name_length = u16::try_from(name.len()).unwrap_or_default().to_le_bytes();
    let mut fields = vec![20, 0, 0, 0, 0, 0, 0, 0, 33, 80];
    fields.extend_from_slice(&crc.to_le_bytes());
    fields.extend_from_slice(&length);
    fields.extend_from_slice(&length);
    fields.extend_from_slice(&name_length);
    fields.extend_from_slice(&[0, 0]);
    let local = [b"PK\x03\x04", &fields[..], name, data].concat();
    let central = [b"PK\x01\x02\x14\0", &fields[..], &[0; 14], name].concat();
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    end.extend_from_slice(&u32::try_from(central.len()).unwrap_or_default().to_le_bytes());
    end.extend_from_slice(&u32::try_from(local.len()).unwrap_or_default().to_le_bytes());
    end.extend_from_slice(&[0, 0]);
    [local, central, end].concat()
}

crate::cases! {
    /// An empty file.
    fn empty() { Vec::new() }

    /// Only a header.
    fn header_only() { b"%PDF-1.7\n".to_vec() }

    /// A header and random bytes without objects.
    fn header_and_noise() { [&b"%PDF-1.7\n"[..], &noise(50_000)].concat() }

    /// `MZ` and 900 random bytes before the header, like a Windows program.
    fn mz_prefix() { prefixed(&mz(900)) }

    /// `MZ` and 900 random bytes before the header; offsets count from the file's first byte.
    fn mz_prefix_shifted() { prefixed_and_shifted(&mz(900)) }

    /// A ZIP archive's first member before the header.
    fn zip_prefix() { prefixed_and_shifted(&zip()) }

    /// An HTML page with a script before the header, which a browser may run.
    fn html_prefix() { prefixed_and_shifted(b"<!DOCTYPE html><script>alert(1)</script><!--\n") }

    /// HTML after white space and a byte order mark, before the header.
    fn html_prefix_bom() { prefixed_and_shifted(b"\xef\xbb\xbf \r\n<ScRiPt>alert(1)</ScRiPt>\n") }

    /// The magic bytes of an ELF program before the header.
    fn elf_prefix() { prefixed_and_shifted(b"\x7fELF\x02\x01\x01\0\0\0\0\0\n") }

    /// A shell script before the header.
    fn script_prefix() { prefixed_and_shifted(b"#!/bin/sh\nexec true\n") }

    /// The header of a GIF image before the PDF header.
    fn gif_prefix() { prefixed_and_shifted(b"GIF89a\x01\0\x01\0\0\0\0;\n") }

    /// 900 random bytes before the header.
    fn noise_prefix() { prefixed(&noise(900)) }

    /// A line of white space before the header.
    fn blank_prefix() { prefixed(b"\r\n\r\n") }

    /// The header at the last allowed position: its last byte is the 1,024th.
    fn header_late() { prefixed(&[b' '; 1_016]) }

    /// The header after the first 1,024 bytes.
    fn header_too_late() { prefixed(&[b' '; 1_100]) }

    /// No header at all.
    fn header_missing() { headed("% just a comment") }

    /// A header with a version that does not exist.
    fn header_version_9() { headed("%PDF-9.9") }

    /// A header without a version.
    fn header_without_version() { headed("%PDF-") }

    /// Two headers; offsets do not count from the second one.
    fn header_twice() { headed("%PDF-1.4\n%PDF-1.7") }

    /// A ZIP archive after the end: the file is a PDF and a ZIP archive.
    fn zip_suffix() { suffixed(&zip()) }

    /// An HTML page after the end.
    fn html_suffix() { suffixed(b"<script>alert(1)</script>") }

    /// A second complete PDF after the end, whose offsets count from its own header.
    fn pdf_suffix() { suffixed(&Pdf::new().contents("BT (second) Tj ET").finish()) }

    /// A megabyte of random bytes after the end, so that `%%EOF` is not in the last kilobytes.
    fn noise_suffix() { suffixed(&noise(1 << 20)) }

    /// 2,000 zero bytes after the end, like the padding of a block device.
    fn zero_suffix() { suffixed(&[0; 2_000]) }

    /// The first half of a file.
    fn truncated() {
        let mut bytes = Pdf::new().finish();
        bytes.truncate(bytes.len() / 2);
        bytes
    }

    /// A file cut inside the page's content stream.
    fn truncated_in_stream() {
        let mut bytes = Pdf::new().contents(noise(10_000)).finish();
        bytes.truncate(5_000);
        bytes
    }

    /// A file cut before `startxref`.
    fn truncated_startxref() { cut(Pdf::new().finish(), b"startxref") }

    /// A file cut before `trailer`.
    fn truncated_trailer() { cut(Pdf::new().finish(), b"trailer") }

    /// A file without the end-of-file marker.
    fn truncated_eof() { cut(Pdf::new().finish(), b"%%EOF") }

    /// 100,000 `%%EOF` and `startxref` after the end.
    fn many_ends() { suffixed(&b"startxref\n9\n%%EOF\n".repeat(100_000)) }

    /// Only text.
    fn plain_text() { b"Dear reader,\n\nthis is a text file.\n".to_vec() }

    /// The first bytes of a PNG image.
    fn picture() { b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0".to_vec() }
}

fn cut(mut bytes: Vec<u8>, keyword: &[u8]) -> Vec<u8> {
    let end = bytes.windows(keyword.len()).rposition(|window| window == keyword);
    bytes.truncate(end.unwrap_or(bytes.len()));
    bytes
}
