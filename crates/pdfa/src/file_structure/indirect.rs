//! The syntax of indirect objects and streams.

use cos::{Form, Ref, Source, Stream, is_white_space};

use crate::checker::{Checker, Rule};

const fn is_end_of_line(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// 6.1.8-t01, 6.1.9-t01: one white-space character between object number, generation and `obj`; an
/// end of line before the number, after `obj`, before and after `endobj`.
pub(super) fn check<S: Source>(checker: &Checker<'_, S>, id: Ref, offset: u64, form: &Form) {
    const RULE: Rule = Rule::all(("6.1.8", 1), ("6.1.9", 1));
    let around = |range| checker.read(checker.file.bytes(range)).unwrap_or_default();
    let start = form.start.max(offset);
    let header = around(start.saturating_sub(1)..form.header_end + 1);
    let (before, header) =
        if start == 0 { (None, header.as_slice()) } else { split_first(&header) };
    let (after, header) = match header.split_last() {
        Some((after, header)) => (Some(*after), header),
        None => (None, header),
    };
    if before.is_some_and(|byte| !is_end_of_line(byte)) {
        checker.broken(RULE, Some(id), "no end of line before the object number");
    }
    if !single_spaces(header) {
        checker.broken(
            RULE,
            Some(id),
            "not one white-space character between object number, generation and obj",
        );
    }
    if !after.is_some_and(is_end_of_line) {
        checker.broken(RULE, Some(id), "no end of line after obj");
    }
    let Some(end) = form.endobj else {
        checker.broken(RULE, Some(id), "no endobj");
        return;
    };
    let last = around(end.saturating_sub(1)..end + 7);
    let (before, after) = (last.first().copied(), last.get(7).copied());
    if !before.is_some_and(is_end_of_line) || after.is_some_and(|byte| !is_end_of_line(byte)) {
        checker.broken(RULE, Some(id), "no end of line before and after endobj");
    }
}

fn split_first(bytes: &[u8]) -> (Option<u8>, &[u8]) {
    bytes.split_first().map_or((None, bytes), |(first, rest)| (Some(*first), rest))
}

/// Whether `header` is number, white space, number, white space, `obj`.
fn single_spaces(header: &[u8]) -> bool {
    let mut parts = header.split(|byte| is_white_space(*byte));
    let mut digits =
        || parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    digits() && digits() && parts.next() == Some(b"obj") && parts.next().is_none()
}

/// 6.1.7-t01, 6.1.7.1-t01: `/Length` is the number of bytes before the end of line that precedes
/// `endstream`. -t02: CR LF or LF follows `stream`, and an end of line precedes `endstream`. -t03:
/// no `/F`, `/FFilter`, `/FDecodeParms`.
pub(super) fn check_stream<S: Source>(checker: &Checker<'_, S>, stream: &Stream) {
    const LENGTH: Rule = Rule::all(("6.1.7", 1), ("6.1.7.1", 1));
    const KEYWORDS: Rule = Rule::all(("6.1.7", 2), ("6.1.7.1", 2));
    const EXTERNAL: Rule = Rule::all(("6.1.7", 3), ("6.1.7.1", 3));
    let id = Some(stream.id());
    let form = stream.form();
    let bytes = |range| checker.read(checker.file.bytes(range)).unwrap_or_default();
    if !matches!(bytes(form.keyword + 6..form.keyword + 8).as_slice(), [b'\r', b'\n'] | [b'\n', ..])
    {
        checker.broken(KEYWORDS, id, "stream is not followed by CR LF or LF");
    }
    if let Some(endstream) = form.endstream {
        let before = bytes(endstream.saturating_sub(2).max(form.start)..endstream);
        let line_end = match before.as_slice() {
            // The CR of a CR LF may count as data.
            [b'\r', b'\n'] if form.declared == signed(endstream - 1 - form.start) => 1,
            [b'\r', b'\n'] => 2,
            [.., b'\r' | b'\n'] => 1,
            _ => 0,
        };
        if line_end == 0 && endstream > form.start {
            checker.broken(KEYWORDS, id, "no end of line before endstream");
        }
        let real = signed(endstream - form.start - line_end);
        if form.declared != real {
            let said = form.declared.map_or_else(|| "missing".to_owned(), |said| said.to_string());
            let real = real.unwrap_or(i64::MAX);
            checker.broken(
                LENGTH,
                id,
                format_args!("/Length is {said}, the data has {real} bytes"),
            );
        }
    } else {
        checker.broken(KEYWORDS, id, "no endstream");
    }
    for key in ["F", "FFilter", "FDecodeParms"] {
        if stream.dict().get(key).is_some_and(|value| !value.is_null()) {
            checker.broken(EXTERNAL, id, format_args!("a stream with /{key}"));
        }
    }
}

fn signed(length: u64) -> Option<i64> {
    i64::try_from(length).ok()
}
