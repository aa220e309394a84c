//! The first lines, the last lines, the trailers and the cross-reference tables.

use cos::{Object, Section, SectionKind, Source};

use crate::{
    Part,
    checker::{Checker, Rule},
};

pub(super) fn check<S: Source>(checker: &Checker<'_, S>) {
    header(checker);
    after_end_of_file(checker);
    identifiers(checker);
    encryption(checker);
    information(checker);
    cross_reference_tables(checker);
    cross_reference_streams(checker);
    usable_cross_reference(checker);
}

/// 6.1.2-t01: the file starts with its header line. 6.1.2-t02: the next line is a comment of at
/// least four bytes above 127.
fn header<S: Source>(checker: &Checker<'_, S>) {
    const LINE: Rule = Rule::all(("6.1.2", 1), ("6.1.2", 1));
    const COMMENT: Rule = Rule::all(("6.1.2", 2), ("6.1.2", 2));
    let start = checker.file.header().offset;
    let Some(head) = checker.read(checker.file.bytes(start..start + 1_024)) else { return };
    let end = head.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(head.len());
    let (line, rest) = head.split_at(end);
    let version = line.strip_prefix(b"%PDF-").unwrap_or_default();
    let well_formed = match checker.flavour.part {
        Part::One => matches!(version, [b'0'..=b'9', b'.', b'0'..=b'9', ..]),
        Part::Two | Part::Three => matches!(version, [b'1', b'.', b'0'..=b'7']),
        Part::Four => matches!(version, [b'2', b'.', b'0'..=b'9']),
    };
    if start != 0 || !well_formed {
        checker.broken(
            LINE,
            None,
            format_args!("header {:?} at byte {start}", String::from_utf8_lossy(line)),
        );
    }
    let comment = match rest {
        [b'\r', b'\n', rest @ ..] | [b'\r' | b'\n', rest @ ..] => rest,
        _ => rest,
    };
    if !matches!(comment, [b'%', first, second, third, fourth, ..] if [first, second, third, fourth].iter().all(|byte| **byte > 127))
    {
        checker.broken(COMMENT, None, "no comment of four bytes above 127 after the header");
    }
}

/// 6.1.3-t03: after the last end-of-file marker, nothing but one end of line.
fn after_end_of_file<S: Source>(checker: &Checker<'_, S>) {
    const RULE: Rule = Rule::all(("6.1.3", 3), ("6.1.3", 3));
    let len = checker.file.len();
    let Some(tail) = checker.read(checker.file.bytes(len.saturating_sub(2_048)..len)) else {
        return;
    };
    let Some(marker) = tail.windows(5).rposition(|window| window == b"%%EOF") else {
        checker.broken(RULE, None, "no end-of-file marker in the last 2,048 bytes");
        return;
    };
    let after = &tail[marker + 5..];
    if !matches!(after, [] | [b'\r' | b'\n'] | [b'\r', b'\n']) {
        checker.broken(
            RULE,
            None,
            format_args!("{} bytes after the last end-of-file marker", after.len()),
        );
    }
}

/// The strings of a section's `/ID`, concatenated.
fn identifier<S: Source>(checker: &Checker<'_, S>, section: &Section) -> Option<Vec<u8>> {
    let ids = checker.get(&section.trailer, "ID");
    let mut bytes = Vec::new();
    for id in ids.as_array()? {
        if let Object::String(string) = checker.resolve(id) {
            bytes.extend_from_slice(string.as_bytes());
        }
    }
    Some(bytes)
}

/// 6.1.3-t01: the trailer has an `/ID`. 6.1.3-t04 (part 1): both trailers of a linearized file have
/// the same `/ID`.
fn identifiers<S: Source>(checker: &Checker<'_, S>) {
    const MISSING: Rule = Rule::all(("6.1.3", 1), ("6.1.3", 1));
    const DIFFERENT: Rule = Rule::one("6.1.3", 4);
    let sections = checker.file.xref().sections();
    let by_place = |section: &&Section| section.offset;
    let (Some(first), Some(last)) =
        (sections.iter().min_by_key(by_place), sections.iter().max_by_key(by_place))
    else {
        let trailer = checker.file.trailer();
        if !trailer.contains("ID") {
            checker.broken(MISSING, None, "the trailer has no /ID");
        }
        return;
    };
    let linearized = first.offset != last.offset && is_linearized(checker);
    let (first, last) = (identifier(checker, first), identifier(checker, last));
    let that = if linearized { &first } else { &last };
    let missing = match that {
        None => true,
        Some(id) => id.is_empty() && !checker.is_part_1(),
    };
    if missing {
        checker.broken(MISSING, None, "the trailer has no /ID, or an empty one");
    }
    if linearized && last.is_some() && first != last {
        checker.broken(DIFFERENT, None, "the trailers of a linearized file differ in /ID");
    }
}

/// Whether the linearization dictionary has the length of the file. After an update it does not,
/// and the dictionary is void.
fn is_linearized<S: Source>(checker: &Checker<'_, S>) -> bool {
    let dict = checker.file.linearization();
    let length = dict.and_then(|dict| dict.get("L").and_then(Object::as_i64));
    length.and_then(|length| u64::try_from(length).ok()) == Some(checker.file.len())
}

/// 6.1.3-t02: no `/Encrypt`.
fn encryption<S: Source>(checker: &Checker<'_, S>) {
    const RULE: Rule = Rule::all(("6.1.3", 2), ("6.1.3", 2));
    if checker.file.is_encrypted() {
        checker.broken(RULE, None, "the trailer has /Encrypt");
    }
}

/// 6.1.3-t04 (part 4): no `/Info`, unless the catalog has `/PieceInfo`. 6.1.3-t05: `/Info` has only
/// `/ModDate`.
fn information<S: Source>(checker: &Checker<'_, S>) {
    const THERE: Rule = Rule::four("6.1.3", 4);
    const ENTRIES: Rule = Rule::four("6.1.3", 5);
    let trailer = checker.file.trailer();
    let Some(entry) = trailer.get("Info") else { return };
    let information = checker.resolve(entry);
    if information.is_null() {
        return;
    }
    if checker.get(&checker.root(), "PieceInfo").is_null() {
        checker.broken(
            THERE,
            entry.as_ref(),
            "the trailer has /Info, but the catalog has no /PieceInfo",
        );
    }
    if let Some(dict) = information.as_dict()
        && (dict.len() != 1 || checker.get(dict, "ModDate").as_string().is_none())
    {
        checker.broken(
            ENTRIES,
            entry.as_ref(),
            "/Info has an entry other than /ModDate, or no /ModDate",
        );
    }
}

/// 6.1.4-t01 (part 1): one space between the numbers of a subsection header. 6.1.4-t02: one end of
/// line between `xref` and the first header (6.1.4-t01 in part 4).
fn cross_reference_tables<S: Source>(checker: &Checker<'_, S>) {
    const SPACE: Rule = Rule::one("6.1.4", 1);
    const LINE: Rule = Rule::all(("6.1.4", 2), ("6.1.4", 2));
    for section in checker.file.xref().sections() {
        let SectionKind::Table(subsections) = &section.kind else { continue };
        let Some(first) = subsections.first() else { continue };
        let after = section.offset + 4;
        let between = checker.read(checker.file.bytes(after..first.header.min(after + 8)));
        if !matches!(between.as_deref(), None | Some(b"\r" | b"\n" | b"\r\n")) {
            checker.broken(
                LINE,
                None,
                format_args!("xref at byte {} is not followed by one end of line", section.offset),
            );
        }
        for subsection in subsections {
            let Some(header) =
                checker.read(checker.file.bytes(subsection.header..subsection.header_end))
            else {
                return;
            };
            let digits = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
            let mut parts = header.splitn(2, |byte| *byte == b' ');
            if !(parts.next().is_some_and(digits) && parts.next().is_some_and(digits)) {
                checker.broken(
                    SPACE,
                    None,
                    format_args!("subsection header at byte {}", subsection.header),
                );
            }
        }
    }
}

/// 6.1.4-t00: the cross-reference leads to the catalog. veraPDF does not have this test, because it
/// gives no verdict on such a file.
fn usable_cross_reference<S: Source>(checker: &Checker<'_, S>) {
    if checker.file.xref().sections().is_empty() {
        checker.fail(
            "6.1.4",
            0,
            None,
            "the cross-reference is missing or does not lead to a catalog",
        );
    }
}

/// 6.1.4-t03 (part 1): no cross-reference streams.
fn cross_reference_streams<S: Source>(checker: &Checker<'_, S>) {
    const RULE: Rule = Rule::one("6.1.4", 3);
    for section in checker.file.xref().sections() {
        if let SectionKind::Stream(id) | SectionKind::Hybrid(id) = section.kind {
            checker.broken(RULE, Some(id), "a cross-reference stream");
        }
    }
}
