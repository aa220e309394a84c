//! Cross-references: loops, huge tables, and two versions in one file.

use crate::build::{
    Body, Pdf, Row, flate, number, object_stream, stream, twice_deflated, xref_rows,
};
use crate::deflate::{bomb, mebibyte};

/// A file whose cross-reference stream is `make(offset of the stream)`.
fn with_xref(make: impl Fn(&Body) -> Vec<u8>) -> Vec<u8> {
    let mut body = Pdf::new().body();
    let at = body.bytes.len();
    let object = make(&body);
    let n = number(body.offsets.len() + 1);
    body.add_as(n, &object);
    body.end(at)
}

/// The rows of objects 0 to 5, and of the stream itself as object 6.
fn rows(body: &Body) -> Vec<Row> {
    let mut rows = vec![Row::Free];
    rows.extend(body.offsets.iter().map(|offset| Row::At(*offset as u64)));
    rows.push(Row::At(body.bytes.len() as u64));
    rows
}

/// A file with a cross-reference table of one subsection with any header.
fn with_table(head: &str, size: &str) -> Vec<u8> {
    let mut body = Pdf::new().body();
    let at = body.bytes.len();
    body.text(&format!("xref\n{head}\n0000000000 65535 f \n"));
    for n in 0..body.offsets.len() {
        body.text(&format!("{:010} 00000 n \n", body.offsets[n]));
    }
    body.text(&format!("trailer\n<< /Size {size} /Root 1 0 R >>\n"));
    body.end(at)
}

/// Appends a second revision: one new object, and a table whose `/Prev` is the first table.
fn updated(first: Vec<u8>, n: u32, object: &[u8], trailer: &str) -> Vec<u8> {
    let prev = last_startxref(&first);
    let mut body = Body::new(first);
    let offset = body.bytes.len();
    body.add_as(n, object);
    let at = body.bytes.len();
    body.text(&format!("xref\n{n} 1\n{offset:010} 00000 n \n"));
    body.text(&format!("trailer\n<< /Size 10 /Root 1 0 R /Prev {prev} {trailer} >>\n"));
    body.end(at)
}

pub(crate) fn last_startxref(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(64)..]).into_owned();
    let mut words = text.split_ascii_whitespace().skip_while(|word| *word != "startxref");
    words.nth(1).and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// A catalog with a script that runs when the file opens.
const SCRIPT: &[u8] = b"<< /Type /Catalog /Pages 2 0 R \
    /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>";

crate::cases! {
    /// `/Prev` points at the section itself.
    fn prev_self() {
        let mut body = Pdf::new().body();
        let at = body.bytes.len();
        body.table(&format!("/Root 1 0 R /Prev {at}"));
        body.end(at)
    }

    /// Two sections whose `/Prev` point at each other.
    fn prev_loop() {
        let mut body = Pdf::new().body();
        let first = body.bytes.len();
        // Both tables have the same length, because offsets are padded to the same number of
        // digits.
        let length = {
            let mut probe = Pdf::new().body();
            probe.table(&format!("/Root 1 0 R /Prev {first:010}"));
            probe.bytes.len() - first
        };
        body.table(&format!("/Root 1 0 R /Prev {:010}", first + length));
        body.table(&format!("/Root 1 0 R /Prev {first:010}"));
        body.end(first + length)
    }

    /// A cross-reference stream whose `/Prev` is itself.
    fn prev_loop_stream() {
        with_xref(|body| {
            let at = body.bytes.len();
            stream(
                &format!("/Type /XRef /Size 7 /W [1 4 4] /Root 1 0 R /Prev {at}"),
                &xref_rows(&rows(body)),
            )
        })
    }

    /// `/XRefStm` points at the table that contains it.
    fn xrefstm_loop() {
        let mut body = Pdf::new().body();
        let at = body.bytes.len();
        body.table(&format!("/Root 1 0 R /XRefStm {at}"));
        body.end(at)
    }

    /// 50,000 sections, each the `/Prev` of the next one.
    fn prev_chain() {
        let mut body = Pdf::new().body();
        let mut at = body.table("/Root 1 0 R");
        for _ in 0..50_000 {
            let next = body.bytes.len();
            body.text(&format!("xref\n0 0\ntrailer<</Size 6/Root 1 0 R/Prev {at}>>\n"));
            at = next;
        }
        body.end(at)
    }

    /// `/Prev` is negative, out of range, and a reference, in three sections.
    fn prev_nonsense() {
        let mut body = Pdf::new().body();
        let at = body.table("/Root 1 0 R /Prev -99999999999999999999");
        let bytes = body.end(at);
        let bytes = updated(bytes, 6, b"null", "/Prev 99999999999999");
        updated(bytes, 7, b"null", "/Prev 3 0 R")
    }

    /// A table that declares 2,000,000,000 entries.
    fn table_giant() { with_table("0 2000000000", "2000000000") }

    /// A table with object numbers beyond 32 bits.
    fn table_numbers_overflow() { with_table("4294967295 6", "4294967296") }

    /// A table whose header is much longer than any number.
    fn table_digits() { with_table(&format!("0 {}", "9".repeat(100_000)), "6") }

    /// A cross-reference stream with `/Index [0 2000000000]`.
    fn index_giant() {
        with_xref(|body| {
            stream(
                "/Type /XRef /Size 2000000000 /Index [0 2000000000] /W [1 4 4] /Root 1 0 R",
                &xref_rows(&rows(body)),
            )
        })
    }

    /// A cross-reference stream whose `/W` is 2,000,000,000.
    fn widths_giant() {
        with_xref(|body| {
            stream(
                "/Type /XRef /Size 7 /W [2000000000 2000000000 2000000000] /Root 1 0 R",
                &xref_rows(&rows(body)),
            )
        })
    }

    /// `/W` of zero: 2,000,000,000 entries of zero bytes.
    fn widths_zero() {
        with_xref(|body| {
            stream(
                "/Type /XRef /Size 2000000000 /Index [0 2000000000] /W [0 0 0] /Root 1 0 R",
                &xref_rows(&rows(body)),
            )
        })
    }

    /// Negative `/W` and `/Index`.
    fn widths_negative() {
        with_xref(|body| {
            stream(
                "/Type /XRef /Size -7 /Index [-5 -9] /W [-1 -4 -4] /Root 1 0 R",
                &xref_rows(&rows(body)),
            )
        })
    }

    /// A cross-reference stream that inflates to 2 GiB.
    fn xref_stream_bomb() {
        with_xref(|body| {
            let start = xref_rows(&rows(body));
            twice_deflated(
                "/Type /XRef /Size 200000000 /W [1 4 4] /Root 1 0 R",
                &bomb(&start, &mebibyte(0), 2_048, b""),
            )
        })
    }

    /// A cross-reference stream of five million rows that all point to the page.
    fn xref_stream_million_rows() {
        with_xref(|body| {
            let start = xref_rows(&rows(body));
            let row = xref_rows(&[Row::At(body.offsets[2] as u64)]);
            let size = 7 + 500 * 10_000;
            twice_deflated(
                &format!("/Type /XRef /Size {size} /W [1 4 4] /Root 1 0 R"),
                &bomb(&start, &row.repeat(10_000), 500, b""),
            )
        })
    }

    /// A cross-reference stream whose `/Length` is an object that only this stream locates.
    fn xref_stream_length_indirect() {
        with_xref(|body| {
            let data = xref_rows(&rows(body));
            let mut object = b"<< /Type /XRef /Size 7 /W [1 4 4] /Root 1 0 R /Length 6 0 R >>\n\
                stream\n"
                .to_vec();
            object.extend_from_slice(&data);
            object.extend_from_slice(b"\nendstream");
            object
        })
    }

    /// `startxref` points to the page's contents.
    fn startxref_elsewhere() {
        let body = Pdf::new().body();
        let at = body.offsets[3];
        body.end(at)
    }

    /// Every entry points to the same object, which has another number.
    fn offsets_wrong() {
        let mut body = Pdf::new().body();
        let third = body.offsets[2];
        body.offsets.fill(third);
        body.finish("")
    }

    /// The table marks the page tree as free.
    fn entry_free() {
        let mut body = Pdf::new().body();
        let at = body.table("/Root 1 0 R");
        let row = at + b"xref\n0 6\n".len() + 2 * 20;
        body.bytes[row..row + 20].copy_from_slice(b"0000000000 00001 f \n");
        body.end(at)
    }

    /// The table gives a harmless catalog. After it follows an unlisted second catalog with a
    /// script, which a reader that scans for objects uses.
    fn two_catalogs() {
        let mut body = Pdf::new().body();
        let offset = body.bytes.len();
        body.add_as(1, SCRIPT);
        let at = body.table("/Root 1 0 R");
        debug_assert!(offset < at);
        body.end(at)
    }

    /// A hybrid file: the table has a harmless catalog, the stream of `/XRefStm` another one with a
    /// script. Readers of PDF 1.4 and of PDF 1.5 see different files.
    fn hybrid() {
        let mut body = Pdf::new().body();
        let script = body.bytes.len();
        body.add_as(7, SCRIPT);
        let hidden = body.bytes.len();
        let mut all = rows(&body);
        all[1] = Row::At(script as u64);
        body.add_as(6, &stream("/Type /XRef /Size 7 /W [1 4 4] /Root 1 0 R", &xref_rows(&all)));
        let at = body.table(&format!("/Root 1 0 R /XRefStm {hidden}"));
        body.end(at)
    }

    /// Two trailers with two roots and two `startxref`: the first root is the harmless one.
    fn two_trailers() {
        let first = Pdf::new().with(SCRIPT).finish();
        let prev = last_startxref(&first);
        let mut body = Body::new(first);
        let at = body.bytes.len();
        body.text(&format!("xref\n0 0\ntrailer\n<< /Size 7 /Root 6 0 R /Prev {prev} >>\n"));
        body.end(at)
    }

    /// An update removes a script: only the first revision has it.
    fn update_hides_script() {
        let first = Pdf::new().catalog("/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>");
        updated(first.finish(), 1, b"<< /Type /Catalog /Pages 2 0 R >>", "")
    }

    /// An update that changes what the page shows.
    fn update() {
        updated(Pdf::new().finish(), 4, &stream("", b"BT /F1 9 Tf (changed) Tj ET"), "")
    }

    /// A thousand updates.
    fn updates_many() {
        let mut bytes = Pdf::new().finish();
        for _ in 0..1_000 {
            bytes = updated(bytes, 6, b"null", "");
        }
        bytes
    }

    /// A dictionary with each key twice: either value may give the pages.
    fn duplicate_keys() {
        Pdf::new().catalog("/Pages 6 0 R /Type /Font /Pages 2 0 R").with("<< /Kids [] >>").finish()
    }

    /// The trailer has no `/Root`.
    fn root_missing() {
        let mut body = Pdf::new().body();
        let at = body.table("");
        body.end(at)
    }

    /// The root is a number.
    fn root_number() {
        let mut body = Pdf::new().body();
        let at = body.table("/Root 42");
        body.end(at)
    }

    /// The root is an object that does not exist.
    fn root_dangling() {
        let mut body = Pdf::new().body();
        let at = body.table("/Root 99 0 R");
        body.end(at)
    }

    /// The root refers to itself.
    fn root_loop() {
        let mut body = Body::new(crate::build::HEADER.to_vec());
        body.add(b"1 0 R");
        body.finish("")
    }

    /// The catalog is in an object stream inside another object stream, which is not allowed.
    fn object_stream_in_object_stream() {
        let inner = object_stream("", &[(1, b"<< /Type /Catalog /Pages 2 0 R >>".to_vec())]);
        let mut body = Pdf::new().body();
        let mut all = rows(&body);
        all.truncate(6);
        all[1] = Row::In(6, 0);
        all.push(Row::In(7, 0));
        all.push(Row::At(body.bytes.len() as u64));
        let outer = object_stream("", &[(6, inner)]);
        body.add_as(7, &outer);
        body.finish_stream(&all, "/Root 1 0 R")
    }

    /// A linearization dictionary with lengths and offsets of 2,000,000,000.
    fn linearized_giant() {
        let mut body = Body::new(crate::build::HEADER.to_vec());
        body.add(
            b"<< /Linearized 1 /L 2000000000 /H [2000000000 2000000000] /O 1 /E 2000000000 \
              /N 2000000000 /T 2000000000 >>",
        );
        let first = number(body.offsets.len());
        for object in Pdf::new().objects() {
            body.add(&shift(&object, first));
        }
        let at = body.table("/Root 2 0 R");
        body.end(at)
    }

    /// A deflated cross-reference stream that ends in the middle of a row and has a wrong checksum.
    fn xref_stream_cut() {
        with_xref(|body| {
            let data = xref_rows(&rows(body));
            let mut object =
                flate("/Type /XRef /Size 70 /W [1 4 4] /Root 1 0 R", &data[..data.len() - 4]);
            let end = object.len() - 12;
            object[end] ^= 0xff;
            object
        })
    }
}

/// Adds `by` to the number of every reference `n 0 R`.
fn shift(object: &[u8], by: u32) -> Vec<u8> {
    let text = String::from_utf8_lossy(object).into_owned();
    (1..=5)
        .rev()
        .fold(text, |text, n| text.replace(&format!("{n} 0 R"), &format!("{} 0 R", n + by)))
        .into_bytes()
}
