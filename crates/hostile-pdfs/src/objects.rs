//! Objects: nesting, references, object streams, lengths and huge tokens.

use crate::build::{
    Body, Pdf, Row, each, flate, number, object_stream, show, stream, twice_deflated, xref_rows,
};
use crate::deflate::{bomb, deflate, mebibyte};

const DEEP: usize = 200_000;

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    [open.repeat(depth).as_str(), inner, &close.repeat(depth)].concat()
}

/// A file with any object stream as object 6.
fn with_object_stream(object: &[u8], packed: &[u32]) -> Vec<u8> {
    let mut body = Pdf::new().body();
    let mut rows = vec![Row::Free];
    rows.extend(body.offsets.iter().map(|offset| Row::At(*offset as u64)));
    rows.push(Row::At(body.bytes.len() as u64));
    body.add_as(6, object);
    rows.extend((0..).zip(packed).map(|(index, container)| Row::In(*container, index)));
    body.finish_stream(&rows, "/Root 1 0 R")
}

/// A file with an object whose token repeats `unit` `times` times between `open` and `close`, in an
/// object stream, so that the file is small.
fn with_token(open: &[u8], unit: &[u8], times: usize, close: &[u8]) -> Vec<u8> {
    let start = [b"7 0 ", open].concat();
    let data = bomb(&start, unit, times, close);
    with_object_stream(&twice_deflated("/Type /ObjStm /N 1 /First 4", &data), &[6])
}

crate::cases! {
    /// An array nested 200,000 deep.
    fn nested_arrays() { Pdf::new().with(nested("[", "", "]", DEEP)).finish() }

    /// Dictionaries nested 200,000 deep.
    fn nested_dictionaries() { Pdf::new().with(nested("<</A", " 1", ">>", DEEP)).finish() }

    /// Alternating arrays and dictionaries, 200,000 deep, none of them closed.
    fn nested_unclosed() { Pdf::new().with("[<</A".repeat(DEEP)).finish() }

    /// Deeply nested arrays in an object stream, as the page's properties.
    fn nested_packed() {
        Pdf::new()
            .resources("/Properties 6 0 R")
            .with(format!("<< /A {} >>", nested("[", "", "]", DEEP)))
            .finish_packed()
    }

    /// Deeply nested arrays as an operand of the page's contents.
    fn nested_contents() {
        let text = format!("{}BT {} TJ ET", show("before the nest"), nested("[", "", "]", DEEP));
        Pdf::new().contents_object(flate("", text.as_bytes())).finish()
    }

    /// Deeply nested arrays in the trailer.
    fn nested_trailer() {
        Pdf::new().trailer(&format!("/Info {}", nested("[", "", "]", DEEP))).finish()
    }

    /// Arrays nested 60 deep, which readers allow.
    fn nested_modest() { Pdf::new().with(nested("[", "1", "]", 60)).finish() }

    /// A string of 200,000 open parentheses.
    fn nested_parentheses() {
        Pdf::new().with(format!("({}{})", "(".repeat(DEEP), ")".repeat(DEEP))).finish()
    }

    /// 20,000 nested dictionaries, each with a reference to the next.
    fn nested_by_reference() {
        let mut pdf = Pdf::new().catalog("/Deep 6 0 R");
        for n in 7..20_000 {
            pdf = pdf.with(format!("<< /Next [{n} 0 R] >>"));
        }
        pdf.with("<< /Next null >>").finish()
    }

    /// A chain of 100,000 references to the page's contents.
    fn reference_chain() {
        let mut pdf = Pdf::new().leaf(
            "<< /Type /Page /Parent 2 0 R /MediaBox 6 0 R /Contents 4 0 R /Resources << >> >>",
        );
        for n in 7..100_007 {
            pdf = pdf.with(format!("{n} 0 R"));
        }
        pdf.with("[0 0 9 9]").finish()
    }

    /// Two objects that are references to each other.
    fn reference_loop() {
        Pdf::new().page("/Annots 6 0 R").with("7 0 R").with("6 0 R").finish()
    }

    /// An array that contains itself, and a dictionary that contains itself.
    fn array_in_itself() {
        Pdf::new().page("/Annots 6 0 R").with("[6 0 R 7 0 R]").with("<< /A 7 0 R >>").finish()
    }

    /// Twenty arrays, each containing the next one ten times: 10^20 elements when expanded.
    fn array_expansion() {
        let mut pdf = Pdf::new().catalog("/Deep 6 0 R");
        for n in 7..27 {
            pdf = pdf.with(format!("[{}]", format!("{n} 0 R ").repeat(10)));
        }
        pdf.with("[]").finish()
    }

    /// A stream whose `/Length` is the stream itself.
    fn length_self() {
        Pdf::new().contents_object("<< /Length 4 0 R >>\nstream\nBT ET\nendstream").finish()
    }

    /// Two streams, each the `/Length` of the other.
    fn length_loop() {
        Pdf::new()
            .contents_object("<< /Length 6 0 R >>\nstream\nBT ET\nendstream")
            .with("<< /Length 4 0 R >>\nstream\nBT ET\nendstream")
            .finish()
    }

    /// A `/Length` of 10^18.
    fn length_giant() {
        Pdf::new()
            .contents_object("<< /Length 999999999999999999 >>\nstream\nBT ET\nendstream")
            .finish()
    }

    /// A negative `/Length`.
    fn length_negative() {
        Pdf::new().contents_object("<< /Length -5 >>\nstream\nBT ET\nendstream").finish()
    }

    /// A `/Length` that is too short, so that the rest of the stream is parsed as objects.
    fn length_short() {
        let tail = "BT ET\nendstream\nendobj\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R \
                    /OpenAction << /S /JavaScript /JS (1) >> >>\nendobj\n";
        let object = format!("<< /Length {} >>\nstream\n{tail}\nendstream", tail.len());
        Pdf::new().contents_object(object).finish()
    }

    /// A stream that never ends.
    fn stream_unended() { Pdf::new().with("<< /Length 5 >>\nstream\nBT ET").finish() }

    /// 20,000 streams that never end, each with a wrong `/Length`: the search for the end of each
    /// is quadratic.
    fn streams_unended() {
        let mut pdf = Pdf::new();
        for _ in 0..20_000 {
            pdf = pdf.with("<</Length 99999999>>stream\n");
        }
        pdf.finish()
    }

    /// An object stream that lists itself.
    fn object_stream_self() { with_object_stream(&object_stream("", &[(6, b"[]".to_vec())]), &[6]) }

    /// The entry of an object stream says that it is inside itself.
    fn object_stream_entry_self() {
        let mut body = Pdf::new().body();
        let mut rows = vec![Row::Free];
        rows.extend(body.offsets.iter().map(|offset| Row::At(*offset as u64)));
        rows[1] = Row::In(6, 0);
        rows.push(Row::In(6, 0));
        body.add_as(6, &object_stream("", &[(1, b"<< /Type /Catalog >>".to_vec())]));
        body.finish_stream(&rows, "/Root 1 0 R")
    }

    /// An object stream whose `/Extends` is itself.
    fn extends_loop() {
        with_object_stream(&object_stream("/Extends 6 0 R", &[(7, b"[]".to_vec())]), &[6])
    }

    /// An object stream that declares 2,000,000,000 objects.
    fn object_stream_count() {
        let object = flate("/Type /ObjStm /N 2000000000 /First 4", b"7 0 [1 2 3]");
        with_object_stream(&object, &[6])
    }

    /// An object stream whose `/First` and offsets are out of range.
    fn object_stream_offsets() {
        let object = flate("/Type /ObjStm /N 2 /First -4", b"7 -1 8 99999999999 [1 2 3]");
        with_object_stream(&object, &[6, 6])
    }

    /// An object stream that inflates to 2 GiB.
    fn object_stream_bomb() {
        let data = bomb(b"7 0 [1]", &mebibyte(b' '), 2_048, b"");
        with_object_stream(&twice_deflated("/Type /ObjStm /N 1 /First 4", &data), &[6])
    }

    /// An object stream of 60 MB with 60,000 entries: inflating it for each entry is quadratic.
    fn object_stream_thrash() {
        let index = each(7..60_007, |n| format!("{n} 0 "));
        let entries = format!("/Type /ObjStm /N 60000 /First {}", index.len());
        let data = bomb(format!("{index}[1]").as_bytes(), &mebibyte(b' '), 60, b"");
        with_object_stream(&twice_deflated(&entries, &data), &vec![6; 60_000])
    }

    /// Eight object streams of 60 MB, each with a page: a reader that caches all of them uses half
    /// a gigabyte.
    fn object_streams_large() {
        let kids = "/Kids [30 0 R 31 0 R 32 0 R 33 0 R 34 0 R 35 0 R 36 0 R 37 0 R 30 0 R]";
        let mut body = Pdf::new().tree(format!("<< /Type /Pages /Count 8 {kids} >>")).body();
        let mut rows = vec![Row::Free; 38];
        for (row, offset) in rows[1..].iter_mut().zip(&body.offsets) {
            *row = Row::At(*offset as u64);
        }
        for at in 0..8 {
            let page = format!("{} 0 << /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>", 30 + at);
            let data = deflate(&bomb(page.as_bytes(), &mebibyte(b' '), 60, b""));
            let filters = "/Filter [/FlateDecode /FlateDecode]";
            let n = 10 + at;
            rows[n] = Row::At(body.bytes.len() as u64);
            rows[30 + at] = Row::In(number(n), 0);
            let entries = format!("/Type /ObjStm /N 1 /First 5 {filters}");
            body.add_as(number(n), &stream(&entries, &data));
        }
        body.finish_stream(&rows, "/Root 1 0 R")
    }

    /// An object stream that contains a stream, which is not allowed.
    fn stream_in_object_stream() {
        let inner = stream("", b"BT ET");
        with_object_stream(&object_stream("", &[(7, inner)]), &[6])
    }

    /// A hexadecimal string of 48 MB.
    fn hex_string_huge() { with_token(b"<", &mebibyte(b'4'), 48, b">") }

    /// A string of 48 MB of escapes.
    fn string_huge() { with_token(b"(", &b"\\053".repeat(1 << 18), 48, b")") }

    /// A name of 48 MB, each letter escaped.
    fn name_huge() { with_token(b"/", &b"#41".repeat(1 << 20), 16, b" ") }

    /// A number of 48 million digits.
    fn number_huge() { with_token(b"", &mebibyte(b'9'), 48, b" ") }

    /// An array of 20 million nulls in 60 KB.
    fn array_wide() { with_token(b"[", &b"0 ".repeat(1 << 20), 20, b"]") }

    /// A dictionary of four million identical keys.
    fn dictionary_wide() { with_token(b"<<", &b"/A 1".repeat(1 << 18), 16, b">>") }

    /// A dictionary of 300,000 different keys.
    fn dictionary_keys() {
        let keys = each(0..300_000, |n| format!("/K{n} {n} "));
        with_token(b"<<", keys.as_bytes(), 1, b">>")
    }

    /// 100,000 objects of one byte.
    fn objects_many() {
        let mut pdf = Pdf::new();
        for _ in 0..100_000 {
            pdf = pdf.with("1");
        }
        pdf.finish()
    }

    /// Three million objects in 600 deflated object streams.
    fn objects_millions() {
        let mut body = Pdf::new().body();
        let mut rows = vec![Row::Free];
        rows.extend(body.offsets.iter().map(|offset| Row::At(*offset as u64)));
        // One object stream of 5,000 objects, which all 600 x 5,000 entries point to.
        let numbers: Vec<_> = (7..5_007).map(|n| (n, b"[]".to_vec())).collect();
        rows.push(Row::At(body.bytes.len() as u64));
        body.add_as(6, &object_stream("", &numbers));
        let at = body.bytes.len();
        let start = xref_rows(&rows);
        let many: Vec<_> = (0..5_000).map(|index| Row::In(6, index)).collect();
        let data = bomb(&start, &xref_rows(&many), 600, b"");
        let entries = "/Type /XRef /Size 3000007 /W [1 4 4] /Root 1 0 R";
        body.add_as(3_000_007, &twice_deflated(entries, &data));
        body.end(at)
    }

    /// Numbers, names and strings at the limits: overflow, NaN, `#00`, odd digits, no digits.
    fn tokens_odd() {
        Pdf::new()
            .with(
                "[99999999999999999999 -99999999999999999999 1e400 --5 +-3 . - 4.5.6 .00000001 \
                 /#00 /#zz /#4 / <4> <zz> <> () (\\777\\8) 0x10 1#2 true1 nulll R 6 0 R]",
            )
            .finish()
    }

    /// References with generations and numbers that do not exist.
    fn references_odd() {
        Pdf::new()
            .with("[0 0 R 0 65535 R 4294967296 0 R 5 99999 R -1 0 R 6 1 R 2147483647 65535 R]")
            .finish()
    }

    /// A comment of one megabyte wherever white space is allowed.
    fn comments() {
        let comment = format!("%{}\n", "x".repeat(1 << 20));
        Pdf::new().with(format!("[{comment}1{comment}]")).finish()
    }

    /// Only keywords: `obj`, `endobj`, `stream` and `xref` without context.
    fn keywords() {
        let mut body = Body::new(crate::build::HEADER.to_vec());
        body.text(&"obj endobj stream xref trailer startxref 1 0 obj ".repeat(20_000));
        body.end(9)
    }
}
