//! Digital signatures: clause 6.4.3 of parts 2 and 3.

use cos::{Dict, Object, Ref, Source};

use super::pkcs7;
use crate::{
    checker::{Checker, Rule},
    interactive::fields,
};

/// The signature dictionaries that are values of signature fields.
pub(super) fn signatures<S: Source>(checker: &Checker<'_, S>) -> Vec<(Dict, Option<Ref>)> {
    let mut found = Vec::new();
    for field in fields(checker) {
        if !field.kind.is_name("Sig") {
            continue;
        }
        if let Some(value) = field.dict.get("V")
            && let Object::Dict(signature) = checker.resolve(value)
        {
            found.push((signature, value.as_ref()));
        }
    }
    found
}

pub(super) fn check<S: Source>(checker: &Checker<'_, S>) {
    if checker.is_part_1() || checker.is_part_4() {
        return;
    }
    for (signature, id) in signatures(checker) {
        let contents = checker.get(&signature, "Contents");
        let contents = contents.as_string().map(cos::Str::as_bytes).unwrap_or_default();
        byte_range(checker, &signature, contents, id);
        signers(checker, contents, id);
    }
}

/// 6.4.3-t01: `/ByteRange` covers the whole file, as of the signature's revision, except
/// `/Contents`.
fn byte_range<S: Source>(
    checker: &Checker<'_, S>,
    signature: &Dict,
    contents: &[u8],
    id: Option<Ref>,
) {
    const RULE: Rule = Rule::later("6.4.3", 1);
    let range = checker.get(signature, "ByteRange");
    let range: Vec<u64> = range
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|value| u64::try_from(checker.resolve(value).as_i64()?).ok())
        .collect();
    if !covers_revision(checker, &range, contents).unwrap_or(false) {
        checker.broken(
            RULE,
            id,
            format_args!("/ByteRange {range:?} does not cover the whole file except /Contents"),
        );
    }
}

/// Whether the gap of `range` is the string `contents`, and the range ends where a revision ends.
fn covers_revision<S: Source>(
    checker: &Checker<'_, S>,
    range: &[u64],
    contents: &[u8],
) -> Option<bool> {
    let [0, gap_start, gap_end, rest] = *range else { return Some(false) };
    let end = gap_end.checked_add(rest).filter(|end| *end <= checker.file.len())?;
    if gap_end <= gap_start
        || gap_end - gap_start > (contents.len() as u64).saturating_mul(4).saturating_add(1_024)
    {
        return Some(false);
    }
    let gap = checker.read(checker.file.bytes(gap_start..gap_end))?;
    let [b'<', digits @ .., b'>'] = gap.as_slice() else { return Some(false) };
    let count = digits.iter().filter(|digit| digit.is_ascii_hexdigit()).count();
    if count.div_ceil(2) != contents.len() {
        return Some(false);
    }
    let tail = checker.read(checker.file.bytes(end.saturating_sub(16)..end))?;
    let line_end =
        tail.iter().rev().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    Some(end == checker.file.len() || tail[..tail.len() - line_end].ends_with(b"%%EOF"))
}

/// 6.4.3-t02: the signature contains the certificate of its signer. 6.4.3-t03: it has one signer.
fn signers<S: Source>(checker: &Checker<'_, S>, contents: &[u8], id: Option<Ref>) {
    const CERTIFICATE: Rule = Rule::later("6.4.3", 2);
    const SIGNERS: Rule = Rule::later("6.4.3", 3);
    let signed = pkcs7::SignedData::parse(contents).unwrap_or_default();
    if !signed.has_signing_certificate() {
        checker.broken(CERTIFICATE, id, "the signature has no certificate of its signer");
    }
    if signed.signers.len() != 1 {
        checker.broken(
            SIGNERS,
            id,
            format_args!("the signature has {} signers", signed.signers.len()),
        );
    }
}
